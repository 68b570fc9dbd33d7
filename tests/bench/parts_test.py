"""The runner's pure parts: python3 -m unittest parts_test, in this folder."""
from __future__ import annotations

import json
import tempfile
import tomllib
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import growth
import run
import system
from budgets import BUDGETS, Budget, best_of, budget_cells, verdict
from chart import chart
from load import Moment, Reading
from peers import all_peers
from peers.base import Family, Site, Tools
from rounds import Cell, note
from scenarios import SCENARIOS, chosen
from stats import Latency, Spread, least, merge, quantile, ratio
from system import Failed
from table import Notes, number, spread_cell, table

FAMILIES = {"fairlead": Family.OWN, "raw": Family.LIMIT, "nginx": Family.PEER,
            "caddy <&>": Family.PEER, "direct": Family.DIRECT}
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def cell(*figures: float, failure: str = "") -> Cell:
    return Cell(list(figures), [1000.0] * len(figures), [0.5], [0.4], failure=failure)


class Stats(unittest.TestCase):
    def test_spread_has_the_median_and_both_ends(self) -> None:
        self.assertEqual(Spread.of([3.0, 1.0, 2.0]), Spread(2.0, 1.0, 3.0, 3))
        self.assertEqual(Spread.of([1.0, 2.0]).median, 1.5)

    def test_ratio_of_what_is_missing_is_missing(self) -> None:
        self.assertEqual(ratio(3, 2), 1.5)
        for value, base in ((None, 1.0), (1.0, None), (1.0, 0.0)):
            self.assertIsNone(ratio(value, base))

    def test_least_leaves_out_what_is_missing(self) -> None:
        self.assertEqual(least([None, 3, 2]), 2)
        self.assertIsNone(least([None]))

    def test_merging_adds_counts_of_the_same_bucket(self) -> None:
        self.assertEqual(merge([[[5, 1], [9, 2]], [[1, 1], [9, 3]]]), [[1, 1], [5, 1], [9, 5]])
        self.assertEqual(merge([]), [])

    def test_quantiles(self) -> None:
        buckets = [[10, 50], [20, 49], [30, 1]]
        for part, end in ((0, 10), (0.5, 10), (0.51, 20), (0.99, 20), (0.999, 30), (1, 30)):
            self.assertEqual(quantile(buckets, part), end, part)
        self.assertEqual(quantile([], 0.5), 0)

    def test_latency_is_in_milliseconds(self) -> None:
        self.assertEqual(Latency.of([[1_000_000, 99], [7_000_000, 1]]), Latency(1, 1, 7, 7))
        self.assertIsNone(Latency.of([]))


class Verdicts(unittest.TestCase):
    medians = {"fairlead": 9.0, "raw": 8.0, "nginx": 10.0, "caddy <&>": 12.0}

    def test_best_peer_is_no_raw_relay(self) -> None:
        self.assertEqual(best_of(self.medians, FAMILIES, Family.PEER), 10.0)

    def test_rows(self) -> None:
        for budget, want in (
            (Budget(0.90, "best"), "met"),
            (Budget(0.89, "best"), "missed (0.90x)"),
            (Budget(1.05, "raw"), "missed (1.12x)"),
            (Budget(0.90, "nginx"), "met"),
            (Budget(1.0, "haproxy"), "no haproxy"),
            (Budget(9.0), "met"),
            (Budget(8.9), "missed"),
            (Budget(1.0, subject="fairlead-compact"), "no fairlead-compact"),
        ):
            self.assertEqual(verdict(budget, self.medians, FAMILIES), want, budget)
        self.assertEqual(verdict(Budget(1, "best"), {"fairlead": 1.0}, FAMILIES), "no peer")

    def test_a_variant_that_is_not_there_has_no_cell(self) -> None:
        self.assertEqual(budget_cells("S6-tls", "KiB", self.medians, FAMILIES),
                         ("≤ 15.2 KiB", "met"))
        both = budget_cells("S6-tls", "KiB", {**self.medians, "fairlead-compact": 5.0}, FAMILIES)
        self.assertEqual(both, ("≤ 15.2 KiB; fairlead-compact: ≤ 4 KiB", "met; missed"))

    def test_every_budget_has_its_scenario(self) -> None:
        self.assertLessEqual(set(BUDGETS), set(BY_NAME))


