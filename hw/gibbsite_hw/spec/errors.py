"""The exceptions of Gibbsite: each sentence names the limit, the value found and the next step."""

__all__ = [
    "CommandRefused",
    "DeviceError",
    "FingerprintMismatch",
    "GibbsiteError",
    "ProgramError",
    "ToolMissing",
    "UnknownDevice",
]


class GibbsiteError(Exception):
    """Base of everything that Gibbsite raises on purpose."""


class ProgramError(GibbsiteError, ValueError):
    """A model or program that the device cannot hold, or that would not sample correctly."""


class DeviceError(GibbsiteError, RuntimeError):
    """A device that does not answer as the specification says."""


class CommandRefused(DeviceError):
    """A command that the device refused; its state is as before.

    ``code`` is the `ErrorCode` and ``detail`` the word that came with it.
    """

    def __init__(self, message: str, code: int, detail: int) -> None:
        super().__init__(message)
        self.code = code
        self.detail = detail


class FingerprintMismatch(DeviceError):
    """Host and device were built from different specifications."""


class UnknownDevice(GibbsiteError, ValueError):
    """A device address whose scheme or parameters nobody here knows."""


class ToolMissing(GibbsiteError, RuntimeError):
    """A program or package that this device needs is not installed."""
