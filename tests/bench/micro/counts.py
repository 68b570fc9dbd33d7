#!/usr/bin/env python3
"""Counts the instructions of bench_counts' cases under callgrind and compares them with baselines.

Instructions, unlike times, do not depend on how busy the machine is: a case that takes 5 % more
fails. Exit status: 0 as expected, 1 slower (or no baseline), 77 not comparable here.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WORSE = 0.05
BETTER = 0.10
SKIPPED = 77
# libc chooses its memchr, memmove and so on by the processor. These take the choice away: every
# x86_64 machine runs the same instructions.
BASELINE_CPU = "glibc.cpu.hwcaps=" + ",".join(
    "-" + name for name in ("AVX", "AVX2", "AVX512F", "AVX512VL", "AVX512BW", "BMI1", "BMI2", "ERMS", "FSRM",
                            "LZCNT", "MOVBE", "POPCNT", "RTM", "SSE3", "SSSE3", "SSE4_1", "SSE4_2", "XSAVEC"))
HEAD = """# Instructions per head or frame, by callgrind; see README.md.
# compiler: {}
"""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def read_baselines(path):
    """The compiler that the baselines are for, and {case: instructions a unit}."""
    text = path.read_text() if path.exists() else ""
    compiler = re.search(r"^# compiler: (.+)$", text, re.M)
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return compiler and compiler[1], {name: float(value) for name, value in lines}


def count(binary):
    """Runs the cases once: {case: instructions a unit}, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "counts"
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={out}", binary],
            env={"PATH": os.environ["PATH"], "GLIBC_TUNABLES": BASELINE_CPU}, capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"bench_counts failed under valgrind:\n{run.stderr}")
        counts = {}
        for dump in sorted(out.parent.glob("counts.*"), key=lambda path: int(path.suffix[1:])):
            text = dump.read_text()
            case = re.search(r"^desc: Trigger: Client Request: (\S+) (\d+)$", text, re.M)
            total = re.search(r"^(?:summary|totals): (\d+)$", text, re.M)
            if case and total:
                counts[case[1]] = int(total[1]) / int(case[2])
        return counts


def compare(counts, baselines, update):
    """Prints a line a case; how many are wrong."""
    faults = 0
    for name, now in counts.items():
        before = baselines.get(name)
        change = now / before - 1 if before else None
        word = ""
        if change is None or change > WORSE:
            word = "NO BASELINE" if change is None else "SLOWER"
            faults += 1
        elif change < -BETTER:
            word = "better; run the update, so that it stays so"
        shown = f"{before:10.1f} {change:+7.1%}" if before else " " * 18
        print(f"{name:28} {now:10.1f} {shown}  {word}".rstrip())
    for name in baselines.keys() - counts.keys():
        print(f"{name:28} has a baseline but was not counted")
        faults += 1
    if faults and not update:
        print(f"\n{faults} case(s) differ from the baselines. If that is meant, run\n"
              f"    {' '.join(sys.argv)} --update\nand commit the file with the reason.")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--baselines", type=pathlib.Path, default=pathlib.Path(__file__).with_name("baselines.txt"))
    parser.add_argument("--update", action="store_true", help="write the counts as the new baselines")
    options = parser.parse_args()

    compiler = subprocess.run([options.binary, "--compiler"], capture_output=True, text=True, check=True).stdout.strip()
    known, baselines = read_baselines(options.baselines)
    if not shutil.which("valgrind"):
        skip("there is no valgrind")
    if known and compiler != known and not options.update:
        skip(f"the baselines are for {known}, this was built by {compiler}")
    counts = count(options.binary)
    if not counts:
        sys.exit("callgrind wrote no counts")
    print(f"{'instructions per unit':28} {'now':>10} {'before':>10}")
    faults = compare(counts, baselines, options.update)
    if options.update:
        lines = [f"{name:28} {value:10.1f}\n" for name, value in counts.items()]
        options.baselines.write_text(HEAD.format(compiler) + "".join(lines))
        return 0
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
