#!/usr/bin/env python3
"""Runs Fairlead and the other proxies on this machine through the scenarios S1 to S8, interleaved,
and prints one Markdown table; a chart and the figures as JSON go to --out. With --growth: how it
grows, to 9,000 sessions. packaging/bench builds what is needed and calls this."""
from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True

import growth  # noqa: E402
from chart import chart  # noqa: E402
from peers import all_peers  # noqa: E402
from peers.base import Family, Peer, Tools  # noqa: E402
from rounds import Cells, Effort, run_scenario  # noqa: E402
from scenarios import SCENARIOS, Scenario, chosen  # noqa: E402
from stand import Stand  # noqa: E402
from table import table  # noqa: E402

TOP = Path(__file__).resolve().parents[2]
RELEASE = TOP / "build" / "release"
QUICK_SECONDS = 270.0  # of the five minutes: the rest is for starting and ending


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="all of it within five minutes, so less exact")
    add("--only", action="append", default=[], metavar="S4", help="a scenario; repeatable; S4 is "
        "S4 and S4-tls (with --growth: one of its parts)")
    add("--peer", action="append", default=[], metavar="NAME", help="next to fairlead, instead of "
        "all that are found; repeatable")
    add("--runs", type=int, help="interleaved rounds (5; 3 when quick)")
    add("--seconds", type=float, help="of each window (2; 0.5 when quick)")
    add("--idle", type=int, help="sessions of S6 (2000; 1000 when quick)")
    add("--growth", action="store_true", help="the growth part instead")
    add("--list", action="store_true", help="scenarios and peers, and end")
    add("--out", type=Path, default=TOP / "build" / "bench", help="folder for results "
        "(build/bench)")
    add("--fairlead", type=Path, default=RELEASE / "proxy" / "fairlead", help="the binary")
    add("--bench-peer", type=Path, default=RELEASE / "tests" / "bench" / "bench_peer",
        help="the bench's own program")
    return parser.parse_args(arguments)


def effort_of(args: argparse.Namespace) -> Effort:
    normal = Effort(3, 0.5, 1000) if args.quick else Effort(5, 2.0, 2000)
    return Effort(args.runs or normal.runs, args.seconds or normal.seconds,
                  args.idle or normal.idle)


def choose_peers(names: list[str], found: list[Peer]) -> list[Peer]:
    known = {peer.name for peer in found}
    for name in names:
        if name not in known:
            sys.exit(f"no peer {name} here: {', '.join(sorted(known))}")
    if not names:
        return found
    return [peer for peer in found if peer.family == Family.OWN or peer.name in names]


def list_all(peers: list[Peer]) -> None:
    for scenario in SCENARIOS:
        print(f"{scenario.name:12} {scenario.title}")
    for part in growth.PARTS:
        print(f"--growth {part.name:12} {part.title}")
    for peer in peers:
        state = peer.version() or "found" if peer.found() else "not found"
        print(f"{peer.name:18} {state}{'' if peer.tested else ', adapter untested'}")


def machine() -> str:
    return f"{platform.system()} {platform.release()}, {os.cpu_count()} cores"


def heading(peers: list[Peer], effort: Effort) -> str:
    versions = ", ".join(f"{p.name} {p.version()}".strip() for p in peers)
    return (f"{versions}; {machine()}; CPU is user + system of the whole proxy, medians of up to "
            f"{effort.runs} interleaved runs of {effort.seconds:g} s (least-most), one worker "
            f"each, {time.strftime('%Y-%m-%d')}\n")


def run_all(stand: Stand, peers: list[Peer], scenarios: list[Scenario], effort: Effort,
            quick: bool) -> dict[Scenario, Cells]:
    results = {}
    end = time.monotonic() + QUICK_SECONDS
    for left, scenario in zip(range(len(scenarios), 0, -1), scenarios):
        now = time.monotonic()
        until = now + (end - now) / left if quick else 0.0
        results[scenario] = run_scenario(stand, peers, scenario, replace(effort, until=until))
    return results


def as_json(results: dict[Scenario, Cells], peers: list[Peer], effort: Effort) -> dict[str, Any]:
    return {"machine": machine(), "runs": effort.runs, "seconds": effort.seconds,
            "peers": {peer.name: peer.version() for peer in peers},
            "scenarios": {s.name: {name: {**asdict(cell), "latency_ms": cell.latency and
                                          asdict(cell.latency)} for name, cell in cells.items()}
                          for s, cells in results.items()}}


def bench(args: argparse.Namespace, peers: list[Peer], tools: Tools) -> None:
    effort = effort_of(args)
    try:
        scenarios = chosen(args.only)
    except ValueError as why:
        sys.exit(str(why))
    with Stand(tools) as stand:
        results = run_all(stand, peers, scenarios, effort, args.quick)
    peers = [peer for peer in peers if any(peer.name in cells for cells in results.values())]
    families = {peer.name: peer.family for peer in peers}
    text = heading(peers, effort) + "\n" + table(results, families) + "\n"
    save(args.out, "bench", text, as_json(results, peers, effort))
    (args.out / "bench.svg").write_text(chart(results, families))


def save(folder: Path, name: str, text: str, data: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text)
    (folder / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")
    print(text, flush=True)


def main() -> None:
    args = options()
    tools = Tools(args.fairlead.resolve(), args.bench_peer.resolve())
    every = all_peers(tools)
    if args.list:
        return list_all(every)
    for needed in (tools.fairlead, tools.bench_peer):
        if not needed.exists():
            sys.exit(f"{needed} is missing: packaging/bench builds it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found = choose_peers(args.peer, [peer for peer in every if peer.found()])
    try:
        if args.growth:
            text, data = growth.run(tools, found, args)
            save(args.out, "growth", text, data)
        else:
            bench(args, found, tools)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
