"""The device's law against enumeration: k sweeps from one state, and runs at equilibrium.

Total variation of the reads must lie below the 99.9 % quantile of what multinomial draws of the
same size from the exact law show. The exact law is that of the codes that the device holds, so
nothing but the noise tables (1e-4 a draw at most) stands between the two.

Several copies of a model lie side by side in one program, each on lanes and rows of its own, and
every chain gives one read of each: so a draw that leans on a neighbouring lane's would show, too.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

import gibbsite
from gibbsite.driver import Driver
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import RunRequest
from gibbsite_models.exact.enumeration import Enumeration, noise_floor, total_variation
from gibbsite_models.exact.models import CodeModel, Layout, Placement, random_model
from gibbsite_models.golden.device import Engines, GoldenStream
from gibbsite_models.golden.graph import Chains, GraphEngine

READS = 20_000
MANY = 200_000
UNIT = 200
"""Energy code of one unit of energy; couplings and fields go up to one unit."""

BETAS = (0.3, 1.0, 2.5)
SWEEPS = (1, 3, 20)
NEAR = 1e-3
"""Distance to equilibrium at which two thinned draws count as independent: what is left of the one
in the other raises the expected total variation by about this fraction."""

SHORT = 32
"""Sweeps in which a chain must come that near for its stationary runs to be checked."""

MODELS = {
    # ten spins with fields, one clamped on and one off; groups of 3 to 7 states mixed with p-bits
    "spins": random_model(2, (1,) * 10, 0.35, UNIT, pinned=1, removed=1),
    "groups": random_model(0, (3, 1, 5, 1, 7, 1, 1), 0.3, UNIT, pinned=1, removed=1),
}
SIDE_BY_SIDE = {"spins": (16, 0), "groups": (8, 2)}
"""Copies in a program, and the log2 of the lanes that share a neighbour list."""


@dataclass
class Case:
    """A model on a device: its enumeration, its program of so many copies and its first state."""

    name: str
    parameters: GraphParameters
    copies: int = 1
    fold: int = 0
    classes: list[list[int]] | None = None

    def __post_init__(self) -> None:
        self.model: CodeModel = MODELS[self.name]
        self.exact: Enumeration = enumerated(self.name)
        many = self.model.copies(self.copies)
        self.place: Placement = Layout(self.parameters, many, self.fold).place(self.classes)
        # the law is that of the model's own colouring, whatever the rows are
        self.order: list[int] = [v for members in self.model.classes() for v in members]
        lowest = np.where(self.exact.allowed, self.exact.energies, -(10**9)).reshape(-1)
        self.first: list[int] = self.exact.bits(int(lowest.argmax()))

    def code(self, beta: float) -> int:
        return round(beta * (1 << self.parameters.beta_frac) / UNIT)

    def exact_beta(self, beta: float) -> float:
        """The beta of the code, for one unit of the energy code."""
        return self.code(beta) / (1 << self.parameters.beta_frac)

    def counts(self, device: Device, request: RunRequest, reads: int) -> NDArray[np.int64]:
        """How often each state was read, over all copies."""
        device.load(self.place.program)
        result = device.run(request)
        words = np.array(result.states, dtype=np.uint32).reshape(result.reads, -1)
        bits = self.place.bits(words).reshape(result.reads * self.copies, -1)[:reads]
        assert bits.shape[0] == reads
        counted = np.bincount(self.exact.index(bits), minlength=self.exact.energies.size)
        return counted.reshape(self.exact.shape).astype(np.int64)

    def relative_distance(
        self, device: Device, beta: float, sweeps: int, reads: int, seed: int = 1
    ) -> float:
        """Total variation of reads k sweeps after one state, over the quantile it must not pass."""
        request = RunRequest(
            array("I", [self.code(beta)]),
            seed=seed,
            chains=-(-reads // self.copies),
            sweeps_per_step=sweeps,
            state=self.place.words(self.first * self.copies),
        )
        law = law_after(self.name, self.exact_beta(beta), tuple(self.order), sweeps)
        distance = total_variation(self.counts(device, request, reads), law)
        return distance / floor_after(
            self.name, self.exact_beta(beta), tuple(self.order), sweeps, reads
        )

    def relative_distance_at_rest(
        self, device: Device, beta: float, thin: int, reads: int, draws: int = 25, seed: int = 2
    ) -> float:
        """The same for thinned draws of a few chains at equilibrium."""
        request = RunRequest(
            array("I", [self.code(beta)]),
            seed=seed,
            chains=-(-reads // (self.copies * draws)),
            draws=draws,
            sweeps_per_step=2 * thin,
            thin=thin,
        )
        law = self.exact.boltzmann(self.exact_beta(beta))
        distance = total_variation(self.counts(device, request, reads), law)
        return distance / floor_at_rest(self.name, self.exact_beta(beta), reads)

    def thin(self, beta: float) -> int | None:
        return relaxation(self.name, self.exact_beta(beta), tuple(self.order))


@cache
def enumerated(name: str) -> Enumeration:
    return Enumeration(MODELS[name])


@cache
def law_after(name: str, beta: float, order: tuple[int, ...], sweeps: int) -> NDArray[np.float64]:
    exact = enumerated(name)
    lowest = np.where(exact.allowed, exact.energies, -(10**9)).reshape(-1)
    return exact.after(exact.bits(int(lowest.argmax())), beta, order, sweeps)


@cache
def floor_after(name: str, beta: float, order: tuple[int, ...], sweeps: int, reads: int) -> float:
    return noise_floor(law_after(name, beta, order, sweeps), reads)


@cache
def floor_at_rest(name: str, beta: float, reads: int) -> float:
    return noise_floor(enumerated(name).boltzmann(beta), reads)


@cache
def relaxation(name: str, beta: float, order: tuple[int, ...]) -> int | None:
    return enumerated(name).relaxation(beta, order, NEAR, SHORT)


DEVICES = ["golden:", pytest.param("sim:?engines=graph", marks=pytest.mark.sim)]


@pytest.fixture(scope="module", params=DEVICES)
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    with gibbsite.open(request.param) as opened:
        yield opened


@pytest.mark.parametrize("sweeps", SWEEPS)
@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("name", list(MODELS))
def test_sweeps_from_one_state(device: Device, name: str, beta: float, sweeps: int) -> None:
    case = Case(name, device.info.graph, *SIDE_BY_SIDE[name])
    assert case.relative_distance(device, beta, sweeps, READS) < 1


@pytest.mark.nightly
@pytest.mark.parametrize("sweeps", SWEEPS)
@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("name", list(MODELS))
def test_many_sweeps_from_one_state(device: Device, name: str, beta: float, sweeps: int) -> None:
    case = Case(name, device.info.graph, *SIDE_BY_SIDE[name])
    assert case.relative_distance(device, beta, sweeps, MANY, seed=3) < 1


AT_REST = [("spins", 0.3), ("spins", 1.0), ("groups", 0.3), ("groups", 1.0), ("groups", 2.5)]
"""Where enumeration says that relaxation is short; cold spins need more than `SHORT` sweeps."""


def test_enumeration_says_where_relaxation_is_short() -> None:
    short = [
        (name, beta)
        for name in MODELS
        for beta in BETAS
        if Case(name, GraphParameters()).thin(beta) is not None
    ]
    assert short == AT_REST


@pytest.mark.parametrize(("name", "beta"), AT_REST)
def test_draws_at_rest(device: Device, name: str, beta: float) -> None:
    case = Case(name, device.info.graph, *SIDE_BY_SIDE[name])
    thin = case.thin(beta)
    assert thin is not None
    assert case.relative_distance_at_rest(device, beta, thin, READS) < 1


@pytest.mark.nightly
@pytest.mark.parametrize(("name", "beta"), AT_REST)
def test_many_draws_at_rest(device: Device, name: str, beta: float) -> None:
    case = Case(name, device.info.graph, *SIDE_BY_SIDE[name])
    thin = case.thin(beta)
    assert thin is not None
    assert case.relative_distance_at_rest(device, beta, thin, MANY, draws=250, seed=4) < 1


# --- planted faults: each must fail the very check above -----------------------------------------


class HotterEngine(GraphEngine):
    """Planted: every beta is 5 % too large."""

    def sweep(self, chains: Chains, beta_code: int) -> None:
        super().sweep(chains, round(beta_code * 1.05))


class ShiftingEngine(GraphEngine):
    """Planted: one new bit a draw, shifted into a lane's last uniform."""

    _last: "NDArray[np.uint32] | None" = None

    def seed(self, seed: int, chain_numbers: NDArray[np.uint64], best: bool) -> Chains:
        self._last = None
        return super().seed(seed, chain_numbers, best)

    def draw(self, chains: Chains) -> NDArray[np.uint32]:
        fresh = super().draw(chains)
        if self._last is not None:
            fresh = self._last << np.uint32(1) | fresh >> np.uint32(31)
        self._last = fresh
        return fresh


