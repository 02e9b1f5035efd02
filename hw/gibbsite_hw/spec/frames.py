"""The frames of the byte link: what both ends agree on, and its reference in plain Python.

A frame is a run of 32-bit words, least significant byte first: a header word, 0 to `FRAME_WORDS`
words of one packet, and the CRC-32 of all bytes before it. On the line it is COBS-encoded, so that
it holds no zero byte, and stands between two zero bytes. The header is

    bits  7:0   kind; on `Kind.DATA`, bit `LAST` says that a packet ends with the frame's last word
    bits 11:8   sequence number: of this DATA frame, else of the next one that its sender will send
    bits 15:12  acknowledgement: the sequence number up to which the sender has taken all frames
    bits 31:16  session

What the frames mean is said in docs/framed-link.md.

Source: S. Cheshire and M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Trans. Networking 7
(1999); CRC-32 as in IEEE 802.3.
Twin: `gibbsite_hw.link`, `gibbsite_models.golden.link`.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "FRAME_BYTES",
    "FRAME_WORDS",
    "FROM_DEVICE",
    "LAST",
    "LINE_BYTES",
    "LINK_INFO",
    "LINK_VERSION",
    "SEQUENCES",
    "WINDOW",
    "Frame",
    "Kind",
    "cobs_decode",
    "cobs_encode",
]

LINK_VERSION = 1
"""Number of the format; the answer to `Kind.RESET` tells it."""

FRAME_WORDS = 31
"""Words of a packet that a frame holds at most: with its length they fill 32 words of memory."""

WINDOW = 8
"""Frames that may be on their way in each direction without an acknowledgement."""

SEQUENCES = 2 * WINDOW
"""Sequence numbers count modulo this. On a line that keeps the order of its bytes, a frame's number
lies between ``WINDOW`` before and ``WINDOW - 1`` behind the one that is expected, never elsewhere,
so that old and new are told apart."""

LINK_INFO = LINK_VERSION << 16 | WINDOW << 8 | FRAME_WORDS
"""The one word of `Kind.READY`."""

LAST = 0x08
"""Bit of a DATA frame's kind: its last word is the last of a packet."""

FROM_DEVICE = 0x80
"""Bit of every kind that a device sends, so that nobody takes an echo for an answer."""

FRAME_BYTES = 4 * (FRAME_WORDS + 2)
"""Bytes of the longest frame before encoding: fewer than 254, so that COBS adds exactly one."""

LINE_BYTES = FRAME_BYTES + 3
"""Bytes of the longest frame on the line: its code byte and both delimiters are counted."""

_SHORTEST = 8


class Kind(IntEnum):
    """What a frame is; the device adds `FROM_DEVICE`."""

    RESET = 1
    """Host: forget everything and start the session that the header names (not 0)."""
    READY = 2
    """Device: the session has started. [`LINK_INFO`]"""
    STRANGER = 3
    """Device: the frame was of another session than that in this header (0: none yet)."""
    DATA = 4
    """Either: words of a packet."""
    ACK = 5
    """Either: nothing but the header's numbers."""
    POLL = 6
    """Host: like ACK, and asks for an answer."""
    RESEND = 7
    """Host: like POLL, and asks to send again everything from the acknowledgement on."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame taken apart. ``kind`` may carry `LAST` and `FROM_DEVICE`."""

    kind: int
    session: int
    sequence: int = 0
    acknowledge: int = 0
    words: tuple[int, ...] = ()

    @property
    def plain(self) -> int:
        """The `Kind`, without `LAST` and `FROM_DEVICE`; may be none that is known."""
        return self.kind & ~(LAST | FROM_DEVICE)

    @property
    def last(self) -> bool:
        """Whether a packet ends here."""
        return bool(self.kind & LAST)

    def raw(self) -> bytes:
        """The frame's bytes before encoding, CRC included."""
        numbers = (self.acknowledge % SEQUENCES) << 4 | self.sequence % SEQUENCES
        body = struct.pack(f"<BBH{len(self.words)}I", self.kind, numbers, self.session, *self.words)
        return body + struct.pack("<I", zlib.crc32(body))

    def line(self) -> bytes:
        """What goes over the line: both delimiters and the encoded frame between them."""
        return b"\0" + cobs_encode(self.raw()) + b"\0"

    @classmethod
    def parse(cls, encoded: bytes) -> "Frame | None":
        """The frame between two delimiters; None for anything that is not exactly a good one."""
        raw = cobs_decode(encoded)
        if raw is None or len(raw) % 4 or not _SHORTEST <= len(raw) <= FRAME_BYTES:
            return None
        if zlib.crc32(raw[:-4]) != struct.unpack("<I", raw[-4:])[0]:
            return None
        kind, numbers, session, *words = struct.unpack(f"<BBH{len(raw) // 4 - 2}I", raw[:-4])
        return cls(kind, session, numbers & 0xF, numbers >> 4, tuple(words))


def cobs_encode(data: bytes) -> bytes:
    """The same information without a zero byte: each code byte is the distance to the next zero."""
    out = bytearray()
    blocks = data.split(b"\0")
    for number, block in enumerate(blocks):
        while len(block) > 254 or (len(block) == 254 and number + 1 < len(blocks)):
            out += b"\xff" + block[:254]
            block = block[254:]
        out.append(len(block) + 1)
        out += block
    return bytes(out)


def cobs_decode(encoded: bytes) -> bytes | None:
    """The bytes that were encoded; None if there is a zero or the last block is cut short."""
    out = bytearray()
    at = 0
    while at < len(encoded):
        code = encoded[at]
        block = encoded[at + 1 : at + code]
        if code == 0 or len(block) != code - 1 or 0 in block:
            return None
        out += block
        at += code
        if code != 0xFF and at < len(encoded):
            out.append(0)
    return bytes(out) if encoded else None
