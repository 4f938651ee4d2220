"""``TopicRecommender``: its parameters and its public methods.

More than 400 lines, because half of them document parameters and methods.
"""

from dataclasses import KW_ONLY, dataclass
from functools import partial
from numbers import Integral, Real
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import (
    N_JOBS,
    as_seed,
    check_positive,
    check_share,
    check_texts,
    pandas_for,
)
from llmtopics._compiled.threads import n_workers
from llmtopics._fitted_model import FittedModel
from llmtopics._parts import PartsMixin
from llmtopics._progress import fitting
from llmtopics._state import as_fitted, restored_on_error
from llmtopics._text_readers import TextReader
from llmtopics._vectorizers import IsVectorizer
from llmtopics._words import topic_labels
from llmtopics.apply._recommender_collaborative import (
    fit_collaborative,
    regularization_for,
)
from llmtopics.apply._recommender_explanation import RecommendationExplanation
from llmtopics.apply._recommender_features import (
    Features,
    fit_words,
    read_features,
    topic_model_for,
    words_of_topics,
)
from llmtopics.apply._recommender_inputs import (
    Interactions,
    check_ids,
    likes_of_new_users,
    read_interactions,
    rows_of,
)
from llmtopics.apply._recommender_scores import (
    Scorer,
    best,
    blend,
    choose_weights,
    diversified,
    make_scorer,
    parts_of_score,
    ranked,
    with_predicted_factors,
)
from llmtopics.metrics import ndcg_at_k

_AT_A_TIME = 500  # users
_POOL = 10  # candidates per recommended item, from which diversity chooses


