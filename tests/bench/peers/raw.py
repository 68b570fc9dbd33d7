"""The raw relay of bench_peer: bytes only, the physical limit. And no proxy at all."""
from __future__ import annotations

from peers.base import Family, Peer, Site, Tools


class Raw(Peer):
    name = "raw"
    family = Family.LIMIT
    more: tuple[str, ...] = ()

    def __init__(self, tools: Tools) -> None:
        self.tools = tools

    def binary(self) -> str | None:
        return str(self.tools.bench_peer)

    def prepare(self, site: Site) -> list[str]:
        command = [str(self.tools.bench_peer), "relay", "--to", f"127.0.0.1:{site.backend}",
                   "--port", str(site.plain), *self.more]
        if self.tls:
            command += ["--tls-port", str(site.tls), "--cert", str(site.cert), "--key",
                        str(site.key)]
        return command


class Splice(Raw):
    name = "raw-splice"
    order = 1
    tls = False
    only = ("S4", "S5")
    more = ("--splice",)


class Direct(Peer):
    """The load straight at the backend, for what latency there is without any proxy."""

    name = "direct"
    family = Family.DIRECT
    tls = False
    only = ("S8",)

    def found(self) -> bool:
        return True


def peers(tools: Tools) -> list[Peer]:
    return [Raw(tools), Splice(tools), Direct()]
