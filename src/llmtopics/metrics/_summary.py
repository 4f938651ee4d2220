"""A table of topics: their words, shares, documents and quality."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from llmtopics._checks import check_positive, pandas_for
from llmtopics._words import top_words
from llmtopics.metrics._coherence import coherence
from llmtopics.metrics._distinctness import exclusivity
from llmtopics.metrics._input_checks import check_mixtures, check_weights

if TYPE_CHECKING:
    import pandas as pd


def topic_summary(
    components: ArrayLike,
    vocabulary: Sequence[str] | np.ndarray,
    mixtures: ArrayLike,
    reference: Any,
    *,
    titles: Sequence[str] | None = None,
    stability: ArrayLike | None = None,
    n_words: int = 10,
    n_documents: int = 3,
) -> "pd.DataFrame":
    """Return a table with one row per topic.

    Parameters
    ----------
    components : array-like of shape (n_components, n_words_in_vocabulary)
        Non-negative weights of the words in every topic, φ.
    vocabulary : sequence of str of length n_words_in_vocabulary
        The word of each column.
    mixtures : array-like of shape (n_documents, n_components)
        θ of the documents. They give the shares and the representative documents.
    reference : {array-like, sparse matrix} of shape (any, n_words_in_vocabulary)
        Counts of the same words in the corpus for coherence.
    titles : sequence of str of length n_documents, default=None
        Titles of the documents. None uses their row numbers.
    stability : array-like of shape (n_components,), default=None
        ``per_topic`` of :func:`topic_stability`. None leaves the column out.
    n_words, n_documents : int, default=10, 3
        Number of words and of representative (typical) documents per topic.

    Returns
    -------
    summary : pandas.DataFrame of n_components rows
        ``words``: list of str, by term score. ``share``: mean of θ; the shares sum to one.
        ``coherence``: NPMI of the words over whole documents of ``reference``.
        ``exclusivity``. ``stability``, if given. ``documents``: the titles or rows of the
        representative documents, largest share first. The index is the number of the topic.
        A topic without weight (NMF may have some) has no words; its coherence and exclusivity
        are NaN.

    Raises
    ------
    ImportError
        If pandas is not installed.
    ValueError
        For shapes that do not match, and for bad input of the metrics.

    See Also
    --------
    coherence, exclusivity, topic_stability : What the columns mean.

    Examples
    --------
    >>> from llmtopics import GibbsLDA
    >>> from llmtopics.datasets import load_reuters395
    >>> from llmtopics.metrics import topic_summary
    >>> news = load_reuters395()
    >>> lda = GibbsLDA(10, max_iter=50, random_state=0)
    >>> mixtures = lda.fit_transform(news.data)
    >>> summary = topic_summary(lda.components_, news.feature_names, mixtures, news.data)
    >>> list(summary.columns)
    ['words', 'share', 'coherence', 'exclusivity', 'documents']
    """
    pd = pandas_for("topic_summary")
    check_positive(n_words=n_words, n_documents=n_documents)
    if stability is not None and np.shape(stability) != np.shape(components)[:1]:
        raise ValueError(
            f"stability must have one value per topic, got shape {np.shape(stability)}."
        )
    weights = check_weights(components, "components")
    theta = check_mixtures(mixtures)
    if theta.shape[1] != len(weights):
        raise ValueError(
            f"mixtures has {theta.shape[1]} topics and components has {len(weights)}: pass "
            "both from the same model."
        )
    names = list(range(len(theta)) if titles is None else titles)  # no index
    if len(names) != len(theta):
        raise ValueError(
            f"{len(names)} titles were given for {len(theta)} documents: pass one title per "
            "document."
        )
    words = top_words(weights, vocabulary, n_words)
    pairs = np.array([len(topic) > 1 for topic in words])
    alive = weights.any(axis=1)
    coherences, exclusivities = np.full((2, len(words)), np.nan)
    coherences[pairs] = coherence(
        [topic for topic in words if len(topic) > 1],
        reference,
        vocabulary,
        window_size=None,
    )
    exclusivities[alive] = exclusivity(weights[alive], n_words=n_words)
    representative = np.argsort(-theta, axis=0, kind="stable")[:n_documents].T
    columns = {
        "words": words,
        "share": theta.mean(axis=0),
        "coherence": coherences,
        "exclusivity": exclusivities,
        "stability": stability,
        "documents": [[names[d] for d in row] for row in representative],
    }
    columns = {name: column for name, column in columns.items() if column is not None}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(weights), name="topic"))
