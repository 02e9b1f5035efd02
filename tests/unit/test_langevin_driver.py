"""The Langevin driver over a recorded golden stream: packets, interruptions, counts."""

from array import array
from collections.abc import Callable
from dataclasses import replace

import pytest
from driver_parts.tap import Tap
from langevin_parts.tap import (
    ROWS,
    SMALL,
    UNITS,
    conditions,
    entry,
    program,
    request,
    still_works,
)

from gibbsite.driver import Driver
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import CommandRefused, DeviceError, FingerprintMismatch
from gibbsite_hw.spec.langevin_packets import LANGEVIN_RECORDS, LangevinOpcode, LangevinResponse
from gibbsite_hw.spec.packets import Packet
from gibbsite_models.golden.device import GoldenStream


@pytest.fixture
def tap() -> Tap:
    return Tap(GoldenStream(SMALL))


@pytest.fixture
def device(tap: Tap) -> Driver:
    driver = Driver(tap)
    driver.load(program())
    return driver


def test_it_is_a_device(device: Driver) -> None:
    assert isinstance(device, Device)
    assert device.info.langevin == SMALL
    assert device.loads == 1
    still_works(device)


def test_packets_are_as_long_as_the_device_takes(tap: Tap, device: Driver) -> None:
    device.run(request(schedule=[entry()] * 40))
    for opcode, record in (*LANGEVIN_RECORDS.items(), (LangevinOpcode.WEIGHTS, 2)):
        packets = [p for p in tap.sent if p.opcode == opcode]
        assert packets, opcode
        for packet in packets:
            assert len(packet.payload) <= SMALL.payload_words
            assert (len(packet.payload) - 1) % record == 0
    entries = [p for p in tap.sent if p.opcode == LangevinOpcode.SCHEDULE]
    assert [p.payload[0] for p in entries] == list(range(0, 40, 3))
    weights = [p for p in tap.sent if p.opcode == LangevinOpcode.WEIGHTS]
    words = ROWS * SMALL.words(UNITS) + UNITS * (SMALL.words(UNITS) + SMALL.words(ROWS))
    assert sum(len(p.payload) - 1 for p in weights) == words * SMALL.multipliers // 2


def test_conditions_do_not_touch_couplings(tap: Tap, device: Driver) -> None:
    before = len(tap.sent)
    for state in (1 << 20, -(1 << 27)):
        under = conditions()
        under.clamps = {1: state}
        device.condition(under)
        result = device.run(request())
        assert set(result.states[1::UNITS]) == {state}
    opcodes = {p.opcode for p in tap.sent[before:]}
    op = LangevinOpcode
    assert opcodes == {
        op.BIASES, op.CONSTRAINTS, op.CLAMPS, op.WRITE, op.SCHEDULE, op.PAIRS, op.STATE, op.RUN,
    }  # fmt: skip
    assert device.loads == 1


def test_words_are_counted(tap: Tap, device: Driver) -> None:
    sent = sum(len(p.words()) for p in tap.sent)
    received = sum(map(len, tap.answers))
    assert (device.words_sent, device.words_received) == (sent, received)
    result = device.run(request())
    assert result.words_in == sum(len(p.words()) for p in tap.sent) - sent
    assert result.words_out == sum(map(len, tap.answers)) - received


def test_another_fingerprint_is_refused() -> None:
    class Other(GoldenStream):
        @property
        def parameters(self) -> DeviceParameters:
            return DeviceParameters.of(replace(SMALL, pairs=8))

    fingerprint = SMALL.fingerprint() if hasattr(SMALL, "fingerprint") else None
    with pytest.raises(
        FingerprintMismatch, match="units 8, constraints 4, multipliers 4"
    ) as caught:
        Driver(Other(SMALL))
    assert fingerprint is None or f"{fingerprint:016x}" in str(caught.value)


