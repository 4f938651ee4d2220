"""Planted corpora: drawn from a topic model, with their true topics."""

from numbers import Real
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import Bunch

from llmtopics._checks import as_seed, check_positive, check_prior, shortened


def make_topics(
    n_samples: int = 500,
    n_features: int = 1000,
    n_components: int = 10,
    *,
    doc_length: float = 100,
    doc_topic_prior: Any = 0.1,
    topic_word_prior: float = 0.1,
    random_state: Any = None,
) -> Bunch:
    """Draw a corpus from latent Dirichlet allocation, with its true topics.

    Parameters
    ----------
    n_samples : int, default=500
        Number of documents, D.
    n_features : int, default=1000
        Number of words in the vocabulary, V.
    n_components : int, default=10
        Number of topics, K.
    doc_length : float, default=100
        Mean number of tokens per document. Lengths are Poisson, so some may be 0.
    doc_topic_prior : float or array-like of shape (n_components,), default=0.1
        Dirichlet concentration α of topics in a document.
    topic_word_prior : float, default=0.1
        Dirichlet concentration β of words in a topic.
    random_state : int, RandomState, numpy.random.Generator or None, default=None
        An int draws the same corpus every time.

    Returns
    -------
    corpus : Bunch
        ``data``: csr_array of shape (n_samples, n_features), int32 counts.
        ``doc_topic``: θ of shape (n_samples, n_components), rows sum to one.
        ``components``: φ of shape (n_components, n_features), rows sum to one.

    Raises
    ------
    ValueError
        For sizes that are not whole numbers of at least 1, a length that is not from 0 to 1e9,
        and bad priors.

    References
    ----------
    D. Blei, A. Ng and M. Jordan, "Latent Dirichlet allocation", JMLR 3, 2003: the
    generative process of section 3, φ drawn as in section 5.4.

    Examples
    --------
    >>> from llmtopics.datasets import make_topics
    >>> corpus = make_topics(n_components=3, random_state=0)
    >>> corpus.data.shape, corpus.doc_topic.shape, corpus.components.shape
    ((500, 1000), (500, 3), (3, 1000))
    """
    check_positive(
        n_samples=n_samples, n_features=n_features, n_components=n_components
    )
    if not isinstance(doc_length, Real) or not 0 <= doc_length <= 1e9:
        raise ValueError(
            f"doc_length must be a number from 0 to 1e9, got {shortened(doc_length)}."
        )
    rng = np.random.default_rng(as_seed(random_state))
    alpha = check_prior(doc_topic_prior, n_components, "doc_topic_prior")
    beta = check_prior(topic_word_prior, n_features, "topic_word_prior")
    components = rng.dirichlet(beta, n_components)
    doc_topic = rng.dirichlet(alpha, n_samples)

    lengths = rng.poisson(doc_length, n_samples)
    rows = [  # summed over topics, a token has word w with probability Σ_k θ_dk φ_kw
        sp.csr_array(rng.multinomial(length, mixture @ components)[np.newaxis])
        for length, mixture in zip(lengths, doc_topic, strict=True)
    ]
    return Bunch(
        data=sp.csr_array(sp.vstack(rows, format="csr"), dtype=np.int32),
        doc_topic=doc_topic,
        components=components,
    )
