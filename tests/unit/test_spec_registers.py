"""Registers, packets and formats of the specification, written down once more apart from it."""

import pytest

from gibbsite_hw.spec.packets import LEGAL_STATES, ErrorCode, Opcode, Packet, Response, header
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Row, decode_entry, encode_entry
from gibbsite_hw.spec.registers import REGISTERS, Register, RunFlags, State

WORD = 0xFFFFFFFF

# offset, writable, minimum, maximum, reset: offsets do not move, so they are written here once more
MAP = [
    ("SEED_LOW", 0x00, True, 0, WORD, 0),
    ("SEED_HIGH", 0x01, True, 0, WORD, 0),
    ("FIRST_CHAIN", 0x02, True, 0, WORD, 0),
    ("CHAINS", 0x03, True, 1, WORD, 1),
    ("DRAWS", 0x04, True, 1, WORD, 1),
    ("STEPS", 0x05, True, 0, WORD, 0),
    ("SWEEPS_PER_STEP", 0x06, True, 1, WORD, 1),
    ("THIN", 0x07, True, 1, WORD, 1),
    ("FLAGS", 0x08, True, 0, 7, 1),
    ("STATE", 0x10, False, 0, WORD, 0),
    ("ROWS", 0x11, False, 0, WORD, 0),
    ("WORDS", 0x12, False, 0, WORD, 0),
    ("CYCLES_LOW", 0x20, False, 0, WORD, 0),
    ("CYCLES_HIGH", 0x21, False, 0, WORD, 0),
    ("SWEEP_CYCLES_LOW", 0x22, False, 0, WORD, 0),
    ("SWEEP_CYCLES_HIGH", 0x23, False, 0, WORD, 0),
    ("TERMS_LOW", 0x24, False, 0, WORD, 0),
    ("TERMS_HIGH", 0x25, False, 0, WORD, 0),
    ("UPDATES_LOW", 0x26, False, 0, WORD, 0),
    ("UPDATES_HIGH", 0x27, False, 0, WORD, 0),
    ("SWEEPS_LOW", 0x28, False, 0, WORD, 0),
    ("SWEEPS_HIGH", 0x29, False, 0, WORD, 0),
    ("READS_LOW", 0x2A, False, 0, WORD, 0),
    ("READS_HIGH", 0x2B, False, 0, WORD, 0),
]


def test_the_register_map_does_not_move() -> None:
    found = [
        (register.name, int(register), info.writable, info.minimum, info.maximum, info.reset)
        for register, info in REGISTERS.items()
    ]
    assert found == MAP
    assert set(REGISTERS) == set(Register)
    assert all(info.doc and info.unit for info in REGISTERS.values())
    assert RunFlags.SAMPLES | RunFlags.BEST | RunFlags.GIVEN_STATE == 7
    assert [int(state) for state in State] == [0, 1, 2, 3]


def test_opcodes_responses_and_errors_do_not_move() -> None:
    assert {opcode.name: int(opcode) for opcode in Opcode} == {
        "IDENTIFY": 1, "READ": 2, "WRITE": 3, "BEGIN": 16, "ROWS": 17, "ENTRIES": 18, "BIASES": 19,
        "CLAMPS": 20, "SCHEDULE": 21, "STATE": 22, "COMMIT": 23, "RUN": 30, "ABORT": 31,
    }  # fmt: skip
    assert {kind.name: int(kind) for kind in Response} == {
        "OK": 0x80, "ERROR": 0x81, "INFO": 0x82, "DRAW": 0x83, "DONE": 0x84, "ABORTED": 0x85,
    }  # fmt: skip
    assert [int(code) for code in ErrorCode] == list(range(1, 19))
    assert set(LEGAL_STATES) == set(Opcode)
    running = {opcode for opcode, states in LEGAL_STATES.items() if State.RUNNING in states}
    assert running == {Opcode.IDENTIFY, Opcode.READ, Opcode.ABORT}


def test_packets_come_apart_as_they_were_put_together() -> None:
    packet = Packet(Opcode.WRITE, 0xA5, (3, 4))
    assert packet.words() == [0x03A50002, 3, 4]
    assert Packet.parse(packet.words()) == packet
    assert header(0x183, 0x1FF, 0x10002) == 0x83FF0002


@pytest.mark.parametrize("flags", range(16))
def test_a_row_fills_its_18_bits(flags: int) -> None:
    group, first, last, barrier = (bool(flags >> bit & 1) for bit in range(4))
    row = Row(0x5A5, 5, group, first, last, barrier, 0x80000001)
    descriptor, mask = row.encode()
    assert f"{descriptor:018b}" == f"{barrier:d}{last:d}{first:d}{group:d}" + "101" + "10110100101"
    assert (descriptor, mask) == (0x5A5 | 5 << 11 | flags << 14, 0x80000001)
    assert Row.decode(descriptor, mask) == row


@pytest.mark.parametrize(
    ("row", "fits"),
    [
        (Row(1, 0, False, False, False, True, 0b1111), True),
        (Row(0, 0, False, False, False, True, 0b1111), False),
        (Row(10, 0, False, False, False, True, 0b1111), True),
        (Row(11, 0, False, False, False, True, 0b1111), False),
        (Row(7, 1, False, False, False, True, 0b0101), True),
        (Row(8, 1, False, False, False, True, 0b0101), False),
        (Row(3, 2, False, False, False, True, 0b0001), True),
        (Row(3, 3, False, False, False, True, 0b0001), False),
        (Row(1, 1, False, False, False, True, 0b0010), False),
        (Row(1, 2, False, False, False, True, 0b0100), False),
        (Row(1, 0, False, False, False, True, 0), False),
        (Row(1, 0, False, False, False, True, 0b10000), False),
        (Row(1, 0, False, True, False, True, 1), False),
        (Row(1, 0, False, False, True, True, 1), False),
        (Row(1, 0, True, True, True, True, 1), True),
    ],
)
def test_rows_fit_or_not(row: Row, fits: bool) -> None:
    parameters = GraphParameters(lanes=4, rows=8, words=32, max_degree=10, payload_words=16)
    assert row.fits(parameters) == fits


def test_entries_come_apart_as_they_were_put_together() -> None:
    p = GraphParameters()  # 11 + 4 bits of address, 10 of weight, one of kind
    for address in (0, 1, 0x7FFF):
        for weight in (-511, -1, 0, 1, 511):
            for state in (False, True):
                entry = encode_entry(p, address, weight, state)
                assert entry == address + (weight % 1024) * 2**15 + state * 2**25
                assert decode_entry(p, entry) == (address, weight, state)


def test_formats_hold_the_largest_sums() -> None:
    p = GraphParameters()
    field = (p.max_degree + p.lanes) * 511 + 32767
    assert 2 ** (p.field_bits - 1) > field
    score = (2 * field * (2**24 - 1) >> 4) + 24 * 2**16
    assert 2 ** (p.score_bits - 1) > score
    energy = 32768 * 32767 + 10240 * 16 * 511
    assert 2 ** (p.energy_bits - 1) > energy


def test_the_fingerprint_tells_parameters_apart() -> None:
    prints = {
        GraphParameters().fingerprint(),
        GraphParameters(lanes=8).fingerprint(),
        GraphParameters(beta_frac=18).fingerprint(),
        GraphParameters(hash_rounds=1).fingerprint(),
    }
    assert len(prints) == 4
    assert GraphParameters().fingerprint() == GraphParameters().fingerprint() < 2**64
