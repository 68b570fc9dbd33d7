"""What is shipped as files: units, package, manifests, dashboard, alerts, container."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import tomllib
import unittest

import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
PACKAGING = TOP / "packaging"
DEBIAN = PACKAGING / "debian"
FAIRLEAD = os.environ["FAIRLEAD"]

# Every metric there is, with its labels: the contract of dashboards and alerts.
METRICS = {
    "build_info": "version",
    "config_last_reload_successful": "",
    "connections": "listener",
    "sessions": "route backend",
    "sessions_total": "route result",
    "refused_total": "reason",
    "messages_total": "route direction opcode",
    "bytes_total": "route direction",
    "close_total": "route code by",
    "session_ends_total": "route reason",
    "session_duration_seconds_bucket": "le",
    "handshake_seconds_bucket": "le",
    "ping_rtt_seconds_bucket": "side le",
    "dead_peers_total": "side",
    "limit_total": "limit action",
    "backend_up": "backend server",
    "backend_sessions": "backend server",
    "backend_connect_failures_total": "backend server",
    "backend_connect_seconds_bucket": "le",
    "tls_handshakes_total": "version resumed",
    "http_requests_total": "route status",
    "worker_connections": "worker",
    "log_lines_lost_total": "log",
}


def run(*command, **options):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    return result.returncode, result.stdout + result.stderr


def manifests():
    for file in sorted((PACKAGING / "kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            yield file.name, document


def manifest(kind):
    return next(document for _, document in manifests() if document["kind"] == kind)


class Systemd(unittest.TestCase):
    def test_units_are_right(self):
        # The paths of the unit do not exist here: it is looked at as if its program were `true`.
        with tempfile.TemporaryDirectory() as folder:
            for name in ("fairlead.service", "fairlead.socket"):
                text = (DEBIAN / name).read_text().replace("/usr/bin/fairlead", "/bin/true")
                # man: fairlead(1) is not installed here.
                pathlib.Path(folder, name).write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.M))
            code, output = run("systemd-analyze", "verify", "--recursive-errors=no", *pathlib.Path(folder).iterdir())
        self.assertEqual((code, output), (0, ""))

    def test_the_service_is_shut_in(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(DEBIAN / "fairlead.service", folder)
            code, output = run("systemd-analyze", "security", "--offline=true", "--no-pager",
                               pathlib.Path(folder, "fairlead.service"))
        score = re.search(r"Overall exposure level for fairlead.service: ([0-9.]+)", output)
        self.assertTrue(score, output)
        # 1.4 and a tenth for AF_NETLINK, which the resolver needs.
        self.assertLessEqual(float(score[1]), 1.5)

    def test_the_resolver_may_ask_for_the_machines_addresses(self):
        service = (DEBIAN / "fairlead.service").read_text()
        families = re.search(r"^RestrictAddressFamilies=(.*)$", service, re.M)[1].split()
        self.assertEqual(set(families), {"AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"})

    def test_it_has_the_time_to_drain(self):
        service = (DEBIAN / "fairlead.service").read_text()
        config = tomllib.loads((PACKAGING / "fairlead.toml").read_text())
        deadline = int(config["server"]["drain"]["deadline"].rstrip("s"))
        self.assertGreater(int(re.search(r"TimeoutStopSec=(\d+)s", service)[1]), deadline)

    def test_logrotate_reads_its_file(self):
        # The user is not here.
        text = (DEBIAN / "fairlead.logrotate").read_text().replace("fairlead fairlead", "root root")
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "fairlead")
            file.write_text(text)
            os.chmod(file, 0o644)
            code, output = run("logrotate", "--debug", "--state", "/dev/null", file)
        self.assertEqual(code, 0, output)
        self.assertNotIn("error:", output)


class Scripts(unittest.TestCase):
    def test_shellcheck(self):
        scripts = [PACKAGING / name for name in ("package", "package-test")]
        self.assertEqual(run("shellcheck", "-x", *scripts, cwd=TOP), (0, ""))
        self.assertEqual(run("shellcheck", DEBIAN / "fairlead.postinst", DEBIAN / "fairlead.postrm"), (0, ""))

    def test_versions_agree(self):
        version = re.search(r"project\(fairlead VERSION (\S+)", (TOP / "CMakeLists.txt").read_text())[1]
        self.assertTrue((DEBIAN / "changelog").read_text().startswith(f"fairlead ({version})"))
        for file in ("Containerfile", "kubernetes/deployment.yaml"):
            for found in re.findall(r"fairlead:(\d\S+)", (PACKAGING / file).read_text()):
                self.assertEqual(found, version, file)

    def test_the_package_builds_with_what_building_needs(self):
        listed = re.search(r"building=\((.*?)\)", (PACKAGING / "lib.sh").read_text(), re.S)[1]
        needed = {entry.split(":")[0] for entry in listed.split()} - {"g++"}  # build-essential
        self.assertLessEqual(needed, set(re.findall(r"[a-z0-9+-]+", (DEBIAN / "control").read_text())))
        container = set(re.findall(r"[a-z0-9+-]+", (PACKAGING / "Containerfile").read_text()))
        self.assertLessEqual(needed | {"g++"}, container)


class Configurations(unittest.TestCase):
    def check(self, text):
        """Of `fairlead check`, with the files it names made beside it."""
        with tempfile.TemporaryDirectory() as folder:
            for number, name in enumerate(sorted(set(re.findall(r'_file = "([^"]+)"', text)))):
                secret = pathlib.Path(folder, f"secret-{number}")
                secret.write_text(str(number) * 44)
                os.chmod(secret, 0o600)
                text = text.replace(f'"{name}"', f'"{secret.name}"')
            text = text.replace('"/var/log/fairlead/', f'"{folder}/')
            file = pathlib.Path(folder, "fairlead.toml")
            file.write_text(text)
            code, output = run(FAIRLEAD, "check", "-c", file, env={**os.environ, "FAIRLEAD_BACKEND": "127.0.0.1:3000"})
        self.assertEqual(code, 0, output)
        self.assertNotIn("hint", output)

    def test_of_the_package(self):
        self.check((PACKAGING / "fairlead.toml").read_text())

    def test_of_the_container(self):
        self.check((PACKAGING / "container.toml").read_text())

    def test_of_kubernetes(self):
        self.check(manifest("ConfigMap")["data"]["fairlead.toml"])


class Kubernetes(unittest.TestCase):
    def test_every_manifest_is_one(self):
        for file, document in manifests():
            with self.subTest(file):
                self.assertTrue(document["apiVersion"] and document["kind"])
                if document["kind"] != "Kustomization":
                    self.assertEqual(document["metadata"]["labels"]["app.kubernetes.io/name"], "fairlead")
        listed = manifest("Kustomization")["resources"]
        here = {f.name for f in (PACKAGING / "kubernetes").glob("*.yaml")}
        self.assertEqual(here - set(listed), {"kustomization.yaml", "servicemonitor.yaml"})

    def test_what_selects_finds_the_pods(self):
        pod = manifest("Deployment")["spec"]["template"]
        labels = pod["metadata"]["labels"].items()
        for kind in ("Deployment", "PodDisruptionBudget"):
            self.assertLessEqual(manifest(kind)["spec"]["selector"]["matchLabels"].items(), labels)
        ports = {p["name"]: p["containerPort"] for p in pod["spec"]["containers"][0]["ports"]}
        monitor = manifest("ServiceMonitor")["spec"]
        monitored = 0
        for _, document in manifests():
            if document["kind"] != "Service":
                continue
            self.assertLessEqual(document["spec"]["selector"].items(), labels)
            for port in document["spec"]["ports"]:
                self.assertIn(port["targetPort"], ports)
            monitored += monitor["selector"]["matchLabels"].items() <= document["metadata"]["labels"].items()
        self.assertEqual(monitored, 1)

    def test_ports_and_times_are_those_of_the_configuration(self):
        config = tomllib.loads(manifest("ConfigMap")["data"]["fairlead.toml"])
        pod = manifest("Deployment")["spec"]["template"]["spec"]
        container = pod["containers"][0]
        ports = {p["name"]: p["containerPort"] for p in container["ports"]}
        self.assertTrue(config["listener"][0]["address"].endswith(f":{ports['http']}"))
        self.assertTrue(config["admin"]["listen"].endswith(f":{ports['admin']}"))
        sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        deadline = int(config["server"]["drain"]["deadline"].rstrip("s"))
        self.assertGreater(pod["terminationGracePeriodSeconds"], sleep + deadline)
        mounts = {m["mountPath"] for m in container["volumeMounts"]}
        self.assertIn(os.path.dirname(config["admin"]["token_file"]), mounts)
        self.assertIn(os.path.dirname(config["admin"]["read_token_file"]), mounts)
        self.assertTrue(pod["securityContext"]["runAsNonRoot"])


    def test_prometheus_has_a_token_that_may_not_act(self):
        config = tomllib.loads(manifest("ConfigMap")["data"]["fairlead.toml"])["admin"]
        pod = manifest("Deployment")["spec"]["template"]["spec"]
        secrets = {v["name"]: v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v}
        folders = {m["mountPath"]: secrets.get(m["name"]) for m in pod["containers"][0]["volumeMounts"]}
        acting = folders[os.path.dirname(config["token_file"])]
        reading = folders[os.path.dirname(config["read_token_file"])]
        credentials = manifest("ServiceMonitor")["spec"]["endpoints"][0]["authorization"]["credentials"]
        self.assertEqual(credentials, {"name": reading, "key": os.path.basename(config["read_token_file"])})
        self.assertNotEqual(acting, reading)
        for secret in (acting, reading):
            self.assertIn(f"create secret generic {secret} ", (PACKAGING / "kubernetes/kustomization.yaml").read_text())

    def test_only_prometheus_reaches_the_admin_port(self):
        policy = manifest("NetworkPolicy")["spec"]
        pod = manifest("Deployment")["spec"]["template"]
        self.assertLessEqual(policy["podSelector"]["matchLabels"].items(), pod["metadata"]["labels"].items())
        self.assertEqual(policy["policyTypes"], ["Ingress"])
        open_to_all = [p["port"] for rule in policy["ingress"] if "from" not in rule for p in rule["ports"]]
        self.assertEqual(open_to_all, ["http"])
        guarded = [rule for rule in policy["ingress"] if "from" in rule]
        self.assertEqual([p["port"] for rule in guarded for p in rule["ports"]], ["admin"])
        for source in guarded[0]["from"]:
            self.assertTrue(source["namespaceSelector"]["matchLabels"] and source["podSelector"]["matchLabels"])


class Hardening(unittest.TestCase):
    """What the release preset compiles and links with; looked at in its build and in a program made so."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        code, output = run("cmake", "-S", TOP, "--preset", "release", "-B", cls.folder.name)
        if code != 0:
            raise AssertionError(output)
        commands = json.loads(pathlib.Path(cls.folder.name, "compile_commands.json").read_text())
        cls.commands = {os.path.relpath(c["file"], TOP): c["command"].split() for c in commands}
        build = pathlib.Path(cls.folder.name, "build.ninja").read_text()
        program = re.search(r"^build proxy/fairlead: .*?(?=^build |^#)", build, re.M | re.S)[0]
        cls.link = re.search(r"LINK_FLAGS = (.*)", program)[1].split()

    def test_every_file_is_compiled_so(self):
        self.assertIn("proxy/main.cc", self.commands)
        self.assertIn("tls/engine.cc", self.commands)
        for file, command in self.commands.items():
            with self.subTest(file):
                for flag in ("-fstack-protector-strong", "-fstack-clash-protection", "-fPIE"):
                    self.assertIn(flag, command)
                self.assertRegex(" ".join(command), r"-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=[23]\b")
                if os.uname().machine == "x86_64":
                    self.assertIn("-fcf-protection", command)

    def test_a_program_made_so_has_it(self):
        flags = [f for f in self.commands["proxy/main.cc"]
                 if re.match(r"-f(stack|cf|PIE)|-[UD]_FORTIFY|-O", f)]
        source = pathlib.Path(self.folder.name, "probe.cc")
        source.write_text("#include <cstring>\nint main(int n, char** v) { char a[16]; std::strcpy(a, v[n - 1]);\n"
                          "return a[static_cast<unsigned>(n) % 16]; }\n")
        probe = pathlib.Path(self.folder.name, "probe")
        link = [f for f in self.link if f == "-pie" or f.startswith("-Wl,-z")]
        self.assertEqual(run("g++", *flags, source, "-o", probe, *link), (0, ""))
        self.look_at(probe)

    def look_at(self, program):
        _, text = run("readelf", "--wide", "--file-header", "--dynamic", "--program-headers", "--dyn-syms", program)
        self.assertRegex(text, r"Type:\s+DYN \(Position-Independent Executable")
        self.assertRegex(text, r"\bBIND_NOW\b|\bNOW\b")
        self.assertIn("GNU_RELRO", text)
        self.assertNotRegex(text, r"GNU_STACK.* RWE")
        self.assertIn("__stack_chk_fail", text)
        self.assertRegex(text, r"__\w+_chk\b")

    def test_the_program_has_it_where_it_was_built(self):
        program = TOP / "build/release/proxy/fairlead"
        if not program.exists():
            self.skipTest("no release build")
        self.look_at(program)

    def test_the_package_and_the_image_do_not_switch_it_off(self):
        self.assertIn("hardening=+all", (DEBIAN / "rules").read_text())
        for file in ("debian/rules", "Containerfile", "lib.sh"):
            self.assertNotIn("FAIRLEAD_HARDENING=OFF", (PACKAGING / file).read_text())
        self.assertIn("--preset release", (PACKAGING / "Containerfile").read_text())


