"""Both engines behind one word stream, golden's and the compiled emulator's.

Who takes a packet, and the order of answers.
"""

from array import array

import dimod
import pytest

from gibbsite.compiler import compile_model
from gibbsite.driver import Driver
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError, FingerprintMismatch, ProgramError
from gibbsite_hw.spec.langevin_packets import LangevinOpcode, LangevinResponse
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import (
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    ScheduleEntry,
    Shifts,
)
from gibbsite_hw.spec.packets import ENGINE_FIELD, ErrorCode, Opcode, Response, header
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import RunRequest
from gibbsite_hw.spec.registers import Register
from gibbsite_models.golden.device import GoldenStream
from gibbsite_sim.fast.stream import FastStream

GRAPH = GraphParameters(lanes=2, rows=8, words=16, schedule_steps=8, payload_words=16)
LANGEVIN = LangevinParameters(
    units=8, constraints=4, multipliers=4, pairs=16, schedule_entries=64, payload_words=32
)
BOTH = DeviceParameters(GRAPH, LANGEVIN)


@pytest.fixture(params=[GoldenStream, FastStream], ids=["golden", "fast"])
def emulator(request: pytest.FixtureRequest) -> type[GoldenStream]:
    """What stands behind the devices `golden:` and `fast:`."""
    return request.param


def exchange(stream: GoldenStream, opcode: int, *payload: int, tag: int = 7) -> list[int]:
    stream.send([header(opcode, tag, len(payload)), *payload])
    return stream.receive()


def load_graph(stream: GoldenStream, draws: int) -> None:
    """One row with one p-bit and one coupling word that couples nothing."""
    for opcode, payload in (
        (Opcode.BEGIN, [1, 1]),
        (Opcode.ROWS, [0, 1 | 1 << 17, 1]),
        (Opcode.ENTRIES, [0, 0, 0]),
        (Opcode.BIASES, [0, 5, 0]),
        (Opcode.COMMIT, []),
        (Opcode.WRITE, [Register.DRAWS, draws]),
    ):
        assert exchange(stream, opcode, *payload)[0] >> 24 == Response.OK, opcode


def load_langevin(stream: GoldenStream, draws: int) -> None:
    """One free unit and one schedule entry."""
    strengths = [1 << 14] * 6
    for opcode, payload in (
        (LangevinOpcode.BEGIN, [1, 0, 0, 0, 0, 0]),
        (LangevinOpcode.UNITS, [0, 0, 0, 0]),
        (LangevinOpcode.BIASES, [0, 0]),
        (LangevinOpcode.SCHEDULE, [0, 1, 1, 1, *strengths]),
        (LangevinOpcode.COMMIT, []),
        (LangevinOpcode.WRITE, [0x05, 1]),
        (LangevinOpcode.WRITE, [0x04, draws]),
    ):
        assert exchange(stream, opcode, *payload)[0] >> 24 == LangevinResponse.OK, opcode


def test_each_engine_tells_the_fingerprint_of_the_device(emulator) -> None:
    stream = emulator(BOTH)
    fingerprint = BOTH.fingerprint()
    for opcode, sizes in (
        (Opcode.IDENTIFY, [2, 8, 16, 8]),
        (LangevinOpcode.IDENTIFY, [8, 4, 4, 64]),
    ):
        answer = exchange(stream, opcode)
        assert answer[0] >> 24 == Response.INFO | opcode & ENGINE_FIELD
        assert answer[3:5] == [fingerprint & 0xFFFF_FFFF, fingerprint >> 32]
        assert answer[5:] == sizes


def test_registers_and_states_are_apart(emulator) -> None:
    stream = emulator(BOTH)
    assert exchange(stream, Opcode.WRITE, Register.SEED_LOW, 5)[0] >> 24 == Response.OK
    assert exchange(stream, LangevinOpcode.READ, 0)[1] == 0
    assert exchange(stream, Opcode.READ, Register.SEED_LOW)[1] == 5
    load_graph(stream, 1)
    refused = exchange(stream, LangevinOpcode.RUN)
    assert refused[0] >> 24 == LangevinResponse.ERROR
    assert refused[1] == ErrorCode.WRONG_STATE


@pytest.mark.parametrize(
    ("build", "code", "kind"),
    [
        (GRAPH, 0x77, Response.ERROR),
        (GRAPH, LangevinOpcode.IDENTIFY, Response.ERROR),
        (LANGEVIN, Opcode.IDENTIFY, LangevinResponse.ERROR),
        (BOTH, 0x4F, LangevinResponse.ERROR),
        (BOTH, 0x37, Response.ERROR),
        (BOTH, 0x17 | ENGINE_FIELD, Response.ERROR),
    ],
)
def test_unknown_opcodes_are_refused_by_the_engine_that_has_them(
    emulator, build, code, kind
) -> None:
    answer = exchange(emulator(build), code)
    assert answer == [header(kind, 7, 2), ErrorCode.UNKNOWN_OPCODE, code]


