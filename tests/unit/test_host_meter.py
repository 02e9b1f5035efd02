"""The host's energy counters, read from trees laid out as the kernel lays out its own."""

import os
from pathlib import Path

import pytest

from gibbsite.ledger.host_meter import HostMeter, HostReading

RANGE = 262_143_328_850
"""What Intel packages say of their 32 bits of 61 uJ."""


def zone(root: Path, place: str, name: str, value: int, limit: int = RANGE) -> Path:
    """One zone of powercap; gives back the file that counts."""
    folder = root / "powercap" / place
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "max_energy_range_uj").write_text(f"{limit}\n")
    (folder / "energy_uj").write_text(f"{value}\n")
    return folder / "energy_uj"


def measured(root: Path, *changes: tuple[Path, int]) -> HostReading:
    """What a meter says after counters went on to these values."""
    with HostMeter(root) as meter:
        for path, value in changes:
            path.write_text(f"{value}\n")
    return meter.reading


def test_packages_and_memory_add_and_what_lies_inside_them_does_not(tmp_path: Path) -> None:
    (tmp_path / "powercap" / "intel-rapl").mkdir(parents=True)  # the control type, no zone
    first = zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    core = zone(tmp_path, "intel-rapl:0:0", "core", 5)
    memory = zone(tmp_path, "intel-rapl:0:2", "dram", 100)
    second = zone(tmp_path, "intel-rapl:1", "package-1", 7)
    whole = zone(tmp_path, "intel-rapl:2", "psys", 9)
    reading = measured(
        tmp_path,
        (first, 3_500_000),
        (core, 2_000_000),
        (memory, 250_100),
        (second, 1_000_007),
        (whole, 9_000_009),
    )
    assert reading.joules == pytest.approx(2.5 + 0.25 + 1.0)
    assert reading.reason is None
    assert reading.source == "rapl"
    assert [name.split()[0] for name in reading.zones] == [
        "intel-rapl:0",
        "intel-rapl:0:2",
        "intel-rapl:1",
    ]
    assert reading.energy is not None
    assert reading.energy.kind == "measured"
    assert reading.provenance.startswith("measured on the host: intel-rapl:0 (package-0)")
    assert "idle power" in reading.provenance


def test_a_counter_that_began_again_is_unwrapped(tmp_path: Path) -> None:
    path = zone(tmp_path, "intel-rapl:0", "package-0", RANGE - 999_999)
    # 999,999 to the last value, 1 to zero, 500,000 beyond
    assert measured(tmp_path, (path, 500_000)).joules == pytest.approx(1.5)


def test_a_counter_that_may_have_begun_again_twice_measures_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zone(tmp_path, "intel-rapl:0", "package-0", 0, limit=1_000_000)
    meter = HostMeter(tmp_path)
    meter.start()
    path.write_text("5")
    # a thousandth of a second at the most watts is the range of 1 J
    meter._began -= 0.0011
    reading = meter.stop()
    assert reading.joules is None
    assert "more than once" in str(reading.reason)


def test_amd_sockets_count_where_powercap_has_no_package(tmp_path: Path) -> None:
    for number, name in ((0, "k10temp"), (1, "amd_energy")):
        folder = tmp_path / "hwmon" / f"hwmon{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
    for number, label in ((1, "Ecore000"), (2, "Esocket0")):
        (folder / f"energy{number}_label").write_text(f"{label}\n")
        (folder / f"energy{number}_input").write_text("1000000\n")
    core, socket = folder / "energy1_input", folder / "energy2_input"
    reading = measured(tmp_path, (core, 9_000_000), (socket, 4_000_000))
    assert reading.joules == pytest.approx(3.0)
    assert reading.source == "amd_energy"
    back = measured(tmp_path, (socket, 1))
    assert back.joules is None
    assert "went backwards" in str(back.reason)


def test_a_machine_without_counters_says_so(tmp_path: Path) -> None:
    reading = measured(tmp_path)
    assert reading.joules is reading.energy is None
    assert "no energy counter" in reading.provenance
    zone(tmp_path, "intel-rapl:0", "psys", 1)
    assert measured(tmp_path).joules is None, "a zone that covers others is none to add"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is hidden from root")
def test_a_counter_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = zone(tmp_path, "intel-rapl:0", "package-0", 1)
    path.chmod(0)
    reading = measured(tmp_path)
    assert reading.joules is None
    assert "may not be read by this user" in str(reading.reason)


@pytest.mark.parametrize("content", ["", "many\n", None], ids=["empty", "words", "gone"])
def test_a_counter_that_holds_no_number_measures_nothing(
    tmp_path: Path, content: str | None
) -> None:
    path = zone(tmp_path, "intel-rapl:0", "package-0", 1)
    with HostMeter(tmp_path) as meter:
        path.unlink() if content is None else path.write_text(content)
    assert meter.reading.joules is None
    assert "not measured" in str(meter.reading.reason)
    with HostMeter(tmp_path) as again:  # and as it begins
        pass
    assert again.reading.joules is None


def test_this_machine_measures_or_says_why_not() -> None:
    with HostMeter() as meter:
        sum(range(100_000))
    assert (meter.reading.joules is None) == (meter.reading.reason is not None)
