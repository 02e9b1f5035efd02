"""The driver over a recorded golden stream: packets, refusals, interruptions, counts."""

from array import array

import dimod
import pytest
from driver_parts.tap import Tap

from gibbsite.compiler import CompiledModel, compile_model
from gibbsite.driver import Driver
from gibbsite.refusals import SENTENCES, refusal
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import (
    CommandRefused,
    DeviceError,
    FingerprintMismatch,
    ProgramError,
)
from gibbsite_hw.spec.packets import ErrorCode, Opcode, Packet, Response
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import RunRequest, RunResult
from gibbsite_models.golden.device import GoldenStream

SMALL = GraphParameters(lanes=4, rows=64, words=512)


def spin_chain(count: int = 40) -> dimod.BinaryQuadraticModel:
    model = dimod.BinaryQuadraticModel("SPIN")
    model.add_linear_from({k: (-1) ** k for k in range(count)})
    model.add_quadratic_from([(k, k + 1, 1.0 + k % 3) for k in range(count - 1)])
    return model


@pytest.fixture
def tap() -> Tap:
    return Tap(GoldenStream(SMALL))


@pytest.fixture
def compiled() -> CompiledModel:
    return compile_model(spin_chain(), SMALL)


@pytest.fixture
def device(tap: Tap, compiled: CompiledModel) -> Driver:
    driver = Driver(tap)
    driver.load(compiled.program)
    return driver


def request(compiled: CompiledModel, **fields: object) -> RunRequest:
    return RunRequest(betas=compiled.betas([0.2, 0.5, 1.0]), **{"seed": 7, "chains": 5, **fields})


def still_works(device: Device, compiled: CompiledModel) -> RunResult:
    """Run once more and compare with a device that saw nothing else."""
    result = device.run(request(compiled))
    with Driver(GoldenStream(SMALL)) as fresh:
        fresh.load(compiled.program)
        assert fresh.run(request(compiled)).states == result.states
    return result


def test_it_is_a_device(device: Driver) -> None:
    assert isinstance(device, Device)
    assert device.info.graph == SMALL
    assert device.info.fingerprint == SMALL.fingerprint()
    assert device.loads == 1


def test_packets_are_as_long_as_the_device_takes(tap: Tap, device: Driver, compiled) -> None:
    entries = [p for p in tap.sent if p.opcode == Opcode.ENTRIES]
    assert sum(len(p.payload) - 1 for p in entries) == len(compiled.program.entries)
    for packet in entries[:-1]:
        assert len(packet.payload) + SMALL.lanes > SMALL.payload_words
    assert [p.payload[0] for p in entries] == [
        k * ((SMALL.payload_words - 1) // SMALL.lanes) for k in range(len(entries))
    ]


def test_long_programs_take_several_packets() -> None:
    parameters = GraphParameters(lanes=4, rows=512, words=4096)
    tap = Tap(GoldenStream(parameters))
    device = Driver(tap)
    device.load(compile_model(spin_chain(1500), parameters).program)
    for opcode in (Opcode.ROWS, Opcode.ENTRIES, Opcode.BIASES, Opcode.CLAMPS):
        packets = [p for p in tap.sent if p.opcode == opcode]
        assert max(len(p.payload) for p in packets) <= parameters.payload_words
        assert [p.payload[0] for p in packets] == sorted({p.payload[0] for p in packets})
    assert sum(p.opcode == Opcode.ENTRIES for p in tap.sent) > 1


def test_conditions_do_not_touch_couplings(tap: Tap, device: Driver, compiled) -> None:
    before = len(tap.sent)
    for bias in (1.0, 2.0, 3.0):
        under = compiled.conditions(biases={0: bias}, clamps_on={3: 1})
        device.condition(under.conditions)
        result = device.run(request(compiled))
        assert (compiled.decode(result, under).values[:, 3] == 1).all()
    opcodes = {p.opcode for p in tap.sent[before:]}
    assert opcodes == {Opcode.BIASES, Opcode.CLAMPS, Opcode.WRITE, Opcode.SCHEDULE, Opcode.RUN}
    assert device.loads == 1


def test_words_are_counted(tap: Tap, device: Driver, compiled) -> None:
    sent = sum(len(p.words()) for p in tap.sent)
    received = sum(map(len, tap.answers))
    assert (device.words_sent, device.words_received) == (sent, received)
    result = device.run(request(compiled))
    assert result.words_in == sum(len(p.words()) for p in tap.sent) - sent
    assert result.words_out == sum(map(len, tap.answers)) - received


def test_another_fingerprint_is_refused() -> None:
    class Other(GoldenStream):
        @property
        def parameters(self) -> DeviceParameters:
            return DeviceParameters.of(GraphParameters(lanes=4, rows=64, words=256))

    stream = Other(SMALL)
    with pytest.raises(FingerprintMismatch, match=f"{SMALL.fingerprint():016x}.*lanes 4.*512"):
        Driver(stream)
    with pytest.raises(DeviceError, match="closed"):
        stream.send([0])


def test_something_else_on_the_line_is_refused(tap: Tap) -> None:
    tap.on_answer = lambda packet: [packet[0], 0x1234, *packet[2:]]
    with pytest.raises(DeviceError, match="does not answer as a Gibbsite device"):
        Driver(tap)


def test_nothing_runs_before_a_program(tap: Tap, compiled: CompiledModel) -> None:
    device = Driver(tap)
    with pytest.raises(DeviceError, match=r"call load\(\) first"):
        device.run(request(compiled))
    with pytest.raises(DeviceError, match=r"call load\(\) first"):
        device.condition(compiled.program.conditions)
    device.load(compiled.program)
    still_works(device, compiled)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"chains": 0}, "CHAINS is 0"),
        ({"draws": 1 << 32}, "DRAWS is 4294967296"),
        ({"thin": -1}, "THIN is -1"),
        ({"sweeps_per_step": 0}, "SWEEPS_PER_STEP is 0"),
        ({"seed": 1 << 64}, "has 64 bits"),
        ({"seed": -1}, "has 64 bits"),
        ({"betas": array("I", [1]) * 8193}, "holds 8192"),
        ({"betas": array("I", [1 << 24])}, "beta code"),
        ({"state": array("I", [0])}, "state has 1 words"),
    ],
)
def test_requests_outside_the_registers_are_refused(
    device: Driver, compiled: CompiledModel, fields: dict, words: str
) -> None:
    wanted = request(compiled)
    for name, value in fields.items():
        setattr(wanted, name, value)
    with pytest.raises(ProgramError, match=words):
        device.run(wanted)
    still_works(device, compiled)


