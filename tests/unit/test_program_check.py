"""Programs that would not fit or not sample correctly are refused, each for its own reason."""

from array import array
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import dimod
import pytest

from gibbsite.compiler import compile_model
from gibbsite.devices import open as open_device
from gibbsite.program_check import check_program
from gibbsite.slot_model import MixedModel
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import GraphProgram, Row, RunRequest, decode_entry, encode_entry

SMALL = GraphParameters(lanes=4, rows=64, words=512)


def program() -> GraphProgram:
    """Rows: p-bits a, c in one class, b in another, a group of six in two rows."""
    spins = dimod.BinaryQuadraticModel({"a": 1, "b": -2, "c": 1}, {"ab": 3, "bc": -1}, 0, "SPIN")
    choices = dimod.DiscreteQuadraticModel()
    choices.add_variable(6, "g")
    model = MixedModel(spins, choices, {("b", "g", 1): 2.0, ("b", "g", 4): 1.0})
    return deepcopy(compile_model(model, SMALL).program)


def row_index(of: GraphProgram, test: Callable[[Row], bool]) -> int:
    return next(k for k, row in enumerate(of.rows) if test(row))


def change_row(of: GraphProgram, index: int, **fields: object) -> None:
    of.rows[index] = replace(of.rows[index], **fields)


def first_entry(of: GraphProgram, state: bool = False) -> tuple[int, int, int]:
    """Index, address and weight of the first entry whose neighbour is a p-bit (or a state)."""
    for index, word in enumerate(of.entries):
        address, weight, kind = decode_entry(SMALL, word)
        if weight and kind is state:
            return index, address, weight
    raise AssertionError("no such entry")


def fault_neighbours_in_one_class(of: GraphProgram) -> None:
    # the class of a and c no longer ends before b's row
    rows = [k for k, row in enumerate(of.rows) if not row.group and row.barrier]
    change_row(of, rows[0], barrier=False)


def fault_other_weight(of: GraphProgram) -> None:
    index, address, weight = first_entry(of)
    of.entries[index] = encode_entry(SMALL, address, weight + 1, False)


def fault_one_sided(of: GraphProgram) -> None:
    of.entries[first_entry(of)[0]] = 0


def fault_own_neighbour(of: GraphProgram) -> None:
    lane = min(k for k in range(4) if of.rows[0].mask >> k & 1)
    of.entries[lane] = encode_entry(SMALL, lane, 1, of.rows[0].group)


def fault_kind(of: GraphProgram) -> None:
    index, address, weight = first_entry(of)
    of.entries[index] = encode_entry(SMALL, address, weight, True)


def fault_unused_neighbour(of: GraphProgram) -> None:
    row = row_index(of, lambda row: row.mask != 0xF)
    lane = next(k for k in range(4) if not of.rows[row].mask >> k & 1)
    index, _, weight = first_entry(of)
    of.entries[index] = encode_entry(SMALL, row * 4 + lane, weight, False)


def fault_address(of: GraphProgram) -> None:
    of.entries[0] = encode_entry(SMALL, len(of.rows) * 4, 1, False)


def fault_weight(of: GraphProgram) -> None:
    of.entries[first_entry(of)[0]] = encode_entry(SMALL, 0, -512, False)


def fault_high_bits(of: GraphProgram) -> None:
    of.entries[0] |= 1 << 31


def fault_length(of: GraphProgram) -> None:
    change_row(of, 0, length=of.rows[0].length + 1)


def fault_fold(of: GraphProgram) -> None:
    change_row(of, 0, fold=3)


def fault_empty_mask(of: GraphProgram) -> None:
    change_row(of, 0, mask=0)


def fault_group_open(of: GraphProgram) -> None:
    change_row(of, row_index(of, lambda row: row.first), first=False)


def fault_group_twice(of: GraphProgram) -> None:
    change_row(of, row_index(of, lambda row: row.last and not row.first), first=True)


