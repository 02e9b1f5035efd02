"""The simulated device as a stream: it answers as the golden one, stalled, interrupted or reset."""

import signal
import threading
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from gibbsite.driver import Driver
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.packets import ErrorCode, Opcode, Packet, Response, header
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, GraphProgram, Row, RunRequest, encode_entry
from gibbsite_hw.spec.registers import Register, State
from gibbsite_models.golden.device import GoldenStream
from gibbsite_sim import device as sim_device
from gibbsite_sim.device import SimStream

pytestmark = pytest.mark.sim

P = GraphParameters()
IDENTIFY = Packet(Opcode.IDENTIFY, 7, ()).words()


@pytest.fixture(scope="module")
def opened() -> Iterator[SimStream]:
    with SimStream(P) as stream:
        yield stream


@pytest.fixture
def stream(opened: SimStream) -> SimStream:
    opened.stall(command=0, response=0)
    opened.reset()
    return opened


def ladder(seed: int, rows: int = 24, degree: int = 3) -> GraphProgram:
    """Two classes of p-bits, each slot with ``degree`` neighbours in the other one."""
    random = Random(seed)
    half, lanes = rows // 2, P.lanes
    steps = random.sample([(r, lane) for r in range(half) for lane in range(lanes)], degree)
    weight = {
        (slot, k): random.choice((-1, 1)) * random.randint(1, P.weight_max)
        for slot in range(half * lanes)
        for k in range(degree)
    }
    entries = array("I")
    for row in range(rows):
        for k, (down, across) in enumerate(steps):
            for lane in range(lanes):
                if row < half:
                    other = (half + (row + down) % half) * lanes + (lane + across) % lanes
                    code = weight[row * lanes + lane, k]
                else:
                    other = (row - half - down) % half * lanes + (lane - across) % lanes
                    code = weight[other, k]
                entries.append(encode_entry(P, other, code, False))
    mask = (1 << lanes) - 1
    descriptors = [
        Row(degree, 0, False, False, False, row in (half - 1, rows - 1), mask)
        for row in range(rows)
    ]
    biases = array("i", (random.randint(-300, 300) for _ in range(rows * lanes)))
    none = array("I", [0] * rows)
    return GraphProgram(descriptors, entries, Conditions(biases, none, none))


def request(**fields: int) -> RunRequest:
    betas = array("I", [200, 500, 1100, 2600])
    return RunRequest(betas, seed=0xFEED_5EED_0000_0001, best=True, **fields)


def exchange(stream: SimStream | GoldenStream, words: list[int]) -> list[int]:
    stream.send(words)
    return stream.receive()


def test_it_identifies_itself_in_time(stream: SimStream) -> None:
    before = stream.cycles
    answer = exchange(stream, IDENTIFY)
    assert answer == exchange(GoldenStream(P), IDENTIFY)
    # a reset writes 192 bytes of the books; each of eight words then waits 9 cycles and takes 5
    assert 0 < stream.cycles - before < 192 + 8 * 15 + 40


def test_runs_are_golden_to_the_bit_with_and_without_stalls(stream: SimStream) -> None:
    program, wanted = ladder(1), request(chains=4, draws=3)
    golden = Driver(GoldenStream(P))
    golden.load(program)
    expected = golden.run(wanted)
    assert expected.reads == 12
    cycles = []
    for seed, command, response in ((0, 0.0, 0.0), (1, 0.5, 0.5), (2, 0.0, 0.9), (3, 0.9, 0.0)):
        stream.reset()
        stream.stall(seed, command, response)
        began = stream.cycles
        device = Driver(stream)
        device.load(program)
        assert device.run(wanted) == expected, f"stalls {command}, {response}"
        cycles.append(stream.cycles - began)
    # the stalls were there: some 2,000 words move, each then waits a cycle or nine on average, of
    # which the shell's own work between the words hides a part
    assert min(cycles[1:]) > cycles[0] + 1000


def test_draws_come_in_batches_or_one_by_one(stream: SimStream) -> None:
    device = Driver(stream)
    device.load(ladder(2))
    wanted = request(chains=5, draws=40)
    result = device.run(wanted)
    assert result.reads == 200
    # the registers still hold that run
    packets = []
    for limit in (1, 3, 1000):
        stream.send(header_of(Opcode.RUN))
        assert stream.receive() == [header(Response.OK, 9, 0)]
        words, ends = array("I"), 0
        while ends < 201:
            batch = stream.receive_many(limit)
            assert 1 <= len(batch) <= limit
            assert batch.ends[-1] == len(batch.words)
            assert [w for k in range(len(batch)) for w in batch[k]] == batch.words.tolist()
            words += batch.words
            ends += len(batch)
        packets.append(words)
    stream.send(header_of(Opcode.RUN))
    singly = array("I", stream.receive()[1:])
    for _ in range(201):
        singly.extend(stream.receive())
    assert packets == [singly] * 3
    with pytest.raises(DeviceError, match="every command was answered"):
        stream.receive_many(5)


