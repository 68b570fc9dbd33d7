"""How it grows: 1,000 to 9,000 idle sessions, active ones among them, storms, fan-out, slow
readers, a second worker."""
from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from load import Moment, Reading
from peers.base import Family, Peer, Tools
from stand import Instance, Stand
from stats import Latency
from system import Failed, cpu_seconds, pss_kib
from table import Notes, markdown, number

GREATEST = 9000
FIRST = 100            # there before the first reading of memory
SETTLE = 1.0           # seconds until memory is read
BACK_SECONDS = 10.0    # how long memory may take to come back
KEEPALIVE_SECONDS = 45.0  # more than two intervals of 20 s
DEFAULT_PEERS = ("raw", "nginx")


@dataclass(frozen=True)
class Measure:
    """One row: at most `limit`, where there is one."""

    title: str
    unit: str
    limit: float | None = None


@dataclass
class Ground:
    """What a part needs to measure one peer."""

    stand: Stand
    peer: Peer
    greatest: int
    seconds: float
    quick: bool
    figures: dict[Measure, float] = field(default_factory=dict)

    def note(self, title: str, unit: str, value: float, limit: float | None = None) -> None:
        self.figures[Measure(title, unit, limit)] = value

    def ways(self) -> list[tuple[bool, str]]:
        """Plain and TLS, as far as the peer takes them."""
        return [(tls, "TLS" if tls else "plain") for tls in (False, True)
                if (self.peer.tls if tls else self.peer.plain)]

    def idle(self, stack: ExitStack, instance: Instance, tls: bool, count: int) -> None:
        """Idle sessions until the stack ends."""
        load = stack.enter_context(self.stand.load(
            instance, tls, "idle", "--connections", str(count), "--opening", "256",
            "--deadline", "300"))
        load.reach("open")

    def load(self, instance: Instance, tls: bool, mode: str, *options: str) -> Reading:
        with self.stand.load(instance, tls, mode, "--seconds", str(self.seconds),
                             *options) as load:
            return load.result()


def p99(reading: Reading) -> float:
    latency = Latency.of(reading.result["latency_ns"])
    return latency.p99 if latency else 0.0


def back_to(instance: Instance, before: int, most: int) -> int:
    """PSS once it is near what it was, or when it had its time."""
    limit = time.monotonic() + BACK_SECONDS
    while True:
        now = pss_kib(instance.pids)
        if now - before < (most - before) * 0.05 or time.monotonic() > limit:
            return now
        time.sleep(0.2)


def memory(ground: Ground) -> None:
    """The memory line, the keepalive's CPU at its end, and what stays after all were closed."""
    for tls, way in ground.ways():
        with ground.stand.fresh(ground.peer) as instance, ExitStack() as first:
            ground.idle(first, instance, tls, FIRST)
            time.sleep(SETTLE)
            before = most = pss_kib(instance.pids)
            with ExitStack() as stack:
                most = _line(ground, stack, instance, tls, way, before)
                if not ground.quick:
                    ground.note(f"{way}: CPU of {ground.greatest:,} idle", "% of a core",
                                keepalive(instance), 2.0)
            after = back_to(instance, before, most)
            with ExitStack() as stack:  # what is held must at least be used again
                ground.idle(stack, instance, tls, ground.greatest)
                time.sleep(SETTLE)
                again = pss_kib(instance.pids)
            ground.note(f"{way}: opened again / the first time", "x",
                        (again - before) / max(most - before, 1), 1.10)
            ground.note(f"{way}: still held after all were closed", "% of it",
                        (after - before) / max(most - before, 1) * 100, 10.0)


def _line(ground: Ground, stack: ExitStack, instance: Instance, tls: bool, way: str,
          before: int) -> int:
    opened = now = 0
    own = ground.peer.family == Family.OWN and ground.peer.name == "fairlead"
    for share in (1 / 9, 5 / 9, 1):
        count = round(ground.greatest * share)
        ground.idle(stack, instance, tls, count - opened)
        opened = count
        time.sleep(SETTLE)
        now = pss_kib(instance.pids)
        limit = (15.2 if tls else 1.0) if own or ground.peer.family != Family.OWN else 4.0
        ground.note(f"{way}: a session, of {count:,}", "KiB", (now - before) / count, limit)
    return now


