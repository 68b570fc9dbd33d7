"""Medians, ratios, and histograms of latencies: numbers in, numbers out."""
from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# [[END, COUNT], ...] as bench_peer prints them: COUNT values above the END before, up to END.
Buckets = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Spread:
    """Interleaved runs of one figure."""

    median: float
    least: float
    most: float
    runs: int

    @staticmethod
    def of(values: Sequence[float]) -> Spread:
        return Spread(statistics.median(values), min(values), max(values), len(values))


def ratio(value: float | None, base: float | None) -> float | None:
    """value / base; None where one of them is missing or the base is nothing."""
    if value is None or base is None or base <= 0:
        return None
    return value / base


def least(values: Iterable[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return min(present) if present else None


def merge(histograms: Iterable[Buckets]) -> list[list[int]]:
    """One histogram of several."""
    counts: dict[int, int] = {}
    for buckets in histograms:
        for end, count in buckets:
            counts[end] = counts.get(end, 0) + count
    return [[end, counts[end]] for end in sorted(counts)]


def quantile(buckets: Buckets, part: float) -> int:
    """The end of the bucket that holds the value `part` of all are not above; 0 when empty."""
    rank = math.ceil(part * sum(count for _, count in buckets))
    seen = 0
    for end, count in buckets:
        seen += count
        if seen >= rank:
            return end
    return 0


@dataclass(frozen=True)
class Latency:
    """Milliseconds."""

    p50: float
    p99: float
    p999: float
    most: float

    @staticmethod
    def of(buckets: Buckets) -> Latency | None:
        if not buckets:
            return None
        p50, p99, p999 = (quantile(buckets, part) / 1e6 for part in (0.5, 0.99, 0.999))
        return Latency(p50, p99, p999, buckets[-1][0] / 1e6)