def header_of(opcode: Opcode, *payload: int) -> list[int]:
    return [header(opcode, 9, len(payload)), *payload]


@pytest.mark.parametrize(
    ("words", "lasts", "code"),
    [
        ([header(Opcode.WRITE, 9, 2), 2], [False, True], ErrorCode.TRUNCATED),
        ([header(Opcode.IDENTIFY, 9, 0), 1, 2], [False, False, True], ErrorCode.OVERSIZED),
        ([header(0x77, 9, 0)], [True], ErrorCode.UNKNOWN_OPCODE),
        ([header(Opcode.COMMIT, 9, 0)], [True], ErrorCode.WRONG_STATE),
        ([header(Opcode.READ, 9, 1), 0x99], [False, True], ErrorCode.BAD_REGISTER),
    ],
)
def test_malformed_packets_are_answered(
    stream: SimStream, words: list[int], lasts: list[bool], code: ErrorCode
) -> None:
    stream.send_raw(words, lasts)
    answer = stream.receive()
    assert answer[:2] == [header(Response.ERROR, 9, 2), code]
    assert answer == exchange(GoldenStream(P), words)
    assert exchange(stream, IDENTIFY)[0] >> 24 == Response.INFO


def test_a_packet_without_an_end_is_said_and_can_be_ended(
    stream: SimStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sim_device, "PATIENCE", 5000)
    stream.send_raw(header_of(Opcode.WRITE, Register.DRAWS), [False, False])
    with pytest.raises(DeviceError, match="no word for 5000 cycles: end the packet"):
        stream.receive()
    stream.send_raw([5], [True])
    # header and first payload word were taken as they are, with a length that does not fit
    assert stream.receive()[:2] == [header(Response.ERROR, 9, 2), ErrorCode.OVERSIZED]


@pytest.mark.parametrize("words", [[], [1 << 32], [-1], ["a"]])
def test_what_no_stream_can_carry_is_refused(stream: SimStream, words: list[int]) -> None:
    with pytest.raises(DeviceError, match="32 bits"):
        stream.send(words)
    with pytest.raises(DeviceError, match="32 bits"):
        stream.send_raw(IDENTIFY, [False, True])


def test_ctrl_c_in_a_run_leaves_a_device_that_works(stream: SimStream) -> None:
    program = ladder(3)
    device, golden = Driver(stream), Driver(GoldenStream(P))
    device.load(program)
    golden.load(program)
    endless = RunRequest(array("I", [900]), seed=3, chains=1, draws=1, sweeps_per_step=1 << 30)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        device.run(endless)
    timer.join()
    assert device.run(request(chains=2)) == golden.run(request(chains=2))


def test_a_reset_in_a_sweep_leaves_a_device_that_works(stream: SimStream) -> None:
    program = ladder(4)
    golden = Driver(GoldenStream(P))
    golden.load(program)
    device = Driver(stream)
    device.load(program)
    stream.send(header_of(Opcode.WRITE, Register.DRAWS, 2))
    stream.send(header_of(Opcode.WRITE, Register.THIN, 1 << 20))
    stream.send(header_of(Opcode.RUN))
    kinds = [stream.receive()[0] >> 24 for _ in range(4)]
    assert kinds == [Response.OK, Response.OK, Response.OK, Response.DRAW]
    stream.advance(777)
    assert exchange(stream, header_of(Opcode.READ, Register.STATE))[1] == State.RUNNING
    stream.reset()
    assert exchange(stream, header_of(Opcode.READ, Register.STATE))[1] == State.EMPTY
    with pytest.raises(DeviceError, match="every command was answered"):
        stream.receive()
    again = Driver(stream)
    again.load(program)
    assert again.run(request(chains=2)) == golden.run(request(chains=2))


def test_streams_in_threads_do_not_touch_each_other() -> None:
    def draw(seed: int) -> list[int]:
        with SimStream(P) as stream:
            device = Driver(stream)
            device.load(ladder(seed))
            return device.run(request(chains=3, draws=20)).energies.tolist()

    alone = [draw(5), draw(6)]
    assert alone[0] != alone[1]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(draw, (5, 6))) == alone


def test_a_closed_stream_says_so() -> None:
    stream = SimStream(P)
    stream.close()
    stream.close()
    for call in (
        lambda: stream.send(IDENTIFY),
        stream.receive,
        stream.reset,
        lambda: stream.cycles,
    ):
        with pytest.raises(DeviceError, match="was closed: open it again"):
            call()


def test_stalls_that_never_end_are_refused(stream: SimStream) -> None:
    with pytest.raises(DeviceError, match="stalls must lie in 0"):
        stream.stall(response=1.0)
