"""The short form of the campaign of link faults; the long one makes the table of framed-link.md."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from gibbsite_hw.spec.program import RunResult
from gibbsite_sim.line_faults import FaultRates
from gibbsite_sim.serial_board import GoldenCore
from link_faults import SCENARIOS, campaign, table
from link_trials import BUILD, Row, Trial, judged

HALFWAY = ("device reset in mid-run", "port vanished in mid-run", "driver killed in mid-run")
HOPELESS = "hopeless: flipped bits, 1 in 5 bytes"
BYTES = tuple(name for name in SCENARIOS if "byte" in name and name != HOPELESS)
BITS = tuple(name for name in SCENARIOS if name.startswith("on the wire"))


def check(rows: list[Row]) -> None:
    """Faults happened, and none of them did harm."""
    for row in rows:
        assert row.good, row
        assert row.faults > 0, row


def test_broken_lines() -> None:
    """At these rates all runs come through, and something had to be repaired."""
    rows = campaign("golden", 2, 11, BYTES)
    check(rows)
    assert all(row.right == row.trials for row in rows)
    assert sum(row.damaged for row in rows) > 50
    assert sum(row.repeated for row in rows) > 20


@pytest.mark.sim
def test_broken_lines_and_wires_of_the_hardware() -> None:
    rows = campaign("pins", 1, 12, (*BYTES[-1:], *BITS))
    check(rows)
    assert all(row.right == row.trials for row in rows)


@pytest.mark.sim
def test_the_device_the_port_and_the_driver_break_in_mid_run() -> None:
    rows = campaign("pins", 1, 13, (*HALFWAY, HOPELESS))
    check(rows)
    assert all(row.given_up == row.trials for row in rows)


def test_a_wrong_result_is_counted() -> None:
    """The planted fault: golden is asked for another seed's draws."""
    trial = Trial(GoldenCore(BUILD), 1)
    row = Row("", "", trials=1)
    try:
        judged(row, trial.run, RunResult())
    finally:
        trial.close()
    assert (row.wrong, row.right) == (1, 0)
    assert not row.good
    assert "| 1 |" in table([row])


@pytest.mark.nightly
@pytest.mark.sim
def test_many() -> None:
    check([row for core in ("pins", "golden") for row in campaign(core, 8, 100)])


def test_rates_are_chances() -> None:
    with pytest.raises(ValueError, match="rate"):
        FaultRates(lost=2)
