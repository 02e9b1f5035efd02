"""The noise sources through dieharder: raw words into its pipe, its table out.

    python tools/noise_battery.py --short            # some cheap tests of every source
    python tools/noise_battery.py                    # what `dieharder -a` runs: an hour a source
    python tools/noise_battery.py --table            # the table of docs/noise.md from the figures

A test of dieharder gives a p-value. It calls it WEAK below 0.005 or above 0.995, so one in a
hundred of a perfect source is, and FAILED beyond 1e-6. A weak one is explained when the same test
passes on a new seed, run until it is clear (``-Y 1``: more samples while weak) with the exact
Kolmogorov-Smirnov law (``-k 2``); one that fails or stays weak is a failure.

Figures are written after every test, and what stands there of the same words is not run again: a
night that ends early is no night lost. Each test has words of its own, whose seed is its place.

Source: R. G. Brown, dieharder 3.31.1 (Debian: `apt-get install dieharder`), its manual page.
"""

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from scipy.stats import binom

from gibbsite.bench.figures import NIGHTLY, read_figures, write_figures
from gibbsite_hw.spec.errors import GibbsiteError, ToolMissing
from noise_sources import SOURCES, Source, words

__all__ = [
    *("SHORT", "WHOLE", "Battery", "NoBattery", "Row", "Trial"),
    *("battery", "parse_table", "table"),
]

WEAK: Final = 0.01
"""Share of a perfect source's p-values that dieharder calls weak: 0.005 at either end."""

OTHER_WORDS: Final = 1_000_000
"""From a test's seed to that of its first rerun."""

SHORT: Final = (
    *((number, 0) for number in (0, 2, 3, 4, 8, 9, 10, 12, 15, 16, 17, 100, 101, 102)),
    *((200, n) for n in (1, 2, 3, 4)),
    *((202, n) for n in (2, 3, 4, 5)),
    *((203, n) for n in (0, 1)),
)
"""Tests (number, n-tuple) that read little; 0 as n-tuple is the test's own."""

WHOLE: Final = (
    *((number, 0) for number in (*range(18), 100, 101, 102)),
    *((200, n) for n in range(1, 13)),
    *((201, n) for n in range(2, 6)),
    *((202, n) for n in range(2, 6)),
    *((203, n) for n in range(33)),
    *((number, 0) for number in range(204, 210)),
)
"""What `dieharder -a` runs: 80 tests that print 114 rows."""

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


@dataclass(frozen=True, slots=True)
class Trial:
    """One test (number, n-tuple) of dieharder on one source."""

    number: int
    ntuple: int
    seed: int
    rows: tuple[Row, ...]
    reruns: tuple[Row, ...]
    """The weak ones again, from another seed; one row each, the one that was weak."""
    gigabytes: float
    seconds: float


