#!/usr/bin/env python3
"""CPU per relayed message next to nginx, and memory of idle sessions, on one machine in one run.

    cmake --preset release && cmake --build --preset release && cmake --build --preset release --target bench_peer
    tests/bench/compare.py            # medians of interleaved runs, with minimum and maximum
    tests/bench/compare.py --idle 9000

One worker each, the same echo server behind both, loopback only; everything ends by itself.
CPU is user + sys of the proxy's process from /proc/PID/stat.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build", "release")
PEER = os.path.join(BUILD, "tests", "bench", "bench_peer")
FAIRLEAD = os.path.join(BUILD, "proxy", "fairlead")
ECHO, PLAIN, TLS, NGINX_PLAIN, NGINX_TLS = 19101, 19080, 19443, 19180, 19543

SCENARIOS = {
    "64 B, 100 connections, 1 in flight": ["--connections", "100"],
    "64 B, 100 connections, 16 in flight": ["--connections", "100", "--in-flight", "16"],
    "1 KiB, 1,000 connections": ["--connections", "1000", "--size", "1024"],
    "64 KiB, 50 connections": ["--connections", "50", "--size", "65536"],
}


def write_configs(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"],
                   check=True, stderr=subprocess.DEVNULL)
    with open(f"{folder}/fairlead.toml", "w") as out:
        out.write(f"""[server]
workers = 1
[log]
access = "access.jsonl"
file = "fairlead.log"
[[listener]]
address = "127.0.0.1:{PLAIN}"
[[listener]]
address = "127.0.0.1:{TLS}"
tls = {{ certificates = [{{ cert = "cert.pem", key = "key.pem" }}] }}
[[route]]
backend = "echo"
[[backend]]
name = "echo"
servers = ["127.0.0.1:{ECHO}"]
""")
    with open(f"{folder}/nginx.conf", "w") as out:
        out.write(f"""worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
worker_rlimit_nofile 20000; events {{ worker_connections 19000; }}
http {{ access_log off; map $http_upgrade $upgrade {{ default upgrade; }}
server {{ listen 127.0.0.1:{NGINX_PLAIN}; listen 127.0.0.1:{NGINX_TLS} ssl;
ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
location / {{ proxy_pass http://127.0.0.1:{ECHO}; proxy_http_version 1.1; proxy_read_timeout 1h;
proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $upgrade; }} }} }}
""")


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kib(pid):
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def one_run(port, pid, arguments, tls):
    load = subprocess.Popen([PEER, "load", "--to", f"127.0.0.1:{port}", *arguments] + (["--tls"] if tls else []),
                            stdout=subprocess.PIPE, text=True)
    for line in load.stdout:
        if line.startswith("warm"):
            before = cpu_seconds(pid)
        if line.startswith("done"):
            used = cpu_seconds(pid) - before
            count = int(line.split()[1])
    load.wait()
    return used / count * 1e6


def compare_cpu(proxies, runs, seconds):
    print("| µs of CPU per echo round trip | " + " | ".join(name for name, _, _, _ in proxies) + " |")
    print("| --- |" + " --- |" * len(proxies))
    for scenario, arguments in SCENARIOS.items():
        figures = {name: [] for name, _, _, _ in proxies}
        for _ in range(runs):
            for name, port, pid, tls in proxies:
                figures[name].append(one_run(port, pid, arguments + ["--seconds", str(seconds)], tls))
        cells = [f"{statistics.median(f):.2f} ({min(f):.2f}-{max(f):.2f})" for f in figures.values()]
        print(f"| {scenario} | " + " | ".join(cells) + " |", flush=True)


def measure_idle(proxies, count):
    print("| KiB per idle session | " + " | ".join(name for name, _, _, _ in proxies) + " |")
    print("| --- |" + " --- |" * len(proxies))
    cells = []
    for _, port, pid, tls in proxies:
        before = memory_kib(pid)
        load = subprocess.Popen([PEER, "load", "--to", f"127.0.0.1:{port}", "--connections", str(count), "--idle"] +
                                (["--tls"] if tls else []), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if not load.stdout.readline().startswith("open"):
            sys.exit("the idle sessions were not opened")
        time.sleep(1)
        cells.append(f"{(memory_kib(pid) - before) / count:.2f}")
        load.stdin.close()
        load.wait()
        time.sleep(1)
    print(f"| {count} sessions, PSS | " + " | ".join(cells) + " |", flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--seconds", type=float, default=2)
    options.add_argument("--idle", type=int, help="measure memory of so many idle sessions instead")
    chosen = options.parse_args()
    nginx = shutil.which("nginx", path="/usr/sbin:" + os.environ["PATH"])
    for needed in (PEER, FAIRLEAD):
        if not os.path.exists(needed):
            sys.exit(f"{needed} is missing: see --help")
    with tempfile.TemporaryDirectory() as folder:
        write_configs(folder)
        started = [subprocess.Popen([PEER, "echo", str(ECHO)]),
                   subprocess.Popen([FAIRLEAD, "run", "-c", f"{folder}/fairlead.toml"])]
        if nginx:
            started.append(subprocess.Popen([nginx, "-c", f"{folder}/nginx.conf"]))
        try:
            time.sleep(1)
            own = started[1].pid
            proxies = [("fairlead", PLAIN, own, False), ("fairlead TLS", TLS, own, True)]
            if nginx:
                worker = int(subprocess.check_output(["pgrep", "-P", str(started[2].pid)]).split()[0])
                proxies += [("nginx", NGINX_PLAIN, worker, False), ("nginx TLS", NGINX_TLS, worker, True)]
            if chosen.idle:
                measure_idle(proxies, chosen.idle)
            else:
                compare_cpu(proxies, chosen.runs, chosen.seconds)
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                process.wait()


if __name__ == "__main__":
    main()
