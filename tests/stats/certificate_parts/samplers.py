"""A Gibbs sampler in plain NumPy, one walker a column, sound or with a planted fault."""

import math

import numpy as np
from certificate_parts.cases import Case

CUT = 3 * math.pi / math.sqrt(3)
"""Three standard deviations of the logistic law; for Gumbel noise see `Noise`."""

FAULTS = ("hotter", "colder", "stuck", "shifted", "together", "clipped", "redrawn")
"""beta 3 % off, one spin stuck, one-shift noise, two colours at once, tails cut at 3 sigma."""


class Noise:
    """Logistic or Gumbel noise, sound or broken, for ``[slot, walker]``."""

    def __init__(self, rng: np.random.Generator, slots: int, walkers: int, fault: str) -> None:
        self._rng, self._fault = rng, fault
        self._registers = None
        if fault == "shifted":
            self._registers = rng.integers(1, 1 << 32, (slots, walkers), dtype=np.uint32)

    def uniform(self, slots: np.ndarray, walkers: int) -> np.ndarray:
        if self._registers is None:
            return self._rng.random((len(slots), walkers))
        register = self._registers[slots]
        new = (register ^ register >> 10 ^ register >> 30 ^ register >> 31) & np.uint32(1)
        register = register >> np.uint32(1) | new << np.uint32(31)
        self._registers[slots] = register
        return (register + 0.5) / 2.0**32

    def logistic(self, slots: np.ndarray, walkers: int) -> np.ndarray:
        u = self.uniform(slots, walkers)
        if self._fault == "redrawn":
            edge = 1 / (1 + math.exp(CUT))
            u = edge + u * (1 - 2 * edge)
        z = np.log(u / (1 - u))
        return np.clip(z, -CUT, CUT) if self._fault == "clipped" else z

    def gumbel(self, slots: np.ndarray, walkers: int) -> np.ndarray:
        u = self.uniform(slots, walkers)
        middle, sigma = 0.5772156649, math.pi / math.sqrt(6)
        top = math.exp(-math.exp(-(middle + 3 * sigma)))
        z = -np.log(-np.log(u * top if self._fault == "redrawn" else u))
        return np.minimum(z, middle + 3 * sigma) if self._fault == "clipped" else z


def walk(case: Case, fault: str, seed: int, walkers: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts ``[walker, variable]`` at beta = 0 and draws ``[walker, draw, variable]``."""
    model, rng = case.model, np.random.default_rng(seed)
    slots, count, cases = model.slots, model.variables, case.cases
    weights = np.zeros((slots, slots))
    np.add.at(weights, (model.low, model.high), model.weight)
    weights += weights.T
    beta = case.beta * {"hotter": 0.97, "colder": 1.03}.get(fault, 1.0)
    noise = Noise(rng, slots, walkers, fault)
    is_spin = bool(model.spin[0])
    if is_spin:
        v = rng.choice([-1.0, 1.0], size=(count, walkers))
    else:
        v = np.eye(cases)[rng.integers(cases, size=(count, walkers))]
        v = np.ascontiguousarray(v.transpose(0, 2, 1)).reshape(slots, walkers)
    value = (lambda: v) if is_spin else (lambda: v.reshape(count, cases, walkers).argmax(axis=1))
    starts = value().T.astype(np.int64)
    draws = np.empty((case.draws, count, walkers), dtype=np.int8)
    for sweep in range(60 + case.draws * case.thin):
        seen = v.copy() if fault == "together" else v
        for number, members in enumerate(case.colours):
            source = seen if number < 2 else v
            own = members if is_spin else (members[:, None] * cases + np.arange(cases)).reshape(-1)
            field = weights[own] @ source + model.linear[own, None]
            if is_spin:
                v[own] = np.where(noise.logistic(own, walkers) > 2 * beta * field, 1.0, -1.0)
            else:
                score = (noise.gumbel(own, walkers) - beta * field).reshape(-1, cases, walkers)
                best = score.argmax(axis=1)
                v[own] = (best[:, None] == np.arange(cases)[:, None]).reshape(-1, walkers)
            if fault == "stuck" and is_spin:
                v[5] = 1.0
            elif fault == "stuck":
                v[5 * cases : 6 * cases] = np.eye(cases)[0][:, None]
        if sweep >= 60 and (sweep - 60) % case.thin == 0:
            draws[(sweep - 60) // case.thin] = value()
    return starts, draws.transpose(2, 0, 1)