class Tables(unittest.TestCase):
    results = {BY_NAME["S1"]: {"fairlead": cell(9.0, 11.0, 10.0), "raw": cell(9.5),
                               "nginx": cell(8.0), "caddy <&>": cell(failure="no\nanswer")},
               BY_NAME["S8"]: {"fairlead": cell(30.0), "direct": cell()}}

    def test_numbers_show_three_digits(self) -> None:
        self.assertEqual([number(n) for n in (0.123, 9.87, 12.34, 4321.9)],
                         ["0.12", "9.87", "12.3", "4,322"])
        self.assertEqual(spread_cell(Spread.of([1.0])), "1.00")
        self.assertEqual(spread_cell(Spread.of([1.0, 2.0, 3.0])), "2.00 (1.00-3.00)")

    def test_each_row_has_each_column(self) -> None:
        lines = [line for line in table(self.results, FAMILIES).splitlines() if line[:1] == "|"]
        self.assertEqual(len(lines), 4)
        self.assertEqual({line.count("|") for line in lines}, {lines[0].count("|")})

    def test_a_failure_is_a_cell_and_a_reason_below(self) -> None:
        text = table(self.results, FAMILIES)
        self.assertIn("| failed [1] |", text)
        self.assertIn("[1] caddy <&>: no answer", text)
        self.assertIn("missed (1.25x)", text)

    def test_a_saturated_load_is_told(self) -> None:
        busy = cell(1.0)
        busy.loads = [0.99]
        self.assertIn("load generator was busy", table({BY_NAME["S1"]: {"fairlead": busy}},
                                                       {"fairlead": Family.OWN}))

    def test_a_note_is_written_once(self) -> None:
        notes = Notes()
        self.assertEqual([notes.mark("a"), notes.mark("b"), notes.mark("a")],
                         [" [1]", " [2]", " [1]"])

    def test_the_chart_is_xml_with_a_bar_for_each_figure(self) -> None:
        root = ElementTree.fromstring(chart(self.results, FAMILIES))
        bars = [e for e in root.iter("{http://www.w3.org/2000/svg}rect")]
        self.assertEqual(len(bars), 4)
        for bar in bars:
            self.assertGreater(float(bar.attrib["width"]), 0)

    def test_growth_has_a_verdict_for_each_limit(self) -> None:
        limited = growth.Measure("a", "KiB", 1.0)
        free = growth.Measure("b", "ms")
        text = growth.table({"fairlead": {limited: 2.0, free: 1.0}, "raw": {free: 3.0}}, Notes())
        self.assertIn("| a | KiB | 2.00 |  | ≤ 1 KiB | missed |", text)
        self.assertIn("| b | ms | 1.00 | 3.00 |  |  |", text)


class Readings(unittest.TestCase):
    def reading(self, **result: float) -> Reading:
        return Reading({"count": 1000, "seconds": 2.0, **result},
                       {"warm": Moment(10.0, 1.0, 0.0), "done": Moment(12.5, 2.25, 1.0)})

    def test_cpu_is_the_share_of_the_loads_own_seconds(self) -> None:
        self.assertEqual(self.reading().share(), 0.5)
        self.assertEqual(self.reading().cpu_per(1000), 1000.0)
        self.assertEqual(self.reading().share("load"), 0.4)

    def test_what_is_no_measurement_fails(self) -> None:
        peer = all_peers(Tools(Path("/none"), Path("/none")))[0]
        for scenario, result in ((BY_NAME["S1"], {"count": 0}),
                                 (BY_NAME["S1"], {"lost": 3}),
                                 (BY_NAME["S7-resumed"], {"resumed": 500})):
            with self.assertRaises(Failed):
                note(self.reading(**result), peer, scenario, Cell())
        done = Cell()
        note(self.reading(), peer, BY_NAME["S1"], done)
        self.assertEqual((done.figures, done.rates), ([1000.0], [500.0]))


class Choices(unittest.TestCase):
    def names(self, *wanted: str) -> list[str]:
        return [scenario.name for scenario in chosen(list(wanted))]

    def test_scenarios_by_name(self) -> None:
        self.assertEqual(self.names("S4"), ["S4", "S4-tls"])
        self.assertEqual(self.names("s4-tls", "S1-tls"), ["S1-tls", "S4-tls"])
        self.assertEqual(len(self.names()), len(SCENARIOS))
        self.assertEqual(self.names("S7"), ["S7", "S7-tls", "S7-resumed"])
        with self.assertRaises(ValueError):
            self.names("S99")

    def test_quick_is_less_of_all_but_what_is_asked_for_stays(self) -> None:
        self.assertEqual(run.effort_of(run.options(["--quick", "--runs", "7"])).runs, 7)
        self.assertLess(run.effort_of(run.options(["--quick"])).seconds, 1)

    def test_fairlead_is_always_there(self) -> None:
        every = all_peers(Tools(Path("/none"), Path("/none")))
        names = [peer.name for peer in run.choose_peers(["nginx"], every)]
        self.assertEqual(names, ["fairlead", "fairlead-compact", "nginx"])
        with self.assertRaises(SystemExit):
            run.choose_peers(["apache"], every)


class Adapters(unittest.TestCase):
    def test_each_writes_what_its_command_names(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for file in ("cert.pem", "key.pem"):
                (folder / file).write_text(file)
            site = Site(folder, 11, 12, 13, folder / "cert.pem", folder / "key.pem", 2)
            for peer in all_peers(Tools(Path("/none"), Path("/none"))):
                if peer.family == Family.DIRECT:
                    continue
                text = " ".join(peer.prepare(site)[1:])
                text += "".join(file.read_text() for file in folder.iterdir())
                for part in ("13", *(["11"] if peer.plain else []), *(["12"] if peer.tls else [])):
                    self.assertIn(part, text, peer.name)
            tomllib.loads((folder / "fairlead.toml").read_text())
            json.loads((folder / "envoy.json").read_text())

    def test_names_differ(self) -> None:
        names = [peer.name for peer in all_peers(Tools(Path("/none"), Path("/none")))]
        self.assertEqual(len(names), len(set(names)))


class System(unittest.TestCase):
    def test_our_own_process_uses_cpu_and_memory(self) -> None:
        import os

        before = system.cpu_seconds([os.getpid()])
        sum(range(2_000_000))
        self.assertGreater(system.cpu_seconds([os.getpid()]), before)
        self.assertGreater(system.pss_kib([os.getpid()]), 100)
        self.assertIn(os.getpid(), system.tree(os.getppid()))


if __name__ == "__main__":
    unittest.main()
