"""The compiled emulator's graph engine against golden, to the bit: programs, runs, replicas."""

import os
import subprocess
import sys
from array import array
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gibbsite.driver import Driver
from gibbsite_hw.spec.errors import CommandRefused, DeviceError, GibbsiteError, ProgramError
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, GraphProgram, Row, RunRequest, encode_entry
from gibbsite_hw.spec.tables import noise_code
from gibbsite_models.golden.device import GoldenStream
from gibbsite_models.golden.graph import GraphEngine
from gibbsite_sim.fast import graph as fast_graph
from gibbsite_sim.fast import graph_passes, graph_thresholds
from gibbsite_sim.fast.device import FastDevice
from gibbsite_sim.fast.graph import FastGraphEngine
from gibbsite_sim.fast.graph_thresholds import ThresholdStore, mark_of_always, rises
from gibbsite_sim.fast.host import Host, silent
from gibbsite_sim.fast.stream import FastStream
from gibbsite_sim.fast.workers import Workers

SMALL = GraphParameters(lanes=4, rows=64, words=512, schedule_steps=64, payload_words=64)
BUILDS = [
    SMALL,
    GraphParameters(lanes=2, rows=64, words=512, score_frac=20, beta_frac=20, hash_rounds=1),
    # bits of noise in few segments, where it falls now and then as the uniform grows
    GraphParameters(lanes=8, rows=32, words=256, noise_index_bits=4, noise_tail_bits=1),
    # fields that 32 bits do not hold
    GraphParameters(
        lanes=4, rows=16, words=64, weight_bits=24, bias_bits=32, beta_bits=16, beta_frac=16
    ),
]


def fast(parameters: GraphParameters, threads: int = 1) -> FastDevice:
    stream = FastStream(parameters, threads=threads)
    return FastDevice(Driver(stream), stream)


@st.composite
def programs(draw: st.DrawFn, p: GraphParameters) -> GraphProgram:
    """Classes of rows of p-bits and of groups, coupled between classes in one direction or both.

    Some slots' lists are folded over lanes; some entries name places without a slot.
    """
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    rows: list[Row] = []
    kinds: list[bool] = []
    colours: list[int] = []
    count = draw(st.integers(1, 4))
    for colour in range(count):
        units = draw(st.integers(1, 2))
        for unit in range(units):
            group = draw(st.booleans())
            height = draw(st.integers(1, 2)) if group else 1
            fold = draw(st.integers(0, p.lane_bits))
            step = 1 << fold
            for part in range(height):
                places = [lane for lane in range(0, p.lanes, step) if rng.random() < 0.7] or [0]
                last = part == height - 1
                rows.append(
                    Row(
                        length=int(rng.integers(1, 4)),
                        fold=fold,
                        group=group,
                        first=group and part == 0,
                        last=group and last,
                        barrier=last and unit == units - 1,
                        mask=sum(1 << lane for lane in places),
                    )
                )
                kinds.append(group)
                colours.append(colour)
    heavy = draw(st.sampled_from([1, 3, p.weight_max]))
    entries = array("I")
    for row, colour in zip(rows, colours, strict=True):
        others = [r for r, c in enumerate(colours) if c != colour]
        for _ in range(row.length * p.lanes):
            if not others or rng.random() < 0.2:
                entries.append(0)
                continue
            other = int(rng.choice(others))
            at = other * p.lanes + int(rng.integers(p.lanes))
            entries.append(encode_entry(p, at, int(rng.integers(-heavy, heavy + 1)), kinds[other]))
    largest = draw(st.sampled_from([0, 4, p.bias_max]))
    biases = rng.integers(-largest, largest + 1, len(rows) * p.lanes).tolist()
    return GraphProgram(rows, entries, Conditions(array("i", biases), *clamps(rows, rng)))


