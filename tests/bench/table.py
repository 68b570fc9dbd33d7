"""Results as one Markdown table."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from budgets import best_of, budget_cells
from peers.base import Family
from rounds import BUSY, Cell, Cells
from scenarios import Scenario
from stats import Latency, Spread, ratio

Families = Mapping[str, Family]


def number(value: float) -> str:
    """Three digits that matter."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread_cell(spread: Spread | None) -> str:
    if spread is None:
        return ""
    text = number(spread.median)
    if spread.runs > 1:
        text += f" ({number(spread.least)}-{number(spread.most)})"
    return text


def times(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}x"


def latency_cell(latency: Latency | None) -> str:
    if latency is None:
        return ""
    return f"{latency.p50:.2f} / {latency.p99:.2f} / {latency.p999:.2f} ms"


def medians(cells: Cells) -> dict[str, float]:
    return {name: cell.spread.median for name, cell in cells.items() if cell.spread}


def middle(values: Sequence[float]) -> float:
    return Spread.of(values).median if values else 0.0


def rate_cell(cell: Cell | None) -> str:
    """Throughput, and what share of a core the proxy took for it."""
    if cell is None or cell.failure or not cell.rates:
        return ""
    return f"{number(middle(cell.rates))}/s at {middle(cell.shares) * 100:.0f} %"


class Notes:
    """What stands under the table, numbered."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def mark(self, text: str) -> str:
        text = " ".join(text.split())
        if text not in self.lines:
            self.lines.append(text)
        return f" [{self.lines.index(text) + 1}]"

    def text(self) -> str:
        return "\n".join(f"[{i}] {line}  " for i, line in enumerate(self.lines, 1))


def figure_cell(name: str, cells: Cells, notes: Notes) -> str:
    cell = cells.get(name)
    if cell is None:
        return ""
    if cell.failure:
        return "failed" + notes.mark(f"{name}: {cell.failure}")
    text = spread_cell(cell.spread)
    if cell.loads and middle(cell.loads) > BUSY:
        text += notes.mark("the load generator was busy all the time: throughput is its own limit")
    return text


def latency_cells(cells: Cells, families: Families) -> str:
    """Fairlead's, and without any proxy."""
    shown = [(name, latency_cell(cells[name].latency)) for name in cells
             if families[name] in (Family.OWN, Family.DIRECT) or name == "nginx"]
    return "; ".join(f"{name} {text}" for name, text in shown if text)


def row(scenario: Scenario, cells: Cells, families: Families, notes: Notes) -> list[str]:
    figures = medians(cells)
    own = figures.get("fairlead")
    budget, verdict = budget_cells(scenario.name, scenario.unit, figures, families)
    return [f"{scenario.name} {scenario.title}", scenario.unit,
            *(figure_cell(n, cells, notes) for n in families if families[n] != Family.DIRECT),
            times(ratio(own, best_of(figures, families, Family.PEER))),
            times(ratio(own, best_of(figures, families, Family.LIMIT))), budget, verdict,
            rate_cell(cells.get("fairlead")),
            latency_cells(cells, families) if scenario.latency else ""]


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def table(results: Mapping[Scenario, Cells], families: Families) -> str:
    """`families` names the peers in the order of the columns."""
    notes = Notes()
    names = [name for name, family in families.items() if family != Family.DIRECT]
    header = ["scenario", "unit", *names, "÷ best peer", "÷ raw", "budget", "verdict",
              "Fairlead's throughput", "p50 / p99 / p99.9"]
    rows = [row(scenario, cells, families, notes) for scenario, cells in results.items()]
    text = markdown(header, rows)
    return text + "\n\n" + notes.text() if notes.lines else text
