"""Runs scenarios: each round takes every peer once, beginning with another one each time."""
from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

from load import Reading
from peers.base import Family, Peer
from scenarios import PUSHED, Scenario
from stand import Instance, Stand
from stats import Latency, Spread, merge
from system import Failed, pss_kib

IDLE_FIRST = 100  # opened before the first reading: what is there once a session was
SETTLE = 0.5      # seconds until memory is read
BUSY = 0.97       # of a core: a load that used so much may be what was measured


@dataclass
class Cell:
    """What one peer did in one scenario."""

    figures: list[float] = field(default_factory=list)  # in the scenario's unit, a round each
    rates: list[float] = field(default_factory=list)    # units a second
    shares: list[float] = field(default_factory=list)   # of a core, the proxy's
    loads: list[float] = field(default_factory=list)    # of a core, the load's
    histograms: list[list[list[int]]] = field(default_factory=list)
    late: list[list[list[int]]] = field(default_factory=list)
    failure: str = ""

    @property
    def spread(self) -> Spread | None:
        return Spread.of(self.figures) if self.figures and not self.failure else None

    @property
    def latency(self) -> Latency | None:
        return None if self.failure else Latency.of(merge(self.histograms))

    @property
    def load_late(self) -> Latency | None:
        return Latency.of(merge(self.late))


@dataclass(frozen=True)
class Effort:
    runs: int
    seconds: float
    idle: int            # sessions of the memory scenario
    until: float = 0.0   # monotonic: rounds that would end later are left out; 0: none are


Cells = dict[str, Cell]


def measure(stand: Stand, peer: Peer, scenario: Scenario, effort: Effort, cell: Cell) -> None:
    if scenario.memory:
        with stand.fresh(peer) as instance:
            cell.figures.append(idle_memory(stand, instance, scenario.tls, effort.idle))
        return
    instance = stand.running(peer)
    options = [*scenario.options, "--seconds", str(effort.seconds)]
    with stand.load(instance, scenario.tls, scenario.mode, *options) as load:
        note(load.result(), peer, scenario, cell)


def note(reading: Reading, peer: Peer, scenario: Scenario, cell: Cell) -> None:
    result = reading.result
    count = result["bytes"] / PUSHED if scenario.pushes else result["count"]
    if count <= 0:
        raise Failed("nothing was done in the window")
    if scenario.resumed and result["resumed"] < 0.9 * count:
        raise Failed(f"only {result['resumed']:.0f} of {count:.0f} were resumed")
    if result.get("lost"):
        raise Failed(f"{result['lost']:.0f} messages were not answered")
    if peer.family != Family.DIRECT:
        cell.figures.append(reading.cpu_per(count))
        cell.shares.append(reading.share())
    cell.rates.append(count / reading.seconds)
    cell.loads.append(reading.share("load"))
    if scenario.latency:
        cell.histograms.append(result["latency_ns"])
        cell.late.append(result["late_ns"])


def idle_memory(stand: Stand, instance: Instance, tls: bool, count: int) -> float:
    """KiB of each of `count` sessions, next to some that were there before."""
    with stand.load(instance, tls, "idle", "--connections", str(IDLE_FIRST)) as first:
        first.reach("open")
        time.sleep(SETTLE)
        before = pss_kib(instance.pids)
        with stand.load(instance, tls, "idle", "--connections", str(count)) as load:
            load.reach("open")
            time.sleep(SETTLE)
            return (pss_kib(instance.pids) - before) / count


def run_scenario(stand: Stand, peers: list[Peer], scenario: Scenario, effort: Effort) -> Cells:
    taking = [peer for peer in peers if peer.takes(scenario.family, scenario.tls)]
    cells = {peer.name: Cell() for peer in taking}
    longest = 0.0
    for number in range(effort.runs):
        begun = time.monotonic()
        if number and effort.until and begun + longest > effort.until:
            break
        turn = number % max(len(taking), 1)
        for peer in taking[turn:] + taking[:turn]:
            cell = cells[peer.name]
            if cell.failure:
                continue
            try:
                measure(stand, peer, scenario, effort, cell)
            except (Failed, OSError) as why:
                cell.failure = str(why)
        longest = max(longest, time.monotonic() - begun)
    print(f"{scenario.name}: {scenario.title}", file=sys.stderr, flush=True)
    return cells
