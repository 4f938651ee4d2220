"""Compute how many texts each class lacks."""

from collections import Counter
from collections.abc import Hashable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d


def check_labels(y: Any, n_texts: int) -> list[Hashable]:
    """Return classes as a list, one per text."""
    labels = column_or_1d(y).tolist()
    if len(labels) != n_texts:
        raise ValueError(
            f"y has {len(labels)} entries and there are {n_texts} texts. Pass one class per "
            "text."
        )
    for row, label in enumerate(labels):
        if label is None or (isinstance(label, float) and np.isnan(label)):
            raise ValueError(
                f"y has no class in row {row}, got {label!r}. Pass one class per text."
            )
    return labels


def n_missing(strategy: Any, sizes: Counter[Hashable]) -> dict[Hashable, int]:
    """Return how many texts each class lacks.

    Parameters
    ----------
    strategy : "auto", int, float or dict
        As ``sampling_strategy`` of :class:`LLMResampler`.
    sizes : Counter
        Number of texts per class.
    """
    if isinstance(strategy, Mapping):
        for label, n in strategy.items():
            if label not in sizes:
                raise ValueError(
                    f"sampling_strategy has the class {label!r}, which is not in y. Use the "
                    f"classes of y: {', '.join(map(repr, sizes))}."
                )
            if not isinstance(n, Integral) or n < sizes[label]:
                raise ValueError(
                    f"sampling_strategy asks for {n!r} texts of class {label!r}, which has "
                    f"{sizes[label]}. Texts are never removed: pass a whole number of at "
                    f"least {sizes[label]}."
                )
        return {label: n - sizes[label] for label, n in strategy.items()}
    largest = max(sizes.values())
    if strategy == "auto":
        target = largest
    elif isinstance(strategy, Integral):
        target = int(strategy)
    else:
        target = int(np.ceil(strategy * largest))
    return {label: max(target - n, 0) for label, n in sizes.items()}
