"""The ledger: counts that add, kinds that do not, prices with provenance, the designs' savings."""

import itertools
import json
from array import array
from pathlib import Path

import dimod
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import gibbsite
from gibbsite.ledger import (
    TABLES,
    Estimated,
    KindError,
    Ledger,
    Measured,
    PriceError,
    Quoted,
    estimate_energy_savings,
    price,
    price_table,
    priced,
    read_table,
    savings_of,
    totals,
)
from gibbsite.ledger.counts import COUNTS
from gibbsite.ledger.engines import Traffic, graph_ledger, langevin_ledger, lattice_ledger
from gibbsite.ledger.host_meter import HostReading
from gibbsite.ledger.view import energy_lines, savings_lines
from gibbsite.result import Result
from gibbsite_hw.spec.errors import GibbsiteError
from gibbsite_hw.spec.langevin_program import LangevinCounters
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeCounters
from gibbsite_hw.spec.program import Conditions, Counters, GraphProgram
from gibbsite_models.energies.potential import Potential

KINDS = (Measured, Estimated, Quoted)

unhurried = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])

counted = st.none() | st.integers(0, 10**15)


@st.composite
def ledgers(draw: st.DrawFn) -> Ledger:
    """Any counts, any joules, priced or not."""
    counts = {name: draw(counted) for name in COUNTS}
    engines = draw(st.sampled_from([("graph",), ("langevin",), ("graph", "langevin")]))
    ledger = Ledger(engines=engines, **counts)
    joules = draw(st.none() | st.floats(0, 1e6))
    reading = HostReading(joules, None if joules is not None else "not measured: no counter")
    return priced(ledger, reading) if draw(st.booleans()) else ledger


def energy(kind: type, joules: float | None = 1.0, table: str = "one", **more: object):
    return kind(joules=joules, table=table, covers="work", excludes="rest", **more)


def same(one: Ledger, two: Ledger) -> bool:
    """Equal counts to the last digit, joules up to rounding: 4 ulp of a sum of three."""
    close = pytest.approx(two.joules, rel=1e-15) if two.joules is not None else None
    others = {"energies", "joules", "joules_reason"}
    figures = [
        [(e.kind, e.table, e.part, e.joules is None) for e in ledger.energies]
        for ledger in (one, two)
    ]
    sums = all(
        a.joules == (b.joules if b.joules is None else pytest.approx(b.joules, rel=1e-15))
        for a, b in zip(one.energies, two.energies, strict=True)
    )
    counts = one.model_dump(exclude=others) == two.model_dump(exclude=others)
    return counts and one.joules == close and figures[0] == figures[1] and sums


# --- addition -------------------------------------------------------------------------------------


@unhurried
@given(ledgers(), ledgers(), ledgers())
def test_ledgers_add_associatively_and_commutatively(a: Ledger, b: Ledger, c: Ledger) -> None:
    assert same((a + b) + c, a + (b + c))
    assert same(a + b, b + a)


@unhurried
@given(ledgers(), ledgers())
def test_counts_add_and_null_stays_null(a: Ledger, b: Ledger) -> None:
    both = a + b
    for name in (*COUNTS, "joules"):
        mine, yours = getattr(a, name), getattr(b, name)
        known = mine is not None and yours is not None
        assert getattr(both, name) == (mine + yours if known else None)
    assert set(both.engines) == {*a.engines, *b.engines}


@unhurried
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from("xy"), counted)))
def test_totals_never_mix_kinds_or_tables(parts: list) -> None:
    energies = [energy(kind, joules, table) for kind, table, joules in parts]
    found = totals(energies)
    assert len({(e.kind, e.table) for e in found}) == len(found)
    for total in found:
        own = [e.joules for e in energies if (e.kind, e.table) == (total.kind, total.table)]
        expected = None if None in own else sum(own)
        assert total.joules == expected


@pytest.mark.parametrize(("one", "two"), list(itertools.permutations(KINDS, 2)))
def test_joules_of_two_kinds_do_not_add(one: type, two: type) -> None:
    with pytest.raises(KindError, match="cannot be added to joules that are"):
        energy(one) + energy(two)
    assert (energy(one) + energy(one)).joules == 2.0


@pytest.mark.parametrize(
    "other", [{"table": "two"}, {"part": "else"}, {"error_factor": 3.0}], ids=str
)
def test_joules_of_two_sources_do_not_add(other: dict) -> None:
    with pytest.raises(KindError, match="keep a total for each"):
        energy(Quoted) + energy(Quoted, **other)


