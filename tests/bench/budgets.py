"""The budgets, one table, and whether a run met them."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from peers.base import Family
from stats import least, ratio


@dataclass(frozen=True)
class Budget:
    """At most `limit` times what `of` needs: "best" peer, "raw" relay, or a peer by name; or at
    most `limit` itself, where `of` is ""."""

    limit: float
    of: str = ""
    subject: str = "fairlead"

    def text(self, unit: str) -> str:
        who = "" if self.subject == "fairlead" else f"{self.subject}: "
        if not self.of:
            return f"{who}≤ {self.limit:g} {unit}"
        return f"{who}≤ {self.limit:.2f}x {'best peer' if self.of == 'best' else self.of}"


BUDGETS: dict[str, tuple[Budget, ...]] = {
    "S1": (Budget(1.00, "nginx"),),
    "S1-tls": (Budget(0.92, "best"),),
    "S2": (Budget(1.05, "raw"),),
    "S2-tls": (Budget(1.05, "raw"),),
    "S3": (Budget(0.90, "best"),),
    "S3-tls": (Budget(0.87, "best"),),
    "S4": (Budget(0.90, "best"),),
    "S4-tls": (Budget(0.92, "best"),),
    "S5": (Budget(1.00, "best"), Budget(0.55, "caddy")),
    "S5-tls": (Budget(0.85, "best"),),
    "S6": (Budget(1.0),),
    "S6-tls": (Budget(15.2), Budget(4.0, subject="fairlead-compact")),
    "S7": (Budget(1.00, "nginx"),),
    "S7-tls": (Budget(1.00, "best"),),
    "S7-resumed": (Budget(0.92, "best"),),
    "S8": (Budget(0.90, "nginx"),),
    "S9": (Budget(1.00, "nginx"),),
}

Medians = Mapping[str, float]          # by peer
Families = Mapping[str, Family]        # by peer


def best_of(medians: Medians, families: Families, family: Family) -> float | None:
    """The least of a family's medians."""
    return least(value for name, value in medians.items() if families.get(name) == family)


def base_of(budget: Budget, medians: Medians, families: Families) -> float | None:
    if budget.of == "best":
        return best_of(medians, families, Family.PEER)
    if budget.of == "raw":
        return best_of(medians, families, Family.LIMIT)
    return medians.get(budget.of)


def verdict(budget: Budget, medians: Medians, families: Families) -> str:
    """"met", "missed (1.07x)", or what was not there to tell."""
    own = medians.get(budget.subject)
    if own is None:
        return f"no {budget.subject}"
    if not budget.of:
        return "met" if own <= budget.limit else "missed"
    share = ratio(own, base_of(budget, medians, families))
    if share is None:
        return f"no {'peer' if budget.of == 'best' else budget.of}"
    return "met" if share <= budget.limit else f"missed ({share:.2f}x)"


def budget_cells(scenario: str, unit: str, medians: Medians, families: Families) -> tuple[str, str]:
    """The table's two last words on a scenario. Budgets of a variant that is not there are left
    out."""
    budgets = [b for b in BUDGETS.get(scenario, ())
               if b.subject == "fairlead" or b.subject in medians]
    return ("; ".join(budget.text(unit) for budget in budgets),
            "; ".join(verdict(budget, medians, families) for budget in budgets))
