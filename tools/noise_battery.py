"""The noise sources through dieharder: raw words into its pipe, its table out.

    python tools/noise_battery.py --short            # some cheap tests of every source
    python tools/noise_battery.py                    # everything (`dieharder -a`): hours a source
    python tools/noise_battery.py --table            # the table of docs/noise.md from the figures

A test of dieharder gives a p-value. It calls it WEAK below 0.005 or above 0.995, so one in a
hundred of a perfect source is, and FAILED beyond 1e-6. A weak one is explained when the same test
passes on a new seed, run until it is clear (``-Y 1``: more samples while weak) with the exact
Kolmogorov-Smirnov law (``-k 2``); one that fails or stays weak is a failure.

Source: R. G. Brown, dieharder 3.31.1 (Debian: `apt-get install dieharder`), its manual page.
"""

import argparse
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from scipy.stats import binom

from gibbsite.bench.figures import NIGHTLY, read_figures, write_figures
from gibbsite_hw.spec.errors import GibbsiteError, ToolMissing
from noise_sources import SOURCES, Source, words

__all__ = ["SHORT", "Battery", "NoBattery", "Row", "battery", "parse_table", "table"]

WEAK: Final = 0.01
"""Share of a perfect source's p-values that dieharder calls weak: 0.005 at either end."""

SHORT: Final = (
    *((number, 0) for number in (0, 2, 3, 4, 8, 9, 10, 12, 15, 16, 17, 100, 101, 102)),
    *((200, n) for n in (1, 2, 3, 4)),
    *((202, n) for n in (2, 3, 4, 5)),
    *((203, n) for n in (0, 1)),
)
"""Tests (number, n-tuple) that read little; 0 as n-tuple is the test's own."""

NUMBERS: Final = {
    **{"diehard_birthdays": 0, "diehard_operm5": 1, "diehard_rank_32x32": 2},
    **{"diehard_rank_6x8": 3, "diehard_bitstream": 4, "diehard_opso": 5, "diehard_oqso": 6},
    **{"diehard_dna": 7, "diehard_count_1s_str": 8, "diehard_count_1s_byt": 9},
    **{"diehard_parking_lot": 10, "diehard_2dsphere": 11, "diehard_3dsphere": 12},
    **{"diehard_squeeze": 13, "diehard_sums": 14, "diehard_runs": 15, "diehard_craps": 16},
    **{"marsaglia_tsang_gcd": 17, "sts_monobit": 100, "sts_runs": 101, "sts_serial": 102},
    **{"rgb_bitdist": 200, "rgb_minimum_distance": 201, "rgb_permutations": 202},
    **{"rgb_lagged_sum": 203, "rgb_kstest_test": 204, "dab_bytedistrib": 205, "dab_dct": 206},
    **{"dab_filltree": 207, "dab_filltree2": 208, "dab_monobit2": 209},
}
"""Numbers of the tests by the names of the table, from `dieharder -l`."""

VERDICTS: Final = ("PASSED", "WEAK", "FAILED")
FIGURES: Final = "noise-battery-"
"""Figures of a source are docs/figures/nightly/noise-battery-SOURCE.json."""

_COUNTS: Final = r"\s*(\d+)\|\s*(\d+)\|\s*(\d+)\|"
_LINE: Final = re.compile(rf"\s*(\w+)\|{_COUNTS}\s*([\d.eE+-]+|nan)\|\s*({'|'.join(VERDICTS)})\s*")


class NoBattery(GibbsiteError):
    """dieharder was ended, or printed no table."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of dieharder's table."""

    test: str
    ntuple: int
    tsamples: int
    psamples: int
    p: float
    verdict: str


