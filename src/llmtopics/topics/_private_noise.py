"""Noise that hides single documents, and what it costs. OpenDP draws it and adds the costs.

Sums of whole numbers get discrete Gaussian noise: it has no rounding that could be attacked.
"""

from typing import Any, NamedTuple

import numpy as np

from llmtopics.topics._private_kernels import LIMIT


class Noise(NamedTuple):
    """Discrete Gaussian noise for sums in which a document has at most norm ``LIMIT``.

    scale : standard deviation, as a multiple of ``LIMIT``; 0 without noise
    epsilon : of all releases together, at the given δ
    add : from whole numbers to noisy whole numbers, of the same shape
    """

    scale: float
    epsilon: float
    add: Any


def no_noise() -> Noise:
    """Return the noise of ε = ∞: none."""
    return Noise(0.0, np.inf, lambda sums: sums)


def noise_for(epsilon: float, delta: float, n_releases: int, name: str) -> Noise:
    """Return the least noise with which all releases together are (ε, δ)-private.

    name : of the public estimator or function, for error messages

    Raises
    ------
    ImportError
        Without OpenDP.
    ValueError
        If ε and δ are too small for noise that 64-bit numbers can hold.
    """
    dp = _opendp(name)
    domain = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")

    def released(scale: float) -> Any:
        one = dp.m.make_gaussian(*domain, scale=scale * LIMIT)
        all_of_them = dp.c.make_composition([one] * n_releases)
        return dp.c.make_fix_delta(dp.c.make_zCDP_to_approxDP(all_of_them), delta)

    def spent(scale: float) -> float:
        try:
            return released(scale).map(float(LIMIT))[0]
        except dp.OpenDPException:  # more than it can express
            return np.inf

    low, high = 2.0**-12, 2.0**24
    if spent(high) > epsilon:
        raise ValueError(
            f"epsilon={epsilon} and delta={delta} need more noise than whole numbers of 64 "
            "bits hold: raise epsilon or delta."
        )
    while high / low > 1 + 1e-4:
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if spent(middle) <= epsilon else (middle, high)
    draw = dp.m.make_gaussian(*domain, scale=high * LIMIT)

    def add(sums: np.ndarray) -> np.ndarray:
        noisy = draw(sums.ravel().tolist())
        return np.array(noisy, np.int64).reshape(sums.shape)

    return Noise(high, spent(high), add)


def _opendp(name: str) -> Any:
    try:
        import opendp.prelude as dp
    except ImportError as error:
        raise ImportError(
            f"{name} draws its noise with OpenDP: pip install 'llmtopics[private]'"
        ) from error
    dp.enable_features("contrib")  # the Gaussian mechanism is one of these
    return dp
