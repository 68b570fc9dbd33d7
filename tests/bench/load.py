"""Drives `bench_peer load` and reads CPU and memory at the moments it announces."""
from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from system import Failed, cpu_seconds, spawn, stop, tail


@dataclass(frozen=True)
class Moment:
    at: float
    proxy: float  # CPU seconds so far
    load: float


@dataclass
class Reading:
    """One window of one load."""

    result: dict[str, Any]
    moments: dict[str, Moment] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return float(self.result["seconds"])

    def share(self, which: str = "proxy") -> float:
        """Of one core, in the window."""
        begin, end = self.moments["warm"], self.moments["done"]
        used = getattr(end, which) - getattr(begin, which)
        return used / max(end.at - begin.at, 1e-9)

    def cpu_per(self, count: float) -> float:
        """Microseconds of the proxy's CPU for each of `count` things in the window. The moments
        are read a little late: so it is the share that counts, over the load's own seconds."""
        return self.share() * self.seconds / count * 1e6


class Load:
    """A load on its way: wait for its moments one by one, then for its result."""

    def __init__(self, bench_peer: Path, target: int, mode: str, options: list[str], log: Path,
                 proxy: Callable[[], list[int]]) -> None:
        command = [str(bench_peer), "load", mode, "--to", f"127.0.0.1:{target}", *options]
        self._proxy = proxy
        self._log = log
        log.write_text("")
        self.process = spawn(command, log, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.moments: dict[str, Moment] = {}

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        stop(self.process)

    def _line(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline().strip()
        if not line:
            self.process.wait()
            raise Failed(f"load: {tail(self._log, 1)}")
        return line

    def reach(self, moment: str) -> Moment:
        """Waits until the load says so; reads the CPU then."""
        while (said := self._line()) != moment:
            if said.startswith("{"):
                raise Failed(f"load: ended before {moment}")
            self.mark(said)
        return self.mark(moment)

    def mark(self, said: str) -> Moment:
        """Reads the CPU now, under a name."""
        now = Moment(time.monotonic(), cpu_seconds(self._proxy()), cpu_seconds([self.process.pid]))
        self.moments[said] = now
        return now

    def end_input(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()

    def result(self) -> Reading:
        """Waits for the line of JSON."""
        while not (said := self._line()).startswith("{"):
            self.mark(said)
        return Reading(json.loads(said), self.moments)