def fault_barrier_inside(of: GraphProgram) -> None:
    change_row(of, row_index(of, lambda row: row.first and not row.last), barrier=True)


def fault_spin_inside(of: GraphProgram) -> None:
    at = row_index(of, lambda row: row.first and not row.last)
    change_row(of, at + 1, group=False, last=False)


def fault_no_barrier(of: GraphProgram) -> None:
    change_row(of, len(of.rows) - 1, barrier=False)


def fault_bias(of: GraphProgram) -> None:
    of.conditions.biases[0] = 32768


def fault_mask(of: GraphProgram) -> None:
    of.conditions.clamps_off[0] = 16


def fault_few_biases(of: GraphProgram) -> None:
    of.conditions.biases = of.conditions.biases[:-1]


def fault_part_of_a_word(of: GraphProgram) -> None:
    of.entries.append(0)


FAULTS = {
    fault_neighbours_in_one_class: "may not be in one colour class",
    fault_other_weight: "do not see each other with the same weight",
    fault_one_sided: "do not see each other with the same weight",
    fault_own_neighbour: "not its own neighbour",
    fault_kind: "kind .* is not that of its neighbour",
    fault_unused_neighbour: "the neighbour is not used",
    fault_address: "the program has .* slots",
    fault_weight: "the weight code .* is -512",
    fault_high_bits: "bits above",
    fault_length: "must be equal",
    fault_fold: "row 0 .* accepts",
    fault_empty_mask: "row 0 .* accepts",
    fault_group_open: "starts no group",
    fault_group_twice: "starts a group inside another",
    fault_barrier_inside: "barrier inside a group",
    fault_spin_inside: "p-bits lies inside a group",
    fault_no_barrier: "no barrier",
    fault_bias: "bias code 32768",
    fault_mask: "clear the bits above",
    fault_few_biases: "biases has",
    fault_part_of_a_word: "entries and the device takes",
}


def test_the_program_itself_is_accepted() -> None:
    check_program(program(), SMALL)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_each_fault_is_refused_for_its_reason(fault: Callable[[GraphProgram], None]) -> None:
    broken = program()
    fault(broken)
    with pytest.raises(ProgramError, match=FAULTS[fault]):
        check_program(broken, SMALL)


def test_too_many_states_and_rows_are_refused() -> None:
    narrow = replace(SMALL, max_group=5)
    with pytest.raises(ProgramError, match="states or more and the device takes 5"):
        check_program(program(), narrow)
    with pytest.raises(ProgramError, match="rows and the device takes 1 to 2"):
        check_program(program(), replace(SMALL, rows=2))
    with pytest.raises(ProgramError, match="1 to 2 words"):
        check_program(program(), replace(SMALL, words=2))


def test_the_driver_refuses_neighbours_in_one_row_and_keeps_the_program_it_has() -> None:
    with open_device("golden:?like=small") as device:
        good = program()
        device.load(good)
        request = RunRequest(betas=array("I", [1 << 20] * 5), seed=4, chains=3)
        before = device.run(request)
        broken = program()
        fault_neighbours_in_one_class(broken)
        with pytest.raises(ProgramError, match="may not be in one colour class"):
            device.load(broken)
        assert device.loads == 1
        assert device.run(request).states == before.states


def test_two_neighbours_in_one_row_are_refused() -> None:
    # a and b in lanes 0 and 1 of a single row, coupled both ways: only the class is wrong
    row = Row(1, 0, False, False, False, True, 0b0011)
    entries = array("I", [encode_entry(SMALL, 1, 5, False), encode_entry(SMALL, 0, 5, False), 0, 0])
    of = program()
    of.rows, of.entries = [row], entries
    of.conditions.biases = array("i", [0] * 4)
    of.conditions.clamps_on = of.conditions.clamps_off = array("I", [0])
    with pytest.raises(ProgramError, match=r"slot 0 .* names slot 1 .* one colour class"):
        check_program(of, SMALL)
