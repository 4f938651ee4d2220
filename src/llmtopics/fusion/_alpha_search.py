"""``alpha="auto"``: the fusion weight that predicts held-out words best."""

from typing import Any

import numpy as np
from sklearn.base import clone
from tqdm import tqdm

ALPHAS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def score_alphas(model: Any, texts: list[str]) -> dict[float, float]:
    """Fit each weight on nine tenths of the texts; return its ``score`` on the rest."""
    if len(texts) < 20:
        raise ValueError(
            f"alpha='auto' needs at least 20 texts, got {len(texts)}: pass more texts, or a "
            "number as alpha."
        )
    order = np.random.default_rng(0).permutation(len(texts))
    held_out, kept = np.split(order, [len(texts) // 10])
    return {
        alpha: clone(model)
        .set_params(alpha=alpha, verbose=False)
        .fit([texts[i] for i in kept])
        .score([texts[i] for i in held_out])
        for alpha in tqdm(ALPHAS, "alpha", disable=not model.verbose)
    }
