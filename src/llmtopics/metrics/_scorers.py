"""Scorers of topic models for searches and cross-validation, without labels."""

from dataclasses import dataclass
from typing import Any

from sklearn import config_context

from llmtopics._checks import check_positive
from llmtopics._words import METHODS
from llmtopics.metrics._scored_model import ScoredModel, Settings
from llmtopics.metrics._scorer_measures import MEASURES, NEED_PAIRS


@dataclass(frozen=True)
class TopicScorer:
    """What :func:`topic_scorer` returns: call it as ``scorer(estimator, X, y=None)``."""

    measure: str
    n_words: int
    method: str | None
    window_size: int | str | None

    @config_context(transform_output="default")
    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:
        """Return the score of a fitted estimator on documents; higher is better."""
        settings = Settings(self.n_words, self.method, self.window_size)
        return MEASURES[self.measure](ScoredModel(estimator, X, settings))


def topic_scorer(
    measure: str = "quality",
    *,
    n_words: int = 10,
    method: str | None = None,
    window_size: int | str | None = None,
) -> TopicScorer:
    """Make a scorer of topic models for ``GridSearchCV(scoring=...)`` and other searches.

    The scorer takes a fitted topic model, or a Pipeline that ends in one, and documents
    that it was not fitted on. It needs no labels. A score is higher for better models.

    Parameters
    ----------
    measure : str, default="quality"
        What is computed:

        - "quality": ``NPMI - |NPMI| (1 - diversity)``, coherence and diversity together.
          Use it to choose the number of topics if people will read the topics. Either alone
          can rise while the other falls.
        - "npmi" or another measure of :func:`coherence`: the mean coherence of the fitted
          topics, counted in the held-out documents.
        - "diversity", "inverted_rbo": :func:`topic_diversity` or :func:`inverted_rbo` of the
          fitted topics. If a topic has fewer words than the others, diversity is lower.
        - "exclusivity", "distance": mean :func:`exclusivity`, or mean of
          :func:`topic_distances` off the diagonal. These four do not use the held-out
          documents.
        - "completion": held-out log-likelihood per token by document completion, in nats.
          It is ``-log(perplexity)`` of every second token given the others, and measures how
          well the model predicts words. It needs whole-number counts, so no tf-idf.

        A topic without any weight (NMF may have some) gets the lowest value of each.

    n_words : int, default=10
        Number of words per topic that are used.
    method : str or None, default=None
        How words are chosen, as in :func:`llmtopics.top_words`, or "keyness" for
        :class:`llmtopics.FusionTopicModel`. None uses the ``top_words`` of the model, or
        "term_score" if the model has none.
    window_size : int, None or "auto", default=None
        Where words must occur together for coherence: in one document (None), or in a
        window of this many tokens. "auto" is the published window of the measure. Windows
        need a Pipeline of texts with one of scikit-learn's vectorizers.

    Returns
    -------
    scorer : callable (estimator, X, y=None) → float
        It can be pickled. For several measures at once, pass a dict of scorers.

    Raises
    ------
    ValueError
        For an unknown ``measure`` or ``method``, and for numbers below 1. When scoring: for
        bad input of the metrics, and for a window over n-grams.
    TypeError
        When scoring a model without ``components_``.

    Warns
    -----
    UserWarning
        When scoring, if the held-out documents have fewer than two of a topic's words.

    Notes
    -----
    "quality" and the coherences use only words that occur in the held-out documents. Of the
    first ``5 n_words`` words of each topic, they use the first ``n_words`` that occur there.
    Compare only scores on the same folds. "completion" and the coherences measure different
    things and often disagree: completion mostly favors more topics than people want to read.

    References
    ----------
    A. Dieng, F. Ruiz and D. Blei, "Topic modeling in embedding spaces", TACL 2020 (the
    product of coherence and diversity). "quality" equals it if coherence is positive. If
    coherence is negative, the product would reward repeated words.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from llmtopics import GibbsLDA
    >>> from llmtopics.datasets import make_topics
    >>> from llmtopics.metrics import topic_scorer
    >>> X = make_topics(200, n_components=4, random_state=0).data
    >>> search = GridSearchCV(
    ...     GibbsLDA(random_state=0), {"n_components": [2, 4, 8]}, scoring=topic_scorer()
    ... )
    >>> search.fit(X).best_params_
    {'n_components': 4}
    """
    for name, value, known in [
        ("measure", measure, MEASURES),
        ("method", method, (None, "keyness", *METHODS)),
    ]:
        if not isinstance(value, str | None) or value not in known:
            raise ValueError(
                f"{name} must be one of {', '.join(map(str, known))}, got {value!r}."
            )
    check_positive(n_words=n_words)
    if n_words < 2 and measure in NEED_PAIRS:
        raise ValueError(
            f"{measure!r} uses pairs of words: n_words must be 2 or more, got {n_words}."
        )
    if window_size not in (None, "auto"):
        check_positive(window_size=window_size)
    return TopicScorer(measure, n_words, method, window_size)
