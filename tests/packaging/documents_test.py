"""What Fairlead prints about itself: the JSON Schema, the man pages, the completions.

FAIRLEAD is the binary; the rest of Debian's tools are called by name.
"""

import copy
import functools
import json
import os
import pathlib
import re
import subprocess
import tempfile
import tomllib
import unittest

import jsonschema

TOP = pathlib.Path(__file__).resolve().parents[2]
FAIRLEAD = os.environ["FAIRLEAD"]


@functools.cache
def fairlead(*arguments):
    return subprocess.run([FAIRLEAD, *arguments], check=True, capture_output=True, text=True).stdout


def commands():
    """The subcommands of --help, with the options of each."""
    listed = fairlead("--help").split("Subcommands:")[1].split("\n\n")[0]
    names = re.findall(r"^  (\S+)", listed, re.M)
    return {name: re.findall(r"(?<!\S)(--[a-z-]+)", fairlead(name, "--help")) for name in names}


def toml_blocks():
    """Each is a whole file, as a person would copy it."""
    for page in sorted((TOP / "packaging/doc").glob("*.md")):
        for text in re.findall(r"^```toml\n(.*?)^```$", page.read_text(), re.M | re.S):
            yield page.name, text


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = json.loads(fairlead("reference", "--format", "json-schema"))
        cls.validator = jsonschema.Draft7Validator(cls.schema)
        with open(TOP / "packaging/example.toml", "rb") as file:
            cls.example = tomllib.load(file)

    def faults(self, value):
        return [f"{list(e.absolute_path)}: {e.message}" for e in self.validator.iter_errors(value)]

    def test_is_a_schema(self):
        jsonschema.Draft7Validator.check_schema(self.schema)

    def test_takes_the_example_and_the_packaged_files(self):
        self.assertEqual(self.faults(self.example), [])
        for name in ("fairlead.toml", "container.toml"):
            with self.subTest(name):
                text = (TOP / "packaging" / name).read_text()
                self.assertEqual(self.faults(tomllib.loads(text)), [])

    def test_takes_the_manual(self):
        blocks = list(toml_blocks())
        self.assertGreater(len(blocks), 5)
        for page, text in blocks:
            with self.subTest(page=page, text=text):
                self.assertEqual(self.faults(tomllib.loads(text)), [])

    def test_defaults_are_valid(self):
        def walk(schema, path):
            for key, value in schema.get("properties", {}).items():
                if "default" in value:
                    inner = dict(value, definitions=self.schema["definitions"])
                    faults = list(jsonschema.Draft7Validator(inner).iter_errors(value["default"]))
                    self.assertEqual(faults, [], path + [key])
                walk(value, path + [key])
                walk(value.get("items", {}), path + [key])

        walk(self.schema, [])

    def test_refuses(self):
        for path, value in (
            (["sever"], {}),
            (["server", "worker"], 1),
            (["server", "workers"], 257),
            (["server", "workers"], "4"),
            (["server", "drain", "deadline"], "30"),
            (["server", "drain", "rate"], {"rate": "1/s"}),
            (["log", "level"], "loud"),
            (["listener", 0, "adress"], "0.0.0.0:80"),
            (["listener", 0, "tls", "min_version"], "1.1"),
            (["route", 0, "orgins"], ["any"]),
            (["route", 0, "origins"], []),
            (["route", 0, "websocket", "max_frame"], "1MB"),
            (["route", 0, "limits", "bytes"], {"burst": 5}),
            (["backend", 0, "servers", 0], {"weight": 2}),
            (["backend", 0, "servers", 0], {"address": "10.0.0.1:80", "wieght": 2}),
            (["backend", 0, "hash_key"], "header"),
            (["tracing", "sample"], "1%"),
            (["tracing", "sample"], 1.5),
        ):
            with self.subTest(path=path, value=value):
                bad = copy.deepcopy(self.example)
                table = bad
                for step in path[:-1]:
                    table = table[step]
                table[path[-1]] = value
                self.assertEqual(len(self.faults(bad)), 1)
        self.assertIn("'backend' is a required property", self.faults({"route": [{}]})[0])

    def test_a_variable_may_stand_for_a_value(self):
        example = copy.deepcopy(self.example)
        example["log"]["level"] = "${LEVEL}"
        example["server"]["drain"]["deadline"] = "${DEADLINE}"
        self.assertEqual(self.faults(example), [])


class ManPages(unittest.TestCase):
    def check(self, name, *arguments):
        page = fairlead(*arguments)
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / name
            file.write_text(page)
            lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", file], capture_output=True, text=True)
            self.assertEqual((lint.returncode, lint.stdout), (0, ""))
            groff = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", "-rLL=78n", file],
                                   capture_output=True, text=True, check=True)
            self.assertEqual(groff.stderr, "")
            shown = subprocess.run(["mandoc", "-T", "utf8", file], capture_output=True, text=True, check=True)
            return re.sub(".\b", "", shown.stdout)

    def test_fairlead_toml(self):
        page = self.check("fairlead.toml.5", "reference", "--format", "man")
        for part in ("FAIRLEAD.TOML(5)", "[[listener]]", "[server.drain]", "workers = 0"):
            self.assertIn(part, page)

    def test_fairlead(self):
        page = self.check("fairlead.1", "reference", "--commands", "--format", "man")
        for command, options in commands().items():
            self.assertRegex(page, rf"\n +fairlead {command}\b")
            for option in options:
                if option != "--help":
                    self.assertIn(option, page)

    def test_other_formats_of_the_commands_are_wrong_usage(self):
        result = subprocess.run([FAIRLEAD, "reference", "--commands", "--format", "json-schema"],
                                capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stdout), (2, ""))


class Completions(unittest.TestCase):
    def complete(self, *words):
        script = fairlead("completion", "bash") + f"""
COMP_WORDS=(fairlead {' '.join(f"'{w}'" for w in words)})
COMP_CWORD={len(words)}
compopt() {{ printf 'compopt %s\\n' "$*"; }}
_fairlead
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
        result = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True)
        self.assertEqual(result.stderr, "")
        return result.stdout.split()

    def test_bash(self):
        every = commands()
        self.assertLess(set(every), set(self.complete("")))
        for command, options in every.items():
            self.assertLessEqual(set(options), set(self.complete(command, "--")))
        self.assertEqual(self.complete("reference", "--format", "m"), ["man"])
        self.assertEqual(self.complete("completion", "z"), ["zsh"])
        self.assertEqual(self.complete("run", "-c", "")[:3], ["compopt", "-o", "default"])

    def test_each_shell_reads_its_script(self):
        for shell in ("bash", "zsh", "fish"):
            with tempfile.NamedTemporaryFile("w") as file:
                file.write(fairlead("completion", shell))
                file.flush()
                result = subprocess.run([shell, "-n", file.name], capture_output=True, text=True)
            self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""), shell)

    def test_zsh_and_fish_name_every_command_and_option(self):
        zsh, fish = fairlead("completion", "zsh"), fairlead("completion", "fish")
        for command, options in commands().items():
            self.assertIn(f"\n    '{command}:", zsh)
            self.assertIn(f" -a {command} ", fish)
            for option in options:
                self.assertIn(option, zsh)
                self.assertIn(f"'__fish_seen_subcommand_from {command}'", fish)
                self.assertIn(f" -l {option[2:]} ", fish)


if __name__ == "__main__":
    unittest.main()
