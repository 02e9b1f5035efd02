"""What dieharder finds in a noise source: its rows, which of them count, and the table of them.

Source: R. G. Brown, dieharder 3.31.1, its manual page and `dieharder -l`.
"""

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from scipy.stats import binom

from gibbsite.bench.figures import NIGHTLY, read_figures
from gibbsite_hw.spec.errors import GibbsiteError
from noise_sources import SOURCES

__all__ = [
    *("FIGURES", "NUMBERS", "UNSOUND", "WEAK", "WHOLE"),
    *("Battery", "NoBattery", "Row", "Trial", "parse_table", "table"),
]

WEAK: Final = 0.01
"""Share of a perfect source's p-values that dieharder calls weak: 0.005 at either end."""

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

UNSOUND: Final = ("diehard_sums",)
"""Tests that `dieharder -l` itself marks "Do Not Use": their p-values are not uniform, so that a
perfect source is weak in every eighth run (`noise_control.py`). Weak again means nothing there."""

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
        """Rows that failed, and weak ones that were not passed again where that means something."""
        return [row for row in self.rows if row.verdict == "FAILED"] + [
            row
            for row in self.reruns
            if row.verdict == "FAILED" or (row.verdict == "WEAK" and row.test not in UNSOUND)
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
