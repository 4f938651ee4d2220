"""Models that ``explain`` accepts: models of texts, and Pipelines to them."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import scipy.sparse as sp
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from llmtopics._fitted_model import FittedModel, joined
from llmtopics._vectorizers import steps_of, unfrozen, words_of
from llmtopics._words import top_words
from llmtopics.explanation._count_models import Division, division_of
from llmtopics.topics._other_models import weights_in_topics


class Contributions(Protocol):
    """What each part adds to the mixture of one document. The three parts sum to it.

    words : (n, K)
    embedding, prior : (K,)
    note : str
        Which parts follow a convention and not the model. "" if none do.
    """

    @property  # read only, as in a NamedTuple
    def words(self) -> np.ndarray: ...
    @property
    def embedding(self) -> np.ndarray: ...
    @property
    def prior(self) -> np.ndarray: ...
    @property
    def note(self) -> str: ...


@runtime_checkable
class TextModel(Protocol):
    """A fitted topic model that reads texts: ``FusionTopicModel``.

    It has the methods below, ``vectorizer_`` and ``top_words()``. If a topic model of counts
    takes part, it also has ``topic_model_``.
    """

    def _explained(
        self, texts: list[str], own: sp.csr_array, divide: Callable
    ) -> tuple[sp.csr_array, np.ndarray, float, Contributions]:
        """Explain one text.

        Parameters
        ----------
        texts : list of one str
        own : csr_array of shape (1, V)
            Its counts by ``vectorizer_``.
        divide : callable
            ``Division.divide`` for ``topic_model_``.

        Returns
        -------
        X : csr_array of shape (1, V)
            The counts that give the mixture, with added words. n of them are stored.
        mixture : ndarray of shape (K,)
        alpha : float
            Weight of the embedding side.
        contributions : Contributions
        """

    def _embedding_mixtures(self, texts: list[str]) -> np.ndarray | None:
        """Return f of texts, (D, K), or None if the embedding side has weight 0."""

    def _vectors(self, texts: list[str]) -> np.ndarray | None:
        """Return vectors of texts, (D, E), or None without an embedder."""


class _CountContributions(NamedTuple):
    words: np.ndarray
    embedding: np.ndarray
    prior: np.ndarray
    note: str = ""


class CountsModel:
    """A vectorizer and a topic model of counts, as a TextModel."""

    def __init__(self, vectorizer: Any, model: Any):
        self.vectorizer_, self.topic_model_ = vectorizer, model

    def top_words(self) -> list[list[str]]:
        words = words_of(self.vectorizer_, "explain")
        return top_words(self.topic_model_.components_, words)

    def _explained(
        self, texts: list[str], own: sp.csr_array, divide: Callable
    ) -> tuple[sp.csr_array, np.ndarray, float, Contributions]:
        mixture = weights_in_topics(self.topic_model_, own)[0]
        words, prior = divide(self.topic_model_, own, mixture)
        nothing = np.zeros_like(mixture)
        return own, mixture, 0.0, _CountContributions(words, nothing, prior)

    def _embedding_mixtures(self, texts: list[str]) -> None:
        return None

    def _vectors(self, texts: list[str]) -> None:
        return None


class Stages(NamedTuple):
    """The stages of a model to explain.

    before : list of transformers
        Steps that change texts.
    texts : list of one str
        The text after these steps.
    model : TextModel or CountsModel
        The model of these texts.
    division : Division or None
        How to divide mixtures of ``model.topic_model_``. None if it has none.
    """

    before: list[Any]
    texts: list[str]
    model: Any
    division: Division | None


def stages_of(model: Any, text: str) -> Stages:
    """Split a fitted model into stages; raise a TypeError if it cannot be explained."""
    fitted = FittedModel(model)
    steps = list(steps_of(model))  # also those after the topic model
    last = steps[-1]
    reads_texts = isinstance(last, TextModel)
    if not isinstance(unfrozen(model), Pipeline) and not reads_texts:
        raise _cannot(model, "is not a model of texts")
    check_is_fitted(model)
    # FusionTopicModel has no topic_model_ at alpha=1
    counts = getattr(last, "topic_model_", None) if reads_texts else last
    division = None
    if counts is not None and (division := division_of(counts)) is None:
        remedy = _REMEDY if reads_texts else _shorter(steps)
        raise _cannot(counts, "is of an unknown kind", remedy)
    texts, n_steps, made = fitted.changed([text])
    before, counting = fitted.before[:n_steps], fitted.before[n_steps:]
    if made is not None:
        return Stages(before, texts, CountsModel(joined(counting), last), division)
    if not reads_texts:
        raise _cannot(last, "has no vectorizer before it")
    return Stages(before, texts, last, division)


_REMEDY = (
    "Pass a fitted FusionTopicModel, or a Pipeline of a vectorizer and GibbsLDA, "
    "PachinkoAllocation, NMF, MiniBatchNMF or LatentDirichletAllocation."
)


def _cannot(model: Any, fault: str, remedy: str = _REMEDY) -> TypeError:
    return TypeError(
        f"explain cannot explain {type(model).__name__}: it {fault}. {remedy}"
    )


def _shorter(steps: list[Any]) -> str:
    """Return what to pass instead of a Pipeline whose last step is no topic model."""
    if isinstance(steps[0], TextModel):
        return f"Pass its {type(steps[0]).__name__}: pipeline[0]."
    for n_after, step in enumerate(reversed(steps[1:])):
        if isinstance(step, TextModel) or division_of(step):
            name = type(step).__name__
            return f"Pass the Pipeline up to its {name}: pipeline[:-{n_after}]."
    return _REMEDY
