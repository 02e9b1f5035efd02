"""Joules of the host, from counters that the machine itself exposes under /sys.

    powercap   intel-rapl:N (Intel, and AMD since Zen): packages, and their memory where it has a
               zone of its own; cores and the integrated GPU lie inside their package
    hwmon      amd_energy: sockets, where powercap has no package

A counter counts microjoules up to `max_energy_range_uj` and then begins again at 0. A meter sees
one such turn; where there may have been more, the joules are unknown.

Everything that ran on the machine is in the figure, other programs and idle power too. Without a
counter the joules are null, and the reason says what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Final, Self

from gibbsite.ledger.energy import Measured

__all__ = ["MOST_WATTS", "HostMeter", "HostReading"]

SYS: Final = Path("/sys/class")

MOST_WATTS: Final = 1000.0
"""More than any package or memory zone draws; bounds how soon a counter can begin again."""

COVERS: Final = "everything that ran on the host's packages and memory meanwhile"
EXCLUDES: Final = "boards, discs, fans, the supply's losses; idle power is not taken off"


@dataclass(frozen=True, slots=True)
class HostReading:
    """What a meter saw. ``joules`` is null where it saw nothing, and ``reason`` says why.

    ``zones`` are the names of the counters whose joules were added.
    """

    joules: float | None
    reason: str | None
    zones: tuple[str, ...] = ()
    source: str = "none"

    @property
    def provenance(self) -> str:
        """What the joules are, or why there are none."""
        if self.reason is not None:
            return self.reason
        return f"measured on the host: {', '.join(self.zones)}; {COVERS}, {EXCLUDES}"

    @property
    def energy(self) -> Measured | None:
        """As a figure of the ledger; None where nothing was measured."""
        if self.joules is None:
            return None
        return Measured(
            joules=self.joules,
            table="host-measured",
            part=self.source,
            covers=COVERS,
            excludes=EXCLUDES,
        )


@dataclass(frozen=True, slots=True)
class _Zone:
    """One counter: its name, its file, and the value after which it begins again (None: never)."""

    name: str
    path: Path
    limit: int | None

    def read(self) -> int:
        return int(self.path.read_text(encoding="ascii"))


class HostMeter:
    """Measures between `start` and `stop`, or as a context manager.

        with HostMeter() as meter:
            ...
        meter.reading.joules        # null, with a reason, where the machine shows none

    ``root`` is where the kernel's classes lie; no error of theirs is raised.
    """

    def __init__(self, root: Path = SYS) -> None:
        self._root = root
        self.reading = HostReading(None, "not measured: the meter did not run to its end")
        self._zones: list[_Zone] = []
        self._source = "none"
        self._first: list[int] = []
        self._began = 0.0

    def start(self) -> None:
        """Find the counters and read them."""
        self._first, self._zones = [], []
        try:
            self._source, self._zones = _found(self._root)
            self._first = [zone.read() for zone in self._zones]
        except (OSError, ValueError) as error:
            self._zones = []
            self.reading = _unreadable(error)
        else:
            if not self._zones:
                self.reading = HostReading(
                    None,
                    f"not measured: this machine has no energy counter under {self._root}",
                )
        self._began = monotonic()

    def stop(self) -> HostReading:
        """Read the counters again; gives back, and keeps, the joules since `start`."""
        if not self._zones:
            return self.reading
        seconds = monotonic() - self._began
        try:
            last = [zone.read() for zone in self._zones]
        except (OSError, ValueError) as error:
            self.reading = _unreadable(error)
            return self.reading
        total = 0
        for zone, old, new in zip(self._zones, self._first, last, strict=True):
            moved = _moved(zone, old, new, seconds)
            if isinstance(moved, str):
                self.reading = HostReading(None, moved)
                return self.reading
            total += moved
        names = tuple(zone.name for zone in self._zones)
        self.reading = HostReading(total / 1e6, None, names, self._source)
        return self.reading

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _moved(zone: _Zone, old: int, new: int, seconds: float) -> int | str:
    """Microjoules that a counter went on by, or why nobody can tell."""
    if zone.limit is not None and seconds * MOST_WATTS * 1e6 > zone.limit:
        return (
            f"not measured: {seconds:.0f} s are long enough for {zone.name} to begin again more "
            f"than once (its range is {zone.limit / 1e6:.0f} J)"
        )
    if new >= old:
        return new - old
    if zone.limit is None:
        return f"not measured: {zone.name} went backwards, from {old} to {new} uJ"
    return zone.limit + 1 - old + new


def _found(root: Path) -> tuple[str, list[_Zone]]:
    """The source and its counters, none of which lies inside another."""
    zones = []
    for place in sorted((root / "powercap").glob("intel-rapl:*")):
        name = (place / "name").read_text(encoding="ascii").strip()
        # psys covers the packages again; core and uncore lie inside theirs
        if name.startswith("package") or name == "dram":
            limit = int((place / "max_energy_range_uj").read_text(encoding="ascii"))
            zones.append(_Zone(f"{place.name} ({name})", place / "energy_uj", limit))
    if zones:
        return "rapl", zones
    for place in sorted((root / "hwmon").glob("hwmon*")):
        if (place / "name").read_text(encoding="ascii").strip() != "amd_energy":
            continue
        for label in sorted(place.glob("energy*_label")):
            name = label.read_text(encoding="ascii").strip()
            if name.startswith("Esocket"):
                # the kernel's driver extends these counters to 64 bits
                path = place / label.name.replace("_label", "_input")
                zones.append(_Zone(f"{place.name} ({name})", path, None))
    return ("amd_energy", zones) if zones else ("none", [])


def _unreadable(error: OSError | ValueError) -> HostReading:
    if isinstance(error, PermissionError):
        return HostReading(
            None,
            f"not measured: {error.filename} may not be read by this user; ask the administrator "
            "for the right to read it",
        )
    if isinstance(error, OSError):
        return HostReading(None, f"not measured: {error.filename} cannot be read: {error.strerror}")
    return HostReading(None, f"not measured: an energy counter holds no number: {error}")
