"""The end of a run, alike for every engine: DONE or ABORTED, with twelve words of counters."""

from __future__ import annotations

from gibbsite_hw.spec.errors import DeviceError

__all__ = ["WORDS", "ending", "require_whole", "unexpected"]

WORDS = 13
"""Words of DONE and ABORTED: header and six pairs."""


def ending(packet: list[int], tag: int, kinds: tuple[int, int]) -> list[int] | None:
    """The six counters of a packet that ends the run of this tag; None for any other packet.

    ``kinds`` are the engine's DONE and ABORTED.
    """
    kind, of = packet[0] >> 24, packet[0] >> 16 & 0xFF
    if kind not in kinds or of != tag or len(packet) != WORDS:
        return None
    return [low | high << 32 for low, high in zip(packet[1::2], packet[2::2], strict=True)]


def require_whole(done: int, reads: int) -> None:
    """Raise `DeviceError` for a run that ended by itself with some of its draws."""
    if done != reads:
        raise DeviceError(
            f"the run ended after {done} draws and {reads} were asked: close the device and open "
            "it again"
        )


def unexpected(packet: list[int], done: int, reads: int, belongs: int) -> DeviceError:
    """The error for a packet that is not the next one of a run, which has so many words."""
    return DeviceError(
        f"after {done} of {reads} draws came a packet of {len(packet)} words that starts "
        f"{[hex(word) for word in packet[:3]]} where another of {belongs} words belongs: close the "
        "device and open it again"
    )
