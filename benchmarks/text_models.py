"""Models of texts, ours and the peers', behind one face: (corpus, K, seed) → topics.

All get the same words and the same vectors. Peers are imported where they are used: some
take seconds, and memory, to import.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.special import softmax
from sklearn.cluster import KMeans
from sklearn.decomposition import NMF
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from benchmarks.models import judge, tomotopy_lda
from benchmarks.text_problems import PROBLEMS, Corpus
from llmtopics import (
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    PachinkoAllocation,
    PrecomputedEmbeddings,
    TextAnalyzer,
    TransformerEmbedder,
    top_words,
)


class Topics(NamedTuple):
    """Mixtures, of shape (D, k), the ten words of each topic, and what is peculiar."""

    mixtures: np.ndarray
    words: list[list[str]]
    peculiar: dict[str, float] = {}


def to_mixtures(weights: np.ndarray) -> np.ndarray:
    """Divide rows by their sums; rows without weight are even."""
    total = weights.sum(axis=1, keepdims=True)
    even = np.full_like(weights, 1 / weights.shape[1])
    return np.divide(weights, total, where=total > 0, out=even)


def heaviest(weights: Any, vocabulary: np.ndarray) -> list[list[str]]:
    """Return the ten words of the largest weights, as most peers rank them."""
    best = np.argsort(-np.asarray(weights), axis=1)[:, :10]
    return np.asarray(vocabulary)[best].tolist()


# ours ---------------------------------------------------------------------------------


def fusion(
    corpus: Corpus,
    K: int,
    seed: int,
    analyzer: Callable | None = None,
    embedder: Any = None,
    **parameters: Any,
) -> Topics:
    """Texts are cut and encoded beforehand, unless analyzer and embedder are given."""
    known = dict(zip(corpus.texts, corpus.tokens, strict=True))
    model = FusionTopicModel(
        K,
        vectorizer=CountVectorizer(
            analyzer=analyzer or known.__getitem__, vocabulary=corpus.vocabulary
        ),
        embedder=embedder or PrecomputedEmbeddings(corpus.texts, corpus.vectors),
        random_state=seed,
        **parameters,
    )
    mixtures = model.fit_transform(corpus.texts)
    return Topics(mixtures, model.top_words(), {"alpha": model.alpha_})


def gibbs_lda(corpus: Corpus, K: int, seed: int) -> Topics:
    model = GibbsLDA(K, random_state=seed)
    mixtures = model.fit_transform(corpus.counts)
    return Topics(mixtures, top_words(model.components_, corpus.vocabulary))


def pachinko(corpus: Corpus, K: int, seed: int) -> Topics:
    """A super-topic for five sub-topics, and two at least."""
    S = max(2, K // 5)
    model = PachinkoAllocation(K, n_super_components=S, random_state=seed)
    mixtures = model.fit_transform(corpus.counts)
    return Topics(mixtures, top_words(model.components_, corpus.vocabulary))


def embedding_topics(corpus: Corpus, K: int, seed: int) -> Topics:
    model = EmbeddingTopics(K, random_state=seed)
    mixtures = model.fit(corpus.vectors, counts=corpus.counts).transform(corpus.vectors)
    return Topics(
        mixtures, top_words(model.components_, corpus.vocabulary, method="probability")
    )


# words alone --------------------------------------------------------------------------


def tomotopy_topics(corpus: Corpus, K: int, seed: int) -> Topics:
    fitted = tomotopy_lda(corpus.counts, K, seed)
    mixtures = judge(fitted).transform(corpus.counts)
    return Topics(mixtures, top_words(fitted.components, corpus.vocabulary))


def tfidf_nmf(corpus: Corpus, K: int, seed: int) -> Topics:
    model = NMF(K, init="nndsvda", max_iter=400, random_state=seed)
    weights = model.fit_transform(TfidfTransformer().fit_transform(corpus.counts))
    words = top_words(model.components_, corpus.vocabulary)
    return Topics(to_mixtures(weights), words)


# vectors too --------------------------------------------------------------------------


def cut(corpus: Corpus) -> tuple[list[str], CountVectorizer]:
    """Return texts whose words are cut out, and what counts them, as a peer wants it."""
    texts = [" ".join(tokens) for tokens in corpus.tokens]
    return texts, CountVectorizer(analyzer=str.split, vocabulary=corpus.vocabulary)


def bertopic(
    corpus: Corpus, K: int, seed: int, clusters: Callable | None = None
) -> tuple[Any, np.ndarray, list[list[str]]]:
    """Fit BERTopic; return it, a topic a document (-1: none), and words.

    Settings are its defaults; "multilingual" keeps it from changing the words.
    """
    from bertopic import BERTopic
    from umap import UMAP

    texts, vectorizer = cut(corpus)
    model = BERTopic(
        language="multilingual",
        umap_model=UMAP(
            n_neighbors=15,
            n_components=5,
            min_dist=0.0,
            metric="cosine",
            random_state=seed,
        ),
        hdbscan_model=clusters and clusters(K, random_state=seed),
        vectorizer_model=vectorizer,
    )
    topics = np.array(model.fit_transform(texts, embeddings=corpus.vectors)[0])
    words = [
        [word for word, _ in model.get_topic(k) if word]
        for k in range(topics.max() + 1)
    ]
    return model, topics, words


def bertopic_as_is(corpus: Corpus, K: int, seed: int) -> Topics:
    """UMAP and HDBSCAN: K is found, not given; documents without a topic share one."""
    _, topics, words = bertopic(corpus, K, seed)
    peculiar = {"n_topics": len(words), "outliers": float((topics < 0).mean())}
    return Topics(np.eye(len(words) + 1)[topics + 1], words, peculiar)


def bertopic_k_means(corpus: Corpus, K: int, seed: int) -> Topics:
    """UMAP and k-means.

    It gives labels alone. Its mixtures here are the softmax of minus the squared
    distances to the k centres in UMAP's space, whose largest share is the label: they
    let a classifier see more than BERTopic returns.
    """
    model, _, words = bertopic(corpus, K, seed, KMeans)
    distances = model.hdbscan_model.transform(model.umap_model.embedding_)
    return Topics(softmax(-(distances.astype(float) ** 2), axis=1), words)


class WordEncoder:
    """Encodes words as the texts are; kept on disk."""

    def encode(self, texts: Any, **_: Any) -> np.ndarray:
        return TransformerEmbedder().transform([str(text) for text in texts])


def turftopic_model(
    corpus: Corpus,
    K: int,
    seed: int,
    name: str,
    to_mixtures: Callable[[np.ndarray], np.ndarray] = to_mixtures,
) -> Topics:
    import turftopic

    texts, vectorizer = cut(corpus)
    model = getattr(turftopic, name)(
        K, encoder=WordEncoder(), vectorizer=vectorizer, random_state=seed
    )
    weights = model.fit_transform(texts, embeddings=corpus.vectors)
    words = heaviest(model.components_, model.get_vocab())
    return Topics(to_mixtures(weights), words)


def fastopic(corpus: Corpus, K: int, seed: int) -> Topics:
    import torch
    from fastopic import FASTopic

    class Counted:
        def preprocess(self, _: Any) -> dict:
            return {"train_bow": corpus.counts, "vocab": corpus.vocabulary}

    torch.manual_seed(seed)
    model = FASTopic(K, preprocess=Counted(), doc_embed_model=WordEncoder())
    _, mixtures = model.fit_transform(
        corpus.texts, preset_doc_embeddings=corpus.vectors
    )
    return Topics(mixtures, heaviest(model.get_beta(), corpus.vocabulary))


def combined_tm(corpus: Corpus, K: int, seed: int) -> Topics:
    import torch
    from contextualized_topic_models.datasets.dataset import CTMDataset
    from contextualized_topic_models.models.ctm import CombinedTM

    torch.manual_seed(seed)
    data = CTMDataset(
        X_contextual=corpus.vectors,
        X_bow=sp.csr_matrix(corpus.counts),
        idx2token=dict(enumerate(corpus.vocabulary)),
    )
    model = CombinedTM(
        bow_size=corpus.counts.shape[1],
        contextual_size=corpus.vectors.shape[1],
        n_components=K,
        num_data_loader_workers=0,
    )
    model.fit(data)
    mixtures = np.asarray(model.get_doc_topic_distribution(data, n_samples=20))
    return Topics(mixtures, model.get_topic_lists(10))


class Model(NamedTuple):
    fit: Callable[[Corpus, int, int], Topics]
    n_seeds: int = 5
    problems: tuple[str, ...] = tuple(PROBLEMS)


FEW = ("BBC news, K=5", "StackOverflow, K=20", "20 Newsgroups, K=20")  # for slow models
MODELS: dict[str, Model] = {
    "FusionTopicModel": Model(fusion),
    "GibbsLDA": Model(gibbs_lda),
    "PachinkoAllocation": Model(pachinko, 3),
    "EmbeddingTopics": Model(embedding_topics),
    "BERTopic, UMAP + k-means": Model(bertopic_k_means, 3),
    "KeyNMF": Model(partial(turftopic_model, name="KeyNMF")),
    "NMF, tf-idf": Model(tfidf_nmf),
    "tomotopy LDA": Model(tomotopy_topics),
    "S3": Model(
        partial(
            turftopic_model,
            name="SemanticSignalSeparation",  # signals have both signs
            to_mixtures=partial(softmax, axis=1),
        )
    ),
    "BERTopic": Model(bertopic_as_is, 3, FEW),
    "FASTopic": Model(fastopic, 3, FEW),
    "CombinedTM": Model(combined_tm, 3, FEW),
    "GMM": Model(partial(turftopic_model, name="GMM"), 3, FEW),
    "FusionTopicModel, α=.2": Model(partial(fusion, alpha=0.2)),
    "FusionTopicModel, α=.8": Model(partial(fusion, alpha=0.8)),
    "FusionTopicModel, linear": Model(partial(fusion, pooling="linear")),
    "FusionTopicModel, geometric": Model(partial(fusion, pooling="geometric")),
    "FusionTopicModel, α=auto": Model(  # it reads halves of texts: no vectors are known
        partial(
            fusion,
            alpha="auto",
            analyzer=TextAnalyzer(),
            embedder=TransformerEmbedder(),
        ),
        3,
    ),
}
