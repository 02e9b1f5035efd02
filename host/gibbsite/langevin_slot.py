"""The Langevin program that stands on a device which others may use, too.

A program is loaded again only when it must be: when its weights or scales are others than those
that stand there, or when anything was loaded since. Everything else is conditions, which stream.
"""

from __future__ import annotations

from gibbsite.langevin_compiler import CompiledPotential
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import DeviceError

__all__ = ["LangevinSlot"]


class LangevinSlot:
    """What this user of a device put on its Langevin engine."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self._held: CompiledPotential | None = None
        self._loads = -1

    def put(self, compiled: CompiledPotential) -> None:
        """Have this program under these conditions on the device."""
        if (
            self._held is not None
            and self._loads == self.device.loads
            and self._held.shares_weights(compiled)
        ):
            try:
                self.device.condition(compiled.program.conditions)
            except DeviceError:  # somebody's load was cut off in the middle: load ours again
                self._held = None
            else:
                return
        self._held = None
        self.device.load(compiled.program)
        self._held, self._loads = compiled, self.device.loads
