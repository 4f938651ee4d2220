"""Learn Dirichlet priors: they make the state of a chain more probable.

T. Minka, "Estimating a Dirichlet distribution", 2000, equation 55, from tallies as in
H. Wallach, D. Mimno and A. McCallum, "Rethinking LDA: why priors matter", NIPS 2009.
"""

import numpy as np
from scipy.special import psi

from llmtopics.topics._gibbs.likelihood import Cells, Divided
from llmtopics.topics._gibbs.word_prior import WordPrior

_N_STEPS = 5
LEAST = 1e-5  # prior of a topic that no document has


def learn_prior(
    divided: Divided, prior: np.ndarray, n_steps: int = _N_STEPS
) -> np.ndarray:
    """Return asymmetric Dirichlets after a few of Minka's fixed-point steps.

    ``prior`` is of shape (K,), or (G, K) for G kinds of groups.
    """
    rows = np.atleast_2d(prior)
    for _ in range(n_steps):
        alpha, a = rows.ravel()[divided.parts], rows.sum(axis=1)
        gain = divided.n_in * (psi(divided.in_part + alpha) - psi(alpha))
        gain = np.bincount(divided.parts, gain, minlength=rows.size)
        a_of = a[divided.kinds]
        loss = divided.n_of * (psi(divided.lengths + a_of) - psi(a_of))
        loss = np.bincount(divided.kinds, loss, minlength=len(rows))[:, np.newaxis]
        fresh = rows * gain.reshape(rows.shape) / np.where(loss > 0, loss, 1)
        rows = np.where(loss > 0, np.clip(fresh, LEAST, 1 / LEAST), rows)
    return rows.reshape(prior.shape)


def learn_word_prior(cells: Cells) -> WordPrior:
    """Return the symmetric β after a few of Minka's fixed-point steps."""
    c, beta = cells, cells.priors
    for _ in range(_N_STEPS):
        vb = c.n_words * beta
        gain = c.n_cells @ (psi(c.in_cell + beta) - psi(beta))
        loss = c.n_words * (psi(c.totals + vb) - psi(vb)).sum()
        beta = float(np.clip(beta * gain / loss, LEAST, 1 / LEAST))
    return WordPrior(beta, c.n_words)
