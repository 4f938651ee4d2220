"""Every model of the benchmarks, ours and the peers', by the name in the results.

A new model is a function, in a file of its package, and an entry in ``MODELS``. All see the same
words and vectors. Peers are imported where they are used: some take seconds, and memory.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import scipy.sparse as sp
from scipy.special import softmax

from benchmarks.counts import Documents
from benchmarks.models import (
    bertopic_models,
    embedding_models,
    other_counts,
    ours,
    tomotopy_models,
)
from benchmarks.models.base import Fitted, Topics


class Model(NamedTuple):
    """A model of counts, (X, K, seed) → Fitted, of texts, (corpus, K, seed) → Topics, or both.

    n_seeds : at most so many, on texts
    problems : those of texts that it is fitted on; None: all
    """

    of_texts: Callable[[Documents, int, int], Topics] | None = None
    n_seeds: int = 5
    problems: tuple[str, ...] | None = None
    of_counts: Callable[[sp.csr_array, int, int], Fitted] | None = None


def on_counts(fit: Callable, **parameters: object) -> Model:
    return Model(of_counts=partial(fit, **parameters))


gibbs = partial(on_counts, ours.gibbs_lda)
fusion = ours.fusion
turftopic = embedding_models.turftopic_model
FEW = ("BBC news, K=5", "StackOverflow, K=20", "20 Newsgroups, K=20")  # for slow models
NARROW = {"doc_topic_prior": 0.1, "topic_word_prior": 0.01}
MODELS: dict[str, Model] = {  # in the order of the tables
    "FusionTopicModel": Model(fusion),
    "GibbsLDA": Model(ours.gibbs_topics, of_counts=ours.gibbs_lda),
    "PachinkoAllocation": Model(ours.pachinko, 3),
    "EmbeddingTopics": Model(ours.embedding_topics),
    "BERTopic, UMAP + k-means": Model(bertopic_models.bertopic_k_means, 3),
    "KeyNMF": Model(partial(turftopic, name="KeyNMF")),
    "NMF, tf-idf": Model(other_counts.tfidf_nmf),
    "tomotopy LDA": Model(tomotopy_models.tomotopy_topics),
    "S3": Model(
        partial(
            turftopic,
            name="SemanticSignalSeparation",  # signals have both signs
            to_mixtures=partial(softmax, axis=1),
        )
    ),
    "BERTopic": Model(bertopic_models.bertopic_as_is, 3, FEW),
    "FASTopic": Model(embedding_models.fastopic, 3, FEW),
    "CombinedTM": Model(embedding_models.combined_tm, 3, FEW),
    "GMM": Model(partial(turftopic, name="GMM"), 3, FEW),
    "FusionTopicModel, α=0.2": Model(partial(fusion, alpha=0.2)),
    "FusionTopicModel, α=0.8": Model(partial(fusion, alpha=0.8)),
    "FusionTopicModel, linear": Model(partial(fusion, pooling="linear")),
    "FusionTopicModel, geometric": Model(partial(fusion, pooling="geometric")),
    "FusionTopicModel, α=auto": Model(partial(fusion, alpha="auto"), 3),
    "FusionTopicModel, no co-training": Model(partial(fusion, co_training=0)),
    # of counts alone
    "tomotopy": on_counts(tomotopy_models.tomotopy_lda),
    "lda": on_counts(other_counts.cython_lda),
    "scikit-learn LDA": on_counts(other_counts.variational_lda),
    "scikit-learn LDA, 100 passes": on_counts(
        other_counts.variational_lda, max_iter=100
    ),
    "GibbsLDA, α=0.1, β=0.01": gibbs(**NARROW),
    "tomotopy, α=0.1, β=0.01": on_counts(
        tomotopy_models.tomotopy_lda, alpha=0.1, beta=0.01
    ),
    "GibbsLDA, β=0.01": gibbs(topic_word_prior=0.01),
    "GibbsLDA, β=0.05": gibbs(topic_word_prior=0.05),
    "GibbsLDA, β=0.2": gibbs(topic_word_prior=0.2),
    "GibbsLDA, last sample alone": on_counts(ours.last_sample),
    "GibbsLDA, 50 sweeps": gibbs(max_iter=50),
    "GibbsLDA, 800 sweeps": gibbs(max_iter=800),
}
