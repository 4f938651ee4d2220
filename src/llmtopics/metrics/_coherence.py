"""Topic coherence: how often the words of a topic occur together."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from llmtopics._checks import check_positive, warn_user
from llmtopics.metrics._co_occurrences import (
    CoOccurrences,
    in_counts,
    in_documents,
    in_windows,
)
from llmtopics.metrics._coherence_measures import MEASURES
from llmtopics.metrics._input_checks import check_topics


def coherence(
    topics: Sequence[Sequence[str]],
    reference: Any,
    vocabulary: Sequence[str] | np.ndarray | None = None,
    *,
    measure: str = "npmi",
    window_size: int | str | None = "auto",
    gensim_windows: bool = True,
) -> np.ndarray:
    """Return how often the words of each topic occur together in a reference corpus.

    Parameters
    ----------
    topics : sequence of K sequences of str
        The words of each topic, best first: what :func:`llmtopics.top_words` returns.
        At least two different words per topic.
    reference : list of lists of str, or counts of shape (n_documents, n_words)
        The corpus in which words are counted: that of the model or another one. Pass the
        words of each document in their order. Or pass counts (array-like or sparse) and
        ``vocabulary``.
    vocabulary : sequence of str of length n_words, default=None
        The word of each column of ``reference``, if ``reference`` has counts.
    measure : {"npmi", "c_v", "uci", "u_mass"}, default="npmi"
        See Notes.
    window_size : int, None or "auto", default="auto"
        Words occur together if they share a window of this many neighboring tokens. None
        uses whole documents. "auto" is the published choice: 10 for "npmi" and "uci", 110
        for "c_v", documents for "u_mass". Windows need a ``reference`` of lists of words.
    gensim_windows : bool, default=True
        Whether windows are counted as in gensim. If a window has a word twice, and its first
        token leaves the window, gensim no longer counts the word, although the second token is
        still in the window. Most recent papers report values by gensim. False counts every
        token in a window, as Röder et al. define it. With whole documents
        (``window_size=None``) both are the same.

    Returns
    -------
    coherence : ndarray of shape (K,)
        Higher is better. The mean is the model's coherence.

    Raises
    ------
    ValueError
        If a topic has fewer than two words, or a word twice. If a window is given for counts.
        If the corpus is empty or has texts that are not split into words. If a parameter is
        unknown.

    Warns
    -----
    UserWarning
        Once, if words do not occur in ``reference``. Their pairs get the lowest value: -1
        for "npmi", log ε for "uci" and "u_mass". In "c_v" such a word has the cosine -1.

    Notes
    -----
    Let ``p_i`` be the share of units (windows, or documents with any token) with word i,
    ``p_ij`` with both i and j, and ε = 1e-12. A topic's value is the mean over its pairs of words:

    - "npmi", Bouma's normalized pointwise mutual information [1]_:
      ``log((p_ij + ε) / (p_i p_j)) / -log(p_ij + ε)``. In [-1, 1]: near -1 the words never
      occur together, at 0 by chance, at 1 always.
    - "uci" [2]_: the same without the denominator, unbounded.
    - "u_mass" [3]_: ``log((p_ij + ε) / p_j)`` over the pairs in which j is before i in the
      topic. At most about 0. It depends on the order of the words.
    - "c_v" [4]_: each word has a vector of its NPMI with every word of the topic (1 with
      itself). The value is the mean cosine of these vectors with their sum. In [-1, 1],
      mostly 0.3 to 0.8.

    The values equal those of gensim's ``CoherenceModel`` (4.4) if no document is empty. gensim
    counts an empty document as one more window (or document). Here empty documents are
    ignored. Two words that are in every unit have NPMI 1. In gensim
    rounding makes it -1.

    Coherence does not measure whether topics differ from each other
    (:func:`topic_diversity`), or whether they fit the documents. Stop words are coherent, too.
    On the training corpus, coherence favors models that overfit. In very short documents, good
    words rarely occur together: use a ``reference`` of longer texts.

    Co-occurrences are counted for the words of the topics only. No (words × words) matrix of
    the vocabulary is computed.

    References
    ----------
    .. [1] J. H. Lau, D. Newman and T. Baldwin, "Machine reading tea leaves", EACL 2014.
    .. [2] D. Newman, J. H. Lau, K. Grieser and T. Baldwin, "Automatic evaluation of topic
       coherence", NAACL 2010.
    .. [3] D. Mimno, H. Wallach, E. Talley, M. Leenders and A. McCallum, "Optimizing
       semantic coherence in topic models", EMNLP 2011.
    .. [4] M. Röder, A. Both and A. Hinneburg, "Exploring the space of topic coherence
       measures", WSDM 2015.

    Examples
    --------
    >>> from llmtopics.metrics import coherence
    >>> texts = [["cat", "dog"], ["dog", "cat", "pet"], ["stock", "bond"], ["bond"]]
    >>> coherence([["cat", "dog"], ["cat", "bond"]], texts, window_size=None).round(2)
    array([ 1.  , -0.95])
    """
    if measure not in MEASURES:
        raise ValueError(
            f"measure must be one of {', '.join(MEASURES)}, got {measure!r}."
        )
    size = MEASURES[measure].window if window_size == "auto" else window_size
    if size is not None:
        check_positive(window_size=size)
    lists = check_topics(topics)
    words = _words_of(lists)
    if vocabulary is not None:
        if size is not None:
            raise ValueError(
                f"{measure!r} with windows of {size} tokens needs the documents as lists of "
                "words, because counts have no order. Pass such lists, or window_size=None "
                "to count whole documents."
            )
        found = in_counts(words, reference, vocabulary)
    elif size is None:
        found = in_documents(words, reference)
    else:
        found = in_windows(words, reference, int(size), gensim_windows)
    _warn_of_absent_words(found, list(words))
    score = MEASURES[measure].score
    return np.array(
        [
            score(found.together[np.ix_(ids, ids)] / found.n_units)
            for ids in ([words[word] for word in topic] for topic in lists)
        ]
    )


def _words_of(topics: list[list[str]]) -> dict[str, int]:
    """Return the distinct words of all topics, numbered."""
    for k, topic in enumerate(topics):
        if len(topic) < 2:
            raise ValueError(
                f"Coherence needs topics of two or more words. Topic {k} is {topic}."
            )
    return {
        word: i for i, word in enumerate(dict.fromkeys(chain.from_iterable(topics)))
    }


def _warn_of_absent_words(found: CoOccurrences, words: list[str]) -> None:
    absent = np.flatnonzero(found.together.diagonal() == 0)
    if absent.size:
        names = ", ".join(repr(words[i]) for i in absent[:5])
        warn_user(
            f"{absent.size} of the topics' {len(words)} words do not occur in the reference "
            f"({names}{', ...' if absent.size > 5 else ''}). Their pairs count as never "
            "together."
        )