def test_joules_that_are_no_energy_do_not_add() -> None:
    with pytest.raises(KindError, match="float"):
        energy(Measured) + 1.0
    with pytest.raises(TypeError):
        sum([energy(Measured), energy(Measured)])  # a bare 0 has no kind, either


def test_a_figure_that_only_one_ledger_has_becomes_unknown() -> None:
    whole = priced(Ledger(engines=("graph",), updates=1, values_read=1, values_written=1))
    bare = Ledger(engines=("graph",), updates=1, values_read=1, values_written=1)
    for both in (whole + bare, bare + whole):
        assert [item.joules for item in both.energies] == [None]


# --- the document ---------------------------------------------------------------------------------


def test_the_document_keeps_its_fields() -> None:
    # whoever changes these raises LEDGER_VERSION or only adds
    assert (
        list(Ledger.model_fields)
        == (
            "schema_version engines coupling_loads conditionings runs reads sweeps langevin_steps "
            "cycles updates neighbour_terms memory_reads memory_writes values_read values_written "
            "words_in words_out bits_in bits_out device_seconds llm_tokens joules joules_reason "
            "energies"
        ).split()
    )
    assert Ledger(engines=()).schema_version == 1
    empty = json.loads(Ledger(engines=()).model_dump_json())
    assert all(empty[name] is None for name in COUNTS), "nothing counted is null, not 0"


@unhurried
@given(ledgers())
def test_a_ledger_is_read_back_from_its_json(ledger: Ledger) -> None:
    assert Ledger.model_validate_json(ledger.model_dump_json()) == ledger


@pytest.mark.parametrize("wrong", [{"updates": -1}, {"joules": float("nan")}, {"spins": 3}])
def test_a_ledger_refuses_what_nobody_can_count(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        Ledger(engines=(), **wrong)


# --- prices ---------------------------------------------------------------------------------------


def test_z1_prices_updates_values_read_and_values_written() -> None:
    ledger = Ledger(engines=("graph",), updates=1000, values_read=10, values_written=3)
    found = price(ledger, price_table("extropic-z1"), "spins")
    assert isinstance(found, Quoted)
    assert found.joules == pytest.approx(1000 * 7.09e-15 + 10 * 1.69e-12 + 3 * 153.6e-12)


def test_a_count_that_is_missing_makes_the_price_unknown() -> None:
    ledger = Ledger(engines=("graph",), updates=1000, values_read=10)
    found = price(ledger, price_table("extropic-z1"), "spins")
    assert found.joules is None
    assert found.reason == "not counted: values written"


def test_prices_of_spins_are_not_put_on_langevin_units() -> None:
    ledger = Ledger(engines=("langevin",), updates=9, values_read=9, values_written=9)
    assert price(ledger, price_table("extropic-z1"), "spins").joules is None
    assert priced(ledger).energies == ()


@unhurried
@given(ledgers(), ledgers())
def test_prices_are_linear(a: Ledger, b: Ledger) -> None:
    for table in map(price_table, TABLES):
        for part in table.parts:
            one, two, both = (price(x, table, part) for x in (a, b, a + b))
            if one.joules is not None and two.joules is not None:
                assert both.joules == pytest.approx(one.joules + two.joules, rel=1e-14)
            elif both.joules is not None:
                pytest.fail("a sum is known where a part is not")


@pytest.mark.parametrize("name", TABLES)
def test_every_figure_says_where_it_is_from_and_what_it_leaves_out(name: str) -> None:
    table = price_table(name)
    for figure in table.figures.values():
        assert figure.source
        assert figure.covers != figure.excludes
    assert table.kind == "quoted", "nothing here is measured by us"


def test_a_table_of_ones_own_is_checked(tmp_path: Path) -> None:
    good = price_table("extropic-z1").model_dump(mode="json")
    path = tmp_path / "own.json"
    path.write_text(json.dumps(good))
    assert read_table(path) == price_table("extropic-z1")
    planted = [
        ("kind", good | {"kind": "measured"}),
        ("figures.update.source", _with(good, source="")),
        ("figures.update", _with(good, per="spins")),
        ("figures.update", _with(good, unit="fJ")),
        ("figures.update.value", _with(good, value=-1)),
        ("figures.update", _with(good, date="2026-13")),
        ("sleep", good | {"parts": {"spins": ["sleep"]}}),
        ("estimated", _with(good, kind="estimated")),
    ]
    for place, document in planted:
        path.write_text(json.dumps(document))
        with pytest.raises(PriceError, match=place):
            read_table(path)
    with pytest.raises(PriceError, match="cannot be read"):
        read_table(tmp_path / "none.json")
    with pytest.raises(PriceError, match="extropic-z1, design-documents"):
        price_table("z2")
    with pytest.raises(GibbsiteError, match="language model"):
        price(Ledger(engines=()), price_table("design-documents"), "quantum sampler")


def _with(table: dict, **changes: object) -> dict:
    figures = table["figures"] | {"update": table["figures"]["update"] | changes}
    return table | {"figures": figures}


# --- the designs' savings -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sampler", "path", "saved", "documented"),
    [("digital", 3.6, 0.52, 0.70), ("analog", 2.15, 0.71, 0.89)],
)
def test_the_documents_table_comes_out_of_its_counts(
    sampler: str, path: float, saved: float, documented: float
) -> None:
    found = estimate_energy_savings(700, 5000, sampler=sampler)
    assert found.alone_joules == pytest.approx(7.5)
    assert found.path_joules == pytest.approx(path)
    # the document rounds to whole per cents
    assert round(found.saved, 2) == saved
    assert round(found.documented_saved, 2) == documented
    assert found.kind == "quoted"


