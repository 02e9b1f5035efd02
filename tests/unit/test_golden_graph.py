"""The golden graph engine against a scalar interpreter of its page and against plain energies."""

from array import array
from dataclasses import dataclass, field

import numpy as np
import pytest

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import GraphProgram, RunRequest, decode_entry
from gibbsite_hw.spec.tables import noise_code
from gibbsite_models.exact.models import CodeModel, Layout, Placement, random_model
from gibbsite_models.golden import graph as golden_graph
from gibbsite_models.golden.graph import GraphEngine
from gibbsite_models.golden.noise import seed_streams

SMALL = GraphParameters(lanes=4, rows=64, words=256, schedule_steps=64, payload_words=64)
NARROW = GraphParameters(
    lanes=2, rows=64, words=512, weight_bits=6, bias_bits=8, beta_bits=16, beta_frac=14,
    score_frac=12, schedule_steps=64, payload_words=64, hash_rounds=1,
)  # fmt: skip


@dataclass
class Scalar:
    """One chain, word by word and lane by lane, as the page tells it; slow and plain."""

    parameters: GraphParameters
    program: GraphProgram
    streams: list[list[int]]
    spins: list[int] = field(default_factory=list)
    energy: int = 0

    def uniform(self, lane: int) -> int:
        s = self.streams[lane]
        out, t = s[0], s[1] << 9 & 0xFFFFFFFF
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = (s[3] << 11 | s[3] >> 21) & 0xFFFFFFFF
        return out

    def field_of(self, row: int, lane: int, word: int, spins: list[int], start: bool) -> int:
        p, r = self.parameters, self.program.rows[row]
        total = self.program.conditions.biases[row * p.lanes + lane]
        for at in range(word, word + r.length):
            for part in range(lane, lane + (1 << r.fold)):
                entry = self.program.entries[at * p.lanes + part]
                address, weight, state = decode_entry(p, entry)
                if not start or address // p.lanes < row:
                    total += weight * (spins[address] if state else 2 * spins[address] - 1)
        return total

    def one_pass(self, beta_code: int, start: bool, given: "array[int] | None" = None) -> None:
        p, conditions = self.parameters, self.program.conditions
        if start:
            self.spins = [0] * (len(self.program.rows) * p.lanes)
            self.energy = 0
        snapshot, word = list(self.spins), 0
        best: tuple[int, int, int] | None = None  # score, address, field
        old_field, group_slots = 0, list[int]()
        for number, row in enumerate(self.program.rows):
            noise = [self.uniform(lane) for lane in range(p.lanes)]
            if not row.group or row.first:
                best, old_field, group_slots = None, 0, []
            for lane in range(p.lanes):
                if not row.mask >> lane & 1:
                    continue
                address = number * p.lanes + lane
                f = self.field_of(number, lane, word, snapshot, start)
                on = conditions.clamps_on[number] >> lane & 1
                off = conditions.clamps_off[number] >> lane & 1
                drift = beta_code * (f if row.group else 2 * f) >> p.beta_shift
                score = noise_code(noise[lane], row.group, p.score_frac) - drift
                chosen = given[number] >> lane & 1 if given is not None else None
                if row.group:
                    group_slots.append(address)
                    old_field += f if snapshot[address] else 0
                    if chosen is not None:
                        score = chosen
                    elif on:
                        score = 1 << 62
                    if (not off or chosen) and (best is None or score > best[0]):
                        best = (score, address, f)
                    continue
                new = chosen if chosen is not None else int(bool(on or (score > 0 and not off)))
                if start:
                    self.energy += f if new else -f
                else:
                    self.energy += 2 * f * (new - snapshot[address])
                self.spins[address] = new
            if row.group and row.last:
                assert best is not None
                for address in group_slots:
                    self.spins[address] = int(address == best[1])
                self.energy += best[2] - (0 if start else old_field)
            word += row.length
            if row.barrier:
                snapshot = list(self.spins)

    def words(self) -> list[int]:
        lanes = self.parameters.lanes
        return [
            sum(self.spins[row * lanes + lane] << lane for lane in range(lanes))
            for row in range(len(self.program.rows))
        ]


