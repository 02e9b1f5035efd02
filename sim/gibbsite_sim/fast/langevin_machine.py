"""Products of integer matrices with packed vectors, by the instruction that machines have for it.

    sums[r, l] += 2^lift sum_k (low(w_rk) low(x_kl) + high(w_rk) high(x_kl))

A word holds a pair of signed 16-bit numbers, ``low + 2^16 high``. One instruction of x86
(``vpmaddwd``) multiplies 16 or 8 pairs by pairs and adds each two products into 32 bits; the
kernel keeps ROWS rows of sums in registers, for 16 or 8 chains a vector. Elsewhere the compiler
makes the same of ordinary products. The caller proves that no sum leaves 32 bits.

Twin: `gibbsite_models.golden.langevin_arithmetic.exact_dot`.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.compiler import Compiler
from numba.extending import intrinsic
from numpy.typing import NDArray

__all__ = ["LANES", "ROWS", "add_products", "inlined", "whole_vectors"]

LANES = 32
"""Chains that are computed side by side: a tile."""
ROWS = 8
"""Rows of a matrix that are multiplied together: a panel."""

Words = NDArray[np.int32]
Sums = NDArray[np.int64]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_HALF, _WORD, _SUM = (ir.IntType(bits) for bits in (16, 32, 64))


def _vectors() -> tuple[int, int, str | None]:
    """Words of a vector, vectors whose sums fit the registers, and the machine's instruction."""
    has = llvm.get_host_cpu_features()
    if has.get("avx512bw"):
        return 16, 2, "llvm.x86.avx512.pmaddw.d.512"
    if has.get("avx2"):
        return 8, 1, "llvm.x86.avx2.pmadd.wd"
    return 8, 1, None


WIDTH, COUNT, INSTRUCTION = _vectors()


class _Inlined(Compiler):
    """numba's compiler for functions that become part of their callers.

    Their arrays do not overlap and are not counted, as in `gibbsite_sim.fast.compiled.bare`.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.state.flags.noalias = True
        self.state.flags.nrt = False
        self.state.flags.no_cpython_wrapper = True
        self.state.flags.no_cfunc_wrapper = True


def inlined(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function as part of its compiled caller, so that passing a row costs nothing.

    A row is seven numbers to pass: called, the small functions of a unit would take most of its
    time. They are kept in the cache with their callers.
    """
    made: Callable[_P, _R] = numba.njit(
        boundscheck=False,
        error_model="numpy",
        forceinline=True,
        pipeline_class=_Inlined,
    )(function)
    return made


def _whole_vectors(_typing: Any) -> Any:
    """The code of `whole_vectors`."""

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        # llvmlite knows no attributes of this form, so it cannot be asked whether this is one
        set.add(builder.function.attributes, f'"prefer-vector-width"="{32 * WIDTH}"')
        return context.get_dummy_value()

    return types.void(), generate


_whole: Any = intrinsic(_whole_vectors)  # to a checker it is what its caller sees, below
whole_vectors: Callable[[], None] = _whole
"""Let the loops of the function that says this use the machine's widest vectors."""