def test_no_savings_without_counted_tokens() -> None:
    found = estimate_energy_savings(None, 5000)
    assert found.saved is found.path_joules is found.documented_saved is None
    assert estimate_energy_savings(700, None).saved is None
    assert savings_of(Ledger(engines=("langevin",), langevin_steps=5000)) is None
    tokens = Ledger(engines=("langevin",), langevin_steps=5000, llm_tokens=700)
    assert savings_of(tokens) == pytest.approx(0.52)
    assert estimate_energy_savings(2500, 10**6).saved < 0, "a path that costs more saves nothing"


@pytest.mark.parametrize(
    "wrong",
    [{"llm_tokens": -1}, {"langevin_steps": -1}, {"alone_tokens": 0}, {"sampler": "quantum"}],
    ids=str,
)
def test_savings_refuse_what_is_no_count(wrong: dict) -> None:
    with pytest.raises(PriceError):
        estimate_energy_savings(**({"llm_tokens": 1, "langevin_steps": 1} | wrong))


# --- from counters --------------------------------------------------------------------------------


def test_a_sampler_fills_its_ledger_from_the_devices_counters() -> None:
    bqm = dimod.BinaryQuadraticModel.from_ising({"a": 0.5}, {"ab": -1.0, "bc": 2.0})
    with gibbsite.open("golden:") as device:
        info = gibbsite.Sampler(device).sample(bqm, num_reads=6, num_sweeps=10, seed=1).info
    ledger = Ledger.model_validate(info["ledger"])
    assert ledger.engines == ("graph",)
    assert ledger.coupling_loads == ledger.runs == 1
    assert ledger.conditionings == 0
    # by hand: 6 reads of 10 sweeps of 3 spins, of which a and c have 1 neighbour and b has 2
    assert ledger.updates == 6 * 10 * 3
    assert ledger.memory_reads == ledger.neighbour_terms == 6 * 10 * 4
    assert ledger.values_read == 6 * 3
    assert ledger.values_written == 3
    # two colours, so two rows of p-bits are committed in a sweep
    assert ledger.memory_writes == 6 * 10 * 2
    assert info["bits_moved"] == {"in": ledger.bits_in, "out": ledger.bits_out}
    assert ledger.llm_tokens is ledger.langevin_steps is None
    quoted = [item for item in ledger.energies if item.kind == "quoted"]
    assert [item.table for item in quoted] == ["extropic-z1"]
    assert quoted[0].joules == pytest.approx(180 * 7.09e-15 + 18 * 1.69e-12 + 3 * 153.6e-12)


def test_a_group_commits_two_rows() -> None:
    dqm = dimod.DiscreteQuadraticModel()
    dqm.add_variable(3, label="x")
    with gibbsite.open("golden:") as device:
        info = gibbsite.Sampler(device).sample_dqm(dqm, num_reads=2, num_sweeps=5, seed=1).info
    assert info["ledger"]["memory_writes"] == 2 * 5 * 2
    assert info["ledger"]["values_read"] == 2 * 3