def scalar_run(
    parameters: GraphParameters, program: GraphProgram, request: RunRequest
) -> list[tuple[int, list[int], int, list[int]]]:
    draws = []
    for chain in range(request.chains):
        number = np.array([(request.first_chain + chain) % (1 << 32)], dtype=np.uint64)
        streams = seed_streams(request.seed, number, parameters.lanes)[:, :, 0].T.tolist()
        machine = Scalar(parameters, program, streams)
        machine.one_pass(0, True, request.state)
        best = (machine.energy, machine.words())
        for draw in range(request.draws):
            betas = [b for b in request.betas for _ in range(request.sweeps_per_step)]
            if draw:
                betas = [request.betas[-1] if request.betas else 0] * request.thin
            for beta in betas:
                machine.one_pass(beta, False)
                if machine.energy < best[0]:
                    best = (machine.energy, machine.words())
            draws.append((machine.energy, machine.words(), *best))
    return draws


def golden_run(
    parameters: GraphParameters, program: GraphProgram, request: RunRequest
) -> list[tuple[int, list[int], int, list[int]]]:
    entries = np.array(program.entries, dtype=np.uint32).reshape(-1, parameters.lanes)
    engine = GraphEngine(parameters, program.rows, entries)
    engine.condition(program.conditions)
    draws = []
    for block in engine.run(request):
        for chain in range(block.energies.shape[0]):
            for draw in range(block.energies.shape[1]):
                draws.append(
                    (
                        int(block.energies[chain, draw]),
                        block.states[chain, draw].tolist(),
                        int(block.best_energies[chain, draw]),
                        block.best_states[chain, draw].tolist(),
                    )
                )
    return draws


def given_state(model: CodeModel, place: Placement) -> "array[int]":
    """Some state that keeps groups and clamps."""
    bits, starts = [0] * len(model.biases), model.starts
    for variable, size in enumerate(model.sizes):
        slots = range(starts[variable], starts[variable + 1])
        pinned = [slot for slot in slots if slot in model.on]
        free = [slot for slot in slots if slot not in model.off]
        if pinned:
            bits[pinned[0]] = 1
        elif free and (size > 1 or variable % 2):
            bits[free[-1]] = 1
    return place.words(bits)


CASES = [
    # parameters, sizes, fold, pinned, removed
    (SMALL, (1,) * 9, 0, 2, 1),
    (SMALL, (1, 3, 1, 7, 1, 4, 1), 0, 1, 2),
    (SMALL, (1, 3, 1, 7, 1, 4, 1), 1, 1, 2),
    (SMALL, (5, 1, 1, 9, 1), 2, 0, 2),
    (NARROW, (1, 2, 3, 5, 1, 1, 1), 0, 0, 1),
    (NARROW, (1, 2, 3, 5, 1, 1, 1), 1, 2, 0),
    (GraphParameters(), (1, 40, 17, 1, 16, 15), 0, 0, 2),
]


