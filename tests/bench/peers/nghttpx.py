"""nghttpx (Debian: nghttp2-proxy)."""
from __future__ import annotations

from peers.base import Peer, Site, Tools, first_version


class Nghttpx(Peer):
    name = "nghttpx"
    order = 5

    def version(self) -> str:
        return first_version([self.binary() or "", "--version"])

    def prepare(self, site: Site) -> list[str]:
        return [self.binary() or "", "--conf=/dev/null", f"--workers={site.workers}",
                f"--frontend=127.0.0.1,{site.plain};no-tls", f"--frontend=127.0.0.1,{site.tls}",
                f"--backend=127.0.0.1,{site.backend};;proto=http/1.1", "--backlog=16384",
                "--tls-min-proto-version=TLSv1.3", "--no-ocsp", "--log-level=ERROR",
                f"--errorlog-file={site.folder}/nghttpx.log", "--frontend-read-timeout=1h",
                "--frontend-write-timeout=1h", "--backend-read-timeout=1h",
                "--backend-write-timeout=1h", "--rlimit-nofile=20000", str(site.key),
                str(site.cert)]


def peers(tools: Tools) -> list[Peer]:
    del tools
    return [Nghttpx()]