def test_nothing_runs_before_a_program(tap: Tap) -> None:
    device = Driver(tap)
    for use in (lambda: device.run(request()), lambda: device.condition(conditions())):
        with pytest.raises(DeviceError, match=r"call load\(\) first"):
            use()
    device.load(program())
    still_works(device)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_progress_may_stop_a_run(
    device: Driver, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gibbsite.link.PROGRESS_SECONDS", 0.0)
    heard: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        heard.append((done, total))
        if done >= 10:
            raise error

    with pytest.raises(error):
        device.run(request(chains=500, pairs=[]), progress=stop)
    assert heard == [(k, 500) for k in range(1, 11)]
    still_works(device)


def test_progress_ends_with_all_draws(device: Driver) -> None:
    heard: list[tuple[int, int]] = []
    device.run(request(draws=3), progress=lambda *pair: heard.append(pair))
    assert heard[-1] == (15, 15)


@pytest.mark.parametrize("opcode", ["RUN", "WRITE", "SCHEDULE", "STATE", "PAIRS"])
def test_an_interrupt_before_the_answer_leaves_a_working_device(
    tap: Tap, device: Driver, opcode: str
) -> None:
    def interrupt(packet: Packet) -> None:
        if packet.opcode == LangevinOpcode[opcode]:
            tap.on_send = None
            raise KeyboardInterrupt

    tap.on_send = interrupt
    with pytest.raises(KeyboardInterrupt):
        device.run(request(chains=50))
    assert tap.on_send is None
    still_works(device)


@pytest.mark.parametrize("kind", ["DRAW", "MOMENTS", "DONE"])
def test_an_interrupt_at_an_answer_leaves_a_working_device(
    tap: Tap, device: Driver, kind: str
) -> None:
    def interrupt(packet: list[int]) -> list[int]:
        if packet[0] >> 24 == LangevinResponse[kind]:
            tap.on_answer = None
            raise KeyboardInterrupt
        return packet

    tap.on_answer = interrupt
    with pytest.raises(KeyboardInterrupt):
        device.run(request())
    assert tap.on_answer is None
    still_works(device)


def test_an_interrupted_load_can_be_repeated(tap: Tap, device: Driver) -> None:
    def interrupt(packet: Packet) -> None:
        if packet.opcode == LangevinOpcode.WEIGHTS:
            tap.on_send = None
            raise KeyboardInterrupt

    tap.on_send = interrupt
    with pytest.raises(KeyboardInterrupt):
        device.load(program())
    with pytest.raises(DeviceError, match=r"call load\(\) first"):
        device.run(request())
    device.load(program())
    assert device.loads == 2
    still_works(device)


def test_a_device_that_was_reset_says_so_and_takes_a_program(tap: Tap, device: Driver) -> None:
    def reset(packet: list[int]) -> list[int]:
        if packet[0] >> 24 == LangevinResponse.DRAW:
            tap.on_answer = None
            tap.inner = GoldenStream(SMALL)
        return packet

    tap.on_answer = reset
    with pytest.raises(DeviceError):
        device.run(request())
    with pytest.raises(CommandRefused, match="it is EMPTY"):
        device.run(request())
    device.load(program())
    still_works(device)


def altered(kind: str, change: Callable[[list[int]], list[int]], tap: Tap) -> None:
    """Change the second packet of a kind."""
    seen = 0

    def alter(packet: list[int]) -> list[int]:
        nonlocal seen
        seen += packet[0] >> 24 == LangevinResponse[kind]
        if seen < 2 and kind != "DONE":
            return packet
        if packet[0] >> 24 != LangevinResponse[kind]:
            return packet
        tap.on_answer = None
        return change(packet)

    tap.on_answer = alter


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        (
            "DRAW",
            lambda p: [p[0], p[1] + 1, *p[2:]],
            "after 1 of 5 draws came a packet of 24 words",
        ),
        ("DRAW", lambda p: [p[0], p[1], 1, *p[3:]], "after 1 of 5 draws"),
        ("DRAW", lambda p: [p[0] - 1, *p[1:-1]], "a packet of 23 words .* another of 24 words"),
        ("DRAW", lambda p: [*p, 0], "says another length"),
        ("MOMENTS", lambda p: [p[0], 9, *p[2:]], "after 2 of 5 draws .* where another of 7 words"),
        (
            "MOMENTS",
            lambda p: [p[0] - 2, *p[1:-2]],
            "a packet of 5 words .* where another of 7 words",
        ),
        (
            "DONE",
            lambda p: [p[0] - 1, *p[1:-1]],
            "a packet of 12 words .* where another of 13 words",
        ),
    ],
)
def test_answers_that_do_not_fit_are_errors(
    tap: Tap, device: Driver, kind: str, change: Callable, words: str
) -> None:
    altered(kind, change, tap)
    with pytest.raises(DeviceError, match=words):
        device.run(request())
    assert tap.on_answer is None
    still_works(device)


def test_a_run_that_ends_early_is_an_error(tap: Tap, device: Driver) -> None:
    lost = []

    def lose(packet: list[int]) -> list[int]:
        while packet[0] >> 24 in (LangevinResponse.DRAW, LangevinResponse.MOMENTS):
            lost.append(packet)
            packet = tap.inner.receive()
        return packet

    tap.on_answer = lose
    with pytest.raises(DeviceError, match="ended after 0 draws and 5 were asked"):
        device.run(request())
    assert len(lost) == 10
    tap.on_answer = None
    still_works(device)


def test_packed_answers_give_the_same_result(device: Driver) -> None:
    class Packed:
        def __init__(self, words: "array[int]") -> None:
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
    packed.load(program())
    for fields in (
        {},
        {"samples": False, "best": False},
        {"pairs": []},
        {"draws": 7, "first_chain": 2**32 - 2},
        {"trajectory": True, "draws": 4, "thin": 3},
    ):
        wanted = request(chains=20, **fields)
        assert device.run(wanted) == packed.run(wanted)


def test_any_chain_can_be_replayed_alone(device: Driver) -> None:
    whole = device.run(request(draws=3, thin=2))
    alone = device.run(request(draws=3, thin=2, chains=1, first_chain=3))
    assert alone.states == whole.states[9 * UNITS : 12 * UNITS]
    for name in ("energies", "work", "heat", "best_energies", "steps"):
        assert getattr(alone, name) == getattr(whole, name)[9:12]
    assert alone.moments == whole.moments[6:8]
    around = device.run(request(chains=4, first_chain=2**32 - 2))
    assert around.states[2 * UNITS :] == device.run(request(chains=2)).states
    assert device.run(request(seed=8)).states != device.run(request()).states


def test_tags_come_round(tap: Tap, device: Driver) -> None:
    for _ in range(20):  # 16 commands a run
        device.run(request(chains=1))
    assert len({p.tag for p in tap.sent}) == 256
    still_works(device)


def test_closing_twice_is_allowed(device: Driver) -> None:
    device.close()
    device.close()
    with pytest.raises(DeviceError, match="closed"):
        device.run(request())
