"""The two inputs of fusion: counts → g and embeddings → f, each (D, K) topic proportions."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array
from sklearn.utils.validation import check_memory, check_non_negative

from llmtopics import __version__
from llmtopics._checks import as_counts
from llmtopics._mixtures import check_mixtures
from llmtopics._progress import Counted, stage
from llmtopics.embed._encoder import as_embedder
from llmtopics.text._vectorizer import default_vectorizer
from llmtopics.topics import EmbeddingTopics, GibbsLDA
from llmtopics.topics._gibbs.word_prior import check_word_prior
from llmtopics.topics._other_models import weights_in_topics


class CountSide:
    """Texts → counts → g, by ``vectorizer``, ``expander`` and ``topic_model``.

    Parameters
    ----------
    given : SimpleNamespace
        Parameters of the FusionTopicModel, as they were when ``fit`` began.

    Attributes
    ----------
    vectorizer, expander, model : estimators or None
        The fitted parts.
    """

    def __init__(self, given: SimpleNamespace):
        self.given = given
        self.vectorizer: Any = None
        self.expander: Any = None
        self.model: Any = None

    def fit_vectorizer(self, texts: list[str], *, expand: bool) -> sp.csr_array:
        """Fit ``vectorizer``, and ``expander`` if ``expand``; return the texts' own counts."""
        given, vectorizer = self.given, self.given.vectorizer
        if vectorizer is None and given.expander is not None:
            vectorizer = given.expander.vectorizer
        if vectorizer is None:
            vectorizer = default_vectorizer(len(texts))
        if given.expander is None or not expand:
            self.vectorizer = clone(vectorizer)
            return self._counts(self.vectorizer.fit_transform, texts)
        self.expander = clone(given.expander).set_params(vectorizer=vectorizer)
        self.vectorizer = self.expander.fit(texts).vectorizer_
        return self.own(texts)

    def own(self, texts: list[str]) -> sp.csr_array:
        """Return the counts of the texts' own words."""
        return self._counts(self.vectorizer.transform, texts)

    def _counts(
        self, read: Callable[[list[str]], Any], texts: list[str]
    ) -> sp.csr_array:
        """Return the counts that a method of ``vectorizer`` makes."""
        with stage("counts", len(texts), "texts") as counted:
            if isinstance(self.vectorizer, CountVectorizer):  # it reads one by one
                texts = Counted(texts, counted)
            try:
                counts = read(texts)
            except ValueError as error:
                if "empty vocabulary" not in str(error):
                    raise
                raise ValueError(
                    "The vectorizer finds no word in the texts: they may hold only stop words, "
                    "numbers or signs. Pass other texts, or another vectorizer, such as "
                    "CountVectorizer()."
                ) from error
            return self.check(counts)

    def expanded(self, texts: list[str], own: sp.csr_array) -> sp.csr_array:
        """Return the counts to find topics in: own words plus the expander's words."""
        if self.expander is None:
            return own
        added = self.expander.added(texts, own).astype(np.int64)  # sums may be large
        return self.check(own + added)

    def check(self, X: Any) -> sp.csr_array:
        """Check counts, and return them in the form that the topic model takes."""
        if isinstance(self.given.topic_model, GibbsLDA | None):
            return as_counts(X, "FusionTopicModel")
        X = sp.csr_array(check_array(X, accept_sparse="csr"))
        check_non_negative(X, "FusionTopicModel")
        X.sum_duplicates()
        return X

    def word_prior(self, n_components: int, n_words: int) -> Any:
        """Return the β with which φ is counted: the topic model's, or 0.1."""
        model = self.given.topic_model
        name = f"{_prefix(model)}topic_word_prior"
        prior = None if model is None else model.get_params().get(name)
        if prior is None or isinstance(prior, str):
            return 0.1
        return check_word_prior(prior, n_components, n_words)

    def make_model(self, n_components: int, seed: int) -> Any:
        """Set ``model`` to an unfitted topic model with the outer parameters; return it."""
        given = self.given
        model = GibbsLDA() if given.topic_model is None else clone(given.topic_model)
        outer = {"n_components": n_components, "random_state": seed}
        if isinstance(model, GibbsLDA):
            outer |= {"max_iter": given.max_iter, "verbose": given.verbose}
        _set_known(model, outer)
        self.model = model
        self.update(given.n_jobs)
        return model

    def update(self, n_jobs: int | None) -> None:
        """Pass on the parameters that take effect at once when set after ``fit``."""
        given = self.given
        if self.model is not None:
            if n_jobs is None and given.topic_model is not None:
                own = given.topic_model.get_params()
                n_jobs = own.get(f"{_prefix(given.topic_model)}n_jobs")
            _set_known(self.model, {"n_jobs": n_jobs})
        if self.expander is not None:
            self.expander.llm = given.expander.llm

    def mixtures(self, X: sp.csr_array) -> np.ndarray:
        """Return g, of shape (D, K)."""
        return check_mixtures(weights_in_topics(self.model, X), "topic_model")