@dataclass(slots=True)
class Battery:
    """What a battery found in one source."""

    source: str
    seed: int
    words: str
    """Digest of the source's first block: figures of other words are of another source."""
    trials: list[Trial] = field(default_factory=list)

    @property
    def rows(self) -> list[Row]:
        """All rows, as their tests ran."""
        return [row for trial in self.trials for row in trial.rows]

    @property
    def reruns(self) -> list[Row]:
        """A row for each weak one, from other words."""
        return [row for trial in self.trials for row in trial.reruns]

    @property
    def whole(self) -> bool:
        """Whether everything ran that `dieharder -a` runs."""
        return set(WHOLE) <= {(trial.number, trial.ntuple) for trial in self.trials}

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
        return {
            "source": self.source,
            "seed": self.seed,
            "words": self.words,
            "tests": "all" if self.whole else "some",
            "rows": len(self.rows),
            "weak": len(self.weak),
            "weak_expected": round(WEAK * len(self.rows), 2),
            "weak_chance": self.chance,
            "failed": len(self.failed),
            "gigabytes": round(sum(trial.gigabytes for trial in self.trials), 3),
            "seconds": round(sum(trial.seconds for trial in self.trials), 1),
            "trials": [asdict(trial) for trial in self.trials],
        }

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `document` made, from a file of figures."""
        found = read_figures(path)
        trials = [
            Trial(
                **trial
                | {kind: tuple(Row(**row) for row in trial[kind]) for kind in ("rows", "reruns")}
            )
            for trial in found["trials"]
        ]
        return cls(found["source"], found["seed"], found["words"], trials)


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
    name: str,
    seed: int,
    tests: Sequence[tuple[int, int]] = WHOLE,
    *,
    folder: Path | None = None,
    source: Source | None = None,
) -> Battery:
    """Run these tests (number, n-tuple) on a source, each with its weak rows again.

    With a ``folder``, figures are written there after each test, and tests whose figures of this
    seed and the same words are there do not run. ``source`` takes the place of the one of that
    name: a planted fault.
    Raises `NoBattery`; `ToolMissing` where dieharder is not installed.
    """
    chosen = SOURCES[name] if source is None else source
    found = Battery(name, seed, hashlib.sha256(next(words(chosen, seed)).data).hexdigest())
    if folder is not None and (path := folder / f"{FIGURES}{name}.json").exists():
        before = Battery.read(path)
        if (before.seed, before.words) == (seed, found.words):
            found = before
    done = {(trial.number, trial.ntuple) for trial in found.trials}
    for test in tests:
        if test not in done:
            found.trials.append(_trial(*test, chosen, seed + WHOLE.index(test)))
            if folder is not None:
                write_figures(FIGURES + name, found.document(), folder)
    return found


def _trial(number: int, ntuple: int, source: Source, seed: int) -> Trial:
    """One test, and its weak rows again from other words."""
    began = time.monotonic()
    arguments = ["-d", str(number), "-n", str(ntuple)]
    rows, size = _piped(arguments, source, seed)
    reruns = []
    for i, row in enumerate(rows):
        if row.verdict == "WEAK":
            other = seed + OTHER_WORDS * (i + 1)
            again, more = _piped([*arguments, "-Y", "1", "-k", "2"], source, other)
            size += more
            # a test that runs all its n-tuples prints one line for each; the weak one's counts
            reruns.append([each for each in again if each.ntuple == row.ntuple][_place(row, rows)])
    return Trial(
        *(number, ntuple, seed, tuple(rows), tuple(reruns)),
        round(size / 1e9, 3),
        round(time.monotonic() - began, 1),
    )


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
        found = Battery.read(path)
        of = {verdict: [r for r in found.rows if r.verdict == verdict] for verdict in VERDICTS}
        again = [
            f"{row.test} {row.ntuple}: {row.p:.4f}, {rerun.p:.4f}"
            for row, rerun in zip(of["WEAK"], found.reruns, strict=True)
        ]
        weak = f"{len(of['WEAK'])} ({WEAK * len(found.rows):.1f})"
        lines.append(
            f"| {name} | {source.what} | {'all' if found.whole else 'some'}: {len(found.rows)} | "
            f"{sum(trial.gigabytes for trial in found.trials):.0f} GB | {len(of['PASSED'])} | "
            f"{weak} | {len(of['FAILED'])} | {'; '.join(again) or '-'} |"
        )
    return "\n".join(lines)


def _place(row: Row, rows: Sequence[Row]) -> int:
    """Which of the rows of the same n-tuple this one is: a rerun prints them in that order."""
    return [r for r in rows if r.ntuple == row.ntuple].index(row)


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
    """Run the batteries that are asked for, or print the table; 1 where something failed."""
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
        tests = SHORT if options.short else WHOLE
        found = battery(name, options.seed, tests, folder=options.out)
        failed |= bool(found.failed)
        for word, rows in (("", found.weak), ("", found.failed), (", again", found.reruns)):
            for row in rows:
                print(f"{name}: {row.test} {row.ntuple} p = {row.p:.6f} {row.verdict}{word}")
        print(
            f"{name}: {len(found.rows)} tests, {len(found.weak)} weak, {len(found.failed)} failed, "
            f"{sum(trial.gigabytes for trial in found.trials):.0f} GB, "
            f"{sum(trial.seconds for trial in found.trials):.0f} s",
            flush=True,
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
