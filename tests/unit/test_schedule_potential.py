"""Schedules of continuous times: rows, orders as conditions, their model, and the alternation."""

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import dimod
import numpy as np
import pytest

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.alternation import alternate, draw_bits
from gibbsite_models.energies.potential import Array
from gibbsite_models.energies.scheduling import Order, SchedulingEnergy, Task


def shop(scale: float = 2.0) -> SchedulingEnergy:
    """Two machines, a tool that serves one task, precedence, windows and a wish."""
    return SchedulingEnergy(
        [
            Task("a", 3, "m1"),
            Task("b", 2, "m1", demand={"tool": 1}),
            Task("c", 2, "m2", release=1),
            Task("d", 4, "m2", deadline=10),
            Task("e", 1, "m1", preference=6),
            Task("f", 2, demand={"tool": 1}),
        ],
        precedence=[("a", "c"), ("b", "d")],
        capacity={"tool": 1},
        horizon=16,
        scale=scale,
    )


def crew() -> SchedulingEnergy:
    """Seven tasks of which any two may run together, but not three."""
    tasks = [Task(f"t{i}", 2 + i % 3, demand={"crew": 1}) for i in range(7)]
    return SchedulingEnergy(tasks, [("t0", "t3")], {"crew": 2}, horizon=24)


def overlap(energy: SchedulingEnergy, starts: Mapping[str, float]) -> float:
    """The longest time for which something is used twice or too much, written out apart."""
    tasks, worst = energy.set.tasks, 0.0
    end = {t.name: starts[t.name] + t.duration for t in tasks}
    for s, t in itertools.combinations(tasks, 2):
        if s.machine is not None and s.machine == t.machine:
            together = min(end[s.name], end[t.name]) - max(starts[s.name], starts[t.name])
            worst = max(worst, together)
    for resource, most in energy.set.capacity.items():
        users = [t for t in tasks if t.demand.get(resource)]
        for count in range(2, len(users) + 1):
            for some in itertools.combinations(users, count):
                if sum(t.demand[resource] for t in some) > most:
                    shared = min(end[t.name] for t in some) - max(starts[t.name] for t in some)
                    worst = max(worst, shared)
    return worst


def test_pairs_are_found_and_orders_are_conditions() -> None:
    energy = shop()
    assert set(energy.choices) == {("a", "b"), ("a", "e"), ("b", "e"), ("c", "d"), ("b", "f")}
    assert energy.arcs == []
    assert len(crew().arcs) == 20  # 21 pairs less the one that precedence decides
    order = {("b", "a"), ("c", "d")}
    changed = energy.potential.conditioned(energy.order_condition(order))
    z = np.random.default_rng(2).normal(size=(10, 6)) * 3
    expected = energy.energy(z)
    for first, second, duration in (("b", "a", 2), ("c", "d", 2)):
        i, j = energy.names.index(first), energy.names.index(second)
        expected = expected + 10 * np.maximum(z[:, i] + duration / 2 - z[:, j], 0) ** 2
    assert changed.energy(z) == pytest.approx(expected)
    assert energy.ordered(order).energy(z) == pytest.approx(expected)
    assert (changed.K == energy.potential.K).all()  # couplings stay
    assert (changed.d == energy.potential.d).all()
    with pytest.raises(
        ProgramError, match=re.escape("('a', 'd') is no pair that an order decides")
    ):
        energy.ordered([("a", "d")])
    with pytest.raises(ProgramError, match="and its reverse"):
        energy.ordered([("a", "b"), ("b", "a")])


def test_gradients_are_exact_under_an_order() -> None:
    p = shop().ordered([("b", "a"), ("a", "e"), ("d", "c"), ("f", "b")])
    z, step = np.random.default_rng(3).normal(size=(30, 6)) * 4, 1e-6
    found = np.stack(
        [(p.energy(z + step * e) - p.energy(z - step * e)) / (2 * step) for e in np.eye(6)], axis=-1
    )
    assert np.abs(found - p.gradient(z)).max() < 1e-4  # rounding, 1e-16 * 1e4 / 1e-6
    p.check()


def test_the_order_model_is_the_conditional_law_without_cycles() -> None:
    energy = SchedulingEnergy(
        [Task(n, d, "m") for n, d in zip("abc", (2, 3, 1), strict=True)], horizon=9
    )
    z = np.array([1.0, 1.5, 0.7])
    model, base = energy.order_model(z), float(energy.energy(z))
    cyclic = []
    for bits in itertools.product((0, 1), repeat=3):
        sample = dict(zip(model.variables, bits, strict=True))
        order = energy.read_order(sample)
        rest = {n: sum(pair[1] == n for pair in order) for n in "abc"}
        if sorted(rest.values()) == [0, 1, 2]:
            expected = float(energy.ordered(order).energy(z)) - base
            assert model.energy(sample) == pytest.approx(expected)
        else:
            cyclic.append(float(model.energy(sample)))
    assert len(cyclic) == 2
    assert min(cyclic) > dimod.ExactSolver().sample(model).first.energy + 1


def test_bits_are_drawn_by_boltzmanns_law() -> None:
    ab, ac, bc = (("order", *pair) for pair in ("ab", "ac", "bc"))
    model = dimod.BinaryQuadraticModel(
        {ab: 0.5, ac: -1.0, bc: 0.2}, {(ab, ac): 0.8, (ab, bc): -1.1}, dimod.BINARY
    )
    kT, draws = 0.6, 3000
    states = list(itertools.product((0, 1), repeat=3))
    energies = [float(model.energy(dict(zip(model.variables, s, strict=True)))) for s in states]
    weight = np.exp(-np.array(energies) / kT)
    weight /= weight.sum()
    found = Counter(tuple(draw_bits(model, kT, seed).values()) for seed in range(draws))
    seen = np.array([found[s] for s in states]) / draws
    # 4 standard errors of a share; the cooling ends at kT in its last sweep, 1/30 of its way above
    bound = 4 * np.sqrt(weight / draws) + 0.02
    assert (np.abs(seen - weight) < bound).all()
    assert (np.abs(seen - np.full(8, 1 / 8)) > bound).any()