def test_refusals_of_the_device_name_the_reason(device: Driver, compiled) -> None:
    on = array("I", [1] * len(compiled.program.rows))
    conditions = compiled.conditions().conditions
    conditions.clamps_on, conditions.clamps_off = on, array("I", on)
    device.condition(conditions)
    with pytest.raises(CommandRefused, match=r"device refused RUN.*pinned and removed") as caught:
        device.run(request(compiled))
    assert caught.value.code == ErrorCode.PINNED_TWICE
    assert caught.value.detail == 0
    device.condition(compiled.program.conditions)
    still_works(device, compiled)


def test_a_given_state_against_a_clamp_is_refused(device: Driver, compiled) -> None:
    state = array("I", [0] * len(compiled.program.rows))
    device.condition(compiled.conditions(clamps_on={0: 1}).conditions)
    with pytest.raises(CommandRefused, match="given state contradicts a clamp"):
        device.run(request(compiled, state=state))
    device.condition(compiled.program.conditions)
    still_works(device, compiled)


def test_every_error_code_has_a_sentence() -> None:
    assert set(SENTENCES) == set(ErrorCode)
    for code in ErrorCode:
        sentence = str(refusal(Opcode.RUN, code, 3, SMALL))
        assert sentence.startswith("the device refused RUN: ")
        assert ";" in sentence  # what to do next
        assert "{" not in sentence
    assert "update the host" in str(refusal(Opcode.RUN, 99, 0, SMALL))


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_progress_may_stop_a_run(
    device: Driver, compiled, error: type[BaseException], monkeypatch
) -> None:
    monkeypatch.setattr("gibbsite.link.PROGRESS_SECONDS", 0.0)
    heard: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        heard.append((done, total))
        if done >= 10:
            raise error

    with pytest.raises(error):
        device.run(request(compiled, chains=1000), progress=stop)
    assert heard == [(k, 1000) for k in range(1, 11)]
    still_works(device, compiled)


@pytest.mark.parametrize("opcode", [Opcode.RUN, Opcode.WRITE, Opcode.SCHEDULE])
def test_an_interrupt_before_the_answer_leaves_a_working_device(
    tap: Tap, device: Driver, compiled, opcode: Opcode
) -> None:
    def interrupt(packet: Packet) -> None:
        if packet.opcode == opcode:
            tap.on_send = None
            raise KeyboardInterrupt

    tap.on_send = interrupt
    with pytest.raises(KeyboardInterrupt):
        device.run(request(compiled, chains=50))
    still_works(device, compiled)


def test_an_interrupted_load_can_be_repeated(tap: Tap, device: Driver, compiled) -> None:
    def interrupt(packet: Packet) -> None:
        if packet.opcode == Opcode.ENTRIES:
            tap.on_send = None
            raise KeyboardInterrupt

    tap.on_send = interrupt
    with pytest.raises(KeyboardInterrupt):
        device.load(compiled.program)
    with pytest.raises(DeviceError, match=r"call load\(\) first"):
        device.run(request(compiled))
    device.load(compiled.program)
    still_works(device, compiled)


