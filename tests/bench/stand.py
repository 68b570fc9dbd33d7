"""The stand: a backend and instances of peers, each in its folder; all end with it."""
from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from load import Load
from peers.base import Family, Peer, Site, Tools
from system import free_port, spawn, stop, tree, wait_for_port


@dataclass
class Instance:
    """A peer that runs."""

    peer: Peer
    site: Site
    root: int | None  # the process that was started

    @property
    def pids(self) -> list[int]:
        """Of its whole tree, as it is now: some begin their workers late."""
        return [] if self.root is None else tree(self.root)

    def port(self, tls: bool) -> int:
        if self.peer.family == Family.DIRECT:
            return self.site.backend
        return self.site.tls if tls else self.site.plain


def make_certificate(folder: Path) -> tuple[Path, Path]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key),
                    "-out", str(cert)], check=True, stderr=subprocess.DEVNULL)
    return cert, key


class Stand:
    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self._stack = ExitStack()
        self._running: dict[str, Instance] = {}

    def __enter__(self) -> Stand:
        with ExitStack() as stack:  # undone when a part of it fails
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            self.cert, self.key = make_certificate(self.folder)
            self.backend = free_port()
            log = self.folder / "backend.log"
            process = spawn([str(self.tools.bench_peer), "echo", str(self.backend)], log)
            stack.callback(stop, process)
            wait_for_port(self.backend, process, log)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _launch(self, stack: ExitStack, peer: Peer, workers: int) -> Instance:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=self.folder)))
        site = Site(folder, free_port(), free_port(), self.backend, self.cert, self.key, workers)
        if peer.family == Family.DIRECT:
            return Instance(peer, site, None)
        log = folder / "output.log"
        process = spawn(peer.prepare(site), log, peer.env(site))
        stack.callback(stop, process)
        wait_for_port(site.plain if peer.plain else site.tls, process, log)
        return Instance(peer, site, process.pid)

    def running(self, peer: Peer) -> Instance:
        """The one that stays for the whole run; started when it is first asked for."""
        if peer.name not in self._running:
            self._running[peer.name] = self._launch(self._stack, peer, 1)
        return self._running[peer.name]

    @contextmanager
    def fresh(self, peer: Peer, workers: int = 1) -> Iterator[Instance]:
        """One of its own, as just started."""
        with ExitStack() as stack:
            yield self._launch(stack, peer, workers)

    def load(self, instance: Instance, tls: bool, mode: str, *options: str) -> Load:
        secure = ["--tls"] if tls else []
        log = instance.site.folder / "load.log"
        return Load(self.tools.bench_peer, instance.port(tls), mode, [*secure, *options], log,
                    lambda: instance.pids)