class Prometheus(unittest.TestCase):
    def test_promtool_takes_the_rules(self):
        folder = PACKAGING / "prometheus"
        code, output = run("promtool", "check", "rules", folder / "fairlead.rules.yml")
        self.assertEqual(code, 0, output)
        code, output = run("promtool", "test", "rules", "fairlead.rules.test.yml", cwd=folder)
        self.assertEqual(code, 0, output)

    def check(self, expression):
        for name, selector in re.findall(r"\bfairlead_(\w+)(?:\{([^}]*)\})?", expression):
            self.assertIn(name, METRICS, expression)
            for label in re.findall(r"(\w+)\s*[=!]", selector):
                self.assertIn(label, METRICS[name].split() + ["instance", "job"], expression)
        labels = {"instance"}
        for name in re.findall(r"\bfairlead_(\w+)", expression):
            labels |= set(METRICS[name].split())
        for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression):
            self.assertLessEqual({label.strip() for label in group.split(",")}, labels, expression)

    def test_alerts_use_what_there_is(self):
        rules = yaml.safe_load((PACKAGING / "prometheus/fairlead.rules.yml").read_text())
        for rule in rules["groups"][0]["rules"]:
            self.check(rule["expr"])

    def test_the_dashboard_uses_what_there_is_and_all_of_it(self):
        dashboard = json.loads((PACKAGING / "grafana/fairlead.json").read_text())
        used = set()
        ids = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                self.check(target["expr"])
                used |= set(re.findall(r"\bfairlead_(\w+)", target["expr"]))
        self.assertEqual(used, set(METRICS))
        for variable in dashboard["templating"]["list"][1:]:
            self.check(variable["query"]["query"].removeprefix("label_values(").rsplit(",", 1)[0])


class Containerfile(unittest.TestCase):
    def test_what_it_copies_is_here_and_it_is_not_root(self):
        text = re.sub(r"\\\n", " ", (PACKAGING / "Containerfile").read_text())
        steps = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
        for word, rest in steps:
            self.assertIn(word, {"ARG", "FROM", "RUN", "WORKDIR", "COPY", "USER", "ENV", "EXPOSE", "STOPSIGNAL",
                                 "HEALTHCHECK", "ENTRYPOINT", "CMD"})
            if word == "COPY" and not rest.startswith("--from"):
                for source in rest.split()[:-1]:
                    self.assertTrue((TOP / source).exists(), source)
            if word == "RUN":
                self.assertEqual(run("bash", "-n", input=rest), (0, ""))
        last = [word for word, _ in steps][[word for word, _ in steps].index("FROM", 2):]
        self.assertLess(last.index("USER"), last.index("ENTRYPOINT"))
        self.assertIn("HEALTHCHECK", last)
        self.assertNotIn(dict(steps)["USER"].split(":")[0], ("0", "root"))


if __name__ == "__main__":
    unittest.main()