def test_an_interrupt_at_the_last_answer_leaves_a_working_device(
    tap: Tap, device: Driver, compiled
) -> None:
    def interrupt(packet: list[int]) -> list[int]:
        if packet[0] >> 24 == Response.DONE:
            tap.on_answer = None
            raise KeyboardInterrupt
        return packet

    # DONE was taken off the stream and lost: only the refusal of ABORT tells that the run ended
    tap.on_answer = interrupt
    with pytest.raises(KeyboardInterrupt):
        device.run(request(compiled))
    still_works(device, compiled)


def test_a_second_interrupt_while_stopping_leaves_a_working_device(
    tap: Tap, device: Driver, compiled
) -> None:
    def interrupt(packet: list[int]) -> list[int]:
        if packet[0] >> 24 == Response.DRAW:
            raise KeyboardInterrupt
        if packet[0] >> 24 == Response.OK and tap.sent[-1].opcode == Opcode.ABORT:
            tap.on_answer = None
            raise KeyboardInterrupt
        return packet

    tap.on_answer = interrupt
    with pytest.raises(KeyboardInterrupt):
        device.run(request(compiled, chains=50))
    assert tap.on_answer is None
    still_works(device, compiled)


def test_a_device_that_was_reset_says_so_and_takes_a_program(
    tap: Tap, device: Driver, compiled
) -> None:
    def reset(packet: list[int]) -> list[int]:
        if packet[0] >> 24 == Response.DRAW:
            tap.on_answer = None
            tap.inner = GoldenStream(SMALL)
        return packet

    tap.on_answer = reset
    with pytest.raises(DeviceError):
        device.run(request(compiled))
    with pytest.raises(CommandRefused, match="it is EMPTY"):
        device.run(request(compiled))
    device.load(compiled.program)
    still_works(device, compiled)


def test_a_packet_of_another_length_is_an_error(tap: Tap, device: Driver, compiled) -> None:
    def cut(packet: list[int]) -> list[int]:
        tap.on_answer = None
        return [*packet, 0]

    tap.on_answer = cut
    with pytest.raises(DeviceError, match="says another length"):
        device.run(request(compiled))
    still_works(device, compiled)


def test_answers_that_do_not_fit_are_errors(tap: Tap, device: Driver, compiled) -> None:
    def other_tag(packet: list[int]) -> list[int]:
        tap.on_answer = None
        return [packet[0] ^ 0x0080_0000, *packet[1:]]

    tap.on_answer = other_tag
    with pytest.raises(DeviceError, match="answered tag"):
        device.run(request(compiled))


def test_a_draw_out_of_order_is_an_error(tap: Tap, device: Driver, compiled) -> None:
    def swap(packet: list[int]) -> list[int]:
        if packet[0] >> 24 == Response.DRAW and packet[1] == 2:
            tap.on_answer = None
            return [packet[0], 3, *packet[2:]]
        return packet

    tap.on_answer = swap
    with pytest.raises(DeviceError, match="after 2 of 5 draws came"):
        device.run(request(compiled))
    still_works(device, compiled)


def test_packed_answers_give_the_same_result(device: Driver, compiled) -> None:
    class Packed:
        def __init__(self, words: array) -> None:
            self.words = words

    class PackedGolden(GoldenStream):
        """Gives answers in batches, as the simulated device does."""

        def receive_many(self, limit: int) -> Packed:
            words = array("I", self.receive())
            for _ in range(min(limit, 17) - 1):
                if not self.pending:
                    break
                words.extend(self.receive())
            return Packed(words)

    packed = Driver(PackedGolden(SMALL))
    packed.load(compiled.program)
    for fields in ({}, {"best": True}, {"samples": False}, {"draws": 7, "first_chain": 2**32 - 2}):
        one = device.run(request(compiled, chains=40, **fields))
        two = packed.run(request(compiled, chains=40, **fields))
        assert one == two


def test_chains_number_on_modulo_2_to_the_32(device: Driver, compiled) -> None:
    around = device.run(request(compiled, chains=4, first_chain=2**32 - 2))
    rows = len(compiled.program.rows)
    zero = device.run(request(compiled, chains=2, first_chain=0))
    assert around.states[2 * rows :] == zero.states


def test_tags_come_round(tap: Tap, device: Driver, compiled) -> None:
    for _ in range(40):  # 10 commands a run
        device.run(request(compiled, chains=1))
    assert len({p.tag for p in tap.sent}) == 256
    still_works(device, compiled)


def test_closing_twice_is_allowed(device: Driver, compiled) -> None:
    device.close()
    device.close()
    with pytest.raises(DeviceError, match="closed"):
        device.run(request(compiled))
