"""The unmodified driver of ``uart:`` on the RTL at bit level, through a UART model not ours.

The simulator serves a pseudo-terminal (`benches/bench_serial_device.py`); the driver opens it like
any serial port. What every device must do is checked here in short; the conformance suite runs on
the faster simulation of the same pins.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import dimod
import numpy as np
import pytest

from gibbsite.compiler import compile_model
from gibbsite.devices import open as open_device
from gibbsite_hw.spec.errors import CommandRefused, FingerprintMismatch
from gibbsite_hw.spec.packets import Opcode
from gibbsite_hw.spec.program import RunRequest, RunResult
from gibbsite_sim.cosim.build import SMALL, Bench
from gibbsite_sim.cosim.run import CosimFailed, Report, cosimulate

pytestmark = pytest.mark.sim

BENCHES = Path(__file__).parent / "benches"

BAUD = 57600
"""What the driver is told, so that its time-outs fit a simulation that is slower than any board."""

SIZES = "&".join(f"{name}={value}" for name, value in asdict(SMALL).items())


@contextmanager
def served(bench: Bench, folder: Path) -> Iterator[str]:
    """The path of a terminal with the RTL behind it. Raises `CosimFailed` if the bench failed."""
    bench.build()
    outcome: list[Report | CosimFailed] = []

    def simulate() -> None:
        try:
            outcome.append(cosimulate(bench, BENCHES, "bench_serial_device", folder))
        except CosimFailed as failed:
            outcome.append(failed)

    thread = Thread(target=simulate)
    thread.start()
    try:
        end = monotonic() + 60
        while not (folder / "port").exists():
            assert thread.is_alive(), outcome
            assert monotonic() < end, "the bench did not start"
            sleep(0.05)
        yield (folder / "port").read_text("utf-8")
    finally:
        (folder / "stop").touch()
        thread.join()
    if isinstance(outcome[0], CosimFailed):
        raise outcome[0]
    assert outcome[0].passed == ("serves_a_terminal",)


def model() -> dimod.BinaryQuadraticModel:
    """Twelve spins with couplings and fields of both signs."""
    rng = np.random.default_rng(3)
    spins = dimod.BinaryQuadraticModel("SPIN")
    for at in range(12):
        spins.add_linear(at, int(rng.integers(-5, 6)))
        for other in range(at):
            if rng.random() < 0.3:
                spins.add_quadratic(at, other, int(rng.integers(-6, 7)))
    return spins


def same(one: RunResult, other: RunResult) -> None:
    """Every draw and every counter, to the bit."""
    assert list(one.states) == list(other.states)
    assert list(one.energies) == list(other.energies)
    assert one.counters == other.counters
    assert one.reads == other.reads > 0


class Enough(Exception):
    """What `progress` raises to end a run."""


def test_driver_at_the_pins(tmp_path: Path) -> None:
    """A whole program against golden, a refusal, an aborted run, a second session."""
    folder = tmp_path / "serial"
    folder.mkdir()
    compiled = compile_model(model(), SMALL)
    betas = compiled.betas(np.array([0.05, 0.2, 0.4]))
    request = RunRequest(seed=77, chains=2, draws=6, betas=betas, thin=2)
    query = f"engines=graph&{SIZES}"
    with open_device(f"golden:?{query}") as golden:
        golden.load(compiled.program)
        expected = golden.run(request)
    with served(Bench("serial_device"), folder) as port:
        uri = f"uart:{port}?baud={BAUD}&{query}"
        with pytest.raises(FingerprintMismatch, match="fingerprint"):
            open_device(f"uart:{port}?baud={BAUD}&like=small")
        with open_device(uri) as device:
            assert device.info.uri == uri
            device.load(compiled.program)
            same(device.run(request), expected)

            def stop(_done: int, _of: int) -> None:
                raise Enough

            with pytest.raises(Enough):
                device.run(replace(request, draws=1000), stop)
            same(device.run(request), expected)
            link = device._graph_driver._link
            with pytest.raises(CommandRefused):
                link.command(Opcode.ENTRIES, [0, 1, 2, 3, 4])  # nothing is being loaded
            same(device.run(request), expected)
            with pytest.raises(AssertionError):  # the planted fault: another seed is seen
                same(device.run(replace(request, seed=78)), expected)
        with open_device(uri) as device:  # a new session: the device was reset
            device.load(compiled.program)
            same(device.run(request), expected)
