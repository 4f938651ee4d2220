"""Topic coherence: how much the words of a topic keep company in a reference corpus."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array
from sklearn.utils.validation import check_non_negative

from llmtopics._checks import check_positive, check_vocabulary, warn_user
from llmtopics.metrics import _window_kernels as kernels
from llmtopics.metrics._arrays import check_topics

_EPSILON = 1e-12
_WINDOWS = {"u_mass": None, "uci": 10, "npmi": 10, "c_v": 110}  # as published


class _Occurrences(NamedTuple):
    """In how many units (documents or windows) words stand, alone and in pairs.

    together : float64 (W, W), symmetric; the diagonal counts the word itself
    n_units : int
    """

    together: np.ndarray
    n_units: int


def coherence(
    topics: Sequence[Sequence[str]],
    reference: Any,
    vocabulary: Sequence[str] | np.ndarray | None = None,
    *,
    measure: str = "npmi",
    window_size: int | str | None = "auto",
    gensim_windows: bool = True,
) -> np.ndarray:
    """Return how much the words of each topic keep each other's company.

    Parameters
    ----------
    topics : sequence of K sequences of str
        The words of each topic, best first: what :func:`llmtopics.top_words` returns.
        At least two different words a topic.
    reference : list of lists of str, or counts of shape (n_documents, n_words)
        The corpus to look for company in, the model's own or another: the documents'
        words in their order, or, with ``vocabulary``, their counts (array-like or sparse).
    vocabulary : sequence of str of length n_words, default=None
        The word of each column of ``reference`` if that holds counts.
    measure : {"npmi", "c_v", "uci", "u_mass"}, default="npmi"
        See Notes.
    window_size : int, None or "auto", default="auto"
        Words occur together when they share a window of this many neighbouring tokens;
        None takes whole documents. "auto" is the published choice: 10 for "npmi" and
        "uci", 110 for "c_v", documents for "u_mass". Windows need ``reference`` to
        be lists of words.
    gensim_windows : bool, default=True
        Whether a word leaves a window with its first token there even if the window holds
        another of them. gensim counts so, and with it the values in most papers of the last
        years. False counts a word wherever it stands, as Röder et al. define it. No
        difference for documents.

    Returns
    -------
    coherence : ndarray of shape (K,)
        Higher is better. Mean it for the model's coherence.

    Raises
    ------
    ValueError
        If a topic has fewer than two words or one of them twice, a window is asked of
        counts, the corpus is empty or holds texts that were not split into words, or a
        parameter is unknown.

    Warns
    -----
    UserWarning
        Once, if words do not occur in ``reference``. Their pairs get the lowest value
        there is: -1 for "npmi", log ε for "uci" and "u_mass"; in "c_v" such a word
        has the cosine -1.

    Notes
    -----
    Let ``p_i`` be the share of units (windows, or documents with any token) with word i,
    ``p_ij`` with both i and j, and ε = 1e-12. A topic's value is the mean over its pairs of words:

    - "npmi", Bouma's normalised pointwise mutual information [1]_, in [-1, 1]: near -1 never
      together, 0 as by chance, 1 always:
      ``log((p_ij + ε) / (p_i p_j)) / -log(p_ij + ε)``;
    - "uci" [2]_: the same without its denominator, unbounded;
    - "u_mass" [3]_, at most about 0: ``log((p_ij + ε) / p_j)`` over the pairs in which j
      stands before i in the topic. Depends on the order;
    - "c_v" [4]_, in [-1, 1], mostly .3 to .8: each word is described by the vector of its
      NPMI with every word of the topic (itself included, 1); the value is the mean cosine
      of the words' vectors with the sum of all.

    Equal to gensim's ``CoherenceModel`` (4.4) where every document has a token. gensim
    counts a document without tokens as one more window (or document), in which no word
    stands. Here such documents do not count. Two words that are in every unit have an NPMI
    of 1; rounding makes it -1 in gensim.

    What it does not measure: whether topics differ from each other (:func:`topic_diversity`),
    whether documents got the right ones, whether the words are specific: stop words keep
    company too. Coherence counted on the training corpus flatters models that overfit it,
    and on very short documents it punishes good words that rarely share one: take a
    ``reference`` of longer texts there.

    Co-occurrences are counted for the topics' own words only; no (words × words) matrix of
    the vocabulary is made.

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
    if measure not in _WINDOWS:
        raise ValueError(
            f"measure must be one of {', '.join(_WINDOWS)}, got {measure!r}."
        )
    size = _WINDOWS[measure] if window_size == "auto" else window_size
    if size is not None:
        check_positive(window_size=size)
    lists = check_topics(topics)
    words = _words_of(lists)
    if vocabulary is not None:
        if size is not None:
            raise ValueError(
                f"{measure!r} with windows of {size} tokens needs the documents as lists of "
                "words; counts have lost their order. Pass window_size=None to count "
                "whole documents."
            )
        found = _in_counts(words, reference, vocabulary)
    elif size is None:
        found = _in_documents(words, reference)
    else:
        found = _in_windows(words, reference, int(size), gensim_windows)
    _tell_absent_words(found, list(words))
    score = _MEASURES[measure]
    return np.array(
        [
            score(found.together[np.ix_(ids, ids)] / found.n_units)
            for ids in ([words[word] for word in topic] for topic in lists)
        ]
    )


