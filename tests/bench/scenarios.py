"""The scenarios S1 to S8: what the load does, and what is counted."""
from __future__ import annotations

from dataclasses import dataclass

PUSHED = 1024 * 1024


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    unit: str                     # of the figure: what CPU is divided by, or KiB
    mode: str                     # of bench_peer load
    options: tuple[str, ...]
    tls: bool = False
    memory: bool = False          # measures memory of idle sessions instead of CPU
    resumed: bool = False         # TLS handshakes with tickets
    pushes: bool = False          # counted by bytes of PUSHED
    latency: bool = False         # has a latency worth showing

    @property
    def family(self) -> str:
        """Its name without what follows the dash."""
        return self.name.split("-")[0]


def _pair(name: str, title: str, unit: str, mode: str, *options: str,
          **more: bool) -> list[Scenario]:
    return [Scenario(name, title, unit, mode, options, **more),
            Scenario(f"{name}-tls", f"{title}, TLS", unit, mode, options, tls=True, **more)]


TRIP = "µs/trip"
HANDSHAKES = "32 handshakes at a time"

SCENARIOS: list[Scenario] = [
    *_pair("S1", "64 B echo, 100 sessions, 1 in flight", TRIP, "echo", "--connections", "100"),
    *_pair("S2", "64 B echo, 100 sessions, 16 in flight", TRIP, "echo", "--connections", "100",
           "--in-flight", "16"),
    *_pair("S3", "1 KiB echo, 1,000 sessions", TRIP, "echo", "--connections", "1000", "--size",
           "1024"),
    *_pair("S4", "64 KiB echo, 50 sessions", TRIP, "echo", "--connections", "50", "--size",
           "65536"),
    *_pair("S5", "1 MiB push, 8 sessions", "µs/MiB frame", "push", "--connections", "8", "--size",
           str(PUSHED), pushes=True),
    *_pair("S6", "idle session, memory (PSS)", "KiB", "idle", memory=True),
    Scenario("S7", f"{HANDSHAKES}, plain", "µs/session", "handshakes", ("--connections", "32")),
    Scenario("S7-tls", f"{HANDSHAKES}, TLS full", "µs/session", "handshakes",
             ("--connections", "32"), tls=True),
    Scenario("S7-resumed", f"{HANDSHAKES}, TLS resumed", "µs/session", "handshakes",
             ("--connections", "32", "--resume"), tls=True, resumed=True),
    *_pair("S8", "64 B, 200 sessions at 20/s each", "µs/message", "paced", "--connections", "200",
           "--rate", "20", latency=True),
    *_pair("S9", "GET 1 KiB, 100 keep-alive connections", "µs/request", "get", "--connections", "100",
           "--size", "1024"),
]


def chosen(names: list[str]) -> list[Scenario]:
    """Those named; "S4" is S4 and S4-tls, "S4-tls" only that. All for no name."""
    if not names:
        return SCENARIOS
    wanted = [name.lower() for name in names]
    known = {s.name.lower() for s in SCENARIOS}
    for name in names:
        if name.lower() not in known:
            raise ValueError(f"no scenario {name}: {', '.join(s.name for s in SCENARIOS)}")
    return [s for s in SCENARIOS if s.name.lower() in wanted or s.family.lower() in wanted]
