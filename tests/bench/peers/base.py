"""What an adapter is: a file here with peers(tools), which returns one or several Peers."""
from __future__ import annotations

import enum
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


class Family(enum.IntEnum):
    """Who is compared with whom."""

    OWN = 0     # Fairlead and its variants
    LIMIT = 1   # the raw relay
    PEER = 2    # other proxies: the best of them is what budgets speak of
    DIRECT = 3  # no proxy at all: what latency is there without one


@dataclass(frozen=True)
class Tools:
    """This project's own programs."""

    fairlead: Path
    bench_peer: Path


@dataclass(frozen=True)
class Site:
    """Where a peer is to stand: a folder of its own, and ports of 127.0.0.1."""

    folder: Path
    plain: int
    tls: int
    backend: int
    cert: Path
    key: Path
    workers: int = 1

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)


class Peer:
    """A proxy as its experts would set it up: `workers` threads, TLS 1.3, no access log, upgrades
    passed on, long timeouts."""

    name = ""
    family = Family.PEER
    order = 0                   # among its family, in the table
    plain = True                # listens on Site.plain
    tls = True                  # listens on Site.tls
    only: tuple[str, ...] = ()  # names of scenarios it is measured in, without "-tls"; (): all
    tested = True               # False: the adapter was never run against the real thing

    def binary(self) -> str | None:
        """The program's path; None when it is not on this machine."""
        return find_program(self.name)

    def found(self) -> bool:
        return self.binary() is not None

    def version(self) -> str:
        return ""

    def prepare(self, site: Site) -> list[str]:
        """Writes the configuration into site.folder; returns the command, which stays in the
        foreground and ends on TERM."""
        raise NotImplementedError

    def env(self, site: Site) -> dict[str, str]:
        """Added to the command's environment."""
        del site
        return {}

    def takes(self, scenario: str, tls: bool) -> bool:
        """Whether a scenario (without "-tls") is one for it."""
        return (self.tls if tls else self.plain) and (not self.only or scenario in self.only)


def find_program(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/bin")


def first_version(command: list[str]) -> str:
    """The first "1.2.3" in what a command prints."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return match[0] if match else ""