def _words_of(topics: list[list[str]]) -> dict[str, int]:
    """Return the different words of all topics, numbered."""
    for k, topic in enumerate(topics):
        if len(topic) < 2:
            raise ValueError(
                f"Coherence needs topics of two or more words; topic {k} is {topic}."
            )
    return {
        word: i for i, word in enumerate(dict.fromkeys(chain.from_iterable(topics)))
    }


def _in_counts(
    words: dict[str, int], X: Any, vocabulary: Sequence[str] | np.ndarray
) -> _Occurrences:
    X = check_array(
        X, accept_sparse=["csr", "csc"], dtype="numeric", input_name="reference"
    )
    check_non_negative(X, "coherence")
    columns = check_vocabulary(vocabulary, X.shape[1], "reference")
    n_documents = int(np.count_nonzero(X.sum(axis=1)))
    if not n_documents:
        raise ValueError("reference holds no words.")
    known = [(i, columns[word]) for word, i in words.items() if word in columns]
    together = np.zeros((len(words), len(words)))
    if known:
        places, taken = map(list, zip(*known, strict=True))
        seen = (sp.csr_array(X[:, taken]) > 0).astype(np.int64)
        together[np.ix_(places, places)] = (seen.T @ seen).toarray()
    return _Occurrences(together, n_documents)


def _in_documents(words: dict[str, int], texts: Any) -> _Occurrences:
    rows: list[set[int]] = []
    for text in _check_texts(texts):
        if len(text):
            rows.append({words[word] for word in text if word in words})
    starts = np.cumsum([0, *map(len, rows)])
    columns = np.fromiter(chain.from_iterable(rows), np.int64, starts[-1])
    seen = sp.csr_array(
        (np.ones(columns.size, np.int64), columns, starts),
        shape=(len(rows), len(words)),
    )
    return _Occurrences((seen.T @ seen).toarray().astype(float), len(rows))


def _in_windows(
    words: dict[str, int], texts: Any, size: int, gensim_windows: bool
) -> _Occurrences:
    texts = _check_texts(texts)
    starts = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    ids = map(words.get, chain.from_iterable(texts))
    tokens = np.fromiter((-1 if i is None else i for i in ids), np.int32, starts[-1])
    together, n_windows = kernels.count_windows(
        tokens, starts, len(words), size, gensim_windows
    )
    return _Occurrences(together.astype(float), n_windows)


def _check_texts(texts: Any) -> list[Sequence[str]]:
    if isinstance(texts, str) or not isinstance(texts, Iterable) or sp.issparse(texts):
        raise ValueError(
            "reference must be a list of documents, each a list of words; for counts pass "
            "their vocabulary too."
        )
    texts = list(texts)
    for row, text in enumerate(texts):
        if isinstance(text, str) or not isinstance(text, Sequence | np.ndarray):
            raise ValueError(
                f"reference[{row}] is not a list of words. Split texts into words first, "
                "with the same TextAnalyzer that the model saw."
            )
    if not any(len(text) for text in texts):
        raise ValueError("reference holds no words.")
    return texts


def _tell_absent_words(found: _Occurrences, words: list[str]) -> None:
    absent = np.flatnonzero(found.together.diagonal() == 0)
    if absent.size:
        names = ", ".join(repr(words[i]) for i in absent[:5])
        warn_user(
            f"{absent.size} of the topics' {len(words)} words do not occur in the reference "
            f"({names}{', ...' if absent.size > 5 else ''}). Their pairs count as never "
            "together."
        )


# Each takes p (n, n): shares of units with both words, on the diagonal with the word. A word
# that is nowhere is divided by 1, which makes its pairs the lowest there are.


def _log_ratio(p: np.ndarray) -> np.ndarray:
    by_chance = np.outer(p.diagonal(), p.diagonal())
    return np.log((p + _EPSILON) / np.where(by_chance > 0, by_chance, 1))


def _normalised_log_ratio(p: np.ndarray) -> np.ndarray:
    bits = -np.log(np.minimum(p + _EPSILON, 1))  # 0 where both words are everywhere
    return np.divide(_log_ratio(p), bits, where=bits > 0, out=np.ones_like(p))


def _mean_of_pairs(values: np.ndarray) -> float:
    return float(values[~np.eye(len(values), dtype=bool)].mean())


def _uci(p: np.ndarray) -> float:
    return _mean_of_pairs(_log_ratio(p))


def _npmi(p: np.ndarray) -> float:
    # ε lifts words that are together nearly everywhere above 1
    return _mean_of_pairs(np.clip(_normalised_log_ratio(p), -1, 1))


def _u_mass(p: np.ndarray) -> float:
    later, earlier = np.tril_indices(len(p), -1)
    there = p.diagonal() > 0
    alone = np.where(there[later] & there[earlier], p.diagonal()[earlier], 1)
    return float(np.log((p[later, earlier] + _EPSILON) / alone).mean())


def _c_v(p: np.ndarray) -> float:
    there = p.diagonal() > 0
    vectors = _normalised_log_ratio(p) * np.outer(there, there)
    total = vectors.sum(axis=0)
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(total)
    # a word that is nowhere has no direction: as far off as can be
    cosines = np.divide(vectors @ total, lengths, where=lengths > 0, out=there - 1.0)
    return float(np.clip(cosines, -1, 1).mean())


_MEASURES = {"npmi": _npmi, "c_v": _c_v, "uci": _uci, "u_mass": _u_mass}