class CutEngine(GraphEngine):
    """Planted: the noise ends three standard deviations from its mean."""

    def noise(self, uniform: NDArray[np.uint32], gumbel: bool) -> NDArray[np.int64]:
        mean, variance = (np.euler_gamma, np.pi**2 / 6) if gumbel else (0.0, np.pi**2 / 3)
        ends = (mean + np.array([-3, 3]) * np.sqrt(variance)) * 2**self.parameters.score_frac
        least, most = ends.round().astype(np.int64)
        cut: NDArray[np.int64] = super().noise(uniform, gumbel).clip(least, most)
        return cut


def broken(engine: type[GraphEngine]) -> Driver:
    return Driver(GoldenStream(GraphParameters(), engines=Engines(graph=engine)))


PLANTED = [
    # where the fault's law lies further from the exact one than 20,000 reads scatter
    (HotterEngine, "spins", 1.0, 3),
    (HotterEngine, "groups", 2.5, 1),
    (ShiftingEngine, "spins", 1.0, 1),
    (ShiftingEngine, "groups", 1.0, 1),
    (CutEngine, "spins", 2.5, 3),
    (CutEngine, "groups", 2.5, 20),
]


@pytest.mark.parametrize(("engine", "name", "beta", "sweeps"), PLANTED)
def test_a_planted_fault_fails_the_same_check(
    engine: type[GraphEngine], name: str, beta: float, sweeps: int
) -> None:
    # one copy: a lane's successive draws then decide neighbours, where a shift by one bit shows
    case = Case(name, GraphParameters())
    with broken(engine) as device:
        assert case.relative_distance(device, beta, sweeps, READS) > 1
    with gibbsite.open("golden:") as device:
        assert case.relative_distance(device, beta, sweeps, READS) < 1


@pytest.mark.parametrize("engine", [HotterEngine, CutEngine])
def test_a_planted_fault_fails_at_rest(engine: type[GraphEngine]) -> None:
    case = Case("groups", GraphParameters())
    thin = case.thin(2.5)
    assert thin is not None
    with broken(engine) as device:
        assert case.relative_distance_at_rest(device, 2.5, thin, READS) > 1


@pytest.mark.parametrize("beta", [1.0, 2.5])
def test_two_neighbours_in_one_row_fail_the_same_check(
    beta: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = MODELS["spins"].classes()
    merged = [classes[0] + classes[1], *classes[2:]]
    case = Case("spins", GraphParameters(), classes=merged)
    with gibbsite.open("golden:") as device:
        with pytest.raises(ProgramError):
            device.load(case.place.program)
        monkeypatch.setattr("gibbsite.graph_driver.check_program", lambda program, parameters: None)
        assert case.relative_distance(device, beta, 3, READS) > 1
