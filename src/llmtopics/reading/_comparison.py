"""Topics of two models, matched one to one."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from llmtopics.metrics._stability import Weights, similarities


def match_topics(one: Weights, other: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Return the matched topic of the other model, (K,), -1 for none, and all distances.

    The distance is the Jensen-Shannon distance of distributions over the words of both
    models, from 0 (equal) to 1 (no word in common), (K, K').
    """
    distances = 1 - similarities(one, other)
    matched = np.full(len(distances), -1)
    rows, columns = linear_sum_assignment(distances)
    matched[rows] = columns
    return matched, distances
