"""The device of a call: one that is open, or an address that is opened for the call alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gibbsite.devices import open as open_device
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import ProgramError

__all__ = ["opened"]


@contextmanager
def opened(device: Device | str) -> Iterator[Device]:
    """The device itself, or one opened at an address and closed afterwards.

    Raises: ProgramError for anything else, UnknownDevice for an address that nobody knows.
    """
    if isinstance(device, str):
        with open_device(device) as found:
            yield found
    elif isinstance(device, Device):
        yield device
    else:
        raise ProgramError(
            f"device must be an open device or an address and is of type {type(device).__name__}: "
            "give gibbsite.open(...) or an address such as 'golden:'"
        )
