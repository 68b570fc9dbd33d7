"""Results as an SVG: a bar a peer, in each scenario relative to the best peer."""
from __future__ import annotations

from collections.abc import Mapping
from html import escape

from budgets import best_of
from peers.base import Family
from rounds import Cells
from scenarios import Scenario
from stats import least
from table import medians, number

WIDTH, LEFT, RIGHT = 900, 130, 150
BAR, GAP, TITLE = 16, 4, 30
LIMIT = 3.0  # times the best peer: longer bars are cut

STYLE = """
svg { background: #ffffff; font: 12px system-ui, sans-serif; }
text { fill: #1f2328; } .quiet { fill: #656d76; } .title { font-weight: 600; }
.own { fill: #0969da; } .limit { fill: #8c959f; } .peer { fill: #d4a72c; }
line { stroke: #656d76; stroke-dasharray: 3 3; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; } text { fill: #e6edf3; } .quiet { fill: #8d96a0; }
  .own { fill: #4493f8; } .limit { fill: #6e7681; } .peer { fill: #bb8009; }
  line { stroke: #8d96a0; }
}
"""

CLASSES = {Family.OWN: "own", Family.LIMIT: "limit", Family.PEER: "peer"}


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return (f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}" text-anchor="{anchor}">'
            f"{escape(text)}</text>")


def _bar(y: float, name: str, value: float, base: float, unit: str, kind: str) -> list[str]:
    share = value / base
    room = WIDTH - LEFT - RIGHT
    width = max(min(share, LIMIT) / LIMIT * room, 1)
    label = f"{number(value)} {unit} ({share:.2f}x)" + (" →" if share > LIMIT else "")
    return [_text(LEFT - 6, y + 12, name, "", "end"),
            f'<rect x="{LEFT}" y="{y:.0f}" width="{width:.1f}" height="{BAR}" rx="2" '
            f'class="{kind}"/>', _text(LEFT + width + 6, y + 12, label, "quiet")]


def _group(y: float, scenario: Scenario, cells: Cells,
           families: Mapping[str, Family]) -> tuple[float, list[str]]:
    figures = medians(cells)
    base = best_of(figures, families, Family.PEER) or least(figures.values())
    if not base or base <= 0:
        return y, []
    parts = [_text(8, y + 18, f"{scenario.name}  {scenario.title}", "title")]
    top = y = y + TITLE
    for name, value in figures.items():
        parts += _bar(y, name, max(value, 0), base, scenario.unit, CLASSES[families[name]])
        y += BAR + GAP
    one = LEFT + (WIDTH - LEFT - RIGHT) / LIMIT
    parts.append(f'<line x1="{one:.0f}" y1="{top - 2:.0f}" x2="{one:.0f}" y2="{y:.0f}"/>')
    return y, parts


def chart(results: Mapping[Scenario, Cells], families: Mapping[str, Family]) -> str:
    y: float = 34
    parts = [_text(8, 20, "Less is better; the dashed line is the best peer. Blue: Fairlead, "
                          "yellow: other proxies, grey: raw relay.", "quiet")]
    for scenario, cells in results.items():
        y, more = _group(y, scenario, cells, families)
        parts += more
    height = y + 12
    body = "\n".join(parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
            f'viewBox="0 0 {WIDTH} {height:.0f}">\n<style>{STYLE}</style>\n{body}\n</svg>\n')
