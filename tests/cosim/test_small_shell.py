"""A small shell in Amaranth's simulator against golden: quick to build, so mutants meet it first.

Four lanes, and scores of three fraction bits, so that ties are common. Each test says how many
words it saw; both ends of the stream stall at random.
"""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from amaranth.sim import Simulator

from gibbsite_hw.device import DeviceShell
from gibbsite_hw.spec.packets import Opcode, Packet, Response
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Row
from gibbsite_hw.spec.registers import Register
from gibbsite_models.golden.device import GoldenStream
from gibbsite_sim.cosim.programs import Shape, loading, random_case

SMALL = GraphParameters(
    lanes=4,
    rows=16,
    words=64,
    weight_bits=4,
    bias_bits=8,
    beta_bits=8,
    beta_frac=6,
    score_frac=3,
    schedule_steps=4,
    max_degree=15,
    max_group=12,
    payload_words=32,
)
PATIENCE = 20_000
"""Cycles without an answer after which the device hangs; the longest run here takes a fifth."""

ENDS = (Response.DONE, Response.ABORTED)


def simulated(packets: list[Packet], seed: int) -> list[list[int]]:
    """What the RTL answers, one command after the other."""
    rng = Random(seed)
    shell = DeviceShell(SMALL)
    answers: list[list[int]] = []

    async def feed(ctx) -> None:
        for awaited, packet in enumerate(packets, start=1):
            words = packet.words()
            for at, word in enumerate(words):
                while rng.random() < 0.1:
                    await ctx.tick()
                ctx.set(shell.command.valid, 1)
                ctx.set(shell.command.payload, {"word": word, "last": at == len(words) - 1})
                await ctx.tick().until(shell.command.ready)
                ctx.set(shell.command.valid, 0)
            await _answered(ctx, answers, awaited)

    async def read(ctx) -> None:
        words: list[int] = []
        while True:
            ctx.set(shell.response.ready, rng.random() < 0.8)
            _, _, valid, ready, payload = await ctx.tick().sample(
                shell.response.valid, shell.response.ready, shell.response.payload
            )
            if valid and ready:
                words.append(payload.word)
                if payload.last:
                    answers.append(words)
                    words = []

    simulator = Simulator(shell)
    simulator.add_clock(1e-6)
    simulator.add_testbench(feed)
    simulator.add_testbench(read, background=True)
    simulator.run()
    return answers


async def _answered(ctx, answers: list[list[int]], commands: int) -> None:
    for _ in range(PATIENCE):
        if _settled(answers) >= commands:
            return
        await ctx.tick()
    pytest.fail(f"no answer within {PATIENCE} cycles")


def _settled(answers: list[list[int]]) -> int:
    """Commands answered to the end: a run that was accepted counts when it has ended."""
    runs = sum(words[0] >> 24 == Response.OK and words[0] >> 16 & 0xFF == 0xFF for words in answers)
    ends = sum(words[0] >> 24 in ENDS for words in answers)
    draws = sum(words[0] >> 24 == Response.DRAW for words in answers)
    return len(answers) - draws - ends - (runs - ends)


def golden(packets: list[Packet]) -> list[list[int]]:
    """What the golden device answers."""
    stream = GoldenStream(SMALL)
    answers: list[list[int]] = []
    for packet in packets:
        stream.send(packet.words())
        answers.append(stream.receive())
        if packet.opcode == Opcode.RUN and answers[-1][0] >> 24 == Response.OK:
            while answers[-1][0] >> 24 not in ENDS:
                answers.append(stream.receive())
    return answers


def agree(packets: list[Packet], seed: int) -> list[list[int]]:
    """Both give the same answers; returns them."""
    # the tag 0xFF marks runs, so that the reader of answers knows that more will follow
    packets = [
        replace(p, tag=0xFF if p.opcode == Opcode.RUN else at % 200) for at, p in enumerate(packets)
    ]
    real, expected = simulated(packets, seed), golden(packets)
    for place, (one, other) in enumerate(zip(real, expected, strict=False)):
        assert [hex(word) for word in one] == [hex(word) for word in other], f"answer {place}"
    assert len(real) == len(expected)
    return real


def program_packets(seed: int, shape: Shape, flags: int) -> list[Packet]:
    """A random program, loaded and run: two chains of two draws, three steps of two sweeps."""
    rng = Random(seed)
    case = random_case(SMALL, rng, shape)
    # hot, so that noise decides: at larger beta all streams relax to the same states
    betas = tuple(rng.randint(1, most) for most in (40, 20, 6))
    case = replace(case, betas=betas)
    settings = {
        **case.settings,
        Register.CHAINS: 2,
        Register.DRAWS: 2,
        Register.STEPS: 3,
        Register.SWEEPS_PER_STEP: 2,
        Register.THIN: 2,
        Register.FLAGS: flags,
    }
    writes = [Packet(Opcode.WRITE, 0, (at, value)) for at, value in settings.items()]
    return [*loading(SMALL, case, rng), *writes, Packet(Opcode.RUN, 0, ())]


