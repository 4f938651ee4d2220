"""A fit of ``DaskFusionTopicModel``: what is asked of the workers, in order."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from distributed import Client, Future
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator

from llmtopics._checks import check_prior, warn_user
from llmtopics._progress import stage
from llmtopics._vectorizers import words_of
from llmtopics.dask import _fusion_tasks as tasks
from llmtopics.dask import _texts as reading
from llmtopics.dask._futures import Tasks, added, same, some_rows, stacked
from llmtopics.dask._sources import delayed_partitions
from llmtopics.dask._vocabulary import counted_words
from llmtopics.embed._encoder import as_embedder
from llmtopics.fusion._fitting import make_pooling, word_prior_of
from llmtopics.fusion._poolings._prior import strength, sweeps_before_moves
from llmtopics.fusion._sides import seeded
from llmtopics.text._vectorizer import default_vectorizer
from llmtopics.topics import EmbeddingTopics
from llmtopics.topics import _sphere as sphere
from llmtopics.topics._gibbs.chain import MANY_TOPICS
from llmtopics.topics._gibbs.expected_counts import N_PASSES, N_PASSES_MANY
from llmtopics.topics._gibbs.tokens import COUNTED
from llmtopics.topics._keyness import together

N_SAMPLED = 20_000  # texts that the first directions and the classifiers are fitted on
_N_ASKED = 2000  # documents whose words the concentration predicts
_MANY, _FEW = (
    16,
    50,
)  # partitions, and texts of each: below, tasks take most of the time
Rows = list[np.ndarray]  # per partition, places of some of its documents


@dataclass
class Corpus:
    """The documents, as both sides read them; lists have an entry per partition.

    sizes : number of documents
    texts : texts, until they were read
    sample, asked : documents of the sample, and those that the concentration asks
    """

    sizes: list[int]
    texts: list[Future]
    sample: Rows
    asked: Rows
    X: list[Future]
    vectors: list[Future]

    @property
    def n(self) -> int:
        """Number of partitions."""
        return len(self.sizes)

    @property
    def firsts(self) -> list[int]:
        """Number of the first document of each partition."""
        return [0, *np.cumsum(self.sizes)[:-1].tolist()]


class Fit:
    """A fit on the workers of a client.

    Parameters
    ----------
    client : Client
    given : SimpleNamespace
        Parameters of a FusionTopicModel.
    seed : int
    """

    def __init__(self, client: Client, given: SimpleNamespace, seed: int):
        self._tasks, self._given, self._seed = Tasks(client), given, seed
        self._pooling = make_pooling(given, given.alpha)
        self.sizes: list[int] = []
        self.mixtures: list[Future] = []

    def run(self, X: Any) -> dict[str, Any]:
        """Return the attributes of a fitted FusionTopicModel, without those of documents."""
        corpus = self._corpus(X)
        self._read(corpus)
        first = self._first_topics(corpus)
        chain, topics, f, assigned, counts, n_sweeps = self._sampled(corpus, first)
        call, each, n = self._tasks.call, self._tasks.each, corpus.n
        table = self._passes(chain, corpus, assigned, f, counts)
        model = call(tasks.topic_model, self._model, chain, table, n_sweeps)
        f = each(tasks.mixtures_of, n, topics, corpus.vectors)
        fused = each(tasks.fused, n, chain, model, corpus.X, f)
        keyness = self._sum(each(together, n, fused, corpus.X))
        keyness = call(tasks.keyness_from, keyness, model)
        words = self._sum(each(tasks.tokens_in_topics, n, f, corpus.X))
        topics = call(tasks.with_words, topics, words)
        co_training = self._co_training(corpus, fused)
        mixtures = each(
            tasks.corrected, n, fused, corpus.vectors, corpus.X, co_training
        )
        shares = self._sum(each(tasks.summed, n, mixtures))
        found = self._tasks.get([model, keyness, topics, co_training, shares])
        self._tasks.wait(mixtures)
        self.sizes, self.mixtures = corpus.sizes, mixtures
        attributes = {
            "topic_model_": found[0],
            "components_": found[0].components_,
            "keyness_": found[1],
            "language_topics_": found[2],
            "_shares": found[4] / sum(corpus.sizes),
            "alpha_": self._given.alpha,
            "strength_": self._strength,
            "vectorizer_": self._vectorizer,
            "vocabulary_": words_of(self._vectorizer, reading.NAME),
            "embedder_": self._embedder,
        }
        return attributes | ({"co_training_": found[3]} if found[3] else {})

    def _sum(self, parts: list[Future]) -> Future:
        return self._tasks.total(added, parts)

    def _rows_of(self, rows: list[Any], places: Rows) -> list[Future]:
        """Start tasks for some rows of the partitions that have any of them."""
        return [
            self._tasks.call(some_rows, part, some)
            for part, some in zip(rows, places, strict=True)
            if len(some)
        ]

    # documents ----------------------------------------------------------------------------------

    def _corpus(self, X: Any) -> Corpus:
        """Return the texts of the partitions that have any, and choose documents."""
        call = self._tasks.call
        parts = np.ravel(delayed_partitions(X, reading.NAME)).tolist()
        read = self._tasks.compute(parts)
        texts = [call(reading.texts_of, part, n) for n, part in enumerate(read)]
        sizes = self._tasks.get([call(len, each) for each in texts])
        known = [n for n, size in enumerate(sizes) if size]
        if not known:
            raise ValueError("X holds no texts: all its partitions are empty.")
        sizes, texts = [sizes[n] for n in known], [texts[n] for n in known]
        n_texts = sum(sizes)
        if len(sizes) > _MANY and n_texts < _FEW * len(sizes):
            warn_user(
                f"X has {len(sizes)} partitions, with {n_texts / len(sizes):.0f} texts on "
                "average. Each sweep has two tasks for each of them: fewer partitions, such "
                "as X.repartition(npartitions=8) of a bag, are faster. The topics depend on "
                "the partitions."
            )
        rng = np.random.default_rng([self._seed, 2])
        sample = np.arange(n_texts)
        if n_texts > N_SAMPLED:
            sample = np.sort(rng.choice(n_texts, N_SAMPLED, replace=False))
        n_odd = n_texts // 2
        asked = np.linspace(0, n_odd, min(_N_ASKED, n_odd), endpoint=False)
        asked = 2 * asked.astype(int) + 1
        corpus = Corpus(sizes, texts, [], [], [], [])
        for first, size in zip(corpus.firsts, sizes, strict=True):
            for chosen, rows in ((corpus.sample, sample), (corpus.asked, asked)):
                low, high = np.searchsorted(rows, [first, first + size])
                chosen.append(rows[low:high] - first)
        return corpus

    def _read(self, corpus: Corpus) -> None:
        """Set the counts and the vectors of all documents."""
        n, call, numbers = corpus.n, self._tasks.call, list(range(corpus.n))
        texts = self._tasks.get(self._rows_of(corpus.texts, corpus.sample))
        sampled = stacked(texts)
        self._vectorizer = self._fit_vectorizer(corpus, sampled)
        vectorizer = call(same, self._vectorizer)
        corpus.X = self._tasks.each(
            reading.counts_of, n, corpus.texts, vectorizer, numbers
        )
        embedder = as_embedder(self._given.embedder, False)  # workers show no bars
        self._embedder = seeded(clone(embedder), self._seed).fit(sampled, None)
        # one task, so that each worker gets it once, and loads its weights once
        shared = call(same, self._embedder)
        corpus.vectors = self._tasks.each(
            reading.vectors_of, n, corpus.texts, shared, numbers
        )
        lengths = self._tasks.each(reading.lengths_of, n, corpus.X)
        n_of_word = self._sum(self._tasks.each(reading.n_of_words, n, corpus.X))
        *found, n_of_word = self._tasks.get([*lengths, n_of_word])
        self._check_counts(np.concatenate(found), n_of_word)
        with stage("vectors", n, "partitions") as counted:
            self._tasks.wait(corpus.vectors, counted)
        corpus.texts = []

    def _fit_vectorizer(self, corpus: Corpus, sampled: list[str]) -> Any:
        vectorizer = self._given.vectorizer
        if vectorizer is None:
            vectorizer = default_vectorizer(sum(corpus.sizes))
        vectorizer = clone(vectorizer)
        counts = isinstance(vectorizer, CountVectorizer)
        counts = counts and not isinstance(vectorizer, TfidfVectorizer)
        if counts and vectorizer.vocabulary is None:
            return counted_words(self._tasks, corpus.texts, corpus.sizes, vectorizer)
        if not counts and not isinstance(vectorizer, FrozenEstimator):
            raise ValueError(
                f"{reading.NAME} learns the words of a CountVectorizer only, and vectorizer is "
                f"{vectorizer!r}. Fit it on a sample of the texts and pass "
                "FrozenEstimator(vectorizer) of sklearn.frozen."
            )
        return vectorizer.fit(sampled, None)  # FrozenEstimator wants y

    def _check_counts(self, lengths: np.ndarray, n_of_word: np.ndarray) -> None:
        """Check that tokens can be sampled; set the strength and the topic model."""
        if not lengths.any():
            raise ValueError(
                "No text has a word of the vocabulary: check the vectorizer (min_df, "
                "max_df, stop words)."
            )
        words = words_of(self._vectorizer, reading.NAME)
        if n_of_word.max() >= COUNTED:
            raise ValueError(
                f"The word {str(words[n_of_word.argmax()])!r} occurs {n_of_word.max():,} "
                "times: 2**24 or more do not fit into single-precision counts. Leave it out "
                "(max_df or stop_words of CountVectorizer)."
            )
        if lengths.max() >= COUNTED:
            raise ValueError(
                f"Document {lengths.argmax()} has {lengths.max():,} words: 2**24 or more do "
                "not fit into single-precision counts. Split it."
            )
        word_prior_of(self._pooling, len(words))
        self._strength = strength(self._given.alpha, lengths)
        self._model = self._pooling.counts.make_model(
            self._given.n_components, self._seed
        )

    # topics -------------------------------------------------------------------------------------

    def _first_topics(self, corpus: Corpus) -> EmbeddingTopics:
        """Return topics of the vectors of the sample."""
        vectors = self._rows_of(corpus.vectors, corpus.sample)
        X = self._rows_of(corpus.X, corpus.sample)
        found = self._tasks.get([*vectors, *X])
        given, n = self._given, len(vectors)
        topics = EmbeddingTopics(
            given.n_components,
            concentration=given.concentration,
            random_state=self._seed,
        ).fit(stacked(found[:n]), counts=stacked(found[n:]))
        del topics.labels_, topics.components_  # of the sample alone
        return topics

    def _sampled(self, corpus: Corpus, first: EmbeddingTopics):
        """Draw the topics of all tokens, and refit f between rounds of sweeps."""
        call, each, n = self._tasks.call, self._tasks.each, corpus.n
        model, K = self._model, self._given.n_components
        prior = check_prior(model.doc_topic_prior, K, "doc_topic_prior")
        beta, _ = model._word_prior(
            len(self._vectorizer.get_feature_names_out()), False
        )
        numbers = list(range(n))
        chain = call(
            same,
            tasks.Chain(K, self._seed, self._strength, prior, beta, model.sampler),
        )
        topics = call(same, first)
        parts = each(tasks.moments_of, n, topics, corpus.vectors)
        moments = self._tasks.total(sphere.merged, parts)
        f = each(tasks.mixtures_of, n, topics, corpus.vectors)
        assigned = each(tasks.first_topics, n, chain, corpus.X, f, numbers)
        counts = self._sum(each(tasks.counted, n, chain, corpus.X, assigned))
        moves = sweeps_before_moves(model.max_iter)
        with stage("sweeps", model.max_iter, "sweeps", each=True) as sweeps:
            for sweep in range(model.max_iter):
                given = chain, corpus.X, assigned, f, counts, numbers, sweep
                assigned = each(tasks.drawn, n, *given)
                counts = self._sum(each(tasks.counted, n, chain, corpus.X, assigned))
                if sweep + 1 in moves:
                    topics = self._moved(corpus, topics, moments, chain, assigned, f)
                    f = each(tasks.quick_mixtures, n, topics, corpus.vectors)
                    # from here the chain continues if a worker is lost and copies are left
                    self._tasks.copy([*assigned, topics, moments, chain])
                    held = assigned, topics  # noqa: F841 (until the next time)
                    if sweeps.update(sweep + 1 - sweeps.n):  # a callback asks to stop
                        break
            self._tasks.wait(assigned)
            sweeps.update(sweep + 1 - sweeps.n)
        return chain, topics, f, assigned, counts, sweep + 1

    def _moved(
        self,
        corpus: Corpus,
        topics: Any,
        moments: Future,
        chain: Future,
        assigned: list[Future],
        f: list[Future],
    ) -> Future:
        """Refit the metric and the directions to the tokens' topics."""
        call, each, n = self._tasks.call, self._tasks.each, corpus.n
        vectors = corpus.vectors
        theta = each(tasks.posterior_means, n, chain, corpus.X, assigned, f)
        classes = self._sum(each(tasks.classes_of, n, topics, vectors, theta))
        metric = call(sphere.whiten_within, classes, moments)
        given = topics, vectors, theta, classes, metric
        sums = self._sum(each(tasks.direction_sums, n, *given))
        topics = call(tasks.moved, topics, metric, sums)
        asked = self._rows_of(vectors, corpus.asked)
        if self._given.concentration is not None or not asked:
            return topics
        words = each(tasks.words_of_half, n, chain, corpus.X, assigned, corpus.firsts)
        cosines = [call(tasks.quick_cosines, topics, some) for some in asked]
        X = self._rows_of(corpus.X, corpus.asked)
        return call(tasks.sharpened, topics, chain, self._sum(words), *cosines, *X)

    def _passes(
        self,
        chain: Future,
        corpus: Corpus,
        assigned: list[Future],
        f: list[Future],
        counts: Future,
    ) -> Future:
        """Return expected counts of words in topics, (V, K), after the last sweep."""
        many = self._given.n_components >= MANY_TOPICS
        table = self._tasks.call(tasks.as_shares, counts)
        n = N_PASSES_MANY if many else N_PASSES
        with stage("passes", n, "passes", hidden=True) as passes:
            for _ in range(n):
                given = chain, corpus.X, assigned, f, table
                shares = self._sum(self._tasks.each(tasks.shares_of, corpus.n, *given))
                table = self._tasks.call(tasks.relaxed, chain, table, shares)
                self._tasks.wait([table])
                passes.update()
        return table

    def _co_training(self, corpus: Corpus, fused: list[Future]) -> Future:
        """Return the classifiers, learned from the sample."""
        share = self._given.co_training
        if not share:
            return self._tasks.call(same, None)
        parts = fused, corpus.vectors, corpus.X
        rows = [self._rows_of(each, corpus.sample) for each in parts]
        return self._tasks.call(
            tasks.co_trained, share, *(r for part in rows for r in part)
        )
