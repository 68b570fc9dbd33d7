"""Fairlead with its normal defaults on: access log to a file, keepalive, checks."""
from __future__ import annotations

import subprocess

from peers.base import Family, Peer, Site, Tools, first_version

CONFIG = """[server]
workers = {workers}
[log]
access = "access.jsonl"
file = "fairlead.log"
[admin]
listen = "unix:admin.sock"
{listeners}
[[route]]
backend = "echo"
[[backend]]
name = "echo"
servers = ["127.0.0.1:{backend}"]
"""

PLAIN = """[[listener]]
address = "127.0.0.1:{plain}"
"""

TLS = """[[listener]]
address = "127.0.0.1:{tls}"
tls = {{ certificates = [{{ cert = "{cert}", key = "{key}" }}]{more} }}
"""


class Fairlead(Peer):
    name = "fairlead"
    family = Family.OWN
    more_tls = ""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools

    def binary(self) -> str | None:
        return str(self.tools.fairlead) if self.tools.fairlead.exists() else None

    def version(self) -> str:
        return first_version([str(self.tools.fairlead), "--version"])

    def prepare(self, site: Site) -> list[str]:
        listeners = PLAIN * self.plain + TLS * self.tls
        text = (CONFIG.replace("{listeners}", listeners)).format(**vars(site), more=self.more_tls)
        return [str(self.tools.fairlead), "run", "-c", site.write("fairlead.toml", text)]


class Compact(Fairlead):
    """Established TLS sessions without OpenSSL's memory; only where this build has the key."""

    name = "fairlead-compact"
    order = 1
    plain = False
    more_tls = ", compact = true"

    def found(self) -> bool:
        if not super().found():
            return False
        reference = subprocess.run([str(self.tools.fairlead), "reference"], capture_output=True,
                                   text=True, timeout=10, check=False).stdout
        return any(line.split()[:1] == ["compact"] for line in reference.splitlines())


def peers(tools: Tools) -> list[Peer]:
    return [Fairlead(tools), Compact(tools)]