@dataclass(eq=False, repr=False)
class TopicRecommender(PartsMixin, TextReader, BaseEstimator):
    """Recommend items by their texts and by what similar users like.

    The content side learns the taste of each user from the topics, vectors and words of
    the items that they liked. It also knows new items, from their texts alone. The
    collaborative side learns from the likes of all users. The weight of the sides is chosen
    on held-out likes.

    Parameters
    ----------
    model : estimator or None, default=None
        Texts to topic proportions: any topic model or Pipeline that reads texts. If it has an
        embedder, its vectors are features, too. None is a :class:`FusionTopicModel` with one
        topic per 30 texts, at least 2 and at most 100.

    collaborative : "als", "ease", model of implicit, or None, default="als"
        The collaborative side. "als" is ``implicit.als.AlternatingLeastSquares`` with 64
        factors. Its regularization is 1.5 per mean like of an item, at most 10. "ease" is ridge
        regression of each item on all others [4]_. On MovieLens it is as good, and it does not need
        ``implicit``. It takes up to 20,000 items: its memory is 8 bytes times their square. Other models of ``implicit`` are fitted as they are, such as
        ``CosineRecommender`` or an ALS with other settings. None uses texts alone, and
        does not need the extra ``recommend``.

    weight : float between 0 and 1, or "auto", default="auto"
        Weight of the collaborative side. 0 is the content side alone. "auto" chooses one of
        0, 0.1, …, 1 for items with interactions, and another for new items (see Notes). This
        fits the collaborative side three times.

    threshold : float, "mean" or None, default=None
        Ratings of at least ``threshold`` are likes, with weight 1. "mean" is the mean rating
        of each user in ``fit``. None uses ratings as weights: counts, or seconds. They must not be
        negative.

    negative_weight : float, default=0.0
        How strongly ratings below ``threshold`` push away from similar items. 0 ignores them.
        1 counts as much as a like. This is for the content side: "als" takes disliked items
        about as items that the user has not seen.

    half_life : float or None, default=None
        Time after which a like counts half, in units of the column ``time``, or in days for
        dates. It is counted back from the last interaction of each user. None counts all
        the same.

    n_word_features : int, default=300
        Number of latent features of words (tf-idf and SVD), at most a third of the texts, or 20. 0 leaves out words.

    vectorizer : transformer or None, default=None
        Texts to weights of words. None is ``TfidfVectorizer`` with :class:`TextAnalyzer` and
        ``sublinear_tf=True``.

    regularization : float, default=5.0
        Strength of the regularization of the content side (ridge regression), at least 1e-6. Larger values
        rely less on features that few liked items have.

    n_jobs : int or None, default=None
        Threads of "als". The result does not depend on it.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Seed of the topic model and of the collaborative side, if they have none, and of the
        held-out likes.

    verbose : bool or int, default=False
        Whether to show progress bars.

    Attributes
    ----------
    model_ : estimator
        The fitted topic model.

    item_ids_ : list of n_items
        Ids of the items, those of :meth:`add_items` last.

    user_ids_ : list of n_users
        Ids of the users.

    mixtures_ : ndarray of shape (n_items, K)
        Topic proportions θ of the items. Rows sum to one.

    user_mixtures_ : ndarray of shape (n_users, K)
        Topic profile of each user: mean of θ of the items that they liked, by weight. Rows sum
        to one. They are uniform for users without likes.

    weight_, new_item_weight_ : float
        Weight of the collaborative side for items with and without interactions. 0 without a
        collaborative side.

    weight_scores_, new_item_weight_scores_ : dict of float to float
        Mean nDCG@20 of each weight on held-out likes. Empty if no weight is chosen. With
        "auto" and too few likes to hold any out, they are empty, too, and the weights are 0.5.

    See Also
    --------
    FusionTopicModel : The default topic model.
    llmtopics.metrics.ndcg_at_k, llmtopics.metrics.recall_at_k : Evaluate recommendations.

    Notes
    -----
    An item's features x are the square roots of θ, the vector, and the latent features of
    words, each of length one. The content score of user u for item i is ``p_u A x_i``. The
    profile ``p_u`` is the weighted sum of x over the user's likes.
    ``A = (XᵀX + λI)⁻¹`` is learned from all items with interactions. It is ridge regression
    of the user's likes on the features: topics that most items share count less.

    The collaborative score is the product of factors. Factors of new items are predicted
    from x by the same ridge regression, as in the attribute-to-factor mapping of [1]_.

    Both scores are divided by their standard deviation over the items of ``fit``, per user.
    Then ``score = (1 - w) content + w collaborative``. Scores of different users cannot be
    compared. With ``weight="auto"``, w is the best by mean nDCG@20 on the last fifth of the
    interactions of each user (random ones, if there are no times). For new items, it is the
    best on a random fifth of the items. Of many users, a sample is asked.

    Users of whom the collaborative side knows nothing get the content side alone. Users without
    likes (and without dislikes that count) get the most popular items: the score is the sum of
    likes. With
    ``diversity``, lists are chosen by maximal marginal relevance [2]_: each next item has the
    largest ``(1 - diversity) score - diversity similarity``, where scores are scaled to [0, 1]
    and the similarity is the largest ``Σ_k √(θ_ik θ_jk)`` with an item j chosen before.

    References
    ----------
    .. [1] Z. Gantner et al., "Learning attribute-to-feature mappings for cold-start
       recommendations", ICDM 2010.
    .. [2] J. Carbonell and J. Goldstein, "The use of MMR, diversity-based reranking for
       reordering documents and producing summaries", SIGIR 1998.
    .. [3] Y. Hu, Y. Koren and C. Volinsky, "Collaborative filtering for implicit feedback
       datasets", ICDM 2008 (ALS, and its explanation by liked items).
    .. [4] H. Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019 (EASE).

    Examples
    --------
    >>> from llmtopics import TopicRecommender
    >>> texts = [
    ...     "The cat chased a mouse.",
    ...     "A dog barked at the cat.",
    ...     "My puppy sleeps all day.",
    ...     "Banks raised interest rates.",
    ...     "Shares and bonds fell.",
    ...     "Investors sold their stock.",
    ... ]
    >>> likes = [[1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 0]]  # of two users
    >>> recommender = TopicRecommender(collaborative=None, random_state=0)
    >>> found = recommender.fit(texts, likes).recommend(n_items=1)
    >>> bool(found["item"][0] in (1, 2))
    True
    >>> int(found["item"][1])
    5
    """

    model: Any = None
    _: KW_ONLY
    collaborative: Any = "als"
    weight: float | str = "auto"
    threshold: float | str | None = None
    negative_weight: float = 0.0
    half_life: float | None = None
    n_word_features: int = 300
    vectorizer: Any = None
    regularization: float = 5.0
    n_jobs: int | None = None
    random_state: Any = None
    verbose: bool | int = False

    _part_defaults: ClassVar = {
        "model": "FusionTopicModel()",
        "vectorizer": "TfidfVectorizer(analyzer=TextAnalyzer(), sublinear_tf=True)",
        "collaborative": "AlternatingLeastSquares()",
    }

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "model_",
        "item_ids_",
        "user_ids_",
        "weight_",
        "new_item_weight_",
        "weight_scores_",
        "new_item_weight_scores_",
        "_words",
        "_features",
        "_scorer",
        "_likes",
        "_seen",
        "_thresholds",
        "_as_fitted",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "model": [HasMethods(["fit", "transform"]), None],
        "collaborative": [
            StrOptions({"als", "ease"}),
            HasMethods(["fit", "recommend"]),
            None,
        ],
        "weight": [Interval(Real, 0, 1, closed="both"), StrOptions({"auto"})],
        "threshold": [
            Interval(Real, None, None, closed="neither"),
            StrOptions({"mean"}),
            None,
        ],
        "negative_weight": [Interval(Real, 0, None, closed="left")],
        "half_life": [Interval(Real, 0, None, closed="neither"), None],
        "n_word_features": [Interval(Integral, 0, None, closed="left")],
        "vectorizer": [IsVectorizer(), None],
        # with less, the matrix of ridge regression can be singular
        "regularization": [Interval(Real, 1e-6, 1e100, closed="both")],
        "n_jobs": N_JOBS,
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    @config_context(transform_output="default")
    def fit(self, X, y, item_ids=None):
        """Learn topics of the items and the taste of the users.

        Parameters
        ----------
        X : sequence of n_items str
            Texts of the items.
        y : DataFrame, or {array-like, sparse matrix} of shape (n_users, n_items)
            Interactions. A pandas or polars table has the columns user and item, and perhaps
            rating and time (numbers or dates), one row per interaction. Rows with the same
            user and item are summed. A matrix has counts or ratings in the order of X. Its
            users are 0, 1, 2 and so on, and zeros are no interaction.
        item_ids : sequence of n_items, default=None
            Ids of the items, as in the column item. None is the index of X if it is a
            pandas Series, or else 0, 1, 2 and so on.

        Returns
        -------
        self : TopicRecommender
            The fitted estimator.

        Raises
        ------
        ValueError
            For what is not a text, unknown items, missing or infinite values, negative counts,
            unreadable times, another number of columns than items, or no like at all. The
            message names the row.
        ImportError
            If implicit is not installed and ``collaborative`` is not None.
        """
        texts, given = check_texts(X, "TopicRecommender"), as_fitted(self)
        if given.negative_weight and given.threshold is None:
            raise ValueError(
                "negative_weight needs threshold, which tells likes from other ratings: set "
                "threshold='mean', or a rating."
            )
        if item_ids is None:
            item_ids = X.index if hasattr(X, "iloc") else range(len(texts))
        ids = check_ids(item_ids, len(texts), "item_ids")
        found = read_interactions(y, ids, given)
        if not (found.weights > 0).any():
            raise ValueError(
                "y has no like: no rating is above 0, or none reaches threshold. Lower the "
                "threshold, or add interactions."
            )
        seed = as_seed(self.random_state) % 2**32
        with fitting(self), restored_on_error(self):
            self._as_fitted = given
            self.item_ids_, self.user_ids_ = ids, found.user_ids
            self.model_ = topic_model_for(given, len(texts), seed)
            self.model_.fit(texts, None)  # FrozenEstimator needs y
            self._words = fit_words(
                texts, given.vectorizer, given.n_word_features, seed
            )
            self._features = read_features(self.model_, self._words, texts)
            self._likes, self._seen = found.liked(), found.seen()
            self._thresholds = None
            if given.threshold == "mean":
                self._thresholds = dict(
                    zip(found.user_ids, found.thresholds, strict=True)
                )
            self._fit_sides(found, given, seed)
        return self

    def _fit_sides(
        self, found: Interactions, given: SimpleNamespace, seed: int
    ) -> None:
        """Fit both sides, and choose their weights."""
        fit_side = partial(
            fit_collaborative,
            given.collaborative,
            regularization=regularization_for(self._likes),
            seed=seed,
            n_jobs=n_workers(given.n_jobs),
        )
        scores: tuple[dict, dict] = ({}, {})
        side = None
        weights = [0.0, 0.0]
        if given.collaborative is not None:
            weights = [given.weight] * 2
            side = fit_side(self._likes)
            if given.weight == "auto":
                scores = choose_weights(
                    found, self._features.all, given.regularization, fit_side, seed
                )
                weights = [best(each) for each in scores]
        known = np.bincount(found.items, minlength=found.n_items) > 0
        self._scorer = make_scorer(
            self._features.all, known, given.regularization, side
        )
        self.weight_, self.new_item_weight_ = weights
        self.weight_scores_, self.new_item_weight_scores_ = scores

    @config_context(transform_output="default")
    def add_items(self, texts, item_ids=None):
        """Add items that nobody has liked yet, by their texts. Nothing is fitted again.

        Parameters
        ----------
        texts : sequence of str
            Texts of the new items.
        item_ids : sequence, default=None
            Their ids, which must be new. None is the index of a pandas Series, or else the
            next whole numbers.

        Returns
        -------
        self : TopicRecommender
            The recommender, which now knows these items.

        Raises
        ------
        ValueError
            If an id is known already, or ids are no whole numbers and none are given.
        """
        check_is_fitted(self)
        new = check_texts(texts, "TopicRecommender.add_items")
        if item_ids is None and hasattr(texts, "iloc"):
            item_ids = texts.index
        if item_ids is None:
            if not all(isinstance(each, Integral) for each in self.item_ids_):
                raise ValueError(
                    "add_items needs item_ids, because the ids so far are not whole numbers."
                )
            item_ids = range(
                max(self.item_ids_) + 1, max(self.item_ids_) + 1 + len(new)
            )
        ids = check_ids(item_ids, len(new), "item_ids")
        known = set(self.item_ids_)
        for row, each in enumerate(ids):
            if each in known:
                raise ValueError(
                    f"item_ids has {each!r} in row {row}, which is the id of an item "
                    "already: pass another id."
                )
        added, old = read_features(self.model_, self._words, new), self._features
        features = Features(
            np.vstack([old.mixtures, added.mixtures]),
            np.vstack([old.all, added.all]),
            old.blocks,
        )
        scorer = self._scorer
        known_items = np.r_[scorer.known, np.zeros(len(new), bool)]
        self._scorer = with_predicted_factors(
            Scorer(features.all, scorer.inverse, known_items, scorer.collaborative)
        )
        self._features = features
        self.item_ids_ = [*self.item_ids_, *ids]
        shape = len(self.user_ids_), len(self.item_ids_)
        self._likes, self._seen = (
            sp.csr_array((each.data, each.indices, each.indptr), shape=shape)
            for each in (self._likes, self._seen)
        )
        return self

    def recommend(
        self,
        users=None,
        n_items=10,
        *,
        likes=None,
        items=None,
        exclude_seen=True,
        diversity=0.0,
    ):
        """Recommend items to users.

        Parameters
        ----------
        users : sequence of ids, one id, or None, default=None
            Users in ``fit``. None is all of them, or none if ``likes`` is given.
        n_items : int, default=10
            Number of items per user. Users who have seen almost all get fewer.
        likes : sequence of item ids, or dict of sequences, default=None
            Items that new users like, by name of the user. A sequence is one user, "new".
        items : sequence of item ids, default=None
            The only items that may be recommended. None is all.
        exclude_seen : bool, default=True
            Whether to leave out items that the user has interacted with, liked or not.
        diversity : float between 0 and 1, default=0.0
            0 ranks by score. Larger values prefer items of other topics than those before.

        Returns
        -------
        frame : pandas.DataFrame
            Columns user, rank (from 1), item, score. Users are in the order given.

        Raises
        ------
        ValueError
            For unknown users or items, and wrong numbers.
        ImportError
            If pandas is not installed.
        """
        check_is_fitted(self)
        check_positive(n_items=n_items)
        check_share(diversity=diversity, with_ends=True)
        names, weights, seen, numbers = self._asked(users, likes)
        allowed = np.ones(len(self.item_ids_), bool)
        if items is not None:
            allowed[:] = False
            allowed[rows_of(items, self.item_ids_, "items", "item")] = True
        frame: dict[str, list] = {"user": [], "rank": [], "item": [], "score": []}
        for start in range(0, len(names), _AT_A_TIME):
            part = slice(start, start + _AT_A_TIME)
            scores = self._scores(
                weights[part], None if numbers is None else numbers[part]
            )
            banned = np.tile(~allowed, (len(scores), 1))
            if exclude_seen:
                banned |= seen[part].toarray() > 0
            scores[banned] = -np.inf
            for name, of_user in zip(names[part], scores, strict=True):
                rows = self._best(of_user, int(n_items), float(diversity))
                frame["user"] += [name] * len(rows)
                frame["rank"] += range(1, len(rows) + 1)
                frame["item"] += [self.item_ids_[row] for row in rows]
                frame["score"] += of_user[rows].tolist()
        return pandas_for("TopicRecommender.recommend").DataFrame(frame)

    def _best(self, scores: np.ndarray, n: int, diversity: float) -> np.ndarray:
        """Return the rows of the best items that are allowed."""
        pool = max(_POOL * n, 100) if diversity else n
        rows = ranked(scores[np.newaxis], pool)[0]
        rows = rows[np.isfinite(scores[rows])]
        if not diversity or not len(rows):
            return rows
        roots = np.sqrt(self._features.mixtures[rows])
        return rows[diversified(scores[rows], roots, n, diversity)]

    def _scores(self, weights: sp.csr_array, numbers: np.ndarray | None) -> np.ndarray:
        """Return scores of all items, (n_users, n_items); popularity without history."""
        scores = blend(*self._scorer.sides(weights, numbers), self._item_weights())
        without = np.diff(weights.indptr) == 0
        scores[without] = self._likes.maximum(0).sum(axis=0)
        return scores

    def _item_weights(self) -> np.ndarray:
        """Return the weight of the collaborative side for each item."""
        return np.where(self._scorer.known, self.weight_, self.new_item_weight_)

    def _asked(
        self, users: Any, likes: Any
    ) -> tuple[list[Any], sp.csr_array, sp.csr_array, np.ndarray | None]:
        """Return names of users, their weights, what they have seen, and their numbers."""
        if likes is None:
            if users is None:
                rows = np.arange(len(self.user_ids_))
            else:
                rows = rows_of(users, self.user_ids_, "users", "user")
            names = [self.user_ids_[row] for row in rows]
            return names, self._likes[rows], self._seen[rows], rows
        if users is not None:
            raise ValueError(
                "recommend got users and likes: pass likes for new users, or users in fit."
            )
        names, weights = likes_of_new_users(likes, self.item_ids_)
        return names, weights, weights, None

    def similar_items(self, items, n_items=10):
        """Return the items with the most similar texts.

        Parameters
        ----------
        items : sequence of item ids, or one id
            The items to compare.
        n_items : int, default=10
            Number of similar items per item.

        Returns
        -------
        frame : pandas.DataFrame
            Columns item, rank (from 1), similar, score. The score is the mean cosine of
            the topics (of the square roots of θ), vectors and words, at most 1.

        Raises
        ------
        ValueError
            For unknown items, and wrong numbers.
        ImportError
            If pandas is not installed.
        """
        check_is_fitted(self)
        check_positive(n_items=n_items)
        features = self._features.all
        frame: dict[str, list] = {"item": [], "rank": [], "similar": [], "score": []}
        for row in rows_of(items, self.item_ids_, "items", "item"):
            scores = features @ features[row] / len(self._features.blocks)
            scores[row] = -np.inf
            rows = self._best(scores, int(n_items), 0.0)
            frame["item"] += [self.item_ids_[row]] * len(rows)
            frame["rank"] += range(1, len(rows) + 1)
            frame["similar"] += [self.item_ids_[each] for each in rows]
            frame["score"] += scores[rows].tolist()
        return pandas_for("TopicRecommender.similar_items").DataFrame(frame)

    @config_context(transform_output="default")
    def explain(self, user, item):
        """Explain the score of an item for a user.

        Parameters
        ----------
        user : object
            Id of a user in ``fit`` who liked or disliked something.
        item : object
            Id of an item, seen or not.

        Returns
        -------
        explanation : RecommendationExplanation
            What the topics, the vectors, the words and the collaborative side add to the
            score, and what each liked item adds.

        Raises
        ------
        ValueError
            For unknown users or items, and users without history.
        """
        check_is_fitted(self)
        (number,) = rows_of([user], self.user_ids_, "user", "user")
        (row,) = rows_of([item], self.item_ids_, "item", "item")
        likes, scorer, features = self._likes[[number]], self._scorer, self._features
        if not likes.nnz:
            raise ValueError(
                f"user {user!r} has no likes, so recommend returns the most popular items: "
                "there is nothing to explain."
            )
        sources, of_topics, of_items = parts_of_score(
            scorer, likes, number, row, self._item_weights()[row], features.blocks
        )
        words = words_of_topics(self.model_, features.mixtures.shape[1])
        return RecommendationExplanation(
            user=self.user_ids_[number],
            item=self.item_ids_[row],
            score=sum(sources.values()),
            sources=sources,
            topic_contributions=of_topics,
            item_mixture=features.mixtures[row],
            user_mixture=_mean_mixtures(likes, features.mixtures)[0],
            topic_words=words,
            topic_names=FittedModel(self.model_).names or topic_labels(words),
            history=[self.item_ids_[each] for each in likes.indices],
            history_weights=likes.data,
            history_contributions=of_items,
        )

    def score(self, X, y, k=20):
        """Return the mean nDCG@k of recommendations on held-out interactions.

        Parameters
        ----------
        X : object
            Ignored. The items are those in ``fit``.
        y : DataFrame, or {array-like, sparse matrix} of shape (n_users, n_items)
            Interactions of users in ``fit`` that were held out, in the same form as there.
        k : int, default=20
            Length of the lists. Items that a user has seen in ``fit`` are not recommended,
            and held-out likes of them do not count.

        Returns
        -------
        score : float
            Mean over the users with a held-out like, between 0 and 1.

        Raises
        ------
        ValueError
            If y is not as in ``fit``, has users who were not there, or has no like to evaluate.
        """
        check_is_fitted(self)
        check_positive(k=k)
        given = SimpleNamespace(**{**vars(self._as_fitted), "half_life": None})
        if given.threshold == "mean":  # of all ratings in fit, and not of the few here
            given.threshold = self._thresholds
        found = read_interactions(y, self.item_ids_, given)
        likes = found.liked()
        asked = np.flatnonzero((likes > 0).sum(axis=1))
        users = [found.user_ids[row] for row in asked]
        numbers = rows_of(users, self.user_ids_, "y", "user")
        wanted = (likes[asked] > 0).astype(int)
        wanted = sp.csr_array(wanted - wanted.multiply(self._seen[numbers] > 0))
        wanted.eliminate_zeros()
        kept = np.diff(wanted.indptr) > 0
        wanted, numbers = wanted[kept], numbers[kept]
        if not len(numbers):
            raise ValueError(
                "y has no like to evaluate: pass held-out likes of items that their users "
                "have not seen in fit."
            )
        lists: list[Any] = []
        for start in range(0, len(numbers), _AT_A_TIME):
            rows = numbers[start : start + _AT_A_TIME]
            scores = self._scores(self._likes[rows], rows)
            scores[self._seen[rows].toarray() > 0] = -np.inf
            lists += [self._best(each, int(k), 0.0).tolist() for each in scores]
        relevant = np.split(wanted.indices, wanted.indptr[1:-1])
        return float(ndcg_at_k(lists, relevant, k).mean())

    @property
    def mixtures_(self):
        """Topic proportions of the items."""
        check_is_fitted(self)
        return self._features.mixtures

    @property
    def user_mixtures_(self):
        """Topic profile of each user."""
        check_is_fitted(self)
        return _mean_mixtures(self._likes, self._features.mixtures)

    def __sklearn_is_fitted__(self):
        return "_scorer" in vars(self)


def _mean_mixtures(likes: sp.csr_array, mixtures: np.ndarray) -> np.ndarray:
    """Return the mean of the rows of what users like, or uniform rows without likes."""
    positive = likes.maximum(0)
    found = positive @ mixtures
    sums = found.sum(axis=1, keepdims=True)
    return np.where(
        sums > 0, found / np.where(sums > 0, sums, 1), 1 / mixtures.shape[1]
    )
