"""Processes, ports, and what a tree of processes has used of CPU and memory (Linux)."""
from __future__ import annotations

import ctypes
import os
import random
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import IO

START_SECONDS = 20.0
STOP_SECONDS = 5.0
OPEN_FILES = 20000


class Failed(Exception):
    """A peer or a load did not do what it was asked; the message is the reason."""


def free_port() -> int:
    """Below the ephemeral ports: no outgoing connection takes it before its owner listens."""
    for _ in range(1000):
        port = random.randint(10000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Failed("no free port")


def _begin_child() -> None:
    """In the child: it ends with the runner, whatever happens to that, and takes many files."""
    import resource

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, OPEN_FILES), hard))


def spawn(command: list[str], log: Path, env: dict[str, str] | None = None,
          stdin: int = subprocess.DEVNULL, stdout: int | IO[str] | None = None,
          ) -> subprocess.Popen[str]:
    """Starts it in a session of its own; its output goes to the log."""
    with log.open("a") as out:
        return subprocess.Popen(command, stdin=stdin, stdout=stdout or out, stderr=out, text=True,
                                env={**os.environ, **(env or {})}, cwd=log.parent,
                                start_new_session=True, preexec_fn=_begin_child)


def stop(process: subprocess.Popen[str]) -> None:
    """TERM, and KILL for its whole group when it takes too long."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(process.pid, signal.SIGKILL)  # also what a dead leader left behind
    except ProcessLookupError:
        pass
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


def tail(log: Path, lines: int = 3) -> str:
    """The end of a log, on one line."""
    text = log.read_text(errors="replace").strip() if log.exists() else ""
    return " / ".join(text.splitlines()[-lines:]) or "it said nothing"


def wait_for_port(port: int, process: subprocess.Popen[str], log: Path) -> None:
    """Until something listens there, or the process ended."""
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise Failed(f"ended with {process.returncode}: {tail(log)}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise Failed(f"does not listen on its port: {tail(log)}")


def _parents() -> dict[int, int]:
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            parents[int(entry)] = int(stat.rsplit(")", 1)[1].split()[1])
    return parents


def tree(root: int) -> list[int]:
    """A process and all its descendants."""
    parents = _parents()
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _thread_seconds(pid: int) -> float:
    """From the scheduler's own account in nanoseconds, all threads that live."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        total += int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])
    return total / 1e9


def _process_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of the processes so far."""
    total = 0.0
    for pid in pids:
        try:
            total += _thread_seconds(pid)
        except OSError:
            try:
                total += _process_seconds(pid)
            except OSError:
                continue  # it has ended
    return total


def pss_kib(pids: list[int]) -> int:
    """Memory of the processes, pages they share counted once. Files mapped (programs, libraries)
    are left out: their share changes with every other process that maps them, a load's too."""
    total = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        parts = re.findall(r"^Pss_(?:Anon|Shmem):\s+(\d+)", rollup, re.MULTILINE)
        total += sum(int(part) for part in parts or re.findall(r"^Pss:\s+(\d+)", rollup,
                                                               re.MULTILINE))
    return total
