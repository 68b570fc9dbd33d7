"""The whole runner, once: FAIRLEAD and BENCH_PEER name the binaries. No timing is asserted."""
from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).parent


def run(out: str, *options: str) -> str:
    command = [sys.executable, "-B", str(HERE / "run.py"), "--fairlead", os.environ["FAIRLEAD"],
               "--bench-peer", os.environ["BENCH_PEER"], "--peer", "raw", "--out", out, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


class Smoke(unittest.TestCase):
    def test_a_table_comes_out(self) -> None:
        with tempfile.TemporaryDirectory() as out:
            text = run(out, "--only", "S1", "--runs", "1", "--seconds", "0.2")
            self.assertIn("| S1 64 B echo", text)
            self.assertNotIn("failed", text)
            data = json.loads(Path(out, "bench.json").read_text())
            self.assertEqual(set(data["scenarios"]), {"S1", "S1-tls"})
            self.assertGreater(data["scenarios"]["S1"]["fairlead"]["figures"][0], 0)
            ElementTree.fromstring(Path(out, "bench.svg").read_text())

    def test_growth_comes_out(self) -> None:
        with tempfile.TemporaryDirectory() as out:
            text = run(out, "--growth", "--quick", "--only", "fan", "--idle", "50", "--seconds",
                       "0.2")
            self.assertIn("1 message to 50", text)
            self.assertNotIn("failed", text)


if __name__ == "__main__":
    unittest.main()
