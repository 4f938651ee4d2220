"""The operations of ``simd`` on sixteen float32 at a time, written in LLVM's language.

LLVM does not find them by itself in compiled loops. Its language has vectors of sixteen. If
a processor has shorter ones, LLVM splits them. ``simd`` defines in plain Python what the
operations do, and decides when the operations here are used.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from llmtopics._compiled.compile import compiled_bare
from llmtopics._compiled.simd import LANES

_int, _long, _float = ir.IntType(32), ir.IntType(64), ir.FloatType()
_floats, _ints = ir.VectorType(_float, LANES), ir.VectorType(_int, LANES)
_bits = ir.VectorType(ir.IntType(1), LANES)
_ZEROS = ir.Constant(_floats, [0.0] * LANES)
_COUNT = ir.Constant(_ints, list(range(LANES)))


class _GatherAddress(ir.instructions.Instruction):
    """Addresses of many elements; llvmlite's own ``gep`` takes one element only."""

    def __init__(self, builder: Any, base: Any, indices: Any):
        pointers = ir.VectorType(_float.as_pointer(), LANES)
        super().__init__(builder.block, pointers, "gep", [base, indices], name="")
        builder._insert(self)

    def descr(self, buf: list[str]) -> None:
        base, indices = (operand.get_reference() for operand in self.operands)
        buf.append(f"getelementptr float, ptr {base}, <16 x i32> {indices}\n")


def _splat(builder: Any, value: Any) -> Any:
    vector = ir.VectorType(value.type, LANES)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, _int(0))
    everywhere = ir.Constant(_ints, [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), everywhere)


def _row(context: Any, builder: Any, kind: Any, array: Any, row: Any) -> Any:
    """Pointer to a row of a C-contiguous array, or to an element of a vector."""
    unpacked = context.make_array(kind)(context, builder, array)
    if kind.ndim == 2:
        row = builder.mul(row, cgutils.unpack_tuple(builder, unpacked.shape)[1])
    return builder.gep(unpacked.data, [row])


def _load(builder: Any, pointer: Any, offset: Any, vector: Any) -> Any:
    address = builder.gep(pointer, [offset])
    return builder.load(builder.bitcast(address, vector.as_pointer()), align=4)


def _function(builder: Any, result: Any, arguments: list, name: str) -> Any:
    kind = ir.FunctionType(result, arguments)
    return cgutils.get_or_insert_function(builder.module, kind, name)


def _sum_downwards(builder: Any, sums: Any, n_blocks: Any, weigh: Any) -> Any:
    """Store the running sums of the blocks that ``weigh(offset)`` returns.

    ``weigh`` returns two factors, and for each lane whether it has the own topic. Returns the
    place of the own topic (0 if it was not found) and the last sums.
    """
    fma = _function(builder, _floats, [_floats] * 3, "llvm.fma.v16f32")
    before = builder.block
    loop, done = (builder.append_basic_block(name) for name in ("blocks", "summed"))
    builder.branch(loop)
    builder.position_at_end(loop)
    block, total, own = builder.phi(_long), builder.phi(_floats), builder.phi(_long)
    offset = builder.mul(block, _long(LANES))
    left, right, met = weigh(offset)
    new_total = builder.call(fma, [left, right, total])
    address = builder.gep(sums, [offset])
    builder.store(new_total, builder.bitcast(address, _floats.as_pointer()), align=4)
    bits = builder.zext(builder.bitcast(met, ir.IntType(LANES)), _long)
    place = builder.add(offset, builder.cttz(bits, ir.Constant(ir.IntType(1), 0)))
    new_own = builder.select(builder.icmp_signed("!=", bits, _long(0)), place, own)
    new_block = builder.add(block, _long(1))
    for phi, start, new in [
        (block, _long(0), new_block),
        (total, _ZEROS, new_total),
        (own, _long(0), new_own),
    ]:
        phi.add_incoming(start, before)
        phi.add_incoming(new, loop)
    builder.cbranch(builder.icmp_signed("<", new_block, n_blocks), loop, done)
    builder.position_at_end(done)
    return new_own, new_total


def _add_up(builder: Any, vector: Any) -> Any:
    """Return the running sums over the lanes."""
    for step in (1, 2, 4, 8):
        shifted = [lane - step if lane >= step else LANES for lane in range(LANES)]
        other = builder.shuffle_vector(vector, _ZEROS, ir.Constant(_ints, shifted))
        vector = builder.fadd(vector, other)
    return vector


@intrinsic
def weigh_row(
    typing, table, w, factors, g, sums, own, own_factor, own_count, beta, beta_row
):
    signature = types.float32(
        table, w, factors, g, sums, own, own_factor, own_count, beta, beta_row
    )

    def generate(context, builder, signature, arguments):
        kinds = signature.args
        table, w, factors, g, sums, own, own_factor, own_count, beta, beta_row = (
            arguments
        )
        shape = context.make_array(kinds[0])(context, builder, table).shape
        width = cgutils.unpack_tuple(builder, shape)[1]
        table = _row(context, builder, kinds[0], table, w)
        factors = _row(context, builder, kinds[2], factors, g)
        sums = _row(context, builder, kinds[4], sums, g)
        own = _splat(builder, builder.trunc(own, _int))
        own_factor, own_count = (
            _splat(builder, value) for value in (own_factor, own_count)
        )
        dimensions = getattr(kinds[8], "ndim", 0)
        if dimensions > 0:
            beta = _row(context, builder, kinds[8], beta, beta_row)
        if dimensions == 1:
            beta = builder.load(beta)
        if dimensions < 2:
            beta = _splat(builder, beta)

        def weigh(offset):
            here = builder.add(_COUNT, _splat(builder, builder.trunc(offset, _int)))
            met = builder.icmp_signed("==", here, own)
            count = _load(builder, table, offset, _floats)
            less = builder.select(met, own_count, _ZEROS)
            prior = beta
            if dimensions == 2:
                prior = _load(builder, beta, offset, _floats)
            count = builder.fadd(builder.fsub(count, less), prior)
            factor = _load(builder, factors, offset, _floats)
            return builder.select(met, own_factor, factor), count, met

        n_blocks = builder.udiv(width, _long(LANES))
        _, total = _sum_downwards(builder, sums, n_blocks, weigh)
        return builder.extract_element(_add_up(builder, total), _int(LANES - 1))

    return signature, generate