def test_a_langevin_sampler_fills_its_ledger() -> None:
    potential = Potential.build(2, J2=[2.0, 3.0], J=[[0.0, 0.5], [0.5, 0.0]])
    config = gibbsite.LangevinConfig(kT=0.7, n_steps=20, dim=2)
    with gibbsite.LangevinSampler(potential, config) as sampler:
        first = Ledger.model_validate(sampler.sample(n_samples=3, seed=1).info["ledger"])
        second = Ledger.model_validate(sampler.sample(n_samples=3, seed=1).info["ledger"])
    assert first.engines == ("langevin",)
    assert first.langevin_steps == 3 * 20
    assert first.updates == first.memory_writes == 3 * 20 * 2
    assert first.values_read == 3 * 2
    assert (first.coupling_loads, second.coupling_loads) == (1, 0)
    assert (first.conditionings, second.conditionings) == (0, 1)
    parts = {item.part: item.joules for item in first.energies if item.kind == "quoted"}
    assert parts == pytest.approx({"digital sampler": 60 * 0.3e-3, "analog sampler": 60 * 1e-5})


def test_a_lattice_fills_its_ledger() -> None:
    parameters = LatticeParameters(rows=4, columns=6, banks=2, neighbours=4)
    counters = LatticeCounters(cycles=99, updates=3 * 10 * 24, sweeps=30, reads=3)
    traffic = Traffic(loads=1, conditionings=0, runs=1, kinds=1, words=(5, 7), clock_hz=1e6)
    ledger = lattice_ledger(counters, parameters, 6, 3, traffic)
    # three chains in two groups of banks: couplings of 24 sites are read 2 x 10 times
    assert ledger.memory_reads == 2 * 10 * 24 * 4
    assert (ledger.bits_in, ledger.bits_out) == (160, 224)
    assert ledger.device_seconds == pytest.approx(99e-6)
    cut = lattice_ledger(LatticeCounters(updates=25, sweeps=1), parameters, 6, 3, traffic)
    assert cut.memory_reads is None, "a run that was cut off swept its chains unevenly"


def test_what_nobody_counted_is_null() -> None:
    unknown = Traffic(loads=None, conditionings=None, runs=None, kinds=None, words=None)
    ledger = langevin_ledger(LangevinCounters(steps=5, reads=1), 3, unknown)
    for name in ("coupling_loads", "runs", "values_read", "values_written", "words_in", "bits_out"):
        assert getattr(ledger, name) is None
    assert ledger.device_seconds is None
    assert ledger.langevin_steps == 5


def test_solve_carries_its_ledger(golden_result: Result) -> None:
    ledger = golden_result.ledger
    assert ledger is not None
    slots = ledger.values_written // (ledger.coupling_loads + ledger.conditionings)
    assert ledger.updates == ledger.sweeps * slots
    assert ledger.values_read == ledger.reads * slots
    assert golden_result.energy_savings is None, "no language model was asked"
    lines = energy_lines(ledger)
    assert [line.split(":")[0] for line in lines] == [
        "energy, measured",
        "energy, estimated",
        "energy, quoted",
    ]
    assert "extropic-z1" in lines[2]
    assert "no statement about this device" in lines[2]
    assert "none claimed" in lines[1]
    again = Result.model_validate_json(golden_result.model_dump_json())
    assert again.ledger == ledger


@pytest.fixture(scope="module")
def golden_result() -> Result:
    text = "Schedule 2 tasks on 2 machines. Each task takes 2 hours. Finish everything soonest."
    return gibbsite.solve(text, device="golden:", reads=8, sweeps=8, seed=1)


def test_graph_counts_of_an_empty_program_are_zero_and_not_null() -> None:
    program = GraphProgram([], array("I"), Conditions(array("i"), array("I"), array("I")))
    nothing = Traffic(loads=0, conditionings=0, runs=0, kinds=1, words=(0, 0))
    ledger = graph_ledger(Counters(), program, nothing)
    assert ledger.updates == ledger.values_read == ledger.bits_in == 0


def test_the_savings_are_printed_with_the_documents_own() -> None:
    text = "\n".join(savings_lines())
    for told in ("7.5 J", "3.6 J", "52%", "70%", "2.15 J", "71%", "89%"):
        assert told in text
