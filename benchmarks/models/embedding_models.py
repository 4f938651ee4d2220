"""Peers that read vectors: of turftopic, FASTopic and contextualized topic models."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from benchmarks.counts import Documents
from benchmarks.models.base import N_WORDS, Topics, heaviest_words, to_mixtures
from benchmarks.models.prepare import WordEncoder, joined_tokens


def turftopic_model(
    corpus: Documents,
    K: int,
    seed: int,
    name: str,
    to_mixtures: Callable[[np.ndarray], np.ndarray] = to_mixtures,
) -> Topics:
    import turftopic

    texts, vectorizer = joined_tokens(corpus)
    model = getattr(turftopic, name)(
        K, encoder=WordEncoder(), vectorizer=vectorizer, random_state=seed
    )
    weights = model.fit_transform(texts, embeddings=corpus.vectors)
    words = heaviest_words(model.components_, model.get_vocab())
    return Topics(to_mixtures(weights), words)


def fastopic(corpus: Documents, K: int, seed: int) -> Topics:
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
    return Topics(mixtures, heaviest_words(model.get_beta(), corpus.vocabulary))


def combined_tm(corpus: Documents, K: int, seed: int) -> Topics:
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
    return Topics(mixtures, model.get_topic_lists(N_WORDS))
