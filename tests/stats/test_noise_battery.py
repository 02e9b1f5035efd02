"""The noise sources through dieharder, and how its table is read.

The whole battery takes hours a source and belongs to `nightly`; so does dieharder itself, a package
of Debian's. Here its table is parsed, and where it is installed a planted fault fails.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import noise_battery
from gibbsite.bench.figures import NIGHTLY, write_figures
from gibbsite_hw.spec.errors import ToolMissing
from noise_battery import SHORT, battery
from noise_results import NUMBERS, WHOLE, Battery, NoBattery, Row, Trial, parse_table, table
from noise_sources import SOURCES, Source

needs_dieharder = pytest.mark.skipif(
    shutil.which("dieharder") is None,
    reason="dieharder is not on PATH: apt-get install dieharder  (Debian, Ubuntu)",
)

PRINTED = """\
#=============================================================================#
#            dieharder version 3.31.1 Copyright 2003 Robert G. Brown          #
#=============================================================================#
   rng_name    |rands/second|   Seed   |
stdin_input_raw|  3.72e+07  | 364374069|
#=============================================================================#
        test_name   |ntup| tsamples |psamples|  p-value |Assessment
#=============================================================================#
   diehard_birthdays|   0|       100|     100|0.09143893|  PASSED
          sts_serial|  10|    100000|     100|0.99790585|   WEAK
          sts_serial|  10|    100000|     100|0.45502537|  PASSED
  diehard_rank_32x32|   0|     40000|     100|0.00000000|  FAILED
"""
ROWS = [
    Row("diehard_birthdays", 0, 100, 100, 0.09143893, "PASSED"),
    Row("sts_serial", 10, 100_000, 100, 0.99790585, "WEAK"),
    Row("sts_serial", 10, 100_000, 100, 0.45502537, "PASSED"),
    Row("diehard_rank_32x32", 0, 40_000, 100, 0.0, "FAILED"),
]


def test_the_table_is_read() -> None:
    assert parse_table(PRINTED) == ROWS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Error: no such test\n",
        PRINTED.replace("FAILED", "UNSURE"),
        PRINTED.replace("0.09143893", "0.0914x893"),
    ],
)
def test_what_is_no_table_is_no_pass(text: str) -> None:
    with pytest.raises(NoBattery, match="dieharder"):
        parse_table(text)


def trial(number: int, rows: list[Row], *reruns: Row) -> Trial:
    return Trial(number, 0, 1, tuple(rows), reruns, 0.5, 1.0)


def test_failures_are_rows_that_failed_and_weak_ones_that_do_not_pass_again() -> None:
    good = Row("sts_serial", 10, 100_000, 300, 0.4, "PASSED")
    found = Battery("graph-stream", 1, "", [trial(2, ROWS[3:]), trial(102, ROWS[1:3], good)])
    assert [row.test for row in found.weak] == ["sts_serial"]
    assert [row.test for row in found.failed] == ["diehard_rank_32x32"]
    found.trials[1] = trial(102, ROWS[1:3], Row("sts_serial", 10, 100_000, 300, 0.001, "WEAK"))
    assert [row.test for row in found.failed] == ["diehard_rank_32x32", "sts_serial"]
    # at least one weak of three at one in a hundred
    assert found.chance == pytest.approx(1 - 0.99**3)


def test_of_a_test_that_dieharder_tells_not_to_use_only_failures_count() -> None:
    weak = Row("diehard_sums", 0, 100, 100, 0.001, "WEAK")
    found = Battery("lattice-lane", 1, "", [trial(14, [weak], weak)])
    assert found.weak == [weak]
    assert found.failed == []
    failed = Row("diehard_sums", 0, 100, 100, 0.0, "FAILED")
    found.trials[0] = trial(14, [weak], failed)
    assert found.failed == [failed]


class Pipe:
    """Answers in place of dieharder: what was asked, and from which seed."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.dies_at = ""

    def __call__(self, arguments: list[str], source: Source, seed: int) -> tuple[list[Row], int]:
        asked = " ".join(arguments)
        if asked == self.dies_at:
            raise NoBattery("dieharder was ended.")
        self.asked.append((asked, seed))
        if "-Y 1" in asked:  # a line of another n-tuple first, then both of this one
            return [Row("sts_serial", n, 100_000, 100, 0.1 * n, "PASSED") for n in (9, 10, 10)], 5
        if arguments[1] == "102":
            return ROWS[1:3], 10
        return ROWS[:1], 10


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Pipe:
    found = Pipe()
    monkeypatch.setattr(noise_battery, "piped", found)
    return found


