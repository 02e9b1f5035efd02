"""Small models in codes and their plain layout as programs, written apart from the compiler.

    E(v) = sum_i b_i v_i + sum_(i<j) w_ij v_i v_j

A variable of size 1 is a p-bit (one slot, v = -1/+1), one of size K > 1 a one-hot group (K slots,
v = 0/1). Slots are numbered through all variables in order. So a mistake of the compiler is not a
mistake of the proof, too.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, GraphProgram, Row, encode_entry

__all__ = ["CodeModel", "Layout", "Placement", "random_model"]


@dataclass(frozen=True, slots=True)
class CodeModel:
    """Variables, biases a slot, couplings between slots of different variables, and clamps.

    ``on`` are slots that are pinned to 1, ``off`` slots that are removed (a p-bit: pinned to -1).
    """

    sizes: tuple[int, ...]
    biases: tuple[int, ...]
    couplings: Mapping[tuple[int, int], int]
    on: frozenset[int] = field(default_factory=frozenset)
    off: frozenset[int] = field(default_factory=frozenset)

    @property
    def starts(self) -> list[int]:
        """First slot of every variable, and the number of slots behind the last."""
        return [sum(self.sizes[:variable]) for variable in range(len(self.sizes) + 1)]

    def variable_of(self) -> list[int]:
        """The variable of every slot."""
        return [variable for variable, size in enumerate(self.sizes) for _ in range(size)]

    def value(self, slot: int, bit: int) -> int:
        """``v`` of a slot whose stored bit is this."""
        return bit if self.sizes[self.variable_of()[slot]] > 1 else 2 * bit - 1

    def energy(self, bits: Sequence[int]) -> int:
        """The energy of one state, summed in plain Python."""
        value = [self.value(slot, int(bit)) for slot, bit in enumerate(bits)]
        single = sum(bias * v for bias, v in zip(self.biases, value, strict=True))
        return single + sum(w * value[i] * value[j] for (i, j), w in self.couplings.items())

    def copies(self, count: int) -> "CodeModel":
        """So many copies side by side, without couplings between them."""
        width = len(self.biases)
        return CodeModel(
            self.sizes * count,
            self.biases * count,
            {
                (i + copy * width, j + copy * width): weight
                for copy in range(count)
                for (i, j), weight in self.couplings.items()
            },
            frozenset(slot + copy * width for copy in range(count) for slot in self.on),
            frozenset(slot + copy * width for copy in range(count) for slot in self.off),
        )

    def neighbours(self) -> list[set[int]]:
        """Of every variable, the variables that a coupling ties it to."""
        variable, found = self.variable_of(), [set[int]() for _ in self.sizes]
        for i, j in self.couplings:
            found[variable[i]].add(variable[j])
            found[variable[j]].add(variable[i])
        return found

    def classes(self) -> list[list[int]]:
        """A greedy colouring: variables that may be decided together, in order of first use."""
        neighbours, classes = self.neighbours(), list[list[int]]()
        for variable in range(len(self.sizes)):
            for members in classes:
                if not neighbours[variable] & set(members):
                    members.append(variable)
                    break
            else:
                classes.append([variable])
        return classes


@dataclass(frozen=True, slots=True)
class Placement:
    """A program, the address of every slot, and the order in which a sweep decides variables."""

    program: GraphProgram
    addresses: NDArray[np.intp]
    order: list[int]
    lanes: int

    def bits(self, words: NDArray[np.uint32]) -> NDArray[np.uint8]:
        """Bits ``[reads, slots]`` of states ``[reads, rows]``."""
        rows, lanes = np.divmod(self.addresses, self.lanes)
        return (words[:, rows] >> lanes.astype(np.uint32) & 1).astype(np.uint8)

    def words(self, bits: Sequence[int]) -> "array[int]":
        """One word a row, as STATE takes it."""
        words = [0] * len(self.program.rows)
        for slot, address in enumerate(self.addresses.tolist()):
            words[address // self.lanes] |= bits[slot] << address % self.lanes
        return array("I", words)


class Layout:
    """Rows for given classes: p-bits share rows, a group takes rows of its own.

    ``fold`` is log2 of the lanes that share a list, for all rows. Independence of the classes is
    not checked: a planted fault may put neighbours into one row.
    """

    def __init__(self, parameters: GraphParameters, model: CodeModel, fold: int = 0) -> None:
        self._parameters = parameters
        self._model = model
        self._fold = fold
        self._lists: list[list[tuple[int, int]]] = [[] for _ in model.biases]
        for (i, j), weight in model.couplings.items():
            self._lists[i].append((j, weight))
            self._lists[j].append((i, weight))

    def place(self, classes: Sequence[Sequence[int]] | None = None) -> Placement:
        """The program whose classes are these (by default a greedy colouring)."""
        model, lanes = self._model, self._parameters.lanes
        classes = model.classes() if classes is None else classes
        starts = model.starts
        rows: list[tuple[list[int], bool, bool, bool, bool]] = []  # slots, group, first, last, end
        for members in classes:
            slots = [starts[variable] for variable in members if model.sizes[variable] == 1]
            parts = [(part, False, False, False) for part in self._cut(slots)]
            for variable in members:
                if model.sizes[variable] > 1:
                    cut = self._cut(list(range(starts[variable], starts[variable + 1])))
                    last = len(cut) - 1
                    parts += [(part, True, n == 0, n == last) for n, part in enumerate(cut)]
            rows += [(*part, n == len(parts) - 1) for n, part in enumerate(parts)]
        addresses = np.zeros(len(model.biases), dtype=np.intp)
        for number, (slots, *_) in enumerate(rows):
            for place, slot in enumerate(slots):
                addresses[slot] = number * lanes + (place << self._fold)
        program = self._program(rows, addresses)
        return Placement(program, addresses, [v for members in classes for v in members], lanes)

    def _cut(self, slots: list[int]) -> list[list[int]]:
        width = self._parameters.lanes >> self._fold
        return [slots[begin : begin + width] for begin in range(0, len(slots), width)]

    def _program(
        self,
        rows: list[tuple[list[int], bool, bool, bool, bool]],
        addresses: NDArray[np.intp],
    ) -> GraphProgram:
        model, lanes = self._model, self._parameters.lanes
        descriptors, entries = list[Row](), array("I")
        biases = array("i", [0]) * (len(rows) * lanes)
        on, off = array("I", [0]) * len(rows), array("I", [0]) * len(rows)
        for number, (slots, group, first, last, end) in enumerate(rows):
            longest = max(len(self._lists[slot]) for slot in slots)
            length = max(1, -(-longest >> self._fold))
            words = array("I", [0]) * (length * lanes)
            mask = 0
            for place, slot in enumerate(slots):
                lane = place << self._fold
                mask |= 1 << lane
                biases[number * lanes + lane] = model.biases[slot]
                on[number] |= (slot in model.on) << lane
                off[number] |= (slot in model.off) << lane
                for n, (other, weight) in enumerate(self._lists[slot]):
                    word, part = divmod(n, 1 << self._fold)
                    words[word * lanes + lane + part] = self._entry(addresses, other, weight)
            entries.extend(words)
            descriptors.append(Row(length, self._fold, group, first, last, end, mask))
        return GraphProgram(descriptors, entries, Conditions(biases, on, off))

    def _entry(self, addresses: NDArray[np.intp], slot: int, weight: int) -> int:
        state = self._model.sizes[self._model.variable_of()[slot]] > 1
        return encode_entry(self._parameters, int(addresses[slot]), weight, state)


def random_model(
    seed: int,
    sizes: Sequence[int],
    density: float,
    largest: int,
    pinned: int = 0,
    removed: int = 0,
) -> CodeModel:
    """Biases and couplings of both signs and unequal size, up to ``largest`` in magnitude.

    Neighbouring variables in order are always coupled, others with probability ``density``.
    ``pinned`` variables are clamped on, from ``removed`` others one state is removed.
    """
    random = np.random.default_rng(seed)
    starts = np.concatenate([[0], np.cumsum(sizes)]).tolist()
    chain = set(pairwise(range(len(sizes))))
    couplings: dict[tuple[int, int], int] = {}
    for a in range(len(sizes)):
        for b in range(a + 1, len(sizes)):
            for i in range(starts[a], starts[a + 1]):
                for j in range(starts[b], starts[b + 1]):
                    if (a, b) in chain or random.random() < density:
                        size = int(random.integers(1, largest + 1))
                        couplings[i, j] = size if random.random() < 0.5 else -size
    biases = random.integers(-largest, largest + 1, starts[-1]).tolist()
    chosen = random.permutation(len(sizes)).tolist()
    on = {int(random.integers(starts[v], starts[v + 1])) for v in chosen[:pinned]}
    off = {
        int(random.integers(starts[v], starts[v + 1])) for v in chosen[pinned : pinned + removed]
    }
    return CodeModel(tuple(sizes), tuple(biases), couplings, frozenset(on), frozenset(off))
