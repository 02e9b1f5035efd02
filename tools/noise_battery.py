"""The noise sources through dieharder: raw words into its pipe, its table out.

    python tools/noise_battery.py --short            # some cheap tests of every source
    python tools/noise_battery.py                    # what `dieharder -a` runs, up to an hour each
    python tools/noise_battery.py --table            # the table of docs/noise.md from the figures

A test of dieharder gives a p-value. It calls it WEAK below 0.005 or above 0.995, so one in a
hundred of a perfect source is, and FAILED beyond 1e-6. A weak one is explained when the same test
passes on a new seed, run until it is clear (``-Y 1``: more samples while weak) with the exact
Kolmogorov-Smirnov law (``-k 2``); one that fails or stays weak is a failure, but for a test that
dieharder's own list tells not to use.

Figures are written after every test, and what stands there of the same words is not run again: a
night that ends early is no night lost. Each test of each battery has words of its own: that of the
n-th of 80 tests is 80 (seed - 1) + n.

Source: R. G. Brown, dieharder 3.31.1 (Debian: `apt-get install dieharder`), its manual page.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from gibbsite.bench.figures import NIGHTLY, write_figures
from gibbsite_hw.spec.errors import ToolMissing
from noise_results import FIGURES, WHOLE, Battery, NoBattery, Row, Trial, parse_table, table
from noise_sources import SOURCES, Source, words

__all__ = ["SHORT", "battery", "piped"]

MOST_SEED: Final = 1250
"""Batteries with words of their own: 80 tests each, below those of `noise_control.py`."""

OTHER_WORDS: Final = 1_000_000
"""From a test's seed to that of its first rerun."""

SHORT: Final = (
    *((number, 0) for number in (0, 2, 3, 4, 8, 9, 10, 12, 15, 16, 17, 100, 101, 102)),
    *((200, n) for n in (1, 2, 3, 4)),
    *((202, n) for n in (2, 3, 4, 5)),
    *((203, n) for n in (0, 1)),
)
"""Tests (number, n-tuple) that read little; 0 as n-tuple is the test's own."""


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
            found.trials.append(
                _trial(*test, chosen, len(WHOLE) * (seed - 1) + WHOLE.index(test) + 1)
            )
            if folder is not None:
                write_figures(FIGURES + name, found.document(), folder)
    return found


def _trial(number: int, ntuple: int, source: Source, seed: int) -> Trial:
    """One test, and its weak rows again from other words."""
    began = time.monotonic()
    arguments = ["-d", str(number), "-n", str(ntuple)]
    rows, size = piped(arguments, source, seed)
    reruns = []
    for i, row in enumerate(rows):
        if row.verdict == "WEAK":
            other = seed + OTHER_WORDS * (i + 1)
            again, more = piped([*arguments, "-Y", "1", "-k", "2"], source, other)
            size += more
            # a test that runs all its n-tuples prints one line for each; the weak one's counts
            reruns.append([each for each in again if each.ntuple == row.ntuple][_place(row, rows)])
    return Trial(
        *(number, ntuple, seed, tuple(rows), tuple(reruns)),
        round(size / 1e9, 3),
        round(time.monotonic() - began, 1),
    )


def _place(row: Row, rows: Sequence[Row]) -> int:
    """Which of the rows of the same n-tuple this one is: a rerun prints them in that order."""
    return [r for r in rows if r.ntuple == row.ntuple].index(row)


def piped(arguments: Sequence[str], source: Source, seed: int) -> tuple[list[Row], int]:
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
    parser.add_argument(
        "--seed", type=int, default=1, help=f"1 to {MOST_SEED}, each with other words"
    )
    parser.add_argument("--out", type=Path, default=NIGHTLY)
    parser.add_argument("--table", action="store_true", help="print the table of the figures")
    options = parser.parse_args(arguments)
    if options.table:
        print(table(options.out))
        return 0
    if not 1 <= options.seed <= MOST_SEED:
        parser.error(f"--seed is 1 to {MOST_SEED}, not {options.seed}: each has other words")
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
