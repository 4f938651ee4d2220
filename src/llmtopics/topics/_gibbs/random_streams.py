"""Keys of streams of random numbers."""

import numpy as np


def sweep_key(seed: int, number: int) -> np.uint64:
    """Return the key of the random numbers of a sweep; the first sweep is number 0."""
    return stream_key(seed, 1 + number)


def stream_key(*numbers: int) -> np.uint64:
    """Return a key of several numbers; zeros at the end do not change it."""
    return np.random.SeedSequence(list(numbers)).generate_state(1, np.uint64)[0]