def test_a_weak_row_runs_again_from_another_seed(pipe: Pipe) -> None:
    found = battery("graph-stream", 7, [(102, 0)])
    assert [asked for asked, _ in pipe.asked] == ["-d 102 -n 0", "-d 102 -n 0 -Y 1 -k 2"]
    assert len({seed for _, seed in pipe.asked}) == 2
    assert not found.failed
    assert found.reruns == [Row("sts_serial", 10, 100_000, 100, 1.0, "PASSED")]


def test_a_battery_goes_on_where_it_was_ended(pipe: Pipe, tmp_path: Path) -> None:
    pipe.dies_at = "-d 203 -n 5"
    with pytest.raises(NoBattery):
        battery("graph-stream", 7, folder=tmp_path)
    before = len(pipe.asked)
    assert not Battery.read(tmp_path / "noise-battery-graph-stream.json").whole
    pipe.dies_at = ""
    found = battery("graph-stream", 7, folder=tmp_path)
    assert pipe.asked[before][0] == "-d 203 -n 5"
    assert found.whole
    assert found == Battery.read(tmp_path / "noise-battery-graph-stream.json")
    again = list(pipe.asked)
    # at once, the same tests have the same words
    pipe.asked.clear()
    battery("graph-stream", 7)
    assert pipe.asked == again


def test_figures_of_other_words_are_not_taken(pipe: Pipe, tmp_path: Path) -> None:
    first = battery("graph-stream", 7, [(0, 0)], folder=tmp_path)
    assert battery("graph-stream", 7, [(0, 0)], folder=tmp_path) == first
    battery("graph-stream", 8, [(0, 0)], folder=tmp_path)
    other = battery("graph-stream", 8, [(0, 0)], folder=tmp_path, source=SOURCES["graph-lanes"])
    assert [seed for _, seed in pipe.asked] == [481, 561, 561]
    assert other.words != first.words


def test_the_whole_battery_has_every_test() -> None:
    assert {number for number, _ in WHOLE} == set(NUMBERS.values())
    assert set(SHORT) <= set(WHOLE)
    assert len(set(WHOLE)) == len(WHOLE) == 80


def test_the_table_of_the_page_comes_from_the_figures(tmp_path: Path) -> None:
    again = Row("sts_serial", 10, 100_000, 300, 0.4, "PASSED")
    found = Battery("lattice-lane", 1, "", [trial(0, ROWS[:1]), trial(102, ROWS[1:3], again)])
    path = write_figures("noise-battery-lattice-lane", found.document(), tmp_path)
    assert json.loads(path.read_text())["weak_expected"] == 0.03
    line = table(tmp_path).splitlines()[-1]
    assert (
        "| lattice-lane | 16-bit uniforms of one lane | some: 3 | 1 GB | 2 | 1 (0.0) | 0 |" in line
    )
    assert "sts_serial 10: 0.9979, 0.4000" in line


def test_a_missing_battery_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolMissing, match="apt-get install dieharder"):
        battery("graph-stream", 1, [(0, 0)])


def test_a_battery_that_is_killed_is_no_pass(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "dieharder"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(NoBattery, match="status -9"):
        battery("graph-stream", 1, [(0, 0)])


@needs_dieharder
def test_a_source_passes_and_a_fault_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of bits (STS) of one lane; of a shift register that moves on by one bit, beside it."""
    assert not battery("lattice-lane", 5, [(100, 0)]).failed

    def shifted(source: Source, seed: int):
        for block in true_words(source, seed):
            bits = np.unpackbits(block.ravel()[: 1 << 14].view(np.uint8))
            windows = np.lib.stride_tricks.sliding_window_view(bits, 32)
            yield np.packbits(windows, axis=1)

    true_words = noise_battery.words
    monkeypatch.setattr(noise_battery, "words", shifted)
    assert battery("lattice-lane", 5, [(0, 0)]).failed


@needs_dieharder
@pytest.mark.nightly
@pytest.mark.parametrize("name", SOURCES)
def test_a_source_passes_the_whole_battery(name: str) -> None:
    """All of `dieharder -a`; weak ones pass again. About an hour a source on a free core.

    What stands in the committed figures, of the same words, is not run again.
    """
    found = battery(name, seed=1, folder=NIGHTLY)
    for row in (*found.weak, *found.reruns):
        print(name, row)
    assert {row.test for row in found.rows} == set(NUMBERS)
    assert len(found.rows) == 114
    assert not found.failed