class EmbeddingSide:
    """Texts → vectors → f, by ``embedder`` and EmbeddingTopics, or by ``language_topics``.

    Parameters
    ----------
    given : SimpleNamespace
        Parameters of the FusionTopicModel, as they were when ``fit`` began.

    Attributes
    ----------
    embedder, topics : estimators or None
        The fitted parts. ``embedder`` is None if ``language_topics`` was given.
    """

    def __init__(self, given: SimpleNamespace):
        self.given = given
        self.embedder: Any = None
        self.topics: Any = None

    def fit(self, texts: list[str], X: sp.csr_array, seed: int) -> Any:
        """Fit both parts; return the inputs of ``topics``, as :meth:`inputs` does."""
        given = self.given
        if given.language_topics is not None:
            topics = seeded(clone(given.language_topics), seed)
            if given.n_components is not None:
                _set_known(topics, {"n_components": given.n_components})
            self.topics = topics.fit(texts)
            self._check_number(self.mixtures(texts[:1]).shape[1])
            return texts
        embedder = as_embedder(given.embedder, given.verbose)
        self.embedder = seeded(clone(embedder), seed).fit(texts)
        vectors = self.inputs(texts)
        if len(vectors) != len(texts):
            raise ValueError(
                f"embedder made {len(vectors)} vectors of {len(texts)} texts: pass one that "
                "makes one vector per text."
            )
        topics = EmbeddingTopics(
            n_components_of(given), concentration=given.concentration, random_state=seed
        )
        # without a fixed seed, caching is useless
        memory = check_memory(None if given.random_state is None else given.memory)
        cached = memory.cache(_fit_embedding_topics)
        self.topics = cached(topics, vectors, X, __version__)
        return vectors

    def _check_number(self, n_topics: int) -> None:
        """Raise a ValueError if ``n_components`` is another number of topics."""
        if self.given.n_components not in (None, n_topics):
            raise ValueError(
                f"n_components={self.given.n_components}, and language_topics makes "
                f"{n_topics} topics: leave n_components out, or give it the same number."
            )

    def inputs(self, texts: list[str]) -> Any:
        """Return the input of ``topics``: the texts for ``language_topics``, else vectors."""
        if self.embedder is None:
            return texts
        return check_array(self.embedder.transform(texts), dtype=np.float64, order="C")

    def mixtures(self, inputs: Any) -> np.ndarray:
        """Return f, of shape (D, K)."""
        return check_mixtures(self.topics.transform(inputs), "language_topics")

    @property
    def movable(self) -> bool:
        """Whether f may be refitted to new topics. ``language_topics`` may not."""
        return self.embedder is not None

    def update(self, verbose: bool | int) -> None:
        """Pass on to the embedder the parameters that take effect at once."""
        if self.embedder is None:
            return
        given = self.given.embedder
        if given is None or isinstance(given, str):
            self.embedder.verbose = verbose
        for name in getattr(given, "_AT_ONCE", ()):
            setattr(self.embedder, name, getattr(given, name))


def n_components_of(given: SimpleNamespace) -> int:
    """Return ``n_components``, or its default if ``language_topics`` is not used."""
    return 10 if given.n_components is None else given.n_components


def last_step(model: Any) -> Any:
    """Return the last step of a Pipeline, or the model itself if it is none."""
    return model.steps[-1][1] if isinstance(model, Pipeline) else model


def _prefix(model: Any) -> str:
    """Return the parameter prefix of a Pipeline's last step, or "" for other models."""
    return f"{model.steps[-1][0]}__" if isinstance(model, Pipeline) else ""


def _set_known(model: Any, parameters: dict[str, Any]) -> None:
    """Set the parameters that a model, or the last step of a Pipeline, has."""
    last, known = _prefix(model), model.get_params()
    model.set_params(
        **{last + name: parameters[name] for name in parameters if last + name in known}
    )


def seeded(estimator: Any, seed: int) -> Any:
    """Give a seed to all parts of an estimator that have none."""
    for name, value in estimator.get_params().items():
        if name.rpartition("__")[2] == "random_state" and value is None:
            estimator.set_params(**{name: seed})
    return estimator


def _fit_embedding_topics(
    topics: EmbeddingTopics, vectors: np.ndarray, counts: sp.csr_array, version: str
) -> EmbeddingTopics:
    """Fit. ``version`` is part of the cache's key, so a new version fits again."""
    return topics.fit(vectors, counts=counts)
