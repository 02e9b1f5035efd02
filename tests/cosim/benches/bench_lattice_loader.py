"""`LatticeLoader` against the golden checks: verdicts, and all that it writes, in its order.

Records are placed by the rules of docs/lattice-engine.md, which stand here once more.
"""

from random import Random
from typing import Any

import cocotb

from gibbsite_hw.lattice_loader import LOADING, PACE
from gibbsite_hw.lattice_signatures import LatticeMemories
from gibbsite_hw.spec.lattice_packets import LatticeErrorCode, LatticeOpcode, lattice_record_words
from gibbsite_hw.spec.lattice_tables import BETA_MAX
from gibbsite_models.golden.checks import Refused, check_signed, check_words
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.lattice_ports import StoreWrite
from gibbsite_sim.cosim.run import lattice_parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard

P = lattice_parameters_here()
Op = LatticeOpcode
BITS = (Op.CLAMPS, Op.STATE)
WORD = 0xFFFF_FFFF
LOADS, STOOD = 240, 4
"""Packets, and the cycles that what they are held against stands before ``start``."""
LAST = WORD >> (32 * P.words - P.rows)
"""The rows of the last word of a column."""
PORTS = ("opcode", "words", "expected", "any_place", "at_most", "limit")


def judge(opcode: LatticeOpcode, payload: list[int], ports: dict[str, int]) -> int:
    """The end of what is loaded. Raises `Refused`."""
    record, first = lattice_record_words(P, opcode), payload[0]
    end = first + (len(payload) - 1) // record
    expected = ports["expected"]
    placed = ports["any_place"] or first == expected or (ports["at_most"] and first < expected)
    if not placed or end > ports["limit"]:
        raise Refused(LatticeErrorCode.BAD_ADDRESS, first)
    if opcode is Op.BIASES:
        check_signed(P.bias_max, payload)
    elif opcode is Op.SCHEDULE:
        check_words(BETA_MAX, payload)
    elif opcode is Op.COUPLINGS:
        for at, word in enumerate(payload[1:], start=1):
            codes = [word >> 8 * k & 0xFF for k in range(4)]
            if any(abs(code - (code >> 7 << 8)) > P.coupling_max for code in codes):
                raise Refused(LatticeErrorCode.BAD_VALUE, at)
    else:
        for at, word in enumerate(payload[1:], start=1):
            ends_column = (first + (at - 1) // record) % P.words == P.words - 1
            if ends_column and word > LAST:
                raise Refused(LatticeErrorCode.BAD_VALUE, at)
        for at in range(2, len(payload), 2) if opcode is Op.CLAMPS else ():
            if payload[at - 1] & payload[at]:
                raise Refused(LatticeErrorCode.BAD_VALUE, at)
    return end


def writes(opcode: LatticeOpcode, payload: list[int]) -> list[StoreWrite]:
    """What a packet that is not refused leaves: record by record, both x of a word of bits."""
    record = lattice_record_words(P, opcode)
    memory = getattr(LatticeMemories, opcode.name)
    found = []
    for n in range((len(payload) - 1) // record):
        words = payload[1 + n * record :][:record]
        data = sum(word << 32 * k for k, word in enumerate(words))
        number = payload[0] + n
        if opcode is Op.SCHEDULE:
            found.append(StoreWrite(memory, step=number, data=data))
        elif opcode in BITS:
            column, place = divmod(number, P.words)
            found += [StoreWrite(memory, column, x, place, 0, data) for x in range(2)]
        else:
            column, row = divmod(number, P.rows)
            found.append(StoreWrite(memory, column, row % 2, row // 2, 0, data))
    return found


class Loader:
    """Plays the payload memory; the model judges what it holds when ``start`` is seen."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.verdicts: Scoreboard[tuple[int, int]] = Scoreboard("verdicts")
        self.writes: Scoreboard[StoreWrite] = Scoreboard("writes")
        self.payload: list[int] = [0]
        self.codes: dict[tuple[int, int], int] = {}
        self.start = self.busy = False
        self.crossed = 0
        self.address = 0
        for name in ("start", "word", *PORTS):
            getattr(self.dut, name).value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        dut = self.dut
        self.address = read(dut.address)
        if read(dut.start):
            assert read(dut.fits), "whole records do not fit"
            self.model({name: read(getattr(dut, name)) for name in PORTS})
        if read(dut.write__enable):
            self.writes.saw(self.written(LatticeOpcode(read(dut.opcode))))
        if self.busy and read(dut.done):
            error = read(dut.error)
            self.verdicts.saw((error, read(dut.detail) if error else read(dut.loaded)))
            assert not self.writes.open, "done before all was written"
            key = (read(dut.opcode), error)
            self.codes[key] = self.codes.get(key, 0) + 1
            self.busy = False
        elif not self.busy:
            assert not read(dut.done), "done without a start"

    def written(self, opcode: LatticeOpcode) -> StoreWrite:
        """What the write port carries, without what does not count."""
        record = lattice_record_words(P, opcode)
        names = ("step",) if opcode is Op.SCHEDULE else ("column", "x", "place")
        fields = {name: read(getattr(self.dut, f"write__{name}")) for name in ("memory", *names)}
        return StoreWrite(data=read(self.dut.write__data) & (1 << 32 * record) - 1, **fields)

    def model(self, ports: dict[str, int]) -> None:
        """The rules, then the writes of a payload that keeps them."""
        opcode, payload = LatticeOpcode(ports["opcode"]), self.payload[: ports["words"]]
        try:
            end = judge(opcode, payload, ports)
        except Refused as refused:
            self.verdicts.expect((refused.code, refused.detail))
            return
        self.verdicts.expect((0, end))
        wanted = writes(opcode, payload)
        self.crossed += len({write.column for write in wanted}) > 1
        for write in wanted:
            self.writes.expect(write)

    def drive(self) -> None:
        self.dut.start.value = int(self.start)
        self.start = False
        inside = self.address < len(self.payload)
        self.dut.word.value = self.payload[self.address] if inside else WORD


def good_record(opcode: LatticeOpcode, number: int, rng: Random) -> list[int]:
    """Words that keep every rule, often at its ends."""

    def code(most: int, bits: int) -> int:
        return rng.choice([0, most, -most, rng.randint(-most, most)]) & (1 << bits) - 1

    rows = LAST if number % P.words == P.words - 1 else WORD
    bits = [rng.choice([0, rows, rng.getrandbits(32) & rows]) for _ in range(2)]
    if opcode is Op.COUPLINGS:
        rules = range(P.neighbours // 4)
        return [sum(code(P.coupling_max, 8) << 8 * k for k in range(4)) for _ in rules]
    if opcode is Op.BIASES:
        return [code(P.bias_max, 32)]
    if opcode is Op.SCHEDULE:
        return [rng.choice([0, BETA_MAX, rng.randint(0, BETA_MAX)])]
    return bits[:1] if opcode is Op.STATE else [bits[0], bits[1] & ~bits[0]]


def spoil(opcode: LatticeOpcode, payload: list[int], rng: Random) -> None:
    """Make a word or two wrong, or some clamps on and off at once."""
    if opcode is Op.CLAMPS and rng.random() < 0.5:
        for at in range(2 * rng.choice([1, 2, 3]), len(payload), 2 * rng.choice([1, 2])):
            payload[at - 1], payload[at] = payload[at - 1] | 1, payload[at] | 1
        return
    for _ in range(rng.choice([1, 1, 2])):
        at = rng.randrange(1, len(payload))
        least = 1 << 7
        over = P.coupling_max + 1
        byte = rng.choice([over, 256 - over, least] if over < least else [least])
        payload[at] = {
            Op.COUPLINGS: payload[at] & ~(0xFF << 8 * (k := rng.randrange(4))) | byte << 8 * k,
            Op.BIASES: rng.choice([P.bias_max + 1, -P.bias_max - 1, 1 << 31]) & WORD,
            Op.SCHEDULE: rng.choice([BETA_MAX + 1, WORD, 1 << 31]),
            Op.CLAMPS: rng.choice([payload[at - 1] if at > 1 else 0, WORD, payload[at] | LAST + 1]),
            Op.STATE: rng.choice([WORD, payload[at] | LAST + 1, 1 << 31]),
        }[opcode] & WORD


@cocotb.test()
async def loads(dut: Any) -> None:
    """Payloads of all lengths and places; a third with a bad word, a quarter in a wrong place."""
    rng = Random(67)
    clocked = Clocked(dut)
    loader = Loader(clocked)
    await clocked.start()
    for number in range(LOADS):
        opcode = LOADING[number % len(LOADING)]
        record = lattice_record_words(P, opcode)
        columns = 2 * rng.randint(1, P.columns // 2)
        limit = columns * (P.words if opcode in BITS else P.rows)
        if opcode is Op.SCHEDULE:
            limit = P.schedule_steps
        fits = (P.payload_words - 1) // record
        most = min(fits, limit)
        count = rng.choice([1, min(2, most), most, rng.randint(1, most)])
        first = rng.choice([0, limit - count, rng.randint(0, limit - count)])
        payload = [first]
        for n in range(count):
            payload += good_record(opcode, first + n, rng)
        if rng.random() < 0.35:
            spoil(opcode, payload, rng)
        expected = rng.choice([first, first, rng.randint(first, limit)])
        kind = rng.randrange(3)
        if rng.random() < 0.25:
            payload[0] = rng.choice(
                [first + 1, max(first - 1, 0), limit, limit - count + 1, WORD, WORD - count + 1]
            )
        if rng.random() < 0.05:  # more records than there are places
            limit = rng.randrange(count)
        loader.payload = payload
        values = (opcode, len(payload), expected, int(kind == 1), int(kind == 2), limit)
        for name, value in zip(PORTS, values, strict=True):
            getattr(dut, name).value = value
        await clocked.wait(STOOD)
        loader.start = loader.busy = True
        walk = 1 + P.columns + len(payload)
        await clocked.until(lambda: not loader.busy, 3 * PACE * walk + 20, "verdict")
    loader.verdicts.finish(LOADS)
    loader.writes.finish(LOADS)
    wanted = {0, LatticeErrorCode.BAD_ADDRESS, LatticeErrorCode.BAD_VALUE}
    assert set(loader.codes) == {(opcode, code) for opcode in LOADING for code in wanted}
    assert loader.crossed > LOADS // 20, "hardly a packet went over the end of a column"


@cocotb.test()
async def lengths(dut: Any) -> None:
    """``fits`` for every opcode and every number of payload words."""
    clocked = Clocked(dut)
    Loader(clocked)
    await clocked.start()
    for opcode in LOADING:
        record = lattice_record_words(P, opcode)
        for words in range(P.payload_words + 1):
            dut.opcode.value, dut.words.value = opcode, words
            await clocked.wait(STOOD)
            wanted = words > 1 and (words - 1) % record == 0
            assert read(dut.fits) == wanted, f"{words} words of {opcode.name}"
