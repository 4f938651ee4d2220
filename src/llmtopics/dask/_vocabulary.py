"""The vocabulary of a CountVectorizer, from numbers of texts that are added up."""

from collections import Counter
from numbers import Integral

from distributed import Future
from sklearn.feature_extraction.text import CountVectorizer

from llmtopics.dask._futures import Tasks, added
from llmtopics.dask._texts import NAME, documents_of_words


def counted_words(
    started: Tasks, texts: list[Future], sizes: list[int], vectorizer: CountVectorizer
) -> CountVectorizer:
    """Return the vectorizer with the words of all texts that min_df and max_df keep."""
    if vectorizer.max_features is not None:
        raise ValueError(
            f"{NAME} cannot learn the words of a vectorizer with max_features: raise "
            "min_df instead, or pass CountVectorizer(vocabulary=words)."
        )
    vectorizer._validate_params()  # as its own fit does
    vectorizer._validate_ngram_range()
    n_texts = sum(sizes)
    low, high = (
        limit if isinstance(limit, Integral) else limit * n_texts
        for limit in (vectorizer.min_df, vectorizer.max_df)
    )
    found = started.each(documents_of_words, len(texts), texts, vectorizer)
    total = started.total(added, found)
    (words,) = started.get([started.call(_between, total, low, high)])
    if not words:
        raise ValueError(
            f"No word is in at least {low:g} and at most {high:g} of {n_texts:,} texts: "
            "change min_df, max_df or stop_words of the vectorizer."
        )
    vectorizer.vocabulary_ = {word: column for column, word in enumerate(words)}
    vectorizer.fixed_vocabulary_ = False
    return vectorizer


def _between(n_texts: Counter, low: float, high: float) -> list[str]:
    """Return the words that are in at least ``low`` and at most ``high`` texts, sorted."""
    return sorted(word for word, n in n_texts.items() if low <= n <= high)