def test_answers_come_in_the_order_of_commands_and_draws_of_both_in_turn(emulator) -> None:
    stream = emulator(BOTH)
    load_graph(stream, 3)
    load_langevin(stream, 5)
    for tag, opcode in enumerate((Opcode.RUN, LangevinOpcode.RUN, Opcode.READ, Opcode.IDENTIFY)):
        payload = [Register.STATE] if opcode == Opcode.READ else []
        stream.send([header(opcode, tag, len(payload)), *payload])
    kinds = [Response.OK, LangevinResponse.OK, Response.INFO, Response.INFO]
    assert [stream.receive()[0] >> 24 for _ in range(4)] == kinds
    rest = []
    while stream.pending:
        rest.append(stream.receive())
        if len(rest) == 2:  # an answer goes before the next draw
            stream.send([header(LangevinOpcode.IDENTIFY, 9, 0)])
    kinds = [packet[0] >> 24 for packet in rest]
    assert kinds.count(Response.DRAW) == 3
    assert kinds.count(LangevinResponse.DRAW) == 5
    assert kinds[:2] == [Response.DRAW, LangevinResponse.DRAW]
    assert kinds[2] == LangevinResponse.INFO
    assert kinds.count(Response.DONE) == kinds.count(LangevinResponse.DONE) == 1
    assert kinds.index(Response.DONE) > max(k for k, v in enumerate(kinds) if v == Response.DRAW)
    with pytest.raises(DeviceError, match="send a command first"):
        stream.receive()


def test_both_running_at_once_change_nothing_for_each_other(emulator) -> None:
    def draws(graph: bool, langevin: bool) -> dict[bool, list[list[int]]]:
        stream = emulator(BOTH)
        load_graph(stream, 4)
        load_langevin(stream, 4)
        found: dict[bool, list[list[int]]] = {False: [], True: []}
        for wanted, opcode in ((graph, Opcode.RUN), (langevin, LangevinOpcode.RUN)):
            if wanted:
                stream.send([header(opcode, 1, 0)])
        while stream.pending:
            packet = stream.receive()
            found[packet[0] >> 24 & ENGINE_FIELD != 0].append(packet)
        return found

    together = draws(True, True)
    assert together == {False: draws(True, False)[False], True: draws(False, True)[True]}
    assert len(together[False]) == len(together[True]) == 6


def test_a_missing_engine_is_named(emulator) -> None:
    with Driver(emulator(GRAPH)) as device:
        assert device.info.engines == ("graph",)
        with pytest.raises(ProgramError, match="has no langevin engine, only graph: open it with"):
            assert device.info.langevin
        with pytest.raises(ProgramError, match="has no langevin engine"):
            device.run(LangevinRequest([]))
    with Driver(emulator(LANGEVIN)) as device:
        assert device.info.engines == ("langevin",)
        with pytest.raises(ProgramError, match="has no graph engine, only langevin"):
            device.run(RunRequest(array("I")))


def test_a_device_without_an_engine_that_the_host_expects_is_refused(emulator) -> None:
    class Other(emulator):
        @property
        def parameters(self) -> DeviceParameters:
            return DeviceParameters.of(LANGEVIN)

    with pytest.raises(FingerprintMismatch, match=r"has no langevin engine .* opcode 0x41 is none"):
        Driver(Other(GRAPH))


def test_a_stopped_run_of_one_engine_leaves_the_other_working(emulator, monkeypatch) -> None:
    monkeypatch.setattr("gibbsite.link.PROGRESS_SECONDS", 0.0)
    spin = compile_model(dimod.BinaryQuadraticModel({"a": 1.0}, {}, 0.0, "SPIN"), GRAPH)
    codes = array("i", [700])
    free = LangevinProgram(
        *(codes, array("i", [0]), codes, array("i"), array("i")),
        Shifts(),
        LangevinConditions(codes),
    )
    entry = ScheduleEntry(9, (1 << 14, 10), (1 << 14, 10), (1 << 14,) * 6)

    def requests(chains: int) -> tuple[RunRequest, LangevinRequest]:
        return (
            RunRequest(spin.betas([1.0]), seed=1, chains=chains),
            LangevinRequest([entry], seed=1, chains=chains),
        )

    def stop(_done: int, _all: int) -> None:
        raise KeyboardInterrupt

    with Driver(emulator(BOTH)) as device, Driver(emulator(BOTH)) as fresh:
        for one in (device, fresh):
            one.load(spin.program)
            one.load(free)
            assert one.loads == 2
        graph, langevin = requests(50)
        with pytest.raises(KeyboardInterrupt):
            device.run(graph, stop)
        with pytest.raises(KeyboardInterrupt):
            device.run(langevin, stop)
        graph, langevin = requests(5)
        assert device.run(langevin) == fresh.run(langevin)
        assert device.run(graph) == fresh.run(graph)
