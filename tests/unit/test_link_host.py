"""Both ends of the link over a line that loses, flips, doubles and invents bytes, without a clock.

Whatever happens, the packets that come out are the first ones that went in, in order; once the line
is good again all of them come out.
"""

from collections import deque
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gibbsite_hw.spec.frames import FROM_DEVICE, Frame, Kind
from gibbsite_models.golden.link import DeviceEnd
from gibbsite_models.golden.link_host import Failure, HostEnd, Timing
from gibbsite_sim.line_faults import FaultRates, FaultyLine

TIMING = Timing(repeat=0.05, idle=0.25, silence=2.0)
STEP = 0.004


class Pair:
    """A host's and a device's end, a shell that echoes packets, and the two lines between them."""

    def __init__(self, seed: int, rates: FaultRates, device: DeviceEnd | None = None) -> None:
        self.host = HostEnd(7, TIMING)
        self.device = device or DeviceEnd()
        self.down, self.up = FaultyLine(seed, rates), FaultyLine(seed + 1, rates)
        self.now = 0.0
        self.arrived: list[list[int]] = []
        self._random = Random(seed)
        self._part: list[int] = []
        self._on_the_way: deque[bytes] = deque()

    def step(self) -> None:
        """A few milliseconds: the shell takes and gives now and then."""
        self.now += STEP
        self.device.feed(self.down.carry(self.host.output(self.now)))
        if self._random.random() < 0.7 and (part := self.device.take()) is not None:
            words, last = part
            self._part.extend(words)
            if last:
                self.arrived.append(self._part)
                self.device.give([~word & 0xFFFF_FFFF for word in self._part])
                self._part = []
        if self._random.random() < 0.8:
            self._on_the_way.append(self.device.transmit())
        if self._random.random() < 0.9 and self._on_the_way:
            self.host.feed(self.up.carry(self._on_the_way.popleft()), self.now)

    def steps(self, seconds: float) -> None:
        """So much time."""
        for _ in range(int(seconds / STEP)):
            self.step()

    def heal(self) -> None:
        """The line is good from here on."""
        self.down.rates = self.up.rates = FaultRates()


def packets(seed: int, number: int = 12) -> list[list[int]]:
    rng = Random(seed)
    return [
        [rng.getrandbits(32) for _ in range(rng.choice([1, 5, 31, 32, 100]))] for _ in range(number)
    ]


def carried(pair: Pair, sent: list[list[int]]) -> None:
    """Send all, let the line be bad for a while and good afterwards; nothing may be lost."""
    for packet in sent:
        pair.host.send(packet)
    pair.steps(1.5)
    back = [[~word & 0xFFFF_FFFF for word in packet] for packet in sent]
    assert pair.arrived == sent[: len(pair.arrived)]
    assert list(pair.host.packets) == back[: len(pair.host.packets)]
    pair.heal()
    pair.steps(6)
    assert pair.host.failure is None
    assert pair.arrived == sent
    assert list(pair.host.packets) == back


RATES = st.builds(
    FaultRates,
    flipped=st.sampled_from([0, 1e-3, 1e-2]),
    lost=st.sampled_from([0, 1e-3, 1e-2]),
    doubled=st.sampled_from([0, 1e-3, 1e-2]),
    bursts=st.sampled_from([0, 1e-3, 5e-3]),
)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), RATES)
def test_nothing_is_lost(seed: int, rates: FaultRates) -> None:
    carried(Pair(seed, rates), packets(seed))


class Deaf(DeviceEnd):
    """The planted fault: an end that takes a repeated frame a second time."""

    def _act(self, frame: Frame) -> None:
        if frame.plain == Kind.DATA and frame.sequence == (self.expected - 1) % 16:
            self.expected -= 1
            self._taken -= 1
        super()._act(frame)


def test_a_doubled_frame_is_seen() -> None:
    def all_of_them() -> None:
        for seed in range(20):
            carried(Pair(seed, FaultRates(lost=1e-2), Deaf()), packets(seed))

    with pytest.raises(AssertionError):
        all_of_them()


def test_a_reset_device_is_a_stranger() -> None:
    pair = Pair(1, FaultRates())
    pair.host.send([1, 2])
    pair.steps(0.5)
    assert pair.host.failure is None
    pair.device = DeviceEnd()
    pair.steps(0.5)
    assert pair.host.failure is Failure.STRANGER


def test_another_session_takes_the_device_over() -> None:
    pair = Pair(1, FaultRates())
    pair.steps(0.2)
    pair.device.feed(Frame(Kind.RESET, 8).line())
    pair.steps(0.5)
    assert pair.host.failure is Failure.STRANGER


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"", Failure.NO_ANSWER),
        (b"noise\0", Failure.NO_ANSWER),
        (Frame(Kind.RESET, 7).line(), Failure.ECHO),
        (Frame(Kind.READY | FROM_DEVICE, 8, words=(1,)).line(), Failure.NO_ANSWER),
        (Frame(Kind.READY | FROM_DEVICE, 7, words=(2 << 16,)).line(), Failure.VERSION),
    ],
)
def test_who_answers_wrongly_is_not_opened(answer: bytes, failure: Failure) -> None:
    """Within the stated silence and one step, never later."""
    host, now = HostEnd(7, TIMING), 0.0
    while host.failure is None:
        now += STEP
        assert now < TIMING.silence + 3 * STEP
        host.output(now)
        host.feed(answer, now)
    assert host.failure is failure
    assert host.output(now) == b""


def test_a_silent_device_is_given_up() -> None:
    """After an answer, too; and a host that slept does not take its own sleep for silence."""
    pair = Pair(1, FaultRates())
    pair.steps(1)
    pair.now += 100
    pair.steps(1)
    assert pair.host.failure is None
    pair.up.rates = FaultRates(lost=1)
    pair.steps(TIMING.silence + TIMING.idle + 0.1)
    assert pair.host.failure is Failure.SILENCE


def test_sessions_have_numbers() -> None:
    with pytest.raises(ValueError, match="draw another"):
        HostEnd(0, TIMING)


def test_timing_follows_the_rate() -> None:
    """Two full windows and the adapter's delay: 8 x 135 bytes of 10 bits each, 25 ms."""
    assert Timing.of(1_000_000).repeat == pytest.approx(0.025 + 2 * 8 * 135e-5, rel=1e-9)
    assert Timing.of(9600).silence > 16 * 2