@pytest.mark.parametrize(("seed", "flags"), [(1, 3), (2, 7), (10, 3)])
def test_programs(seed: int, flags: int) -> None:
    """P-bits and groups, folds and clamps: samples, energies, best states and counters."""
    answers = agree(program_packets(seed, Shape(rows=8, density=0.4), flags), seed)
    draws = [words for words in answers if words[0] >> 24 == Response.DRAW]
    assert len(draws) == 4
    assert answers[-1][0] >> 24 == Response.DONE


def test_groups() -> None:
    """Groups over several rows, clamped: ties and winners in other rows than the old state."""
    packets = program_packets(11, Shape(rows=6, groups=(9, 7, 5), density=0.3, clamps=0.5), 3)
    answers = agree(packets, 11)
    assert sum(words[0] >> 24 == Response.DRAW for words in answers) == 4


def _mistakes() -> Iterator[Packet]:
    p = SMALL
    full = (1 << p.lanes) - 1
    wall = Row(1, 0, False, False, False, True, full).encode()
    head = Row(1, 0, True, True, False, False, full).encode()
    tail = Row(1, 0, True, False, True, True, full).encode()

    def put(opcode: int, *payload: int) -> Packet:
        return Packet(opcode, 0, payload)

    yield put(Opcode.RUN)
    yield put(0x7F)
    yield put(Opcode.BEGIN, 0, 1)
    yield put(Opcode.BEGIN, p.rows + 1, 1)
    yield put(Opcode.BEGIN, 3, p.words + 1)
    yield put(Opcode.WRITE, Register.CHAINS, 0)
    yield put(Opcode.WRITE, Register.FLAGS, 8)
    yield put(Opcode.WRITE, Register.STATE, 1)
    yield put(Opcode.BEGIN, 3, 3)
    yield put(Opcode.ROWS, 1, *wall)
    yield put(Opcode.ROWS, 0, *wall, wall[0], full + 1)
    yield put(Opcode.ROWS, 0, *head, *tail, *wall, *wall)
    yield put(Opcode.ROWS, 0, *head, *tail, wall[0] & ~0x7FF, full)
    yield put(Opcode.ROWS, 0, *head, *head, *wall)
    yield put(Opcode.ENTRIES, 0, *(0,) * 11, 3 * p.lanes)
    yield put(Opcode.ENTRIES, 0, *(0,) * 12)
    yield put(Opcode.BIASES, 0, *(0,) * 11, p.bias_max + 1)
    yield put(Opcode.BIASES, 0, *(p.bias_max, -p.bias_max & 0xFFFFFFFF, 0, 0) * 3)
    yield put(Opcode.COMMIT)  # head follows head
    yield put(Opcode.BEGIN, 3, 4)
    yield put(Opcode.ROWS, 0, *head, *tail, *wall)
    yield put(Opcode.ENTRIES, 0, *(0,) * 16)
    yield put(Opcode.COMMIT)  # no biases yet
    yield put(Opcode.BIASES, 0, *(0,) * 12)
    yield put(Opcode.COMMIT)  # three words of four
    yield put(Opcode.BEGIN, 3, 3)
    yield put(Opcode.ROWS, 0, *head, *tail, *wall)
    yield put(Opcode.ENTRIES, 0, *(0,) * 12)
    yield put(Opcode.BIASES, 0, *(0,) * 12)
    yield put(Opcode.COMMIT)
    yield put(Opcode.CLAMPS, 2, 0, 0, 0, 0)  # past the last row
    yield put(Opcode.CLAMPS, 0, 1, 0, 1, 0)
    yield put(Opcode.RUN)  # pinned twice
    yield put(Opcode.CLAMPS, 0, 0, full, 0, full)
    yield put(Opcode.RUN)  # no state left
    yield put(Opcode.CLAMPS, 0, 0, 1, 0, 0)
    yield put(Opcode.WRITE, Register.FLAGS, 5)
    yield put(Opcode.STATE, 0, 1, 0, 0)
    yield put(Opcode.RUN)  # state against clamp
    yield put(Opcode.STATE, 0, 2, 1, 0)
    yield put(Opcode.RUN)  # two states in a group
    yield put(Opcode.WRITE, Register.STEPS, 1)
    yield put(Opcode.RUN)  # no schedule
    yield put(Opcode.WRITE, Register.STEPS, 0)
    yield put(Opcode.STATE, 0, 2, 0, 9)
    yield put(Opcode.BIASES, 2, 1, 2, 3, p.bias_max + 1)  # refused whole
    yield put(Opcode.RUN)
    yield put(Opcode.READ, Register.STATE)


def test_mistakes() -> None:
    """Refusals and their details; a refused command leaves everything as it was."""
    answers = agree(list(_mistakes()), 5)
    kinds = [words[0] >> 24 for words in answers]
    assert kinds.count(Response.ERROR) == 24
    assert kinds.count(Response.DONE) == 1
