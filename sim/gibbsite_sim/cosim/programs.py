"""Random programs that the device accepts: p-bits and groups, folds, clamps and a given state.

A program is drawn as colour classes of rows; couplings run between classes only and are symmetric.
"""

from array import array
from dataclasses import dataclass, field
from random import Random

from gibbsite_hw.spec.packets import Opcode, Packet
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, GraphProgram, Row, encode_entry
from gibbsite_hw.spec.registers import Register

__all__ = ["Case", "Shape", "loading", "packed_descriptor", "random_case"]

_WORD = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Shape:
    """What to draw: ``groups`` are sizes of groups that must be there, ``rows`` bounds the rest."""

    rows: int = 10
    groups: tuple[int, ...] = ()
    density: float = 0.2
    clamps: float = 0.25


@dataclass(slots=True)
class _Slot:
    row: int
    lane: int
    variable: int
    colour: int
    state: bool
    neighbours: list[tuple[int, int, bool]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Case:
    """A program with a schedule, a state that its clamps allow, and settings of a run."""

    program: GraphProgram
    state: "array[int]"
    betas: tuple[int, ...]
    settings: dict[Register, int]


def random_case(parameters: GraphParameters, rng: Random, shape: Shape | None = None) -> Case:
    """A case that the device accepts."""
    plan = _Plan(parameters, rng, shape or Shape())
    plan.lay_out()
    plan.couple()
    rows, entries = plan.pack()
    conditions, state = plan.conditions(len(rows))
    betas = tuple(_beta(parameters, rng) for _ in range(rng.randint(0, parameters.schedule_steps)))
    betas = betas[: rng.randint(0, 5)]
    settings = {
        Register.SEED_LOW: rng.getrandbits(32),
        Register.SEED_HIGH: rng.getrandbits(32),
        Register.FIRST_CHAIN: rng.choice([0, rng.getrandbits(32), _WORD]),
        Register.CHAINS: rng.randint(1, 3),
        Register.DRAWS: rng.randint(1, 3),
        Register.STEPS: rng.randint(0, len(betas)),
        Register.SWEEPS_PER_STEP: rng.randint(1, 3),
        Register.THIN: rng.randint(1, 3),
        Register.FLAGS: rng.randint(0, 7),
    }
    return Case(GraphProgram(rows, entries, conditions), state, betas, settings)


def _beta(parameters: GraphParameters, rng: Random) -> int:
    return rng.randint(0, rng.choice([parameters.beta_max, 2_000, 200_000, 1 << 20]))


class _Plan:
    """A program while it is drawn."""

    def __init__(self, parameters: GraphParameters, rng: Random, shape: Shape) -> None:
        self.parameters = parameters
        self.rng = rng
        self.shape = shape
        self.rows: list[Row] = []
        self.slots: list[_Slot] = []
        self.variables = 0

    def lay_out(self) -> None:
        """Rows with their masks, class by class, the wanted groups first."""
        colour = 0
        wanted = list(self.shape.groups)
        self.rng.shuffle(wanted)
        while wanted or len(self.rows) < self.shape.rows:
            for _ in range(self.rng.randint(1, 3)):
                if wanted:
                    self._add_group(wanted.pop(), colour)
                elif self.rng.random() < 0.5:
                    self._add_bits(colour)
                else:
                    most = self.parameters.lanes * self.rng.randint(1, 3)
                    self._add_group(self.rng.randint(1, most), colour)
            last = self.rows[-1]
            self.rows[-1] = Row(1, last.fold, last.group, last.first, last.last, True, last.mask)
            colour += 1

    def _lanes(self, most: int) -> tuple[int, list[int]]:
        """A fold and the lanes that get a slot: all that are wanted, at most ``most``."""
        fold = self.rng.randint(0, self.parameters.lane_bits) if self.rng.random() < 0.4 else 0
        lanes = list(range(0, self.parameters.lanes, 1 << fold))
        if self.rng.random() < 0.5:
            lanes = sorted(self.rng.sample(lanes, self.rng.randint(1, len(lanes))))
        return fold, lanes[:most]

    def _add_bits(self, colour: int) -> None:
        fold, lanes = self._lanes(self.parameters.lanes)
        self._add_row(fold, lanes, (False, False, False))
        for lane in lanes:
            self._add_slot(lane, colour, False)
            self.variables += 1

    def _add_group(self, states: int, colour: int) -> None:
        left, first = states, True
        while left:
            # a large group fills its rows, so that it fits the memory
            fold, lanes = (
                (0, list(range(min(left, self.parameters.lanes))))
                if states > 3 * self.parameters.lanes
                else self._lanes(left)
            )
            left -= len(lanes)
            self._add_row(fold, lanes, (True, first, left == 0))
            for lane in lanes:
                self._add_slot(lane, colour, True)
            first = False
        self.variables += 1

    def _add_row(self, fold: int, lanes: list[int], kind: tuple[bool, bool, bool]) -> None:
        mask = sum(1 << lane for lane in lanes)
        group, first, last = kind
        self.rows.append(Row(1, fold, group, first, last, False, mask))

    def _add_slot(self, lane: int, colour: int, state: bool) -> None:
        self.slots.append(_Slot(len(self.rows) - 1, lane, self.variables, colour, state))

    def couple(self) -> None:
        """Symmetric couplings between classes, as many as the memory and the degrees allow."""
        parameters, rng = self.parameters, self.rng
        room = parameters.words - 2 * len(self.rows)
        degree = max(1, min(parameters.max_degree, room // max(1, len(self.rows))))
        pairs = [
            (one, other)
            for number, one in enumerate(self.slots)
            for other in self.slots[:number]
            if one.colour != other.colour and rng.random() < self.shape.density
        ]
        rng.shuffle(pairs)
        for one, other in pairs:
            if max(len(one.neighbours), len(other.neighbours)) >= degree:
                continue
            most = parameters.weight_max
            weight = rng.choice([rng.randint(-most, most), -1, 1, most, -most]) or 1
            for here, there in ((one, other), (other, one)):
                address = there.row * parameters.lanes + there.lane
                here.neighbours.append((address, weight, there.state))

    def pack(self) -> tuple[list[Row], "array[int]"]:
        """Final rows with their lengths, and the coupling words in order."""
        parameters = self.parameters
        entries = array("I")
        rows = []
        for number, row in enumerate(self.rows):
            here = [slot for slot in self.slots if slot.row == number]
            share = 1 << row.fold
            longest = max(len(slot.neighbours) for slot in here)
            length = max(1, -(-longest // share)) + (self.rng.random() < 0.1)
            block = [[0] * parameters.lanes for _ in range(length)]
            for slot in here:
                self.rng.shuffle(slot.neighbours)
                for place, entry in enumerate(slot.neighbours):
                    word = encode_entry(parameters, *entry)
                    block[place // share][slot.lane + place % share] = word
            for words in block:
                entries.extend(words)
            rows.append(
                Row(length, row.fold, row.group, row.first, row.last, row.barrier, row.mask)
            )
        return rows, entries

    def conditions(self, rows: int) -> tuple[Conditions, "array[int]"]:
        """Biases, clamps that leave a choice, and a state that they allow."""
        parameters, rng = self.parameters, self.rng
        biases = array("i", [0]) * (rows * parameters.lanes)
        on, off = array("I", [0]) * rows, array("I", [0]) * rows
        state = array("I", [0]) * rows
        for slot in self.slots:
            most = rng.choice([0, 50, parameters.bias_max])
            biases[slot.row * parameters.lanes + slot.lane] = rng.randint(-most, most)
        variables: dict[int, list[_Slot]] = {}
        for slot in self.slots:
            variables.setdefault(slot.variable, []).append(slot)
        for slots in variables.values():
            free = slots
            if rng.random() < self.shape.clamps:
                if slots[0].state and rng.random() < 0.5:
                    kept = rng.choice(slots)
                    gone = [s for s in slots if s is not kept and rng.random() < 0.5]
                    free = [s for s in slots if s not in gone]
                    for slot in gone:
                        off[slot.row] |= 1 << slot.lane
                elif slots[0].state or rng.random() < 0.5:
                    free = [rng.choice(slots)]
                    on[free[0].row] |= 1 << free[0].lane
                else:
                    free = []
                    off[slots[0].row] |= 1 << slots[0].lane
            pinned = bool(free) and bool(on[free[0].row] >> free[0].lane & 1)
            if free and (slots[0].state or pinned or rng.random() < 0.5):
                chosen = rng.choice(free)
                state[chosen.row] |= 1 << chosen.lane
        return Conditions(biases, on, off), state


def loading(parameters: GraphParameters, case: Case, rng: Random | None = None) -> list[Packet]:
    """BEGIN to COMMIT, in packets as large as the payload memory or, given ``rng``, of any size."""
    program, lanes = case.program, parameters.lanes
    packets = [Packet(Opcode.BEGIN, 0, (len(program.rows), len(program.entries) // lanes))]

    def put(opcode: Opcode, record: int, words: list[int]) -> None:
        most = (parameters.payload_words - 1) // record
        at = 0
        while at * record < len(words):
            count = rng.randint(1, most) if rng is not None else most
            part = words[at * record : (at + count) * record]
            packets.append(Packet(opcode, 0, (at, *(word & _WORD for word in part))))
            at += len(part) // record

    conditions = program.conditions
    pairs = zip(conditions.clamps_on, conditions.clamps_off, strict=True)
    put(Opcode.ROWS, 2, [word for row in program.rows for word in row.encode()])
    put(Opcode.ENTRIES, lanes, list(program.entries))
    put(Opcode.BIASES, lanes, list(conditions.biases))
    put(Opcode.CLAMPS, 2, [mask for pair in pairs for mask in pair])
    put(Opcode.SCHEDULE, 1, list(case.betas))
    put(Opcode.STATE, 1, list(case.state))
    packets.append(Packet(Opcode.COMMIT, 0, ()))
    return packets


def packed_descriptor(parameters: GraphParameters, descriptor: int, mask: int) -> int:
    """A row as the engine's row memory holds it: no more bits of length and fold than it needs."""
    packed, at = 0, 0
    fields = (
        (descriptor & 0x7FF, parameters.max_degree.bit_length()),
        (descriptor >> 11 & 7, parameters.lane_bits.bit_length()),
        (descriptor >> 14, 4),
        (mask, parameters.lanes),
    )
    for value, width in fields:
        packed |= (value & (1 << width) - 1) << at
        at += width
    return packed
