"""Vectors of eight machine words for the lattice's loops: 512 bits, one chain each.

A loop over eight neighbouring words becomes vector code only if a compiler sees that it may; here
the vectors are named, and stay in registers from the loads to the store. Where a processor has
shorter vectors, LLVM cuts these.

``&``, ``|``, ``^`` and ``~`` of vectors mean what they mean of words.
"""

import operator
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model
from numpy.typing import NDArray

from gibbsite_sim.fast.compiled import inlined

__all__ = [
    "PANEL",
    "WORDS",
    "Vector",
    "Words",
    "choose",
    "load",
    "majority",
    "prefetch",
    "spread",
    "store",
]

WORDS = 8
"""Words of a vector."""

PANEL = 64 * WORDS
"""Chains of a vector."""

Words = NDArray[np.uint64]


class Vector(Protocol):
    """Eight words, to a checker."""

    def __and__(self, other: "Vector") -> "Vector": ...
    def __or__(self, other: "Vector") -> "Vector": ...
    def __xor__(self, other: "Vector") -> "Vector": ...
    def __invert__(self) -> "Vector": ...


class _Vector(types.Type):
    """The type to numba."""


_VECTOR: Any = _Vector("Vector")
_LLVM = ir.VectorType(ir.IntType(64), WORDS)


_Primitive: Any = models.PrimitiveModel  # which has no types
register_model(_Vector)(lambda manager, of: _Primitive(manager, of, _LLVM))


def _place(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """Address of vector ``at`` of a flat array."""
    data = context.make_array(kind)(context, builder, array).data
    first = builder.mul(at, context.get_constant(types.intp, WORDS))
    return builder.bitcast(cgutils.gep_inbounds(builder, data, first), _LLVM.as_pointer())


def _load(_typing: Any, array: Any, _at: Any) -> Any:
    def generate(context: Any, builder: Any, made: Any, given: Any) -> Any:
        place = _place(context, builder, made.args[0], *given)
        return builder.load(place, align=8)

    return _VECTOR(array, types.intp), generate


def _store(_typing: Any, array: Any, _at: Any, _value: Any) -> Any:
    def generate(context: Any, builder: Any, made: Any, given: Any) -> Any:
        place = _place(context, builder, made.args[0], *given[:2])
        builder.store(given[2], place, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, _VECTOR), generate


def _prefetch(_typing: Any, array: Any, _at: Any) -> Any:
    def generate(context: Any, builder: Any, made: Any, given: Any) -> Any:
        word = ir.IntType(32)
        place = builder.bitcast(
            _place(context, builder, made.args[0], *given), ir.IntType(8).as_pointer()
        )
        kind = ir.FunctionType(ir.VoidType(), [place.type, word, word, word])
        name = "llvm.prefetch.p0"
        call = cgutils.get_or_insert_function(builder.module, kind, name)
        builder.call(call, [place, word(0), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


def _spread(_typing: Any, _word: Any) -> Any:
    def generate(_context: Any, builder: Any, _made: Any, given: Any) -> Any:
        one = builder.insert_element(
            ir.Constant(_LLVM, ir.Undefined), given[0], ir.Constant(ir.IntType(32), 0)
        )
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), WORDS), [0] * WORDS)
        return builder.shuffle_vector(one, ir.Constant(_LLVM, ir.Undefined), lanes)

    return _VECTOR(types.uint64), generate


def _intrinsic(made: Callable[..., Any]) -> Any:
    return intrinsic(made)  # to a checker it is what its caller sees, below


load: Callable[[Words, int], Vector] = _intrinsic(_load)
"""``load(array, n)``: words 8 n to 8 n + 7 of a flat array."""

store: Callable[[Words, int, Vector], None] = _intrinsic(_store)
"""``store(array, n, value)``: the same places become ``value``."""

prefetch: Callable[[Words, int], None] = _intrinsic(_prefetch)
"""Have the same places near soon."""

spread: Callable[[np.uint64], Vector] = _intrinsic(_spread)
"""The vector of eight times this word."""


def _lower(of: Callable[..., Any], name: str, arguments: int) -> None:
    @infer_global(of)
    class _Typing(ConcreteTemplate):
        cases: ClassVar = [signature(_VECTOR, *[_VECTOR] * arguments)]

    def generate(_context: Any, builder: Any, _made: Any, given: Any) -> Any:
        return getattr(builder, name)(*given)

    lower_builtin(of, *[_VECTOR] * arguments)(generate)


_lower(operator.and_, "and_", 2)
_lower(operator.or_, "or_", 2)
_lower(operator.xor, "xor", 2)
_lower(operator.invert, "not_", 1)


@inlined
def majority(a: Vector, b: Vector, c: Vector) -> Vector:
    """Bits that two of the three have at least."""
    return (a & b) | (c & (a | b))


@inlined
def choose(which: Vector, yes: Vector, no: Vector) -> Vector:
    """Bits of ``yes`` where ``which`` is set, of ``no`` elsewhere."""
    return (which & yes) | (~which & no)