def clamps(rows: list[Row], rng: np.random.Generator) -> "tuple[array[int], array[int]]":
    """Masks that leave every group a state and pin nothing twice."""
    on, off = array("I", [0] * len(rows)), array("I", [0] * len(rows))
    free, pinned = 0, False
    for number, row in enumerate(rows):
        if not row.group or row.first:
            free, pinned = 0, False
        for lane in range(32):
            if not row.mask >> lane & 1:
                continue
            luck = rng.random()
            if row.group:
                if luck < 0.1 and not pinned:
                    on[number] |= 1 << lane
                    pinned, free = True, free + 1
                elif luck < 0.3 and free:
                    off[number] |= 1 << lane
                else:
                    free += 1
            elif luck < 0.1:
                on[number] |= 1 << lane
            elif luck < 0.2:
                off[number] |= 1 << lane
    return on, off


def requests(p: GraphParameters) -> st.SearchStrategy[RunRequest]:
    betas = st.one_of(st.integers(0, 1 << 12), st.integers(0, p.beta_max))
    return st.builds(
        RunRequest,
        betas=st.lists(betas, max_size=4).map(lambda codes: array("I", codes)),
        seed=st.integers(0, (1 << 64) - 1),
        chains=st.integers(1, 40),
        draws=st.integers(1, 3),
        first_chain=st.sampled_from([0, 5, (1 << 32) - 2]),
        sweeps_per_step=st.integers(1, 3),
        thin=st.integers(1, 3),
        samples=st.booleans(),
        best=st.booleans(),
    )


def pairs() -> st.SearchStrategy[tuple[GraphParameters, GraphProgram, RunRequest]]:
    return st.sampled_from(BUILDS).flatmap(
        lambda p: st.tuples(st.just(p), programs(p), requests(p))
    )


def engines(
    p: GraphParameters, program: GraphProgram, threads: int = 1
) -> tuple[GraphEngine, FastGraphEngine]:
    """Golden and fast with the program, which may be one that no driver loads: asymmetric."""
    entries = np.array(program.entries, dtype=np.uint32).reshape(-1, p.lanes)
    host = Host(Workers(threads), silent)
    golden = GraphEngine(p, program.rows, entries)
    quick = FastGraphEngine.on(host)(p, program.rows, entries)
    for engine in (golden, quick):
        engine.condition(program.conditions)
    return golden, quick


def drawn(engine: GraphEngine, request: RunRequest) -> list[np.ndarray]:
    """All draws in order: energies and states, the best ones where they are asked for."""
    blocks = list(engine.run(request))
    names = ["energies"] + ["states"] * request.samples
    names += ["best_energies", "best_states"] * request.best
    # blocks are of one shape in chains or draws, which differs between engines
    return [
        np.concatenate(
            [getattr(block, name).reshape(-1, getattr(block, name)[0, 0].size) for block in blocks]
        )
        for name in names
    ]


def same(left: GraphEngine, right: GraphEngine, request: RunRequest) -> bool:
    pairs = zip(drawn(left, request), drawn(right, request), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)


@settings(max_examples=80, deadline=None)
@given(pairs(), st.integers(1, 3), st.booleans())
def test_random_programs_run_as_on_golden(
    case: tuple[GraphParameters, GraphProgram, RunRequest], threads: int, tabled: bool
) -> None:
    p, program, request = case
    with pytest.MonkeyPatch.context() as patch:
        # small packs, and thresholds wherever they can be or nowhere
        patch.setattr(fast_graph, "LEAST_PACK", 16)
        patch.setattr(fast_graph, "MOST_PACK", 16)
        patch.setattr(graph_passes, "FINDING", 0 if tabled else 1 << 60)
        golden, quick = engines(p, program, threads)
        assert same(golden, quick, request)
        assert golden.cost == quick.cost
        if request.samples:
            state = next(golden.run(request)).states[0, 0]
            again = replace(request, state=array("I", state.tolist()), best=True)
            assert same(golden, quick, again)


