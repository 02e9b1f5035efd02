"""Joules of an FPGA from toggles: the formula by hand, and the published currents behind it."""

import json
from pathlib import Path

import pytest

from gibbsite import cli
from gibbsite.ledger import PriceError, fpga_estimate, fpga_table
from gibbsite.ledger.fpga import FPGA_TABLES, FpgaTable

CELLS = {"SB_LUT4": 1000, "SB_DFFESR": 300, "SB_CARRY": 200, "SB_RAM40_4K": 10, "SB_MAC16": 5}


def test_the_estimate_is_its_formula() -> None:
    found = fpga_estimate(CELLS, 100, 10e6, "ice40-estimate")
    capacitance = 1300 * 2.8e-13 + 200 * 2.0e-14 + 10 * 1.4e-12 + 5 * 3.5e-12
    assert found.toggle_joules == pytest.approx(capacitance * 1.2**2 / 2)
    assert found.clock_joules == pytest.approx(100 * 5.2e-11)
    assert found.static_joules == pytest.approx(1.12e-4 * 100 / 10e6)
    total = found.toggle_joules + found.clock_joules + found.static_joules
    assert found.joules == pytest.approx(total)
    assert (found.low, found.high) == pytest.approx((total / 3, total * 3))
    assert found.watts == pytest.approx(total / 1e-5)
    assert found.kind == "estimated"
    assert "C V^2 / 2" in found.method
    energy = found.energy(cycles=1000)
    assert energy.joules == pytest.approx(10 * total)
    assert (energy.kind, energy.error_factor) == ("estimated", 3)


# core currents in uA at 1.219 V that tinyVision measured on an iCE40UP5K: MHz, counters of 28 bits
PUBLISHED = [(12, 1, 613.5), (12, 2, 616.65), (12, 4, 624.2), (12, 8, 641.3)]


@pytest.mark.parametrize(("megahertz", "counters", "microamperes"), PUBLISHED)
def test_published_currents_of_counters_lie_within_the_error(
    megahertz: int, counters: int, microamperes: float
) -> None:
    # a counter's bits change 1 + 1/2 + 1/4 + ... = 2 times a cycle: flip-flop nets and carries
    cycles = 1 << 20
    toggles = {"SB_DFF": 2 * counters * cycles, "SB_CARRY": 2 * counters * cycles}
    found = fpga_estimate(toggles, cycles, megahertz * 1e6, "ice40-estimate")
    measured = microamperes * 1e-6 * 1.219
    assert found.watts / found.error_factor < measured < found.watts * found.error_factor
    # the clock tree dominates such a design, and its price comes from other rows of the table
    assert found.watts == pytest.approx(measured, rel=0.25)


def test_the_published_slope_of_toggles_lies_within_the_error() -> None:
    """7 more counters alone, without clock tree and leakage, which would hide a wrong price."""
    measured = (641.3 - 613.5) * 1e-6 * 1.219 / 12e6
    cycles = 1000
    found = fpga_estimate({"SB_DFF": 2 * 7 * cycles}, cycles, 12e6, "ice40-estimate")
    assert found.toggle_joules / cycles == pytest.approx(measured, rel=found.error_factor - 1)
    assert 1 / 3 < found.toggle_joules / cycles / measured < 3


@pytest.mark.parametrize("times", [2, 7, 10**9])
def test_estimates_scale_with_toggles_and_cycles(times: int) -> None:
    once = fpga_estimate(CELLS, 1000, 1e6, "ice40-estimate")
    more = {name: times * count for name, count in CELLS.items()}
    again = fpga_estimate(more, 1000 * times, 1e6, once.table)
    assert again.joules == pytest.approx(times * once.joules)