def _add_products(
    _typing: Any,
    weights: Any,
    places: Any,
    _first: Any,
    _last: Any,
    packed: Any,
    sums: Any,
    _lift: Any,
) -> Any:
    """The code of `add_products`."""
    signature = types.void(weights, places, types.int64, types.int64, packed, sums, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def start(at: int) -> Any:
            kind = signature.args[at]
            return context.make_array(kind)(context, builder, arguments[at]).data

        for part in range(0, LANES, WIDTH * COUNT):
            _multiply(
                builder, part, start(0), start(1), arguments[2:4], start(4), start(5), arguments[6]
            )
        return context.get_dummy_value()

    return signature, generate


_products: Any = intrinsic(_add_products)
add_products: Callable[[Words, Words, int, int, Words, Sums, int], None] = _products
"""``sums[r, l] += 2^lift sum_k weights[k, r] . packed[places[k], l]``, k in first .. last - 1.

``weights`` int32[k, ROWS] and ``places`` int32[k] of one panel, ``packed`` int32[pairs, LANES],
``sums`` int64[ROWS, LANES], all contiguous; indices and ``lift`` int64, ``first < last``.
"""


def _multiply(
    builder: Any,
    part: int,
    weights: Any,
    places: Any,
    bounds: Any,
    packed: Any,
    sums: Any,
    lift: Any,
) -> None:
    """The loop over k for COUNT vectors of chains from ``part`` on."""
    vector = ir.VectorType(_WORD, WIDTH)
    before = builder.block
    loop, done = (builder.append_basic_block(name) for name in ("products", "sums"))
    builder.branch(loop)
    builder.position_at_end(loop)
    k = builder.phi(_SUM)
    k.add_incoming(bounds[0], before)
    totals = [[builder.phi(vector) for _ in range(COUNT)] for _ in range(ROWS)]
    place = builder.sext(builder.load(builder.gep(places, [k])), _SUM)
    row = builder.gep(packed, [builder.mul(place, _SUM(LANES))])
    operands = [_load(builder, row, part + WIDTH * v, vector, 4) for v in range(COUNT)]
    column = builder.gep(weights, [builder.mul(k, _SUM(ROWS))])
    following = builder.add(k, _SUM(1))
    k.add_incoming(following, loop)
    for r, those in enumerate(totals):
        weight = _spread(builder, builder.load(builder.gep(column, [_SUM(r)])), vector)
        for total, operand in zip(those, operands, strict=True):
            total.add_incoming(ir.Constant(vector, [0] * WIDTH), before)
            total.add_incoming(builder.add(total, _pairs(builder, operand, weight)), loop)
    builder.cbranch(builder.icmp_signed("<", following, bounds[1]), loop, done)
    builder.position_at_end(done)
    wide = ir.VectorType(_SUM, WIDTH)
    by = _spread(builder, lift, wide)
    for r, those in enumerate(totals):
        for v, total in enumerate(those):
            finished = total.incomings[1][0]
            at = builder.gep(sums, [_SUM(r * LANES + part + WIDTH * v)])
            place = builder.bitcast(at, wide.as_pointer())
            lifted = builder.shl(builder.sext(finished, wide), by)
            builder.store(builder.add(builder.load(place, align=8), lifted), place, align=8)


def _load(builder: Any, start: Any, at: int, vector: Any, align: int) -> Any:
    place = builder.bitcast(builder.gep(start, [_SUM(at)]), vector.as_pointer())
    return builder.load(place, align=align)


def _spread(builder: Any, value: Any, vector: Any) -> Any:
    """The value in all places of a vector."""
    nothing = ir.Constant(vector, ir.Undefined)
    one = builder.insert_element(nothing, value, _WORD(0))
    places = ir.Constant(ir.VectorType(_WORD, vector.count), [0] * vector.count)
    return builder.shuffle_vector(one, nothing, places)


def _pairs(builder: Any, one: Any, two: Any) -> Any:
    """Products of pairs, the two of a word added."""
    halves = ir.VectorType(_HALF, 2 * WIDTH)
    if INSTRUCTION is not None:
        kind = ir.FunctionType(one.type, [halves, halves])
        insert: Any = cgutils.get_or_insert_function
        function = insert(builder.module, kind, INSTRUCTION)
        return builder.call(function, [builder.bitcast(value, halves) for value in (one, two)])
    sixteen = ir.Constant(one.type, [16] * WIDTH)

    def low(value: Any) -> Any:
        return builder.ashr(builder.shl(value, sixteen), sixteen)

    def high(value: Any) -> Any:
        return builder.ashr(value, sixteen)

    lows, highs = (builder.mul(part(one), part(two)) for part in (low, high))
    return builder.add(lows, highs)
