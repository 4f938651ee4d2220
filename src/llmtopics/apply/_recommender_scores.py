"""Scores of items for users, and the weight of both sides chosen on held-out likes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from llmtopics._compiled.blas import one_thread
from llmtopics.apply._recommender_collaborative import Collaborative, with_items
from llmtopics.apply._recommender_inputs import Interactions
from llmtopics.metrics import ndcg_at_k

WEIGHTS = tuple(round(0.1 * step, 1) for step in range(11))
_SHARE = 0.2  # of interactions, or of items, that are held out
_AT = 20  # length of the lists that are compared
_MOST_SCORES = 10_000_000  # of users times items, in validation
_UNDECIDED = 0.5
_BLOCK = 500  # new items whose similarities are in memory at a time


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores of items for users, from what they like.

    Attributes
    ----------
    features : ndarray of shape (n_items, n_features)
    inverse : ndarray of shape (n_features, n_features)
        The inverse of the regularized Gram matrix of the features.
    known : ndarray of shape (n_items,), bool
        Which items have interactions.
    collaborative : Collaborative or None
    """

    features: np.ndarray
    inverse: np.ndarray
    known: np.ndarray
    collaborative: Collaborative | None

    def profiles(self, weights: sp.csr_array) -> np.ndarray:
        """Return the learned taste of users: coefficients of the features."""
        return (weights @ self.features) @ self.inverse

    def sides(
        self, weights: sp.csr_array, users: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the scores by content and by collaboration, each on a comparable scale.

        The content side stands in for the other for users of whom that knows nothing.

        Parameters
        ----------
        weights : csr_array of shape (n_users, n_items)
        users : ndarray of shape (n_users,) or None
            The users' numbers in ``fit``. None: they are new.
        """
        content, found = self._raw_sides(weights, users)
        content /= self._scales(content)
        if found is None:
            return content, None
        found = found / self._scales(found)
        unknown = ~found.any(axis=1)
        found[unknown] = content[unknown]
        return content, found

    def scales(
        self, weights: sp.csr_array, users: np.ndarray | None
    ) -> tuple[float, float | None]:
        """Return what the scores of one user are divided by, per side.

        The second is None if the collaborative side knows nothing of the user.
        """
        content, found = self._raw_sides(weights, users)
        scale = float(self._scales(content)[0, 0])
        if found is None or not found.any():
            return scale, None
        return scale, float(self._scales(found)[0, 0])

    def _raw_sides(
        self, weights: sp.csr_array, users: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        with one_thread():
            content = self.profiles(weights) @ self.features.T
            if self.collaborative is None:
                return content, None
            of_users = self.collaborative.users(weights, users)
            found = of_users @ self.collaborative.items.T
            return content, found.toarray() if sp.issparse(found) else found

    def _scales(self, scores: np.ndarray) -> np.ndarray:
        """Return each user's standard deviation of scores, or 1 if there is none."""
        found = scores[:, self.known].std(axis=1, keepdims=True)
        return np.where(found > 1e-12, found, 1.0)


def make_scorer(
    features: np.ndarray,
    known: np.ndarray,
    regularization: float,
    collaborative: Collaborative | None,
) -> Scorer:
    """Return a scorer whose factors of items without interactions come from features.

    This is a ridge regression from features to factors.

    Raises
    ------
    ValueError
        If ``regularization`` is lost in rounding.
    """
    with one_thread():
        seen = features[known]
        gram = seen.T @ seen
        try:
            inverse = np.linalg.inv(gram + regularization * np.eye(len(gram)))
        except np.linalg.LinAlgError:
            raise ValueError(
                f"regularization={regularization} is too small for these items: raise it."
            ) from None
    scorer = Scorer(features, inverse, known, collaborative)
    return with_predicted_factors(scorer)


def with_predicted_factors(scorer: Scorer) -> Scorer:
    """Return the scorer with factors for all its items."""
    model, known = scorer.collaborative, scorer.known
    if model is None or known.all():
        return scorer
    with one_thread():
        items = model.items
        kept = items[np.flatnonzero(known)]
        seen = scorer.features[known]
        map_ = scorer.inverse @ (kept.T @ seen).T
    if sp.issparse(items):
        order = np.argsort(np.r_[np.flatnonzero(known), np.flatnonzero(~known)])
        both = sp.vstack([kept, *_predicted_neighbors(scorer, kept, map_)]).tocsr()
        both = both[order]
    else:
        predicted = scorer.features[~known] @ map_
        both = np.empty((len(known), items.shape[1]))
        both[known], both[~known] = kept, predicted
    return Scorer(scorer.features, scorer.inverse, known, with_items(model, both))


def _predicted_neighbors(
    scorer: Scorer, kept: sp.csr_array, map_: np.ndarray
) -> list[sp.csr_array]:
    """Return similarities of the other items, each with as many neighbors as known items have.

    Otherwise, memory would be the number of new items times that of all.
    """
    n = max(1, int(np.diff(kept.tocsc().indptr).max(initial=0)))
    others = scorer.features[~scorer.known]
    found = []
    for start in range(0, len(others), _BLOCK):
        block = others[start : start + _BLOCK] @ map_
        nearest = ranked(np.abs(block), n)
        few = np.zeros_like(block)
        np.put_along_axis(
            few, nearest, np.take_along_axis(block, nearest, axis=1), axis=1
        )
        found.append(sp.csr_array(few))
    return found


def blend(content: np.ndarray, other: np.ndarray | None, weight: Any) -> np.ndarray:
    """Return ``(1 - weight) content + weight other``."""
    return content if other is None else (1 - weight) * content + weight * other


def ranked(scores: np.ndarray, n: int) -> np.ndarray:
    """Return the columns of the largest ``n`` scores per row, best first; ties by column."""
    n = min(n, scores.shape[1])
    return np.argsort(-scores, axis=1, kind="stable")[:, :n]


def choose_weights(
    found: Interactions,
    features: np.ndarray,
    regularization: float,
    fit: Callable[[sp.csr_array], Collaborative],
    seed: int,
) -> tuple[dict[float, float], dict[float, float]]:
    """Return the mean nDCG of each weight, for items with interactions and for new items.

    The first holds out the last interactions of each user, the second some items.

    Parameters
    ----------
    fit : callable
        Fits the collaborative side on weights.
    """
    random = np.random.default_rng(seed)
    last = _last_interactions(found, random)
    known = np.flatnonzero(np.bincount(found.items, minlength=found.n_items))
    some = random.permutation(known)[: int(_SHARE * len(known))]
    of_some = np.isin(found.items, some)

    def scores(held: np.ndarray, candidates: np.ndarray | None) -> dict[float, float]:
        return _scores_of_weights(
            found, held, candidates, features, regularization, fit, random
        )

    return scores(last, None), scores(of_some, some)


def best(scores: dict[float, float]) -> float:
    """Return the weight with the best score; without scores, equal weights."""
    return max(scores, key=lambda weight: scores[weight]) if scores else _UNDECIDED


def _last_interactions(found: Interactions, random: np.random.Generator) -> np.ndarray:
    """Return which rows are the last of their user. Without times, some at random."""
    order = np.lexsort((random.random(len(found.users)), found.order, found.users))
    n = np.bincount(found.users, minlength=len(found.user_ids))
    starts = np.cumsum(n) - n
    held = np.empty(len(order), bool)
    of_order = found.users[order]
    held[order] = (
        np.arange(len(order)) - starts[of_order] >= np.ceil((1 - _SHARE) * n)[of_order]
    )
    return held


def _scores_of_weights(
    found: Interactions,
    held: np.ndarray,
    candidates: np.ndarray | None,
    features: np.ndarray,
    regularization: float,
    fit: Callable[[sp.csr_array], Collaborative],
    random: np.random.Generator,
) -> dict[float, float]:
    kept = found.rows(~held)
    weights, seen = kept.liked(), kept.seen()
    wanted = found.rows(held).liked()
    known = np.bincount(kept.items, minlength=found.n_items) > 0
    allowed = (
        known if candidates is None else np.isin(np.arange(len(known)), candidates)
    )
    wanted = wanted.multiply(wanted > 0).multiply(allowed[np.newaxis]).tocsr()
    # what a user has seen before is not recommended, so it cannot be found again
    wanted = sp.csr_array(wanted - wanted.multiply(seen > 0))
    wanted.eliminate_zeros()
    users = np.flatnonzero((wanted.sum(axis=1) > 0) & (abs(weights).sum(axis=1) > 0))
    if not len(users) or not (weights.data > 0).any():
        return {}
    most = max(1, _MOST_SCORES // found.n_items)
    users = np.sort(random.permutation(users)[:most])
    scorer = make_scorer(features, known, regularization, fit(weights))
    content, other = scorer.sides(weights[users], users)
    banned = (seen[users].toarray() > 0) | ~allowed
    relevant = [wanted[[user]].nonzero()[1] for user in users]
    scores = {}
    for weight in WEIGHTS:
        total = blend(content, other, weight)
        total[banned] = -np.inf
        scores[weight] = float(
            ndcg_at_k(ranked(total, _AT).tolist(), relevant, _AT).mean()
        )
    return scores


def diversified(
    scores: np.ndarray, roots: np.ndarray, n: int, diversity: float
) -> np.ndarray:
    """Return rows chosen by maximal marginal relevance, best first.

    Parameters
    ----------
    scores : ndarray of shape (n_candidates,), best first
    roots : ndarray of shape (n_candidates, K)
        Square roots of topic proportions. Their products are similarities.
    """
    low, high = scores.min(), scores.max()
    relevance = (scores - low) / (high - low) if high > low else np.ones(len(scores))
    chosen: list[int] = []
    nearest = np.zeros(len(scores))
    left = np.ones(len(scores), bool)
    for _ in range(min(n, len(scores))):
        gains = (1 - diversity) * relevance - diversity * nearest
        row = int(np.argmax(np.where(left, gains, -np.inf)))
        chosen.append(row)
        left[row] = False
        nearest = np.maximum(nearest, roots @ roots[row])
    return np.array(chosen, int)


def parts_of_score(
    scorer: Scorer,
    likes: sp.csr_array,
    user: int,
    item: int,
    weight: float,
    blocks: dict[str, slice],
) -> tuple[dict[str, float], np.ndarray, np.ndarray]:
    """Divide a score among its sources, its topics, and the user's history.

    Parameters
    ----------
    likes : csr_array of shape (1, n_items)
    weight : float
        Weight of the collaborative side in this item.

    Returns
    -------
    sources : dict of str to float
        They sum to the score.
    of_topics : ndarray of shape (K,)
    of_items : ndarray of shape (n_likes,)
    """
    features, model = scorer.features, scorer.collaborative
    content_scale, other_scale = scorer.scales(likes, np.array([user]))
    if other_scale is None:  # as in Scorer.sides
        weight = 0.0
    share = (1 - weight) / content_scale
    adds = scorer.profiles(likes)[0] * features[item] * share
    sources = {name: float(adds[part].sum()) for name, part in blocks.items()}
    of_items = likes.data * (features[likes.indices] @ scorer.inverse @ features[item])
    of_items *= share
    if model is not None:
        factor = 0.0 if other_scale is None else weight / other_scale
        parts = model.parts(likes, item)
        if parts is not None:
            of_items = of_items + parts * factor
        total = model.users(likes, np.array([user])) @ model.items[[item]].T
        sources["collaborative"] = float(total.sum() * factor)
    return sources, adds[blocks["topics"]], of_items
