"""Traefik, where its binary is on PATH. Not in Debian: this adapter is untested."""
from __future__ import annotations

from peers.base import Peer, Site, Tools, first_version

STATIC = """global: {{ checkNewVersion: false, sendAnonymousUsage: false }}
log: {{ level: ERROR }}
entryPoints:
  plain: {{ address: "127.0.0.1:{plain}" }}
  sealed: {{ address: "127.0.0.1:{tls}" }}
providers: {{ file: {{ filename: "{folder}/routes.yml" }} }}
"""

ROUTES = """http:
  routers:
    plain: {{ rule: "PathPrefix(`/`)", service: echo, entryPoints: [plain] }}
    sealed: {{ rule: "PathPrefix(`/`)", service: echo, entryPoints: [sealed], tls: {{}} }}
  services:
    echo: {{ loadBalancer: {{ servers: [{{ url: "http://127.0.0.1:{backend}" }}] }} }}
tls:
  options: {{ default: {{ minVersion: VersionTLS13 }} }}
  certificates: [{{ certFile: "{cert}", keyFile: "{key}" }}]
"""


class Traefik(Peer):
    name = "traefik"
    order = 6
    tested = False

    def version(self) -> str:
        return first_version([self.binary() or "", "version"])

    def prepare(self, site: Site) -> list[str]:
        site.write("routes.yml", ROUTES.format(**vars(site)))
        return [self.binary() or "", "--configfile=" +
                site.write("traefik.yml", STATIC.format(**vars(site)))]

    def env(self, site: Site) -> dict[str, str]:
        return {"GOMAXPROCS": str(site.workers)}


def peers(tools: Tools) -> list[Peer]:
    del tools
    return [Traefik()]
