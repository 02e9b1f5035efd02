"""Opening a serial port, and what is to be done where it cannot be had."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from gibbsite_hw.spec.errors import DeviceError, ToolMissing

if TYPE_CHECKING:
    from serial import Serial

__all__ = ["open_port"]

TICK = 0.004
"""Seconds that a read waits at most: how late the link notices that time has passed."""


def open_port(port: str, baud: int, patience: float) -> Serial:
    """The port for ourselves alone; a write waits ``patience`` seconds at most.

    Raises: ToolMissing without pyserial, DeviceError for a port that cannot be had, and why.
    """
    try:
        from serial import Serial, SerialException
    except ImportError as error:
        raise ToolMissing(
            "the device `uart:` needs the package pyserial, which is not installed: "
            "pip install 'gibbsite[uart]'"
        ) from error
    try:
        opened = Serial(port, baud, timeout=TICK, write_timeout=patience, exclusive=True)
        opened.reset_input_buffer()
    except (SerialException, OSError) as error:
        # pyserial tells what termios said in words only
        told = [error.errno, *getattr(error.__context__, "args", ())]
        number = next((each for each in told if isinstance(each, int)), 0)
        hint = {
            errno.ENOENT: "plug the board in, and see `gibbsite devices` for the ports there are",
            errno.EACCES: "join the group that owns it, often `dialout`",
            errno.EBUSY: "close the program that uses it",
            errno.EAGAIN: "close the program that uses it",
            errno.ENOTTY: "it is no serial port; see `gibbsite devices` for those there are",
        }.get(number, "choose another port or rate")
        reason = os.strerror(number) if number else str(error)
        raise DeviceError(f"the port {port} cannot be opened ({reason}): {hint}") from error
    except ValueError as error:
        raise DeviceError(
            f"the port {port} cannot run at {baud} baud ({error}): choose the rate of the board's "
            "bitstream"
        ) from error
    return opened
