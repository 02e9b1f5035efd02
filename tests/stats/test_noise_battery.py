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
from gibbsite.bench.figures import write_figures
from gibbsite_hw.spec.errors import ToolMissing
from noise_battery import NUMBERS, Battery, NoBattery, Row, battery, parse_table, table
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


def test_failures_are_rows_that_failed_and_weak_ones_that_do_not_pass_again() -> None:
    found = Battery("graph-stream", 1, "some", rows=list(ROWS))
    assert [row.test for row in found.weak] == ["sts_serial"]
    found.reruns = [Row("sts_serial", 10, 100_000, 300, 0.4, "PASSED")]
    assert [row.test for row in found.failed] == ["diehard_rank_32x32"]
    found.reruns = [Row("sts_serial", 10, 100_000, 300, 0.001, "WEAK")]
    assert [row.test for row in found.failed] == ["diehard_rank_32x32", "sts_serial"]
    # at least one weak of four at one in a hundred
    assert found.chance == pytest.approx(1 - 0.99**4)


def test_a_weak_row_runs_again_from_another_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def piped(arguments: list[str], source: Source, seed: int) -> tuple[list[Row], int]:
        asked.append((arguments, seed))
        again = [
            Row("sts_serial", n, 100_000, 100, 0.1 * n, "PASSED") for n in (9, 10, 10) if n > 9
        ]
        return (ROWS[:3], 1000) if len(asked) == 1 else (again, 500)

    monkeypatch.setattr(noise_battery, "_piped", piped)
    found = battery("graph-stream", 7)
    assert asked[0] == (["-a"], 7)
    assert asked[1][0] == ["-d", "102", "-n", "10", "-Y", "1", "-k", "2"]
    assert asked[1][1] != 7
    assert not found.failed
    assert found.reruns == [Row("sts_serial", 10, 100_000, 100, 1.0, "PASSED")]


def test_the_table_of_the_page_comes_from_the_figures(tmp_path: Path) -> None:
    found = Battery("lattice-lane", 1, "all", rows=ROWS[:3], gigabytes=1.5)
    found.reruns = [Row("sts_serial", 10, 100_000, 300, 0.4, "PASSED")]
    path = write_figures("noise-battery-lattice-lane", found.document(), tmp_path)
    assert json.loads(path.read_text())["weak_expected"] == 0.03
    line = table(tmp_path).splitlines()[-1]
    assert (
        "| lattice-lane | 16-bit uniforms of one lane | all: 3 | 1.5 GB | 2 | 1 (0.0) | 0 |" in line
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
    """All of `dieharder -a`; weak ones pass again. About an hour a source on a free core."""
    found = battery(name, seed=1)
    write_figures(noise_battery.FIGURES + name, found.document())
    for row in (*found.weak, *found.reruns):
        print(name, row)
    assert {row.test for row in found.rows} == set(NUMBERS)
    assert not found.failed
