"""Which engines a device holds and of what build: the whole that a fingerprint names."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TypeAlias

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.packets import Engine
from gibbsite_hw.spec.parameters import SPEC_VERSION, GraphParameters

__all__ = ["Build", "DeviceParameters"]


@dataclass(frozen=True, slots=True)
class DeviceParameters:
    """The engines of a device; None where it has none of that kind.

    A device with the graph engine alone has the fingerprint of its `GraphParameters`.
    """

    graph: GraphParameters | None = field(default_factory=GraphParameters)
    langevin: LangevinParameters | None = field(default_factory=LangevinParameters)
    lattice: LatticeParameters | None = None

    def __post_init__(self) -> None:
        if not self.engines:
            raise ProgramError("a device holds one engine at least, not none: choose engines")

    @classmethod
    def of(cls, build: "Build | None") -> "DeviceParameters":
        """The device of a build: parameters of one engine stand for a device with it alone."""
        if build is None:
            return cls()
        if isinstance(build, GraphParameters):
            return cls(build, None)
        if isinstance(build, LangevinParameters):
            return cls(None, build)
        return cls(None, None, build) if isinstance(build, LatticeParameters) else build

    @classmethod
    def from_engines(cls, engines: Mapping[str, Mapping[str, int] | None]) -> "DeviceParameters":
        """The device that `dataclasses.asdict` wrote down: each engine's parameters or None.

        Raises `ProgramError` for parameters that no engine can have, KeyError and TypeError for
        what is not such a mapping.
        """
        graph, langevin, lattice = (engines.get(name) for name in ("graph", "langevin", "lattice"))
        return cls(
            None if graph is None else GraphParameters(**graph),
            None if langevin is None else LangevinParameters(**langevin),
            None if lattice is None else LatticeParameters(**lattice),
        )

    @property
    def engines(self) -> tuple[str, ...]:
        """Names of the engines, in the order of their numbers."""
        names = (engine.name.lower() for engine in Engine)
        return tuple(name for name in names if getattr(self, name) is not None)

    def fingerprint(self) -> int:
        """64 bits that name the specification's version and all parameters."""
        if self.graph is not None and len(self.engines) == 1:
            return self.graph.fingerprint()
        engines = {name: asdict(getattr(self, name)) for name in self.engines}
        text = json.dumps({"spec": SPEC_VERSION, **engines}, sort_keys=True)
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


Build: TypeAlias = DeviceParameters | GraphParameters | LangevinParameters | LatticeParameters
"""What names a device to be built: all of it, or one engine's parameters."""
