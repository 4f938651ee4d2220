"""Sixteen at a time gives what one at a time gives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from llmtopics._lanes import LANES, compiled_lanes, pick, weigh_list, weigh_row

SIZES = [1, 2, 15, 16, 17, 100, 1000]


@compiled_lanes
def row_weights(table, w, factors, g, sums, own, own_factor, own_count, beta):
    weigh_row(table, w, factors, g, sums, own, own_factor, own_count, beta)


@compiled_lanes
def list_weights(topics, counts, first, n_blocks, factors, g, sums, own, own_factor):
    return weigh_list(
        topics, counts, first, n_blocks, factors, g, sums, own, own_factor
    )


@compiled_lanes
def pick_all(sums, g, n_blocks, numbers, rest, found):
    for i in range(numbers.shape[0]):
        found[i] = pick(sums, g, n_blocks, numbers[i], rest)


def filled(K):
    return -(-K // LANES) * LANES


def weights_in(sums):
    """Undo the sums."""
    rows = sums.reshape(-1, LANES)
    return np.diff(rows, axis=0, prepend=np.zeros((1, LANES), sums.dtype)).ravel()


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
        )
        count, factor = table[1].astype(float), factors[1].astype(float)
        if own >= 0:
            count[own] -= 1
            factor[own] = 0.25
        expected = (count + 0.5) * factor[: filled(K)]
        by_lane = expected.reshape(-1, LANES).cumsum(axis=0).ravel()
        assert_allclose(sums[1, : filled(K)], by_lane, rtol=1e-5)
    assert np.isnan(sums[0]).all()  # another row is left alone


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
def test_places_are_picked_as_often_as_they_weigh(rng, K, rest):
    weights = np.zeros(filled(K))
    weights[:K] = rng.gamma(0.3, size=K) + 1e-3
    sums = weights.reshape(-1, LANES).cumsum(axis=0).ravel()[np.newaxis]
    n, found = 200_000, np.empty(200_000, np.int64)
    numbers = ((np.arange(n) + 0.5) / n).astype(np.float32)
    extra = np.float32(rest * weights.sum())
    pick_all(sums.astype(np.float32), 0, filled(K) // LANES, numbers, extra, found)
    assert (found == -1).sum() == pytest.approx(n * rest / (1 + rest), abs=20)
    inside = found[found >= 0]
    assert inside.max() < K
    expected = weights[:K] / weights.sum() * inside.size
    assert_allclose(np.bincount(inside, minlength=K), expected, atol=5)


def test_places_without_weight_are_not_picked(rng):
    """Nor is one beyond the last, at the very end of the range."""
    numbers = np.concatenate(
        [rng.random(100_000), [0.0, 1 - 2.0**-24, 1 - 2.0**-23]]
    ).astype(np.float32)
    found = np.empty(numbers.size, np.int64)
    for _ in range(20):
        weights = np.zeros(48, np.float32)
        some = rng.choice(48, 5, replace=False)
        weights[some] = rng.gamma(1, size=5)
        sums = weights.reshape(-1, LANES).cumsum(axis=0).ravel()[np.newaxis]
        pick_all(sums, 0, 3, numbers, np.float32(0), found)
        assert np.mean(np.isin(found, some)) > 0.999  # sums are rounded
    pick_all(np.zeros((1, 48), np.float32), 0, 3, numbers, np.float32(0), found)
    assert_array_equal(found, -1)