@dataclass(slots=True)
class Battery:
    """What a battery found in one source."""

    source: str
    seed: int
    tests: str
    rows: list[Row] = field(default_factory=list)
    reruns: list[Row] = field(default_factory=list)
    """The weak ones again, from another seed; one row each, the one that was weak."""
    seconds: float = 0.0
    gigabytes: float = 0.0

    @property
    def weak(self) -> list[Row]:
        """Rows that are neither passed nor failed."""
        return [row for row in self.rows if row.verdict == "WEAK"]

    @property
    def failed(self) -> list[Row]:
        """Rows that failed, and reruns of weak ones that did not pass."""
        return [row for row in self.rows if row.verdict == "FAILED"] + [
            row for row in self.reruns if row.verdict != "PASSED"
        ]

    @property
    def chance(self) -> float:
        """Probability of as many weak rows or more, were the source perfect.

        Rows of one test share words (sts_serial's thirty above all), so weak ones come in groups,
        and this is an orientation, not a test.
        """
        return float(binom.sf(len(self.weak) - 1, len(self.rows), WEAK))

    def document(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        found = {"weak_expected": round(WEAK * len(self.rows), 2), "weak_chance": self.chance}
        return {**asdict(self), **found}


def parse_table(text: str) -> list[Row]:
    """The rows of what dieharder prints. Raises `NoBattery` if it prints none, or an odd one."""
    rows = []
    for line in text.splitlines():
        if line.lstrip().startswith("#") or line.count("|") != 5 or "test_name" in line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise NoBattery(f"dieharder's table has a line that is none of it: {line.strip()!r}.")
        test, ntuple, tsamples, psamples, p, verdict = match.groups()
        rows.append(Row(test, int(ntuple), int(tsamples), int(psamples), float(p), verdict))
    if not rows:
        raise NoBattery(
            f"dieharder printed no result; it ended with {text.strip()[-200:]!r}. Run it by hand: "
            "dieharder -d 0."
        )
    return rows


def battery(
    name: str, seed: int, tests: Sequence[tuple[int, int]] = (), *, source: Source | None = None
) -> Battery:
    """Run these tests (number, n-tuple) on a source, or all of them; then the weak ones again.

    ``source`` takes the place of the one of that name: a planted fault.
    Raises `NoBattery`; `ToolMissing` where dieharder is not installed.
    """
    chosen = SOURCES[name] if source is None else source
    began = time.monotonic()
    found = Battery(name, seed, "some" if tests else "all")
    for arguments in (
        [["-d", str(number), "-n", str(ntuple)] for number, ntuple in tests] if tests else [["-a"]]
    ):
        rows, size = _piped(arguments, chosen, seed)
        found.rows += rows
        found.gigabytes += size / 1e9
        seed += 1  # a test of its own reads words of its own
    for row in found.weak:
        again = ["-d", str(NUMBERS[row.test]), "-n", str(row.ntuple), "-Y", "1", "-k", "2"]
        seed += 1
        rows, size = _piped(again, chosen, seed + 1_000_000)
        found.gigabytes += size / 1e9
        # a test that runs all its n-tuples prints one line for each; the weak one's counts
        same = [other for other in rows if other.ntuple == row.ntuple]
        found.reruns.append((same or rows)[min(_place(row, found.rows), len(same or rows) - 1)])
    found.seconds = round(time.monotonic() - began, 1)
    found.gigabytes = round(found.gigabytes, 3)
    return found


def table(folder: Path = NIGHTLY) -> str:
    """The Markdown table of the figures in a folder, in the order of `SOURCES`."""
    lines = [
        "| source | words | tests | read | passed | weak (expected) | failed | weak, and again |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, source in SOURCES.items():
        path = folder / f"{FIGURES}{name}.json"
        if not path.exists():
            continue
        found = read_figures(path)
        rows = [Row(**row) for row in found["rows"]]
        of = {verdict: [r for r in rows if r.verdict == verdict] for verdict in VERDICTS}
        again = [
            f"{row.test} {row.ntuple}: {row.p:.4f}, {rerun['p']:.4f}"
            for row, rerun in zip(of["WEAK"], found["reruns"], strict=True)
        ]
        weak = f"{len(of['WEAK'])} ({found['weak_expected']:.1f})"
        lines.append(
            f"| {name} | {source.what} | {found['tests']}: {len(rows)} | "
            f"{found['gigabytes']:.1f} GB | {len(of['PASSED'])} | {weak} | "
            f"{len(of['FAILED'])} | {'; '.join(again) or '-'} |"
        )
    return "\n".join(lines)


def _place(row: Row, rows: Sequence[Row]) -> int:
    """Which of the rows of the same test and n-tuple this one is: the reruns come in that order."""
    return [r for r in rows if (r.test, r.ntuple) == (row.test, row.ntuple)].index(row)


def _piped(arguments: Sequence[str], source: Source, seed: int) -> tuple[list[Row], int]:
    """Rows that dieharder prints with these arguments, and the bytes that went into its pipe."""
    program = shutil.which("dieharder")
    if program is None:
        raise ToolMissing("dieharder is not on PATH: apt-get install dieharder  (Debian, Ubuntu).")
    running = subprocess.Popen(
        [program, "-g", "200", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    size = 0
    with running:
        # it prints some ten kilobytes at most, which its pipe holds until it is done; then it has
        # read what it wants, and our pipe breaks
        with suppress(BrokenPipeError):
            for block in words(source, seed):
                running.stdin.write(block.data)
                size += block.nbytes
        text = running.stdout.read().decode()
        with suppress(BrokenPipeError):
            running.stdin.close()
    if running.returncode:
        raise NoBattery(
            f"dieharder ended with status {running.returncode} (below 0: killed by that signal) "
            f"after {size / 1e9:.1f} GB of {' '.join(arguments)}. Run it again."
        )
    return parse_table(text), size


def main(arguments: Sequence[str]) -> int:
    """Run the batteries that are asked for; each writes its figures when it ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--source", action="append", choices=sorted(SOURCES), help="one of them")
    parser.add_argument("--short", action="store_true", help="cheap tests only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=NIGHTLY)
    parser.add_argument("--table", action="store_true", help="print the table of the figures")
    options = parser.parse_args(arguments)
    if options.table:
        print(table(options.out))
        return 0
    failed = False
    for name in options.source or SOURCES:
        found = battery(name, options.seed, SHORT if options.short else ())
        failed |= bool(found.failed)
        for word, rows in (("", found.weak), ("", found.failed), (", again", found.reruns)):
            for row in rows:
                print(f"{name}: {row.test} {row.ntuple} p = {row.p:.6f} {row.verdict}{word}")
        print(
            f"{name}: {len(found.rows)} tests, {len(found.weak)} weak, {len(found.failed)} failed, "
            f"{found.gigabytes} GB, {found.seconds} s",
            flush=True,
        )
        write_figures(FIGURES + name, found.document(), options.out)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
