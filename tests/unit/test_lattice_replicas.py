"""Replicas of the compiled lattice: threads that share them, Ctrl-C, how they are cut."""

import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from gibbsite.devices import open as open_device
from gibbsite_sim.cosim.lattice_programs import random_program
from gibbsite_sim.fast.device import FastDevice
from gibbsite_sim.fast.lattice import FastLatticeEngine

BUILD = "engines=lattice&rows=64&columns=64"
COUNT = 75
"""Replicas: more than two parts, the last of them short."""


def opened(threads: int, columns: int = 6) -> FastDevice:
    """A device with a program of couplings and biases of all sizes."""
    device = open_device(f"fast:?{BUILD}&threads={threads}")
    assert isinstance(device, FastDevice)
    rng = np.random.default_rng(5)
    device.load(random_program(device.info.lattice, columns, rng, style="any", biased=True))
    return device


@pytest.fixture(params=[1, 2, 3])
def threaded(request: pytest.FixtureRequest) -> Iterator[FastDevice]:
    with opened(request.param) as device:
        yield device


def asked() -> tuple[np.ndarray, np.ndarray]:
    """Chain numbers and betas of their own, hot to cold."""
    return np.arange(40, 40 + COUNT), np.linspace(1 << 14, 1 << 20, COUNT).astype(np.int64)


def moved(device: FastDevice) -> tuple[list[list[int]], list[int]]:
    """States and energies after two calls, the second from the states of the first."""
    chains, betas = asked()
    first = device.run_lattice_replicas(9, chains, betas, None, 7)
    assert first is not None
    second = device.run_lattice_replicas(9, chains + COUNT, betas, first.states, 5)
    assert second is not None
    return second.states.tolist(), second.energies.tolist()


def alone(device: FastDevice) -> tuple[list[list[int]], list[int]]:
    """The same, replica by replica, so that none has a neighbour."""
    chains, betas = asked()
    states, energies = [], []
    for chain, beta in zip(chains, betas, strict=True):
        at = np.array([beta])
        first = device.run_lattice_replicas(9, np.array([chain]), at, None, 7)
        assert first is not None
        second = device.run_lattice_replicas(9, np.array([chain + COUNT]), at, first.states, 5)
        assert second is not None
        states += second.states.tolist()
        energies += second.energies.tolist()
    return states, energies


def test_threads_change_no_bit(threaded: FastDevice) -> None:
    with opened(1) as single:
        assert moved(threaded) == alone(single)


def test_a_replica_that_takes_anothers_number_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted fault: every part begins to count where the first one did."""
    made = FastLatticeEngine.replicas
    with opened(2) as device, opened(1) as single:
        wanted = alone(single)
        monkeypatch.setattr(
            FastLatticeEngine,
            "replicas",
            lambda engine, seed, numbers: made(engine, seed, numbers - numbers[0] + 40),
        )
        assert moved(device) != wanted


@pytest.mark.parametrize(
    ("threads", "replicas", "sizes"),
    [
        (1, 5, [5]),
        (1, 200, [64, 64, 64, 8]),
        (2, 32, [32]),
        (2, 64, [32, 32]),
        (2, 75, [32, 32, 11]),
        (2, 128, [64, 64]),
        (4, 128, [32, 32, 32, 32]),
    ],
)
def test_parts_are_whole_vectors_and_enough_for_all_threads(
    threads: int, replicas: int, sizes: list[int]
) -> None:
    with opened(threads) as device:
        engine = device._stream.lattice_engine()
        assert engine is not None
        parts = engine.parts(replicas)
    numbers = np.arange(replicas)
    assert [len(numbers[part]) for part in parts] == sizes
    assert np.concatenate([numbers[part] for part in parts]).tolist() == numbers.tolist()


def test_tables_follow_the_betas_that_are_asked_for() -> None:
    with opened(1) as device:
        engine = device._stream.lattice_engine()
        assert engine is not None
        few, many = np.array([3, 1 << 18]), np.array([3, 1 << 19])
        assert engine.tables(few) is engine.tables(few.copy())
        for codes in (few, many, few):
            wanted = [engine.table(int(code)).tolist() for code in codes]
            assert engine.tables(codes).tolist() == wanted


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_ctrl_c_ends_it_within_a_second_and_leaves_it_working(threads: int) -> None:
    with opened(threads, columns=64) as device:
        ended_by_ctrl_c(device)


def ended_by_ctrl_c(device: FastDevice) -> None:
    """Ring in the middle of half a minute's work, twice; what follows is as before."""
    main = threading.main_thread().ident
    assert main is not None
    before = moved(device)
    chains, betas = asked()
    rung: list[float] = []

    def ring() -> None:
        rung.append(time.monotonic())
        signal.pthread_kill(main, signal.SIGINT)

    for delay in (0.05, 0.3):
        timer = threading.Timer(delay, ring)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            device.run_lattice_replicas(9, chains, betas, None, 60_000)
        # slices take less than a tenth; a busy machine may take ten times as long
        assert time.monotonic() - rung[-1] < 1.0
        assert moved(device) == before
