"""``store_texts``: count the words of a stream of texts, in parallel and in bounded memory."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sized
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer

from llmtopics._checks import check_positive, warn_user
from llmtopics._progress import reporting, stage
from llmtopics._stored_counts import StoredCounts, check_free, store_counts
from llmtopics._text_streams import text_batches


def store_texts(
    texts: Iterable[str],
    path: str | Path,
    *,
    vectorizer: CountVectorizer,
    max_words: int = 2_000_000,
    batch_size: int = 10_000,
    n_jobs: int | None = None,
    verbose: bool | int = False,
) -> StoredCounts:
    """Count the words of texts that do not fit into memory, and store the counts in a folder.

    Parameters
    ----------
    texts : iterable of str
        The texts, read in order, twice: once for the vocabulary and once to count. So a
        generator is not enough. Pass a list, or an object with ``__iter__`` that reads them
        again, such as an open file's lines wrapped in a class. If the vectorizer has a
        vocabulary, they are read once, and a generator is enough.
    path : str or Path
        Folder, new or empty.
    vectorizer : CountVectorizer
        Says what a word is. Without a vocabulary it is fitted, in place, and has the same
        vocabulary as after its own ``fit`` if memory for all words suffices. Afterwards it
        counts new texts: ``vectorizer.transform``.
    max_words : int, default=2_000_000
        Most distinct words in memory while the vocabulary is made. When there are more, the
        rarest so far are forgotten until half as many are left.
    batch_size : int, default=10_000
        Number of texts per batch. Each process has a few batches in memory.
    n_jobs : int or None, default=None
        Number of processes. The result does not depend on it.
    verbose : bool or int, default=False
        Whether to show a progress bar. It has the remaining time if the number of texts is
        known: if ``texts`` has a length, or in the second pass.

    Returns
    -------
    counts : StoredCounts
        The stored counts, with the words as ``feature_names``.

    Raises
    ------
    ValueError
        If the texts are no texts (the message has the row), there are none, or no word is
        left. If texts can be read only once.
    FileExistsError
        If the folder holds stored counts.

    Warns
    -----
    UserWarning
        If words were forgotten that ``min_df`` would perhaps have kept.

    Notes
    -----
    Forgetting is lossy counting: after words with at most n documents were forgotten, the number
    of documents of any word may be too small by n. The n of all times are added.

    References
    ----------
    G. S. Manku and R. Motwani, "Approximate frequency counts over data streams", VLDB 2002.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from llmtopics import GibbsLDA
    >>> from llmtopics.text import store_texts
    >>> texts = ["cat dog cat", "dog cat", "stock bond", "bond stock bond"] * 5
    >>> vectorizer = CountVectorizer()
    >>> counts = store_texts(texts, tempfile.mkdtemp(), vectorizer=vectorizer)
    >>> counts.shape
    (20, 4)
    >>> lda = GibbsLDA(2, random_state=0).fit(counts)
    >>> lda.transform(vectorizer.transform(["cat cat cat dog"])).round(1)
    array([[0.1, 0.9]])
    """
    check_positive(max_words=max_words, batch_size=batch_size)
    transform = getattr(type(vectorizer), "transform", None)
    if transform is not CountVectorizer.transform:
        raise ValueError(
            f"store_texts needs a CountVectorizer, got {type(vectorizer).__name__}: topic "
            "models read counts of words."
        )
    check_free(path)

    n_texts = len(texts) if isinstance(texts, Sized) else None

    def in_parallel(function: Callable[[list[str]], Any], name: str) -> Iterator[Any]:
        nonlocal n_texts
        with stage(name, n_texts, "texts") as read:
            parallel = Parallel(n_jobs, return_as="generator")
            for size, found in parallel(
                delayed(_with_size)(function, batch)
                for batch in text_batches(texts, batch_size, "store_texts")
            ):
                yield found
                read.update(size)
        n_texts = read.n or n_texts

    with reporting("store_texts", verbose):
        if not hasattr(vectorizer, "vocabulary_") and vectorizer.vocabulary is None:
            if iter(texts) is texts:
                raise ValueError(
                    "texts can be read only once, and the vectorizer has no vocabulary: pass "
                    "a list or an object that can be read again, or fit the vectorizer first."
                )
            counted = in_parallel(_WordCounts(vectorizer), "vocabulary")
            _set_vocabulary(vectorizer, counted, max_words)
        names = vectorizer.get_feature_names_out()
        return store_counts(
            in_parallel(vectorizer.transform, "counts"), path, feature_names=names
        )


def _with_size(function: Callable[[list[str]], Any], batch: list[str]):
    return len(batch), function(batch)


class _WordCounts:
    """Counts documents and tokens per word of a batch; in worker processes."""

    def __init__(self, vectorizer: CountVectorizer):
        self._vectorizer = clone(vectorizer)

    def __call__(self, texts: list[str]) -> tuple[int, Counter[str], Counter[str]]:
        analyze = self._vectorizer.build_analyzer()
        in_documents: Counter[str] = Counter()
        in_all: Counter[str] = Counter()
        for text in texts:
            counts = Counter(analyze(text))
            in_documents.update(counts.keys())
            in_all.update(counts)
        return len(texts), in_documents, in_all


def _set_vocabulary(
    vectorizer: CountVectorizer, counted: Iterator[Any], max_words: int
) -> None:
    """Set the vocabulary as ``CountVectorizer.fit`` does."""
    vectorizer._validate_params()
    in_documents: Counter[str] = Counter()
    in_all: Counter[str] = Counter()
    n_texts = lost = 0
    for size, documents, tokens in counted:
        n_texts += size
        in_documents.update(documents)
        in_all.update(tokens)
        if len(in_documents) > max_words:
            lost += _forget(in_documents, in_all, max_words // 2)
    if not n_texts:
        raise ValueError("There are no texts: pass at least one.")
    words = sorted(in_documents)
    n_documents = np.array([in_documents[word] for word in words])
    low, high = (
        _number(each, n_texts) for each in (vectorizer.min_df, vectorizer.max_df)
    )
    if high < low:
        raise ValueError("max_df corresponds to fewer texts than min_df: raise max_df.")
    nearly = (n_documents < low) & (n_documents + lost >= low)
    if lost >= low or nearly.any():
        n_safe = int(np.ceil(low)) + lost
        warn_user(
            f"There are more than max_words={max_words:,} distinct words. The rarest were "
            f"forgotten, and the others may be in up to {lost} more texts than counted. With "
            f"min_df={vectorizer.min_df!r}, words in fewer than {n_safe} texts may be missing: "
            "raise max_words."
        )
    kept = np.flatnonzero((n_documents >= low) & (n_documents <= high))
    if vectorizer.max_features is not None and len(kept) > vectorizer.max_features:
        counts = in_documents if vectorizer.binary else in_all
        order = np.argsort([-counts[words[i]] for i in kept])
        kept = np.sort(kept[order[: vectorizer.max_features]])
    if not len(kept):
        raise ValueError(
            "No word is left: lower min_df, raise max_df, or use fewer stop words."
        )
    vectorizer.fixed_vocabulary_ = False
    vectorizer.vocabulary_ = {words[i]: column for column, i in enumerate(kept)}


def _forget(in_documents: Counter, in_all: Counter, n_words: int) -> int:
    """Remove the rarest words until at most ``n_words`` are left; return the limit."""
    n = np.fromiter(in_documents.values(), np.int64, len(in_documents))
    limit = int(np.partition(n, len(n) - n_words - 1)[len(n) - n_words - 1])
    for word in [word for word, count in in_documents.items() if count <= limit]:
        del in_documents[word], in_all[word]
    return limit


def _number(share: float, n_texts: int) -> float:
    """Return a number of texts: min_df and max_df may be shares."""
    return share if isinstance(share, int | np.integer) else share * n_texts