@settings(max_examples=25, deadline=None)
@given(pairs(), st.integers(1, 3), st.data())
def test_replicas_are_runs_of_single_chains(
    case: tuple[GraphParameters, GraphProgram, RunRequest], threads: int, data: st.DataObject
) -> None:
    p, program, request = case
    sweeps, count = request.sweeps_per_step, 20
    codes = data.draw(st.lists(st.integers(0, p.beta_max), min_size=count, max_size=count))
    golden, quick = engines(p, program, threads)
    start = replace(request, chains=count, draws=1, samples=True, best=False)
    states = np.concatenate([block.states[:, 0] for block in golden.run(start)])
    chains = np.arange(count, dtype=np.uint64)[::-1] * np.uint64(3)
    for begun in (states, None):
        found, energies = quick.replicas(7, chains, np.array(codes), begun, sweeps)
        for k in range(count):
            alone = RunRequest(
                betas=array("I", [codes[k]]),
                seed=7,
                first_chain=int(chains[k]),
                sweeps_per_step=sweeps,
                state=None if begun is None else array("I", states[k].tolist()),
            )
            energy, state = drawn(golden, alone)
            assert found[k].tolist() == state[0].tolist()
            assert energies[k] == energy[0, 0]


# --- thresholds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("score_frac", [4, 12, 16, 20])
def test_noise_rises_with_the_uniform(score_frac: int) -> None:
    assert rises(GraphParameters(score_frac=score_frac))


def test_coarse_tables_do_not_rise_and_this_is_seen() -> None:
    p = GraphParameters(noise_index_bits=4, noise_tail_bits=1)
    assert not rises(p)
    # at the end of the first of two segments of octave 8 the code falls
    end = (1 << 31 >> 8) + (1 << 30 >> 8) >> 1
    codes = [noise_code(u, False, 16, 4, 1) for u in range(end - 2, end + 2)]
    assert codes != sorted(codes)


@settings(max_examples=40, deadline=None)
@given(st.integers(-3000, 3000), st.integers(0, (1 << 24) - 1))
def test_thresholds_separate_uniforms_exactly(field: int, beta: int) -> None:
    p = GraphParameters()
    store = ThresholdStore(p, np.array([field], dtype=np.int64))
    for _ in store.prepare([beta]):
        pass
    threshold, always = int(store.thresholds().table[0]), mark_of_always(p)
    drift = beta * 2 * field >> p.beta_shift

    def sets(uniform: int) -> bool:
        return noise_code(uniform, False, p.score_frac) > drift

    if threshold == always:
        assert sets(0)
    else:
        assert not sets(threshold)
        assert threshold == (1 << 32) - 1 or sets(threshold + 1)


def test_the_mark_of_always_is_no_threshold() -> None:
    for p in BUILDS:
        bits = (p.score_frac, p.noise_index_bits, p.noise_tail_bits)
        mark = mark_of_always(p)
        assert noise_code(mark, False, *bits) == noise_code(mark + 1, False, *bits)


# --- what surrounds runs --------------------------------------------------------------------------


def one_row(p: GraphParameters) -> GraphProgram:
    row = Row(1, 0, False, False, False, True, (1 << p.lanes) - 1)
    none = array("I", [0])
    biases = array("i", [1] * p.lanes)
    return GraphProgram([row], array("I", [0] * p.lanes), Conditions(biases, none, none))


@pytest.fixture
def device() -> Iterator[FastDevice]:
    with fast(SMALL) as opened:
        yield opened