def test_overloads_are_minimal_sets_that_nothing_keeps_apart() -> None:
    energy = crew()
    z = energy.states({f"t{i}": 10.0 * (i > 2) + 5 * (i > 4) for i in range(7)})
    assert energy.overloads(z) == [("crew", ("t0", "t1", "t2"))]
    assert energy.overloads(z, [("t0", "t2")]) == []
    model = energy.order_model(z)
    assert {v[0] for v in model.variables} == {"arc"}
    best = dimod.ExactSolver().sample(model).first.sample
    assert sum(best.values()) == 1
    kept = energy.read_order(best)
    assert len(kept) == 1
    assert energy.in_order(kept).order_model(z).num_variables == 0
    # an arc is kept, and its reverse, or one that closes a circle, is not taken
    (pair,) = kept
    assert energy.in_order(kept).read_order({("arc", *pair[::-1]): 1}) == kept


@pytest.mark.parametrize("make", [shop, crew])
def test_schedules_are_reached_as_the_bath_cools(make: Callable[[], SchedulingEnergy]) -> None:
    for seed in range(3):
        found = alternate(make(), seed, rounds=50, steps=150, hot=20.0, cold=1e-3, tolerance=0.05)
        starts = found.energy.values(found.z)
        assert found.energy.feasible(found.z, 0.2)
        assert overlap(found.energy, starts) <= 0.2
        for task in found.energy.set.tasks:
            assert starts[task.name] >= task.release - 0.2
            assert starts[task.name] + task.duration <= (task.deadline or 24) + 0.2
    again = alternate(make(), 2, rounds=50, steps=150, hot=20.0, cold=1e-3, tolerance=0.05)
    assert (again.z == found.z).all()
    assert again.order == found.order


def test_without_drawn_orders_no_schedule_is_found() -> None:
    def always(model: dimod.BinaryQuadraticModel, kT: float, seed: int) -> dict[Any, int]:
        return dict.fromkeys(model.variables, 1)

    # all bits set: c before d, though d ends by 6 and c cannot end before 5
    tight = [Task("a", 3, "m1"), Task("c", 2, "m2"), Task("d", 4, "m2", deadline=6)]
    energy = SchedulingEnergy(tasks=tight, precedence=[("a", "c")], horizon=10)
    good = alternate(energy, 1, rounds=30, hot=20.0, tolerance=0.05)
    bad = alternate(energy, 1, rounds=30, hot=20.0, tolerance=0.05, draw=always)
    assert good.order == Order({("d", "c")})
    assert good.energy.feasible(good.z, 0.2)
    assert not bad.energy.feasible(bad.z, 0.2)


def test_feasible_looks_at_times_and_not_at_orders() -> None:
    energy = shop()
    starts = {"a": 2.0, "b": 0.0, "c": 6.0, "d": 2.0, "e": 5.0, "f": 2.0}
    z = energy.states(starts)
    assert energy.feasible(z, 1e-9)
    assert overlap(energy, starts) == 0
    late: list[tuple[str, float]] = [("a", 1.5), ("e", 4.5), ("f", 1.0), ("c", 0.5), ("d", 7.0)]
    for name, time in late:
        assert not energy.feasible(energy.states(starts | {name: time}), 0.3), name
    both: Array = np.stack([z, energy.states(starts | {"a": 1.5})])
    assert energy.feasible(both, 0.3).tolist() == [True, False]


T = Task("t", 2)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Task("t", -1), "duration of 't' must be finite and at least 0 and is -1"),
        (lambda: Task("t", math.nan), "the duration of 't' must be finite"),
        (
            lambda: Task("t", 1, demand={"r": -1}),
            "what 't' demands of 'r' must be finite and at least 0",
        ),
        (lambda: SchedulingEnergy([]), "at least 1"),
        (lambda: SchedulingEnergy([T, T]), "different names"),
        (lambda: SchedulingEnergy([T], [("t", "u")]), "names 'u', which is no task"),
        (
            lambda: SchedulingEnergy([T], capacity={"r": 0}),
            "capacity of 'r' must be finite and above 0",
        ),
        (lambda: SchedulingEnergy([Task("t", 1, demand={"r": 1})]), "which is no resource"),
        (lambda: SchedulingEnergy([Task("t", 1, demand={"r": 3})], (), {"r": 2}), "which has 2"),
        (lambda: SchedulingEnergy([T, Task("u", 1)], [("t", "u"), ("u", "t")]), "circular"),
        (
            lambda: SchedulingEnergy([Task("t", 2, release=3, deadline=4)]),
            "release 3 and duration 2, and must end by its deadline 4",
        ),
        (lambda: SchedulingEnergy([T, Task("u", 2)], [("t", "u")], horizon=3), "must start by"),
        (lambda: SchedulingEnergy([T], horizon=math.inf), "the horizon must be finite"),
        (
            lambda: SchedulingEnergy([Task("t", 2, "m"), Task("u", 2, "m")], horizon=3),
            "machine 'm' has 4 of work and 3 of time",
        ),
        (lambda: alternate(shop(), 1, hot=0.1, cold=1), "kT must fall from hot to cold"),
    ],
)
def test_what_has_no_schedule_is_refused(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ProgramError, match=re.escape(sentence)):
        make()
