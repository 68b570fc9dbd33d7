"""HAProxy, as it comes and with splice for the large frames."""
from __future__ import annotations

from peers.base import Peer, Site, Tools, find_program, first_version

CONFIG = """global
  nbthread {workers}
  maxconn {maxconn}
  tune.ssl.default-dh-param 2048
  ssl-default-bind-options ssl-min-ver TLSv1.3
  {more_global}
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
  option forwardfor
  {more_defaults}
frontend in
  bind 127.0.0.1:{plain} backlog 16384
  bind 127.0.0.1:{tls} backlog 16384 ssl crt {folder}/both.pem alpn http/1.1
  default_backend echo
backend echo
  server one 127.0.0.1:{backend}
"""


class HAProxy(Peer):
    name = "haproxy"
    order = 2
    maxconn = 9900
    more_global = ""
    more_defaults = ""

    def binary(self) -> str | None:
        return find_program("haproxy")

    def version(self) -> str:
        return first_version([self.binary() or "", "-v"])

    def prepare(self, site: Site) -> list[str]:
        site.write("both.pem", site.cert.read_text() + site.key.read_text())
        text = CONFIG.format(**vars(site), maxconn=self.maxconn,
                             more_global=self.more_global,
                             more_defaults=self.more_defaults)
        return [self.binary() or "", "-db", "-f", site.write("haproxy.cfg", text)]


class Splice(HAProxy):
    name = "haproxy-splice"
    order = 3
    only = ("S4", "S5")
    maxconn = 9000  # pipes need files as well
    more_global = "maxpipes 100\n  tune.pipesize 1048576"
    more_defaults = "option splice-auto"

    def takes(self, scenario: str, tls: bool) -> bool:
        return not tls and super().takes(scenario, tls)  # TLS can't be spliced


def peers(tools: Tools) -> list[Peer]:
    del tools
    return [HAProxy(), Splice()]