@intrinsic
def weigh_list(
    typing, topics, counts, first, n_blocks, factors, g, sums, own, own_factor
):
    signature = types.int64(
        topics, counts, first, n_blocks, factors, g, sums, own, own_factor
    )

    def generate(context, builder, signature, arguments):
        kinds = signature.args
        topics, counts, first, n_blocks, factors, g, sums, own, own_factor = arguments
        topics = _row(context, builder, kinds[0], topics, first)
        counts = _row(context, builder, kinds[1], counts, first)
        factors = _row(context, builder, kinds[4], factors, g)
        sums = _row(context, builder, kinds[6], sums, g)
        own = _splat(builder, builder.trunc(own, _int))
        own_factor = _splat(builder, own_factor)
        ones = ir.Constant(_floats, [1.0] * LANES)
        pointers = ir.VectorType(_float.as_pointer(), LANES)
        gather = _function(
            builder,
            _floats,
            [pointers, _int, _bits, _floats],
            "llvm.masked.gather.v16f32.v16p0",
        )

        def weigh(offset):
            topic = _load(builder, topics, offset, _ints)
            met = builder.icmp_signed("==", topic, own)
            count = _load(builder, counts, offset, _floats)
            count = builder.fsub(count, builder.select(met, ones, _ZEROS))
            factor = builder.call(
                gather,
                [
                    _GatherAddress(builder, factors, topic),
                    _int(4),
                    ir.Constant(_bits, [1] * LANES),
                    ir.Constant(_floats, ir.Undefined),
                ],
            )
            return builder.select(met, own_factor, factor), count, met

        own, _ = _sum_downwards(builder, sums, n_blocks, weigh)
        return own

    return signature, generate


@intrinsic
def pick(typing, sums, g, n_blocks, u, rest):
    signature = types.int64(sums, g, n_blocks, u, rest)

    def generate(context, builder, signature, arguments):
        sums, g, n_blocks, u, rest = arguments
        sums = _row(context, builder, signature.args[0], sums, g)
        last = builder.mul(builder.sub(n_blocks, _long(1)), _long(LANES))
        ends = _add_up(builder, _load(builder, sums, last, _floats))
        total = builder.extract_element(ends, _int(LANES - 1))
        target = builder.fmul(u, builder.fadd(total, rest))
        inside = builder.fcmp_ordered("<", target, total)
        passed = builder.fcmp_ordered("<=", ends, _splat(builder, target))
        n_passed = builder.ctpop(builder.bitcast(passed, ir.IntType(LANES)))
        lane = builder.zext(n_passed, _int)
        highest = _int(LANES - 1)
        lane = builder.select(builder.icmp_signed(">", lane, highest), highest, lane)
        exclusive = ir.Constant(_ints, [LANES, *range(LANES - 1)])
        below = builder.extract_element(
            builder.shuffle_vector(ends, _ZEROS, exclusive), lane
        )
        target = builder.fsub(target, below)
        lane = builder.zext(lane, _long)
        column = builder.load(builder.gep(sums, [builder.add(last, lane)]))

        # rows of the lane that end at or before the target; second condition: rounding may
        # put the target at the end of the lane
        before = builder.block
        head, body, done = (
            builder.append_basic_block(name) for name in ("head", "body", "picked")
        )
        builder.branch(head)
        builder.position_at_end(head)
        offset, row = builder.phi(_long), builder.phi(_long)
        builder.cbranch(builder.icmp_signed("<", offset, last), body, done)
        builder.position_at_end(body)
        end = builder.load(builder.gep(sums, [builder.add(offset, lane)]))
        passed = builder.and_(
            builder.fcmp_ordered("<=", end, target),
            builder.fcmp_ordered("<", end, column),
        )
        new_row = builder.add(row, builder.zext(passed, _long))
        new_offset = builder.add(offset, _long(LANES))
        builder.branch(head)
        for phi, new in [(offset, new_offset), (row, new_row)]:
            phi.add_incoming(_long(0), before)
            phi.add_incoming(new, body)
        builder.position_at_end(done)
        place = builder.add(builder.mul(row, _long(LANES)), lane)
        return builder.select(inside, place, _long(-1))

    return signature, generate


@compiled_bare
def use_all(floats, topics):
    """Compile all operations, to test whether they can be compiled."""
    one = np.float32(1)
    weigh_row(floats, 0, floats, 0, floats, 0, one, one, one, 0)
    weigh_list(topics, floats[0], 0, 1, floats, 0, floats, 0, one)
    return pick(floats, 0, 1, one, one)
