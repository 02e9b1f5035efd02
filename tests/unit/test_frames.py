"""The frame format: COBS by its published examples and its rules, CRC-32 by its check value."""

import zlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibbsite_hw.spec.frames import (
    FRAME_BYTES,
    FRAME_WORDS,
    LAST,
    LINE_BYTES,
    Frame,
    Kind,
    cobs_decode,
    cobs_encode,
)

# Cheshire and Baker's rules by example; long runs as in the Wikipedia article on COBS
RUN = bytes(range(1, 255))
EXAMPLES = [
    (b"", "01"),
    (b"\0", "01 01"),
    (b"\0\0", "01 01 01"),
    (b"\0\x11\0", "01 02 11 01"),
    (b"\x11\x22\0\x33", "03 11 22 02 33"),
    (b"\x11\x22\x33\x44", "05 11 22 33 44"),
    (b"\x11\0\0\0", "02 11 01 01 01"),
    (RUN, "ff " + RUN.hex()),
    (b"\0" + RUN, "01 ff " + RUN.hex()),
    (RUN + b"\xff", "ff " + RUN.hex() + "02 ff"),
    (RUN[1:] + b"\xff\0", "ff " + RUN[1:].hex() + " ff 01 01"),
    (RUN[2:] + b"\xff\0\x01", "fe " + RUN[2:].hex() + " ff 02 01"),
]


@pytest.mark.parametrize(("data", "encoded"), EXAMPLES)
def test_cobs_examples(data: bytes, encoded: str) -> None:
    assert cobs_encode(data) == bytes.fromhex(encoded)
    assert cobs_decode(bytes.fromhex(encoded)) == data


def by_the_book(data: bytes) -> bytes:
    """COBS written down from the paper's flow chart, a byte at a time: another way than ours."""
    out, block = bytearray(), bytearray()
    for place, byte in enumerate(data):
        if byte:
            block.append(byte)
        if not byte or (len(block) == 254 and place + 1 < len(data)):
            out += bytes([len(block) + 1]) + block
            block.clear()
            if not byte and place + 1 == len(data):
                out.append(1)
    return bytes(out + bytes([len(block) + 1]) + block) if block or not data else bytes(out)


@given(st.lists(st.sampled_from([0, 0, 1, 7, 255]), max_size=40).map(bytes) | st.binary())
def test_cobs_agrees_with_the_flow_chart(data: bytes) -> None:
    encoded = cobs_encode(data)
    assert encoded == by_the_book(data)
    assert 0 not in encoded
    assert cobs_decode(encoded) == data


@given(st.integers(250, 800), st.integers(0, 2**32))
def test_cobs_long_runs(length: int, seed: int) -> None:
    """Blocks of 254 bytes, with zeros far apart."""
    rng = Random(seed)
    data = bytes(rng.randrange(256) if rng.random() < 0.01 else 5 for _ in range(length))
    assert cobs_encode(data) == by_the_book(data)
    assert cobs_decode(cobs_encode(data)) == data


@given(st.binary(min_size=1))
def test_decoding_anything(encoded: bytes) -> None:
    """What is decoded at all and has no needless block encodes to the same."""
    data = cobs_decode(encoded)
    if data is not None and not encoded.endswith(b"\x01"):
        assert cobs_decode(cobs_encode(data)) == data


def test_a_frame_byte_for_byte() -> None:
    """Header fields in their places, words low byte first, the CRC of CRC-32's check value."""
    assert zlib.crc32(b"123456789") == 0xCBF43926
    frame = Frame(Kind.DATA | LAST, 0xBEEF, 3, 10, (0x04030201,))
    body = bytes.fromhex("0c a3 ef be 01 02 03 04")
    assert frame.raw() == body + zlib.crc32(body).to_bytes(4, "little")
    assert frame.line() == b"\0" + cobs_encode(frame.raw()) + b"\0"
    longest = Frame(Kind.DATA, 1, words=(1,) * FRAME_WORDS)
    assert (len(longest.raw()), len(longest.line())) == (FRAME_BYTES, LINE_BYTES)


frames = st.builds(
    Frame,
    kind=st.integers(0, 255),
    session=st.integers(0, 0xFFFF),
    sequence=st.integers(0, 15),
    acknowledge=st.integers(0, 15),
    words=st.lists(st.integers(0, 2**32 - 1), max_size=FRAME_WORDS).map(tuple),
)


@given(frames)
def test_frames_come_back(frame: Frame) -> None:
    assert Frame.parse(frame.line()[1:-1]) == frame


@given(frames, st.data())
def test_damaged_frames_are_none(frame: Frame, data: st.DataObject) -> None:
    """Up to three flipped bits, or one byte lost or doubled.

    CRC-32 has distance 4 at the least up to 11 kbyte, so flips that leave the code bytes alone are
    always seen; all others change the length, which must fit too, or are seen but for 2^-32.
    """
    line = bytearray(frame.line()[1:-1])
    what = data.draw(st.sampled_from(["flip", "lose", "double"]))
    places = data.draw(st.sets(st.integers(0, 8 * len(line) - 1), min_size=1, max_size=3))
    if what == "flip":
        for place in places:
            line[place // 8] ^= 1 << place % 8
    else:
        at = min(places) // 8
        line[at : at + 1] = b"" if what == "lose" else line[at : at + 1] * 2
    # a zero cuts the frame: no part of it may be one
    assert all(Frame.parse(part) is None for part in bytes(line).split(b"\0"))


def test_too_long_and_too_short() -> None:
    assert Frame.parse(Frame(4, 1, words=(0,) * (FRAME_WORDS + 1)).line()[1:-1]) is None
    assert Frame.parse(b"") is None
    body = b"\x05\x00\x01"
    assert Frame.parse(cobs_encode(body + zlib.crc32(body).to_bytes(4, "little"))) is None
