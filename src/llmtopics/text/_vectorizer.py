"""The vectorizer that is used if none is given."""

from sklearn.feature_extraction.text import CountVectorizer

from llmtopics.text._analyzer import TextAnalyzer


def default_vectorizer(n_texts: int) -> CountVectorizer:
    """Return a vectorizer that leaves out rare words of large corpora.

    A word must be in 1 of fewer than 100 texts, in 2 of fewer than 200, and so on, up to 5 of
    400 texts or more. Rare words say nothing about topics, and most words are rare.
    """
    return CountVectorizer(analyzer=TextAnalyzer(), min_df=min(1 + n_texts // 100, 5))