def test_replicas_that_no_run_would_take_are_refused(device: FastDevice) -> None:
    two, state = np.zeros(2, dtype=np.int64), np.zeros((2, 1), dtype=np.uint32)
    with pytest.raises(DeviceError, match="no program is loaded"):
        device.run_replicas(0, two, two, state, 1)
    device.load(one_row(SMALL))
    with pytest.raises(ProgramError, match="give one of each"):
        device.run_replicas(0, two, two[:1], state, 1)
    with pytest.raises(ProgramError, match="there are no replicas"):
        device.run_replicas(0, two[:0], two[:0], None, 1)
    with pytest.raises(ProgramError, match="SWEEPS_PER_STEP is 0"):
        device.run_replicas(0, two, two, state, 0)
    with pytest.raises(ProgramError, match="the seed is -1"):
        device.run_replicas(-1, two, two, state, 1)
    with pytest.raises(ProgramError, match="outside 0"):
        device.run_replicas(0, two, two + SMALL.beta_max + 1, state, 1)
    with pytest.raises(ProgramError, match="the state has 2 words"):
        device.run_replicas(0, two, two, np.zeros((2, 2), dtype=np.uint32), 1)
    clamped = one_row(SMALL).conditions
    clamped.clamps_on[0] = 1
    device.condition(clamped)
    with pytest.raises((CommandRefused, GibbsiteError), match="clamp"):
        device.run_replicas(0, two, two, state, 1)


def test_rows_that_depend_on_each_other_are_drawn_as_golden_draws_them() -> None:
    # no driver loads this: two rows of one class that read each other, and a slot that reads itself
    p = GraphParameters(lanes=2, rows=8, words=16, schedule_steps=8, payload_words=16)
    rows = [Row(1, 0, False, False, False, last, 3) for last in (False, True)]
    listed = [(2, 5), (1, 9), (0, -7), (3, 4)]
    entries = array("I", [encode_entry(p, at, weight, False) for at, weight in listed])
    none = array("I", [0, 0])
    conditions = Conditions(array("i", [1, -2, 3, 0]), none, none)
    golden, quick = engines(p, GraphProgram(rows, entries, conditions))
    request = RunRequest(betas=array("I", [1 << 16] * 5), seed=3, chains=9, draws=2, best=True)
    assert same(golden, quick, request)


def test_a_fault_of_one_threshold_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    p = SMALL
    request = RunRequest(betas=array("I", [1 << 18] * 50), seed=1, chains=2000, sweeps_per_step=4)
    with Driver(GoldenStream(p)) as golden, fast(p) as quick:
        for device in (golden, quick):
            device.load(one_row(p))
        assert quick.run(request) == golden.run(request)
        whole = ThresholdStore.thresholds

        def shifted(store: ThresholdStore) -> graph_thresholds.Thresholds:
            made = whole(store)
            # 2^22 of 2^32: one decision in a thousand, of 1.6 million
            return made._replace(table=made.table + np.uint32(1 << 22))

        monkeypatch.setattr(ThresholdStore, "thresholds", shifted)
        assert quick.run(request) != golden.run(request)


def test_progress_can_stop_a_run_and_the_next_one_works(device: FastDevice) -> None:
    device.load(one_row(SMALL))
    request = RunRequest(betas=array("I", [1 << 18] * 10), chains=50, draws=100, seed=5)
    whole = device.run(request)

    class Enough(Exception):
        pass

    def stop(done: int, _all: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        device.run(request, stop)
    assert device.run(request) == whole


def test_what_is_compiled_is_told(tmp_path) -> None:
    # a process of its own, since a process hears of it once; what it finds compiled is the user's
    code = (
        "import gibbsite; heard = [];"
        "d = gibbsite.open('fast:?like=small', progress=lambda *said: heard.append(said));"
        "from array import array; from gibbsite_hw.spec.program import *;"
        "none = array('I', [0]); row = Row(1, 0, False, False, False, True, 15);"
        "c = Conditions(array('i', [1] * 4), none, none);"
        "d.load(GraphProgram([row], array('I', [0] * 4), c)); d.run(RunRequest(array('I', [1])));"
        "assert heard == [('compiling the emulator', k, 1) for k in (0, 1)], heard"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    code = (
        "from pathlib import Path; from gibbsite_sim.fast import compiled as c;"
        "assert c.code_folder(Path(c.__file__)) is None;"
        "assert c.compiled(lambda x: x + 1)(2) == 3"
    )
    where = {**os.environ, "GIBBSITE_CACHE": str(tmp_path / "file")}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, env=where)
