"""The lattice engine's RTL in the simulated device: the golden device's packets, counters included.

Every packet is compared, so energies, states, best states and all six counters are, to the cycle.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from gibbsite_hw.spec.lattice_packets import LatticeErrorCode, LatticeOpcode, LatticeResponse
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_registers import LatticeRegister
from gibbsite_hw.spec.lattice_timing import SETTLE, streams_through
from gibbsite_hw.spec.packets import header
from gibbsite_hw.spec.registers import State
from gibbsite_models.golden.device import GoldenStream
from gibbsite_sim.cosim.lattice_cases import (
    Command,
    lattice_loads,
    lattice_program,
    lattice_settings,
)
from gibbsite_sim.cosim.lattice_mistakes import lattice_mistakes
from gibbsite_sim.device import SimStream

pytestmark = pytest.mark.sim

SMALL = LatticeParameters(rows=4, columns=16, schedule_steps=8, payload_words=32)
BUILDS = {
    "four": SMALL,
    "eight": LatticeParameters(
        rows=66, columns=20, neighbours=8, coupling_bits=4, bias_bits=9,
        schedule_steps=5, payload_words=67, hash_rounds=1,
    ),
    "twelve": LatticeParameters(
        rows=6, columns=30, neighbours=12, coupling_bits=2, bias_bits=2, banks=3,
        schedule_steps=4, payload_words=40, hash_rounds=2,
    ),
    "one table": LatticeParameters(
        rows=6, columns=20, banks=2, schedule_steps=4, payload_words=40, tables=1
    ),
    "one table, twelve": LatticeParameters(
        rows=4, columns=30, neighbours=12, coupling_bits=2, bias_bits=2, schedule_steps=4,
        payload_words=40, tables=1,
    ),
}  # fmt: skip
NIGHTLY = {
    "least": LatticeParameters(rows=2, columns=2, coupling_bits=2, bias_bits=2, payload_words=16),
    "most": LatticeParameters(
        rows=8, columns=64, neighbours=12, coupling_bits=8, bias_bits=10, payload_words=128
    ),
    "odd offset": LatticeParameters(rows=8, columns=24, coupling_bits=8, bias_bits=5),
    "whole": LatticeParameters(rows=64, columns=64, banks=2),
    "wide": LatticeParameters(rows=258, columns=12),
}
FRAMING = {"UNKNOWN_OPCODE", "TRUNCATED", "OVERSIZED", "TOO_LONG"}
_O, _R = LatticeOpcode, LatticeRegister


class Both:
    """The golden device and the simulated one, held to the same answers."""

    def __init__(self, parameters: LatticeParameters) -> None:
        self.golden = GoldenStream(parameters)
        self.sim = SimStream(parameters)

    def __call__(self, command: Command) -> list[int]:
        opcode, payload = command
        words = [header(opcode, 0x5A, len(payload)), *payload]
        self.golden.send(words)
        self.sim.send(words)
        answer: list[int] = self.golden.receive()
        assert self.sim.receive() == answer, (opcode.name, payload[:2])
        return answer

    def run(self) -> list[list[int]]:
        """All packets of a run."""
        self((_O.RUN, []))
        packets: list[list[int]] = []
        while self.golden.pending:
            packets.append(self.golden.receive())
            assert self.sim.receive() == packets[-1]
        assert packets[-1][0] >> 24 == LatticeResponse.DONE
        return packets


@pytest.fixture(scope="module", params=list(BUILDS))
def both(request: Any) -> Iterator[Both]:
    pair = Both(BUILDS[request.param])
    yield pair
    pair.sim.close()


def check_programs(both: Both, seeds: range) -> None:
    """Random programs, two runs each, the second with other conditions."""
    parameters = both.sim.parameters.lattice
    assert parameters is not None
    streamed = set()
    for seed in seeds:
        dice = Random(seed)
        columns = dice.choice((parameters.columns, 2 * dice.randint(1, parameters.columns // 2)))
        streamed.add(streams_through(parameters, columns))
        steps = dice.randint(0, min(4, parameters.schedule_steps))
        both.sim.stall(seed, *dice.choice(((0.0, 0.0), (0.3, 0.6))))
        for command in lattice_program(parameters, dice, columns, steps):
            both(command)
        for _ in range(2):
            for command in lattice_settings(parameters, dice, steps):
                both(command)
            both.run()
            first = dice.randrange(columns * parameters.rows - 2)
            most = parameters.bias_max
            for command in lattice_loads(parameters, _O.BIASES, [[most], [-most], [0]], first):
                both(command)
    assert len(streamed) == 2 or parameters.columns == 2


def test_random_programs(both: Both) -> None:
    check_programs(both, range(14))


@pytest.mark.nightly
@pytest.mark.parametrize("name", [*NIGHTLY, *BUILDS])
def test_many_random_programs(name: str) -> None:
    both = Both({**NIGHTLY, **BUILDS}[name])
    check_programs(both, range(100, 160))


def check_mistakes(both: Both) -> set[str]:
    """Every refusal as it is written down, by both devices; gives the codes that came."""
    parameters = both.sim.parameters.lattice
    assert parameters is not None
    columns, found, state = parameters.columns, set(), State.EMPTY
    both.sim.reset()
    both.golden = GoldenStream(parameters)
    for mistake in lattice_mistakes(parameters, columns):
        if mistake.state != state:
            both((_O.BEGIN, [columns]))
            state = mistake.state
            if state is State.READY:
                load(both, columns, [])
        answer = both((mistake.opcode, list(mistake.payload)))
        if mistake.wanted is None:
            assert answer[0] >> 24 != LatticeResponse.ERROR, (mistake, answer)
        else:
            assert answer[0] >> 24 == LatticeResponse.ERROR, mistake
            assert tuple(answer[1:]) == mistake.wanted, mistake
            found.add(mistake.wanted[0].name)
    both.run()
    return found


def test_refusals(both: Both) -> None:
    assert check_mistakes(both) == {code.name for code in LatticeErrorCode} - FRAMING


def test_framing(both: Both) -> None:
    """Packets that are too short, too long, unknown; answered alike, and nothing else changes."""
    parameters = both.sim.parameters.lattice
    assert parameters is not None
    most = parameters.payload_words
    packets = [
        [header(_O.IDENTIFY, 1, 1)],
        [header(_O.IDENTIFY, 1, 0), 5],
        [header(_O.BIASES, 1, most + 1), *[0] * (most + 1)],
        [header(_O.READ, 1, 3), 0, 0],
        [header(0x2F, 1, 0)],
        [header(_O.IDENTIFY, 1, 0)],
    ]
    codes = []
    for words in packets:
        both.golden.send(words)
        both.sim.send(words)
        answer = both.golden.receive()
        assert both.sim.receive() == answer
        codes.append(answer[1])
    assert codes[:5] == [
        LatticeErrorCode[name].value
        for name in ("TRUNCATED", "OVERSIZED", "TOO_LONG", "TRUNCATED", "UNKNOWN_OPCODE")
    ]


def load(both: Both, columns: int, betas: list[int]) -> int:
    """A program without couplings; gives its sites."""
    parameters = both.sim.parameters.lattice
    assert parameters is not None
    sites = columns * parameters.rows
    rules = parameters.neighbours // 4
    both((_O.BEGIN, [columns]))
    for opcode, records in (
        (_O.COUPLINGS, [[0] * rules] * sites),
        (_O.BIASES, [[1]] * sites),
        (_O.SCHEDULE, [[beta] for beta in betas]),
    ):
        for command in lattice_loads(parameters, opcode, records):
            both(command)
    both((_O.COMMIT, []))
    return sites


def settle(both: Both, **registers: int) -> None:
    """Registers by name, the others as after reset."""
    values = {"CHAINS": 1, "DRAWS": 1, "STEPS": 0, "SWEEPS_PER_STEP": 1, "THIN": 1, "FLAGS": 0}
    for name, value in {**values, **registers}.items():
        both((_O.WRITE, [_R[name], value]))


def test_a_step_waits_for_its_table() -> None:
    """With one sweep a step a small lattice waits; with enough sweeps none does."""
    both = Both(SMALL)
    sites = load(both, 16, [1 << 18] * 8)
    settle(both, STEPS=8, SWEEPS_PER_STEP=1)
    waits = both.run()[-1][11]
    assert waits >= 7 * SETTLE
    settle(both, STEPS=8, SWEEPS_PER_STEP=4)
    done = both.run()[-1]
    # the first table alone is waited for: 128 cycles, of which seeding and the start sweep take 44
    assert done[11] == 128 - 44
    assert done[5] == 8 * 4 * sites
    # 95 % is asked from 32 lanes on, at 64 columns: 64 of 67 cycles
    lanes = SMALL.lanes
    assert done[5] / (lanes * done[3]) == 16 / 19


@pytest.mark.parametrize("length", [2, 40, 400])
def test_abort_ends_after_the_sweep_at_hand(length: int) -> None:
    stream = SimStream(SMALL)
    both = Both(SMALL)
    both.sim = stream
    load(both, 16, [1 << 18])
    settle(both, STEPS=1, DRAWS=1000, CHAINS=50, THIN=7, FLAGS=1)
    stream.send([header(_O.RUN, 9, 0)])
    assert stream.receive()[0] >> 24 == LatticeResponse.OK
    stream.advance(length)
    stream.send([header(_O.ABORT, 1, 0)])
    kinds: list[int] = []
    packet: list[int] = []
    while not kinds or kinds[-1] != LatticeResponse.ABORTED:
        packet = stream.receive()
        kinds.append(packet[0] >> 24)
    assert kinds.count(LatticeResponse.OK) == 1
    cycles, swept, updates, sweeps, reads, waits = packet[1::2]
    assert reads == kinds.count(LatticeResponse.DRAW)
    # whole sweeps, each of so many sites in so many cycles
    assert (updates, swept) == (sweeps * 64, sweeps * 38)
    assert cycles >= swept + waits
    # and the next run is whole
    both((_O.READ, [_R.STATE]))
    settle(both, STEPS=1, DRAWS=2)
    both.golden = GoldenStream(SMALL)
    stream.reset()
    load(both, 16, [1 << 18])
    both.run()
