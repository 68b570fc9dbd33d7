"""Caddy: Go, so its threads are bounded by GOMAXPROCS."""
from __future__ import annotations

from peers.base import Peer, Site, Tools, first_version

CONFIG = """{{
  admin off
  auto_https off
  default_sni localhost
  log {{
    level ERROR
  }}
  servers {{
    protocols h1
  }}
}}
http://127.0.0.1:{plain}, http://localhost:{plain} {{
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:{backend}
}}
https://127.0.0.1:{tls}, https://localhost:{tls} {{
  bind 127.0.0.1
  tls {cert} {key} {{
    protocols tls1.3
  }}
  reverse_proxy 127.0.0.1:{backend}
}}
"""


class Caddy(Peer):
    name = "caddy"
    order = 4

    def version(self) -> str:
        return first_version([self.binary() or "", "version"])

    def prepare(self, site: Site) -> list[str]:
        return [self.binary() or "", "run", "--adapter", "caddyfile", "--config",
                site.write("Caddyfile", CONFIG.format(**vars(site)))]

    def env(self, site: Site) -> dict[str, str]:
        home = str(site.folder)
        return {"GOMAXPROCS": str(site.workers), "HOME": home, "XDG_CONFIG_HOME": home,
                "XDG_DATA_HOME": home}


def peers(tools: Tools) -> list[Peer]:
    del tools
    return [Caddy()]
