"""The input of a scorer's measures: a fitted model's words and the held-out documents."""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array

from llmtopics._checks import numbers_only, warn_user
from llmtopics._fitted_model import FittedModel, joined
from llmtopics._vectorizers import steps_of, tokens_of
from llmtopics._words import top_words
from llmtopics.metrics._input_checks import columns_of, weights_of

_REACH = 5  # held-out words come from the first _REACH * n_words of a topic


class Settings(NamedTuple):
    """The parameters of :func:`topic_scorer`, except the measure."""

    n_words: int
    method: str | None
    window_size: int | str | None


class ScoredModel:
    """A fitted topic model, alone or as the end of a Pipeline, and documents to score it on."""

    def __init__(self, estimator: Any, X: Any, settings: Settings) -> None:
        self.fitted = FittedModel(estimator)
        self.weights = weights_of(self.fitted)
        self.estimator = estimator
        self.X = X
        self.settings = settings
        self.model = self.fitted.last

    @property
    def reads_texts(self) -> bool:
        """Whether the model itself reads texts, not counts."""
        return hasattr(self.model, "vectorizer_")

    @cached_property
    def vocabulary(self) -> list[str]:
        return columns_of(self.fitted)

    @cached_property
    def counts(self) -> Any:
        """Counts of the held-out documents."""
        made = self.fitted.counts(self.X)
        name = type(self.model).__name__
        with numbers_only(made, name, "word counts", "score a Pipeline of texts"):
            return check_array(made, accept_sparse="csr")

    def words(self, n_words: int | None = None) -> list[list[str]]:
        """Return the words of each topic, as the model's own ``top_words`` shows them."""
        n_words = n_words or self.settings.n_words
        method = self.settings.method
        if method in (None, "keyness") and hasattr(self.model, "top_words"):
            return self.model.top_words(n_words)
        if method == "keyness":
            raise ValueError(
                f"{type(self.model).__name__} does not rank words by keyness. Only "
                "FusionTopicModel does. Pass method=None or another method."
            )
        return top_words(self.weights, self.vocabulary, n_words, method or "term_score")

    def held_out_words(self) -> list[list[str]]:
        """Return the first words of each topic that occur in the held-out documents."""
        n_words = self.settings.n_words
        occurs = np.asarray((self.counts > 0).sum(axis=0)).ravel() > 0
        known = {
            word for word, there in zip(self.vocabulary, occurs, strict=True) if there
        }
        listed = self.words(_REACH * n_words)
        topics = [
            [word for word in topic if word in known][:n_words] for topic in listed
        ]
        n_unknown = sum(
            len(topic) < 2 <= len(all_words)
            for topic, all_words in zip(topics, listed, strict=True)
        )
        if n_unknown:
            warn_user(
                f"{n_unknown} of {len(topics)} topics cannot be scored and get the lowest "
                f"value: the {self.counts.shape[0]} held-out documents have fewer than two of "
                f"their first {_REACH * n_words} words. Hold out more documents (fewer "
                "folds), or pass min_df to the vectorizer."
            )
        return topics

    def reference(self) -> tuple[Any, list[str] | None]:
        """Return the reference of coherence: counts and words, or lists of tokens."""
        if self.settings.window_size is None:
            return self.counts, self.vocabulary
        return _token_lists(self.fitted, self.X), None


def _token_lists(fitted: FittedModel, X: Any) -> list[list[str]]:
    """Return the words of the documents in their order, as the vectorizer splits them."""
    maker = fitted.vectorizer
    if maker is None:  # such as HashingVectorizer, which knows no words
        maker = joined(fitted.before)
    vectorizer = next(
        (step for step in steps_of(maker) if hasattr(step, "build_analyzer")), None
    )
    if vectorizer is None:
        raise ValueError(
            "A window needs the words of the documents in their order. Score a Pipeline "
            "with CountVectorizer, or pass window_size=None."
        )
    splits = vectorizer.analyzer if callable(vectorizer.analyzer) else vectorizer
    n_words = getattr(splits, "ngram_range", (1, 1))[1]
    if n_words > 1 or vectorizer.analyzer in ("char", "char_wb"):
        raise ValueError(
            "A window needs single words in their order. The vectorizer of the Pipeline makes "
            "n-grams. Pass window_size=None."
        )
    return tokens_of(maker, X) or []
