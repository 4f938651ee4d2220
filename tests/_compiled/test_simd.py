"""Sixteen numbers at a time give the same bits as one at a time, on every processor."""

import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numba import config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import EfficiencyWarning

import llmtopics
from llmtopics._compiled import simd
from llmtopics._compiled.compile import compiled_bare
from llmtopics._compiled.simd import LANES, compiled_simd, pick, weigh_list, weigh_row

SIZES = [1, 2, 15, 16, 17, 100, 1000]


@compiled_simd
def row_weights(table, w, factors, g, sums, own, own_factor, own_count, beta, row):
    return weigh_row(table, w, factors, g, sums, own, own_factor, own_count, beta, row)


@compiled_simd
def list_weights(topics, counts, first, n_blocks, factors, g, sums, own, own_factor):
    return weigh_list(
        topics, counts, first, n_blocks, factors, g, sums, own, own_factor
    )


@compiled_simd
def one_place(sums, g, n_blocks, u, rest):
    return pick(sums, g, n_blocks, u, rest)


@compiled_simd
def pick_all(sums, g, n_blocks, numbers, rest, found):
    for i in range(numbers.shape[0]):
        found[i] = pick(sums, g, n_blocks, numbers[i], rest)


def filled(K):
    return -(-K // LANES) * LANES


def with_room(weights):
    """Running sums down the columns, and the space behind them."""
    sums = weights.reshape(-1, LANES).cumsum(axis=0).ravel()
    return np.append(sums, np.zeros(LANES)).astype(np.float32)[np.newaxis]


@pytest.mark.parametrize("K", SIZES)
@pytest.mark.parametrize("largest", [3, 2**23])
def test_weights_of_a_row(rng, K, largest):
    table = np.zeros((3, filled(K)), np.float32)
    table[:, :K] = rng.integers(1, largest, (3, K))
    factors = np.zeros((2, filled(K) + LANES), np.float32)
    factors[:, :K] = rng.gamma(1, size=(2, K))
    sums = np.full_like(factors, np.nan)
    for own in {-1, 0, K // 2, K - 1}:
        row_weights(
            table,
            1,
            factors,
            1,
            sums,
            own,
            np.float32(0.25),
            np.float32(1),
            np.float32(0.5),
            0,
        )
        count, factor = table[1].astype(float), factors[1].astype(float)
        if own >= 0:
            count[own] -= 1
            factor[own] = 0.25
        expected = (count + 0.5) * factor[: filled(K)]
        by_lane = expected.reshape(-1, LANES).cumsum(axis=0).ravel()
        assert_allclose(sums[1, : filled(K)], by_lane, rtol=1e-5)
    assert np.isnan(sums[0]).all()  # another row is not changed


@pytest.mark.parametrize("K", SIZES)
def test_weights_of_a_list_and_the_place_of_the_own_topic(rng, K):
    length, first = filled(K), 32
    topics = np.full(first + length, filled(1000), np.int32)
    topics[first : first + K] = rng.permutation(1000)[:K]
    counts = np.zeros(first + length, np.float32)
    counts[first : first + K] = rng.integers(1, 50, K)
    factors = np.zeros((2, filled(1000) + LANES), np.float32)
    factors[:, :1000] = rng.gamma(1, size=(2, 1000))
    sums = np.zeros_like(factors)
    for slot in {0, K // 2, K - 1}:
        own = topics[first + slot]
        found = list_weights(
            topics, counts, first, length // LANES, factors, 0, sums, own, np.float32(2)
        )
        assert found == slot
        expected = counts[first:] * factors[0, topics[first:]].astype(float)
        expected[slot] = (counts[first + slot] - 1) * 2
        by_lane = expected.reshape(-1, LANES).cumsum(axis=0).ravel()
        assert_allclose(sums[0, :length], by_lane, rtol=1e-5)


@pytest.mark.parametrize("K", SIZES)
@pytest.mark.parametrize("rest", [0.0, 0.5])
def test_places_are_picked_in_proportion_to_their_weight(rng, K, rest):
    weights = np.zeros(filled(K))
    weights[:K] = rng.gamma(0.3, size=K) + 1e-3
    sums = with_room(weights)
    n, found = 200_000, np.empty(200_000, np.int64)
    numbers = ((np.arange(n) + 0.5) / n).astype(np.float32)
    extra = np.float32(rest * weights.sum())
    pick_all(sums, 0, filled(K) // LANES, numbers, extra, found)
    assert (found == -1).sum() == pytest.approx(n * rest / (1 + rest), abs=20)
    inside = found[found >= 0]
    assert inside.max() < K
    expected = weights[:K] / weights.sum() * inside.size
    assert_allclose(np.bincount(inside, minlength=K), expected, atol=5)


def test_places_without_weight_are_not_picked(rng):
    """At the end of the range, no place beyond the last is picked."""
    numbers = np.concatenate(
        [rng.random(100_000), [0.0, 1 - 2.0**-24, 1 - 2.0**-23]]
    ).astype(np.float32)
    found = np.empty(numbers.size, np.int64)
    for _ in range(20):
        weights = np.zeros(48, np.float32)
        some = rng.choice(48, 5, replace=False)
        weights[some] = rng.gamma(1, size=5)
        sums = with_room(weights)
        pick_all(sums, 0, 3, numbers, np.float32(0), found)
        assert np.mean(np.isin(found, some)) > 0.999  # sums are rounded
    pick_all(with_room(np.zeros(48, np.float32)), 0, 3, numbers, np.float32(0), found)
    assert_array_equal(found, -1)


# the forms of the operations ---------------------------------------------------------

needs_compiler = pytest.mark.skipif(config.DISABLE_JIT, reason="nothing is compiled")
IN_VECTORS = row_weights, list_weights, one_place
IN_LOOPS = [compiled_bare(operation) for operation in (weigh_row, weigh_list, pick)]
IN_PYTHON = weigh_row, weigh_list, pick
DRAWS = {  # name -> (rng, shape) -> float32 >= 0
    "counts": lambda rng, shape: rng.poisson(1, shape),
    "gamma": lambda rng, shape: rng.gamma(0.1, size=shape),
    "any": lambda rng, shape: rng.integers(0, 0x7F800000, shape, np.int32).view("f4"),
    "tiny": lambda rng, shape: rng.integers(0, 99, shape, np.int32).view("f4"),
    "huge": lambda rng, shape: rng.uniform(1e37, 3e38, shape),
    "zeros": lambda rng, shape: np.zeros(shape),
    # 13 digits each: products lie halfway between two float32, with tiny sums beside them
    "halfway": lambda rng, shape: np.where(
        rng.random(shape) < 0.2, 2.0**-70, 1 + rng.integers(0, 2**12, shape) / 2**12
    ),
}


@needs_compiler
@pytest.mark.parametrize("shape", [(9,), (9, 48)], ids=["per word", "per cell"])
def test_a_prior_of_each_word_or_cell_gives_the_same_bits_in_all_forms(rng, shape):
    table = rng.poisson(1, (9, 48)).astype(np.float32)
    factors = np.pad(rng.gamma(0.1, size=(1, 48)), [(0, 0), (0, 16)]).astype("f4")
    beta = rng.gamma(0.1, size=shape).astype(np.float32)
    one = np.float32(1)
    for w, row in zip(range(9), rng.permutation(9), strict=True):
        found = []
        for form in (row_weights, IN_LOOPS[0], IN_PYTHON[0]):
            sums = np.zeros((1, 64), np.float32)
            total = form(table, w, factors, 0, sums, 5, factors[0, 5], one, beta, row)
            found.append([total, *sums[0, :48]])
        assert_array_equal(found[1], found[0])
        assert_array_equal(found[2], found[0])
        cells = np.broadcast_to(beta[row], 48)
        weights = factors[0, :48] * (table[w] - (np.arange(48) == 5) + cells)
        assert_allclose(total, weights.sum(), rtol=1e-5)


def used(form, rng, draw, K):
    """Everything that a form of the three operations returns and writes."""
    row, of_list, place = form
    width = filled(K)
    table, factors = np.zeros((2, width), np.float32), np.zeros((2, width), np.float32)
    table[:, :K], factors[:, :K] = draw(rng, (2, K)), draw(rng, (2, K))
    some = draw(rng, 6).astype(np.float32)
    topics = rng.permutation(width).astype(np.int32)
    results = []
    for own in (-1, 0, K - 1):
        sums = np.zeros((2, width + LANES), np.float32)
        own_count = min(some[0], table[1, own])
        results.append(
            row(table, 1, factors, 1, sums, own, some[1], own_count, some[2], 0)
        )
        results.append(sums[:, :width].copy())
        for u in (*rng.random(8).astype(np.float32), *np.float32([0, 1 - 2.0**-24])):
            for rest in (np.float32(0), some[3]):
                results.append(place(sums, 1, width // LANES, u, rest))
        own_factor = some[4]
        counts = np.maximum(table[0], np.float32(1))
        results.append(
            of_list(
                topics, counts, 0, width // LANES, factors, 1, sums, own, own_factor
            )
        )
        results.append(sums[:, :width].copy())
    return results


@needs_compiler
@pytest.mark.parametrize("K", [1, 16, 17, 40, 300])
@pytest.mark.parametrize("draw", DRAWS)
def test_all_forms_give_the_same_bits(draw, K):
    assert simd.vectors() is not None, "nothing to compare with"
    vectors, loops, plain = (
        used(form, np.random.default_rng(K), DRAWS[draw], K)
        for form in (
            IN_VECTORS,
            IN_LOOPS,
            [np.errstate(all="ignore")(f) for f in IN_PYTHON],
        )
    )
    for vector, loop, python in zip(vectors, loops, plain, strict=True):
        assert_array_equal(vector, loop)
        assert_array_equal(vector, python)


def test_fused_product_and_sum_are_rounded_once(rng):
    twice = 0
    for draw in DRAWS.values():
        for a, b, c in draw(rng, (300, 3)).astype(np.float32):
            c = np.float32(c * 2.0 ** -rng.integers(60)) * rng.choice([-1, 1])
            c = np.float32(c)
            exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
            if exact > Fraction(float(np.finfo(np.float32).max)):
                continue
            near = np.float32(float(exact))
            near = [
                near,
                *(np.nextafter(near, np.float32(x)) for x in (-np.inf, np.inf)),
            ]
            best = min(
                (x for x in near if np.isfinite(x)),
                key=lambda x: (abs(Fraction(float(x)) - exact), x.view(np.int32) & 1),
            )
            assert simd.fused(a, b, c) == best
            twice += np.float32(float(a) * float(b) + float(c)) != best
    assert twice > 5  # float64 alone would be wrong this often


# which form is used ------------------------------------------------------------------

LOOK = """
import sys
import warnings

import numpy as np

from llmtopics._compiled import simd


@simd.compiled_simd
def draw(table, factors, sums, own, numbers, found):
    for i in range(numbers.shape[0]):
        one = np.float32(1)
        simd.weigh_row(table, i, factors, 0, sums, own, one, one, numbers[i], 0)
        found[i] = simd.pick(sums, 0, 3, numbers[i], one)


exec(sys.argv[1])
rng = np.random.default_rng(0)
table, factors = rng.poisson(2, (99, 48)), rng.gamma(0.1, size=(1, 48))
numbers, found = rng.random(99, np.float32), np.empty(99, np.int64)
sums = np.zeros((1, 64), np.float32)
draw(table.astype("f4"), factors.astype("f4"), sums, 5, numbers, found)
print(simd.vectors() is not None, sum(draw.stats.cache_hits.values()) > 0, *found)
print(sums[:, :48].tobytes().hex())
"""
NO_VECTORS = "simd.VECTOR_PROCESSORS.clear()"
BROKEN = """
from llmtopics._compiled import simd_llvm
warnings.simplefilter("ignore", simd.EfficiencyWarning)
del simd_llvm._sum_downwards
"""


@pytest.fixture(scope="module")
def look(tmp_path_factory):
    """Run a loop in a new process.

    Returns whether its operations are in vectors, whether it was found on disk, and its
    results.
    """
    script = tmp_path_factory.mktemp("loop") / "look.py"
    script.write_text(LOOK)

    def run(setup="", **environment):
        run = subprocess.run(
            [sys.executable, "-W", "error", script, setup],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        in_vectors, on_disk, *results = run.stdout.split()
        return in_vectors == "True", on_disk == "True", results

    return run


@pytest.fixture(scope="module")
def expected(look):
    return look()[2]


@pytest.mark.slow
@needs_compiler
def test_a_processor_with_short_registers_gives_the_same_numbers(look, expected):
    """LLVM splits the vectors, and calls a function if there is no instruction."""
    assert look(NUMBA_CPU_NAME="generic")[::2] == (True, expected)


@pytest.mark.slow
@needs_compiler
def test_forms_replace_each_other_and_are_separate_on_disk(look, expected, tmp_path):
    source = Path(llmtopics.__file__).parent
    package = tmp_path / "llmtopics"
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("__pycache__"))
    here = {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert look(BROKEN, **here) == (False, False, expected)
    assert look(**here) == (True, False, expected)
    assert look(**here) == (True, True, expected)
    assert look(NO_VECTORS, **here) == (False, True, expected)
    with (package / "_compiled" / "simd_llvm.py").open("a") as file:
        file.write("# changed\n")
    assert look(**here) == (True, False, expected)


@needs_compiler
def test_a_warning_says_that_the_fast_form_is_missing(monkeypatch):
    from llmtopics._compiled import simd_llvm

    def fail(*_):
        raise AttributeError("no such part of numba")

    monkeypatch.setattr(simd_llvm, "use_all", fail)
    with pytest.warns(EfficiencyWarning, match="AttributeError: no such part of numba"):
        assert simd.vectors.__wrapped__() is None


@needs_compiler
def test_other_processors_are_not_tried(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "s390x")
    assert simd.vectors.__wrapped__() is None