@pytest.mark.parametrize("name", FPGA_TABLES)
def test_tables_say_source_error_and_what_is_left_out(name: str) -> None:
    table = fpga_table(name)
    assert table.error_factor >= 2, "no public figure of the toggle is better than that"
    assert table.error_because
    for figure in (table.volts, table.static, table.clock, *table.cells.values()):
        assert figure.source
        assert figure.excludes
        assert figure.kind == "estimated"
    with pytest.raises(ValueError, match="static is in W"):
        FpgaTable.model_validate(table.model_dump() | {"static": table.volts})
    with pytest.raises(ValueError, match="have no figure"):
        FpgaTable.model_validate(table.model_dump() | {"names": {"LUT4": "magic"}})


@pytest.mark.parametrize(
    ("toggles", "cycles", "clock", "says"),
    [
        ({"SB_WARPCORE": 1}, 1, 1e6, "SB_WARPCORE.*: add it to the table"),
        ({"SB_LUT4": -1}, 1, 1e6, "at least 0, found -1"),
        ({}, 0, 1e6, "at least 1 and is 0"),
        ({}, 1, 0.0, "above 0 and is 0"),
        ({}, 1, float("inf"), "finite"),
    ],
)
def test_what_cannot_be_estimated_is_refused(
    toggles: dict[str, int], cycles: int, clock: float, says: str
) -> None:
    with pytest.raises(PriceError, match=says):
        fpga_estimate(toggles, cycles, clock, "ice40-estimate")


@pytest.mark.parametrize(
    ("cell", "table", "fits"),
    [
        ("TRELLIS_FF", "ice40-estimate", "ecp5-estimate"),
        ("SB_DFF", "ecp5-estimate", "ice40-estimate"),
    ],
)
def test_a_cell_of_another_family_is_sent_to_its_table(cell: str, table: str, fits: str) -> None:
    with pytest.raises(PriceError, match=f"{table} has no .* '{cell}', .*: use --table {fits}$"):
        fpga_estimate({cell: 1}, 1, 1e6, table)
    assert fpga_estimate({cell: 1}, 1, 1e6, fits).table == fits


# --- the command ----------------------------------------------------------------------------------


def test_the_command_prints_every_table_with_its_sources(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run(["energy"]) == 0
    out = capsys.readouterr().out
    for name in ("host-measured", "extropic-z1", "design-documents", *FPGA_TABLES):
        assert f"{name} (" in out
    for told in ("7.09 fJ an update", "1.69 pJ a value read", "153.6 pJ a value written"):
        assert told in out
    assert cli.run(["energy", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [table["name"] for table in document["tables"]] == [
        "extropic-z1",
        "design-documents",
        *FPGA_TABLES,
    ]


def test_the_command_estimates_with_method_and_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "toggles.json"
    path.write_text(json.dumps({"cycles": 100, "toggles": CELLS}))
    assert cli.run(["energy", "--toggles", str(path)]) == cli.BAD_INPUT
    assert "--clock is needed" in capsys.readouterr().err
    assert cli.run(["energy", "--toggles", str(path), "--clock", "10e6"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("estimated: ")
    assert "a factor of 3 either way" in out
    assert "method: " in out
    assert cli.run(["energy", "--toggles", str(path), "--clock", "10e6", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(fpga_estimate(CELLS, 100, 10e6, "ice40-estimate").model_dump_json())


@pytest.mark.parametrize("content", ["", "{}", '{"cycles": 0, "toggles": {}}', None])
def test_the_command_refuses_files_without_toggles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    path = tmp_path / "toggles.json"
    if content is not None:
        path.write_text(content)
    assert cli.run(["energy", "--toggles", str(path), "--clock", "1e6"]) == cli.BAD_INPUT
    told = capsys.readouterr().err
    assert "toggles" in told
    assert "Errno" not in told


@pytest.mark.parametrize("given", [("--clock", "1e6"), ("--table", "ecp5-estimate")])
def test_the_command_refuses_options_that_belong_to_toggles(
    capsys: pytest.CaptureFixture[str], given: tuple[str, str]
) -> None:
    assert cli.run(["energy", *given]) == cli.BAD_INPUT
    assert f"give --toggles FILE.json too, or leave {given[0]} out" in capsys.readouterr().err