def keepalive(instance: Instance) -> float:
    begin, used = time.monotonic(), cpu_seconds(instance.pids)
    time.sleep(KEEPALIVE_SECONDS)
    return (cpu_seconds(instance.pids) - used) / (time.monotonic() - begin) * 100


def active(ground: Ground) -> None:
    """Some active sessions alone, and among many idle ones."""
    some = max(ground.greatest // 9, 1)
    options = ("--connections", str(some), "--rate", "10", "--warm", "1")
    for tls, way in ground.ways():
        with ground.stand.fresh(ground.peer) as instance, ExitStack() as stack:
            alone = ground.load(instance, tls, "paced", *options)
            ground.idle(stack, instance, tls, ground.greatest - some)
            among = ground.load(instance, tls, "paced", *options)
        name = f"{way}: {some:,} active"
        costs = [reading.cpu_per(reading.result["count"]) for reading in (alone, among)]
        ground.note(f"{name} alone, CPU", "µs/message", costs[0])
        ground.note(f"{name} among {ground.greatest - some:,} idle, CPU", "µs/message", costs[1])
        ground.note(f"{name}: among idle / alone, CPU", "x", costs[1] / costs[0], 1.10)
        ground.note(f"{name} alone, p99", "ms", p99(alone))
        ground.note(f"{name} among {ground.greatest - some:,} idle, p99", "ms", p99(among))


def workers(ground: Ground) -> None:
    """Two workers against one."""
    if ground.peer.family == Family.LIMIT:
        return
    for tls, way in ground.ways():
        rates = []
        for count in (1, 2):
            with ground.stand.fresh(ground.peer, count) as instance:
                reading = ground.load(instance, tls, "echo", "--connections", "200")
            done = reading.result["count"]
            rates.append(done / reading.seconds)
            ground.note(f"{way}: {count} worker{'s' * (count - 1)}, CPU", "µs/trip",
                        reading.cpu_per(done))
            ground.note(f"{way}: {count} worker{'s' * (count - 1)}, throughput", "trips/s",
                        rates[-1])
        ground.note(f"{way}: 2 workers / 1, throughput", "x", rates[1] / rates[0])


def storms(ground: Ground) -> None:
    """All open as fast as they can, and all close."""
    for tls, way in ground.ways():
        with ground.stand.fresh(ground.peer) as instance:
            _storm(ground, instance, tls, way)


def _storm(ground: Ground, instance: Instance, tls: bool, way: str) -> None:
    count = ground.greatest
    before = pss_kib(instance.pids)
    with ground.stand.load(instance, tls, "idle", "--connections", str(count), "--opening", "256",
                           "--deadline", "300") as load:
        begin, opened = load.reach("warm"), load.reach("open")
        most = pss_kib(instance.pids)
        closing = load.mark("closing")
        load.end_input()
        done = load.reach("done")
        result = load.result().result
    after = back_to(instance, before, most)
    name = f"{way}: {count:,}"

    def cost(first: Moment, last: Moment) -> float:
        return (last.proxy - first.proxy) / count * 1e6

    ground.note(f"{name} open, time", "s", result["open_seconds"])
    ground.note(f"{name} open, CPU", "µs/session", cost(begin, opened))
    ground.note(f"{name} close, time", "s", result["close_seconds"])
    ground.note(f"{name} close, CPU", "µs/session", cost(closing, done))
    ground.note(f"{name} closed, memory more than before", "MiB", (after - before) / 1024)


def fan(ground: Ground) -> None:
    """One message to all."""
    for tls, way in ground.ways():
        with ground.stand.fresh(ground.peer) as instance:
            reading = ground.load(instance, tls, "fan", "--connections", str(ground.greatest),
                                  "--opening", "256")
        latency = Latency.of(reading.result["latency_ns"])
        if latency is None:
            raise Failed("no message reached all in the window")
        name = f"{way}: 1 message to {ground.greatest:,}"
        ground.note(f"{name}, until the last has it, p50", "ms", latency.p50)
        ground.note(f"{name}, until the last has it, max", "ms", latency.most)
        ground.note(f"{name}, CPU", "µs/session", reading.cpu_per(reading.result["count"]))


def slow(ground: Ground) -> None:
    """Slow readers next to as many fast ones, which must not notice."""
    count = max(ground.greatest * 2 // 9, 1)
    options = ("--connections", str(count), "--rate", "2", "--warm", "1")
    for tls, way in ground.ways():
        with ground.stand.fresh(ground.peer) as instance:
            alone = ground.load(instance, tls, "paced", *options)
            before = pss_kib(instance.pids)
            with ground.stand.load(instance, tls, "paced", "--seconds", str(ground.seconds),
                                   *options, "--slow", str(count), "--slow-rate",
                                   "8192") as load:
                load.reach("done")
                held = pss_kib(instance.pids) - before
                both = load.result()
        name = f"{way}: {count:,} fast"
        ground.note(f"{name} alone, p99", "ms", p99(alone))
        ground.note(f"{name} next to {count:,} slow readers, p99", "ms", p99(both))
        ground.note(f"{name}: slow readers add to p99", "ms", p99(both) - p99(alone), 5.0)
        ground.note(f"{way}: memory of a slow reader and a fast one", "KiB", held / count)


def fair(ground: Ground) -> None:
    """Paced sessions next to bulk ones, and next to a storm of handshakes: nobody starves."""
    options = ("--connections", "100", "--rate", "20", "--warm", "1")
    push = ("push", "--size", "1048576", "--connections")
    beside = {"1 pushed 1 MiB frames": (*push, "1"), "8 pushed 1 MiB frames": (*push, "8"),
              "handshakes, 32 at a time": ("handshakes", "--connections", "32")}
    for tls, way in ground.ways():
        with ground.stand.fresh(ground.peer) as instance:
            alone = p99(ground.load(instance, tls, "paced", *options))
            ground.note(f"{way}: 100 paced alone, p99", "ms", alone)
            for what, (mode, *more) in beside.items():
                with ground.stand.load(instance, tls, mode, "--seconds",
                                       str(ground.seconds + 3), *more) as load:
                    load.reach("warm")
                    both = p99(ground.load(instance, tls, "paced", *options))
                    done = load.result()
                ground.note(f"{way}: 100 paced next to {what}, p99", "ms", both)
                ground.note(f"{way}: meanwhile, {what}", "/s",
                            done.result["count"] / done.seconds)
                ground.note(f"{way}: {what}, added to p99", "ms", both - alone,
                            5.0 if what.startswith("1 ") else None)


SCRAPES = ("/metrics", "/api/sessions?sort=rate&limit=1000", "/api/sessions?sort=idle&limit=100")


def scrape(instance: Instance, path: str) -> None:
    """GET from the admin endpoint's socket."""
    with socket.socket(socket.AF_UNIX) as admin:
        admin.settimeout(10)
        admin.connect(str(instance.site.folder / "admin.sock"))
        admin.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                      .encode())
        text = b""
        while piece := admin.recv(65536):
            text += piece
    if not text.startswith(b"HTTP/1.1 200"):
        raise Failed(f"{path}: {text[:60]!r}")


def _steer(ground: Ground, instance: Instance, tls: bool, options: tuple[str, ...],
           reload: bool) -> tuple[Reading, int]:
    """Paced sessions while everything is scraped, and reloaded or not; how often that was."""
    times = 0
    with ground.stand.load(instance, tls, "paced", "--seconds", str(ground.seconds),
                           *options) as load:
        load.reach("warm")
        until = time.monotonic() + ground.seconds
        while time.monotonic() < until:
            if reload:
                os.kill(instance.root or 0, signal.SIGHUP)
            for path in SCRAPES:
                scrape(instance, path)
            times += 1
            time.sleep(0.1)
        return load.result(), times


def steered(ground: Ground) -> None:
    """Scrapes and reloads while many idle sessions are there and some speak."""
    if ground.peer.family != Family.OWN:
        return
    some = max(ground.greatest // 9, 1)
    options = ("--connections", str(some), "--rate", "10", "--warm", "1")
    for tls, way in ground.ways():
        with ground.stand.fresh(ground.peer) as instance, ExitStack() as stack:
            ground.idle(stack, instance, tls, ground.greatest - some)
            alone = p99(ground.load(instance, tls, "paced", *options))
            scrape(instance, SCRAPES[1])  # the first look takes a second longer
            scraped, scrapes = _steer(ground, instance, tls, options, reload=False)
            both, times = _steer(ground, instance, tls, options, reload=True)
        name = f"{way}: {some:,} active among {ground.greatest - some:,} idle"
        ground.note(f"{name}, p99", "ms", alone)
        ground.note(f"{name} and {scrapes} scrapes of metrics and sessions, p99", "ms",
                    p99(scraped))
        ground.note(f"{name}: scrapes, added to p99", "ms", p99(scraped) - alone, 5.0)
        ground.note(f"{name} and {times} reloads and scrapes, p99", "ms", p99(both))
        ground.note(f"{name}: reloads and scrapes, added to p99", "ms", p99(both) - alone, 5.0)
        ground.note(f"{name}: unanswered over the reloads", "messages",
                    both.result.get("lost", 0), 0.0)


@dataclass(frozen=True)
class Part:
    name: str
    title: str
    run: Callable[[Ground], None]


PARTS = [
    Part("memory", "1,000 / 5,000 / 9,000 idle sessions: memory, keepalive's CPU, coming back",
         memory),
    Part("active", "1,000 active sessions alone and among 8,000 idle", active),
    Part("workers", "2 workers against 1", workers),
    Part("storms", "9,000 sessions open and close at once", storms),
    Part("fan", "1 message to 9,000 sessions", fan),
    Part("slow", "2,000 slow readers next to 2,000 fast ones", slow),
    Part("steered", "reloads and scrapes among 9,000 sessions", steered),
    Part("fair", "100 paced sessions next to bulk ones and to a storm of handshakes", fair),
]

Results = dict[str, dict[Measure, float]]  # by peer


def verdict(measure: Measure, figures: dict[Measure, float]) -> str:
    if measure.limit is None or measure not in figures:
        return ""
    return "met" if figures[measure] <= measure.limit else "missed"


def table(results: Results, notes: Notes) -> str:
    measures = list(dict.fromkeys(m for figures in results.values() for m in figures))
    rows = []
    for measure in measures:
        values = [number(figures[measure]) if measure in figures else ""
                  for figures in results.values()]
        limit = "" if measure.limit is None else f"≤ {measure.limit:g} {measure.unit}"
        rows.append([measure.title, measure.unit, *values, limit,
                     verdict(measure, results.get("fairlead", {}))])
    text = markdown(["growth", "unit", *results, "budget", "verdict"], rows)
    return text + "\n\n" + notes.text() + "\n" if notes.lines else text + "\n"


def choose_parts(names: list[str]) -> list[Part]:
    known = [part.name for part in PARTS]
    for name in names:
        if name not in known:
            raise SystemExit(f"no part {name} of --growth: {', '.join(known)}")
    return [part for part in PARTS if not names or part.name in names]


def choose_peers(found: list[Peer], named: bool) -> list[Peer]:
    return [peer for peer in found if not peer.only and peer.family != Family.DIRECT
            and (named or peer.family == Family.OWN or peer.name in DEFAULT_PEERS)]


def run(tools: Tools, found: list[Peer], args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    peers = choose_peers(found, bool(args.peer))
    results: Results = {peer.name: {} for peer in peers}
    notes = Notes()
    with Stand(tools) as stand:
        for part in choose_parts(args.only):
            for peer in peers:
                ground = Ground(stand, peer, args.idle or GREATEST, args.seconds or 5.0,
                                args.quick)
                try:
                    part.run(ground)
                except (Failed, OSError) as why:
                    notes.mark(f"{peer.name} failed in {part.name}: {why}")
                results[peer.name].update(ground.figures)
            print(f"{part.name}: {part.title}", file=sys.stderr, flush=True)
    data = {name: {measure.title: {"unit": measure.unit, "value": value, "limit": measure.limit}
                   for measure, value in figures.items()} for name, figures in results.items()}
    return table(results, notes), {"peers": data, "notes": notes.lines}