@pytest.mark.parametrize("state_given", [False, True])
@pytest.mark.parametrize("case", range(len(CASES)))
def test_every_bit_of_a_run_is_what_the_page_says(case: int, state_given: bool) -> None:
    parameters, sizes, fold, pinned, removed = CASES[case]
    model = random_model(case, sizes, 0.5, min(parameters.weight_max, 200), pinned, removed)
    place = Layout(parameters, model, fold).place()
    one = 1 << parameters.beta_frac
    request = RunRequest(
        betas=array("I", [one // 2500, one // 1200, one // 600]),
        seed=0xFEED_0000_0000_0001 + case,
        chains=5,
        draws=3,
        first_chain=0xFFFF_FFFE,
        sweeps_per_step=2,
        thin=2,
        best=True,
        state=given_state(model, place) if state_given else None,
    )
    golden = golden_run(parameters, place.program, request)
    assert golden == scalar_run(parameters, place.program, request)
    # one law for what stays and what moves: the runs are not all the same state
    assert len({tuple(state) for _, state, _, _ in golden}) > 3
    for energy, state, best_energy, best_state in golden:
        for code, words in ((energy, state), (best_energy, best_state)):
            bits = place.bits(np.array([words], dtype=np.uint32))[0].tolist()
            assert model.energy(bits) == code
        assert best_energy <= energy


def test_no_schedule_means_draws_at_beta_zero() -> None:
    model = random_model(3, (1, 4, 1), 0.5, 100)
    place = Layout(SMALL, model).place()
    request = RunRequest(array("I"), seed=4, chains=3, draws=4, thin=1, best=True)
    assert golden_run(SMALL, place.program, request) == scalar_run(SMALL, place.program, request)


@pytest.mark.parametrize("most", [1, 3, 8192])
def test_samples_do_not_depend_on_the_block(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_model(8, (1, 3, 1, 6, 1), 0.5, 150)
    place = Layout(SMALL, model).place()
    request = RunRequest(
        array("I", [3000, 9000]), seed=11, chains=7, draws=2, thin=3, best=True, first_chain=5
    )
    whole = golden_run(SMALL, place.program, request)
    monkeypatch.setattr(golden_graph, "MOST_CHAINS", most)
    assert golden_run(SMALL, place.program, request) == whole
    # any read can be replayed alone
    alone = RunRequest(
        request.betas, seed=11, chains=1, draws=2, thin=3, best=True, first_chain=5 + 4
    )
    assert golden_run(SMALL, place.program, alone) == whole[8:10]


def test_energies_at_the_ends_of_the_formats_do_not_overflow() -> None:
    p = GraphParameters(lanes=4, rows=8, words=64, payload_words=64)
    sizes = (1,) * 8
    couplings = {(i, j): -p.weight_max for i in range(8) for j in range(i + 1, 8)}
    model = CodeModel(sizes, (-p.bias_max,) * 8, couplings)
    place = Layout(p, model).place()
    request = RunRequest(array("I", [p.beta_max] * 3), chains=4, best=True)
    for energy, state, best_energy, _ in golden_run(p, place.program, request):
        bits = place.bits(np.array([state], dtype=np.uint32))[0].tolist()
        assert bits == [1] * 8
        assert energy == best_energy == model.energy(bits) == -8 * p.bias_max - 28 * p.weight_max


def test_formats_beyond_64_bits_are_refused() -> None:
    wide = GraphParameters(weight_bits=10, bias_bits=32, beta_bits=32, beta_frac=20)
    with pytest.raises(ProgramError, match="64 bits"):
        GraphEngine(wide, [], np.zeros((0, wide.lanes), dtype=np.uint32))


def test_counters_and_cycles_follow_the_page() -> None:
    model = random_model(5, (1, 1, 6, 1, 3), 0.6, 100)
    place = Layout(SMALL, model, 1).place()
    entries = np.array(place.program.entries, dtype=np.uint32).reshape(-1, SMALL.lanes)
    cost = GraphEngine(SMALL, place.program.rows, entries).cost
    rows = place.program.rows
    assert cost.cycles == sum(r.length for r in rows) + 8 * sum(r.barrier for r in rows)
    assert cost.seeding == SMALL.lanes * (20 // SMALL.hash_rounds + 1)
    assert cost.terms == 2 * len(model.couplings)
    assert cost.updates == len(model.biases)


def test_a_group_costs_no_more_than_its_rows_and_one_barrier() -> None:
    p = GraphParameters()
    for size in (2, p.lanes - 1, p.lanes, p.lanes + 1, 256):
        couplings = {(slot, size): 3 for slot in range(size)}
        model = CodeModel((size, 1), (0,) * (size + 1), couplings)
        place = Layout(p, model).place([[0], [1]])
        rows = [row for row in place.program.rows if row.group]
        cost = sum(row.length for row in rows) + 8 * sum(row.barrier for row in rows)
        assert cost <= -(-size // p.lanes) * 1 + 8
