"""Three operations on sixteen float32 at a time (SIMD).

The weights of topics are seen as rows of sixteen and summed *down the columns*: lane l of
running sum b is the sum of the weights l, 16 + l, ..., 16 b + l. That takes one operation per
sixteen weights. The usual running sum takes sixteen, one after another. ``pick`` then finds
the place of a uniform number: first the lane, then the row.

The functions here are plain Python and define the result. Compiled loops that call them
get the operations of ``simd_llvm`` instead, which compute sixteen numbers at once. If these
cannot be compiled, the loops get the functions below, compiled. Both add in the same order
and round in the same way, so the result is the same on every processor.
"""

import platform
import warnings
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any
from zlib import crc32

import numpy as np
from numba.extending import overload
from sklearn.exceptions import EfficiencyWarning

from llmtopics._compiled.compile import by_dimensions, compiled_bare

LANES = 16
# LLVM ends the process when it cannot translate an operation, so no other processor is
# tried. Big-endian processors would also reverse the order of the lanes.
VECTOR_PROCESSORS = {"x86_64", "amd64", "aarch64", "arm64"}
_NOTHING = np.float32(0)


@cache
def vectors() -> Any:
    """Return the module ``simd_llvm``, or None if it cannot be compiled.

    It is called when a loop is first needed, because it compiles. Later processes find the
    result in numba's cache.
    """
    if platform.machine().lower() not in VECTOR_PROCESSORS:
        return None
    try:
        from llmtopics._compiled import simd_llvm

        simd_llvm.use_all(np.ones((1, LANES), np.float32), np.zeros(LANES, np.int32))
    except Exception as error:  # noqa: BLE001  # numba may change in any way
        warnings.warn(
            "The installed numba cannot compile the fast form of the Gibbs sampler"
            f" ({type(error).__name__}: {error}). A slower form with the same results is"
            " used. Install another version of numba, and please report this.",
            EfficiencyWarning,
            stacklevel=2,
        )
        return None
    return simd_llvm


@cache
def _ingredients() -> tuple:
    """Return what compiled loops depend on, apart from their own source."""
    sources = [f"{name}.py" for name in ("simd", "simd_llvm")]
    folder = resources.files("llmtopics._compiled")
    return vectors() is None, *(crc32((folder / s).read_bytes()) for s in sources)


def compiled_simd(function: Callable) -> Any:
    """Compile a loop that calls the operations and allocates nothing.

    numba finds a compiled loop in its cache by the source of the loop. Here the key also
    contains the source of the operations.
    """
    loop = compiled_bare(function)
    on_disk: Any = getattr(loop, "_cache", None)
    if hasattr(on_disk, "_index_key"):
        own_key = on_disk._index_key
        on_disk._index_key = lambda *args: (*own_key(*args), *_ingredients())
    return loop


def _operation(function: Callable) -> Callable:
    """Replace ``function`` in compiled loops by its form in vectors, if that can be compiled."""
    loop = compiled_bare(function)
    options: Any = {"_nrt": False, "forceinline": True}

    @overload(function, strict=False, jit_options=options)
    def choose(*args):
        chosen = getattr(vectors(), function.__name__, loop)
        return lambda *args: chosen(*args)

    return function


@compiled_bare
def fused(a, b, c):
    """Return ``a b + c`` of float32, rounded once, as the processor's ``fma`` does."""
    product, addend = np.float64(a) * np.float64(b), np.float64(c)  # both exact
    total = product + addend
    added = total - product
    error = (product - (total - added)) + (addend - added)  # exact: Knuth's TwoSum
    bits = np.float64(total).view(np.int64)
    if error != 0 and not bits & 1:
        # Of the two float64 around the exact sum, take the odd one. It is never halfway
        # between two float32, so the second rounding goes the right way.
        bits += 1 if (error > 0) == (total > 0) else -1
    return np.float32(np.int64(bits).view(np.float64))


@compiled_bare
def _add_up(sums, g, first):
    """Write the running sums over the lanes of a row behind the row."""
    ends = first + LANES
    for i in range(LANES):
        sums[g, ends + i] = sums[g, first + i]
    for step in (1, 2, 4, 8):
        for i in range(LANES - 1, step - 1, -1):
            sums[g, ends + i] += sums[g, ends + i - step]


number_or_cell = by_dimensions(
    lambda values, row, column: values,
    lambda values, row, column: values[row],
    lambda values, row, column: values[row, column],
)


@_operation
def weigh_row(table, w, factors, g, sums, own, own_factor, own_count, beta, beta_row):
    """Sum ``factor_k (n_wk + β)`` down the columns, without one token of topic ``own``.

    Returns the sum of all weights.

    table : float32 (V, n_blocks * 16); row ``w`` holds n_wk
    factors, sums : float32 (G, at least (n_blocks + 1) * 16) for G documents that are drawn
        together; row ``g`` is read, and written
    own : int64, a topic, or -1 for none
    own_factor : float32, used instead of ``factors[g, own]``
    own_count : float32, subtracted from ``table[w, own]``
    beta : float32, or (V,), or (U, n_blocks * 16) with U distinct rows: one for
        all, per word, or per word and topic
    beta_row : int64, row of ``beta`` for this word
    """
    width = table.shape[1]
    for k in range(width):
        factor, count = factors[g, k], table[w, k]
        if k == own:
            factor, count = own_factor, count - own_count
        above = sums[g, k - LANES] if k >= LANES else _NOTHING
        sums[g, k] = fused(factor, count + number_or_cell(beta, beta_row, k), above)
    _add_up(sums, g, width - LANES)
    return sums[g, width + LANES - 1]


@_operation
def weigh_list(topics, counts, first, n_blocks, factors, g, sums, own, own_factor):
    """Sum ``factor_k n_wk`` of a list down the columns; return the slot of topic ``own``.

    topics, counts : int32, float32; the list starts at ``first``
    factors, sums, own, own_factor : as in ``weigh_row``; one token of ``own`` is left out
    """
    own_slot = 0
    for slot in range(n_blocks * LANES):
        k, count = topics[first + slot], counts[first + slot]
        factor = factors[g, k]
        if k == own:
            own_slot = slot
            factor, count = own_factor, count - np.float32(1)
        above = sums[g, slot - LANES] if slot >= LANES else _NOTHING
        sums[g, slot] = fused(factor, count, above)
    return own_slot


@_operation
def pick(sums, g, n_blocks, u, rest):
    """Return the place at the share ``u`` of all weight; -1 if it is beyond the sums.

    sums : float32 (G, at least (n_blocks + 1) * 16), as in ``weigh_row``; row ``g`` as written by ``weigh_row`` or
        ``weigh_list``; overwritten from ``n_blocks * 16`` on
    u : float32 in [0, 1)
    rest : float32, weight that comes after the sums
    """
    ends = n_blocks * LANES
    last = ends - LANES
    _add_up(sums, g, last)
    total = sums[g, ends + LANES - 1]
    target = u * (total + rest)
    if not target < total:
        return -1
    lane = 0
    for i in range(LANES):
        lane += sums[g, ends + i] <= target
    lane = min(lane, LANES - 1)
    if lane > 0:
        target -= sums[g, ends + lane - 1]
    row = 0
    for b in range(n_blocks - 1):
        end = sums[g, b * LANES + lane]
        # second condition: rounding may put the target at the end of the lane
        row += end <= target and end < sums[g, last + lane]
    return row * LANES + lane
