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
          Choose the number of topics by it if people will read the topics. Either alone can
          rise while the other falls;
        - "npmi" or another measure of :func:`coherence`: its mean over the fitted topics'
          words in the held-out documents;
        - "diversity", "inverted_rbo": :func:`topic_diversity` or :func:`inverted_rbo` of the
          fitted topics' words. Where a topic has fewer words than the others, the missing
          ones lower its diversity;
        - "exclusivity", "distance": mean :func:`exclusivity`, or mean of
          :func:`topic_distances` off the diagonal. These four do not use the held-out
          documents;
        - "completion": held-out log-likelihood per token by document completion, in nats,
          ``-log(perplexity)`` of every second token given the others: how well the model
          predicts words. It needs whole-number counts, so no tf-idf before the model.

        A topic without any weight, as NMF may leave, has the lowest value of each.

    n_words : int, default=10
        Words of a topic that count.
    method : str or None, default=None
        How words are chosen, as in :func:`llmtopics.top_words`, or "keyness" for
        :class:`llmtopics.FusionTopicModel`. None is what the model's own ``top_words``
        gives, or "term_score" for a model without.
    window_size : int, None or "auto", default=None
        Where words must occur together for the coherences: in one document (None), or in a
        window of this many tokens. Windows need a Pipeline that starts from texts with one of
        scikit-learn's vectorizers; "auto" is the published window of the measure.

    Returns
    -------
    scorer : callable (estimator, X, y=None) → float
        Can be pickled, and named in a dict for several measures at once.

    Raises
    ------
    ValueError
        Here for an unknown ``measure`` or ``method`` and numbers below 1; when scoring, for
        what the metrics refuse, and for a window over n-grams.
    TypeError
        When scoring something without ``components_``.

    Warns
    -----
    UserWarning
        When scoring, if the held-out documents have fewer than two of a topic's words.

    Notes
    -----
    "quality" and the coherences use only words that occur in the held-out documents: of each
    topic's first ``5 n_words`` words, the first ``n_words`` that occur there. Compare scores of
    the same folds only. "completion" and the coherences measure different things and often
    disagree: completion mostly favors more topics than people want to read.

    References
    ----------
    A. Dieng, F. Ruiz and D. Blei, "Topic modeling in embedding spaces", TACL 2020 (the
    product of coherence and diversity, which "quality" equals where coherence is positive;
    where it is negative, the product would reward repetition).

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
        if value not in known:
            raise ValueError(
                f"{name} must be one of {', '.join(map(str, known))}, got {value!r}."
            )
    check_positive(n_words=n_words)
    if n_words < 2 and measure in NEED_PAIRS:
        raise ValueError(
            f"{measure!r} is about pairs of words: n_words must be 2 or more."
        )
    if window_size not in (None, "auto"):
        check_positive(window_size=window_size)
    return TopicScorer(measure, n_words, method, window_size)
