"""Agreement of topics with labels."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    normalized_mutual_info_score,
)
from sklearn.metrics.cluster import contingency_matrix
from sklearn.utils import check_consistent_length
from sklearn.utils._missing import is_pandas_na, is_scalar_nan

from llmtopics._mixtures import check_mixtures


def purity(labels: ArrayLike, topics: ArrayLike) -> float:
    """Return the share of documents that have the most frequent label of their topic.

    ``P = (1 / D) Σ_k max_l n_lk``, where ``n_lk`` documents have label l and topic k.

    Parameters
    ----------
    labels : array-like of shape (n_documents,)
        One label per document: numbers or strings.
    topics : array-like of shape (n_documents,) or (n_documents, n_components)
        One topic per document, or mixtures θ. With θ, a document counts in every topic with
        its share, ``n_lk = Σ_{d with label l} θ_dk``. A row of zeros has equal shares.

    Returns
    -------
    purity : float
        In (0, 1]. Higher is better. 1 means that no topic mixes labels.

    Raises
    ------
    ValueError
        For different numbers of documents, a label or topic that is missing (None, NaN),
        labels with more than one column, or mixtures that are negative or not finite.

    Notes
    -----
    Purity rises with the number of topics: one topic per document has purity 1. Compare at
    equal K, or use :func:`harmonic_purity`.

    References
    ----------
    E. Amigó, J. Gonzalo, J. Artiles and F. Verdejo, "A comparison of extrinsic clustering
    evaluation metrics based on formal constraints", Information Retrieval 12, 2009.

    Examples
    --------
    >>> from llmtopics.metrics import purity
    >>> purity(["a", "a", "b", "b"], [0, 0, 0, 1])
    0.75
    """
    table = _table(labels, topics)
    return float(table.max(axis=0).sum() / table.sum())


def inverse_purity(labels: ArrayLike, topics: ArrayLike) -> float:
    """Return the share of documents that have the most frequent topic of their label.

    ``I = (1 / D) Σ_l max_k n_lk``, where ``n_lk`` documents have label l and topic k.

    Parameters
    ----------
    labels : array-like of shape (n_documents,)
        One label per document: numbers or strings.
    topics : array-like of shape (n_documents,) or (n_documents, n_components)
        One topic per document, or mixtures θ, as in :func:`purity`.

    Returns
    -------
    inverse_purity : float
        In (0, 1]. Higher is better. 1 means that no label is spread over topics.

    Raises
    ------
    ValueError
        As :func:`purity`.

    Notes
    -----
    Inverse purity falls with the number of topics: a single topic has inverse purity 1.

    References
    ----------
    E. Amigó, J. Gonzalo, J. Artiles and F. Verdejo, "A comparison of extrinsic clustering
    evaluation metrics based on formal constraints", Information Retrieval 12, 2009.

    Examples
    --------
    >>> from llmtopics.metrics import inverse_purity
    >>> inverse_purity(["a", "a", "b", "b"], [0, 0, 0, 1])
    0.75
    """
    table = _table(labels, topics)
    return float(table.max(axis=1).sum() / table.sum())


def harmonic_purity(labels: ArrayLike, topics: ArrayLike) -> float:
    """Return the F1 score of the best topic of each label, averaged over documents.

    ``F = Σ_l (n_l / D) max_k 2 n_lk / (n_l + n_k)``. F1 is the harmonic mean of precision
    ``n_lk / n_k`` and recall ``n_lk / n_l``.

    Parameters
    ----------
    labels : array-like of shape (n_documents,)
        One label per document: numbers or strings.
    topics : array-like of shape (n_documents,) or (n_documents, n_components)
        One topic per document, or mixtures θ, as in :func:`purity`.

    Returns
    -------
    harmonic_purity : float
        In (0, 1]. Higher is better. 1 means that topics equal labels.

    Raises
    ------
    ValueError
        As :func:`purity`.

    Notes
    -----
    Harmonic purity falls with too few topics and with too many. Topics finer than the labels
    lower it, even if they make sense.

    References
    ----------
    E. Amigó, J. Gonzalo, J. Artiles and F. Verdejo, "A comparison of extrinsic clustering
    evaluation metrics based on formal constraints", Information Retrieval 12, 2009
    ("Purity and Inverse Purity", F); named harmonic purity by C. Pham et al., "TopicGPT",
    NAACL 2024.

    Examples
    --------
    >>> from llmtopics.metrics import harmonic_purity
    >>> round(harmonic_purity(["a", "a", "b", "b"], [0, 0, 0, 1]), 3)
    0.733
    """
    table = _table(labels, topics)
    n_labels, n_topics = table.sum(axis=1), table.sum(axis=0)
    f = 2 * table / np.add.outer(n_labels, n_topics)
    return float(n_labels @ f.max(axis=1) / table.sum())


def matched_accuracy(labels: ArrayLike, topics: ArrayLike) -> float:
    """Return the share of documents that are right if each topic stands for one label.

    ``ACC = (1 / D) max_m Σ_k n_{m(k),k}``. m gives each topic a label of its own, and is the
    best such assignment (the Hungarian method finds it). Papers on clustering call it ACC.

    Parameters
    ----------
    labels : array-like of shape (n_documents,)
        One label per document: numbers or strings.
    topics : array-like of shape (n_documents,) or (n_documents, n_components)
        One topic per document, or mixtures θ, as in :func:`purity`.

    Returns
    -------
    accuracy : float
        In (0, 1]. Higher is better. 1 means that topics equal labels.

    Raises
    ------
    ValueError
        As :func:`purity`.

    Notes
    -----
    If there are more topics than labels, the topics without a label are wrong. So use it
    where K is the number of labels.

    References
    ----------
    D. Cai, X. He and J. Han, "Document clustering using locality preserving indexing", IEEE
    Transactions on Knowledge and Data Engineering 17, 2005.

    Examples
    --------
    >>> from llmtopics.metrics import matched_accuracy
    >>> matched_accuracy(["a", "a", "b", "b"], [1, 1, 0, 1])
    0.75
    """
    table = _table(labels, topics)
    return float(table[linear_sum_assignment(table, maximize=True)].sum() / table.sum())


def label_agreement(labels: ArrayLike, topics: ArrayLike) -> dict[str, float]:
    """Return seven measures of agreement between labels and topics.

    Parameters
    ----------
    labels : array-like of shape (n_documents,)
        One label per document: numbers or strings.
    topics : array-like of shape (n_documents,) or (n_documents, n_components)
        One topic per document, or mixtures θ. With θ, the three purities use all shares. The
        other four use the first (dominant) topic.

    Returns
    -------
    agreement : dict of str to float
        "purity", "inverse_purity", "harmonic_purity" and "matched_accuracy" are the functions
        with these names.
        "nmi", "ami" and "ari" are scikit-learn's ``normalized_mutual_info_score`` (in [0, 1]),
        ``adjusted_mutual_info_score`` and ``adjusted_rand_score`` (at most 1, 0 by
        chance). Higher is better.

    Raises
    ------
    ValueError
        As :func:`purity`.

    Notes
    -----
    Good topics may differ from the labels. No measure shows whether the labels suit the
    purpose. NMI rises with the number of topics. AMI and ARI are corrected for chance.

    Examples
    --------
    >>> from llmtopics.metrics import label_agreement
    >>> agreement = label_agreement(["a", "a", "b", "b"], [1, 1, 0, 0])
    >>> agreement["purity"], agreement["nmi"], agreement["ari"]
    (1.0, 1.0, 1.0)
    """
    check_consistent_length(labels, topics)
    mixed = np.ndim(topics) == 2
    codes = _numbered(labels, "labels")
    if mixed:
        hard = np.argmax(check_mixtures(topics, "topics"), axis=1)
    else:
        hard = _numbered(topics, "topics")
    return {
        "purity": purity(labels, topics),
        "inverse_purity": inverse_purity(labels, topics),
        "harmonic_purity": harmonic_purity(labels, topics),
        "matched_accuracy": matched_accuracy(codes, hard),
        "nmi": float(normalized_mutual_info_score(codes, hard)),
        "ami": float(adjusted_mutual_info_score(codes, hard)),
        "ari": float(adjusted_rand_score(codes, hard)),
    }


def _table(labels: ArrayLike, topics: ArrayLike) -> np.ndarray:
    """Return n_lk, the number of documents with each label and topic."""
    check_consistent_length(labels, topics)
    rows = _numbered(labels, "labels")
    if np.ndim(topics) < 2:
        return contingency_matrix(rows, _numbered(topics, "topics")).astype(float)
    mixtures = check_mixtures(topics, "topics")
    table = np.zeros((rows.max() + 1, mixtures.shape[1]))
    np.add.at(table, rows, mixtures)
    return table


def _numbered(values: ArrayLike, name: str) -> np.ndarray:
    """Return a number for each distinct value; a missing value is an error."""
    column = np.asarray(values)
    if column.ndim > 1 and column.shape[1] > 1:
        raise ValueError(
            f"{name} must be one value per document, got shape {column.shape}. Pass labels "
            "first, topics or mixtures second."
        )
    column = column.ravel()
    if not column.size:
        raise ValueError(f"{name} is empty: pass one value per document.")
    if column.dtype.kind in "fO":
        for row, value in enumerate(column):
            if value is None or is_scalar_nan(value) or is_pandas_na(value):
                raise ValueError(
                    f"{name}: row {row} is {value}. Leave out documents without a value."
                )
    if column.dtype != object:
        return np.unique(column, return_inverse=True)[1]
    numbers = {value: i for i, value in enumerate(dict.fromkeys(column))}
    return np.array([numbers[value] for value in column])
