"""Places of topics and documents in a plane."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.spatial.distance import pdist, squareform
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.manifold import MDS
from sklearn.preprocessing import normalize

from llmtopics._checks import pandas_for
from llmtopics._compiled.blas import one_thread

if TYPE_CHECKING:
    import pandas as pd

    from llmtopics.reading._topics import Topics

_N_DIMENSIONS = 50  # of vectors made from words, and of those that places are made of
_GAP = 1.3  # mean distance of two topics, in sums of their radii
_RADIUS = 0.45  # root mean square distance of documents from their place, in radii


class TopicMap(NamedTuple):
    """Result of :meth:`Topics.map`.

    Attributes
    ----------
    documents : pandas.DataFrame of D rows
        document : row of the text.
        x, y : its place.
        topic, name : first topic.
        share : its share θ.
    topics : pandas.DataFrame of K rows
        topic, name : the topic.
        x, y : median place of the documents whose first topic it is. Of a topic without such
        documents, the mean place of all documents, weighted by θ.
        share : mean of θ.
        n_documents : number of documents whose first topic it is.
    """

    documents: "pd.DataFrame"
    topics: "pd.DataFrame"


def topic_map(topics: "Topics", method: str) -> TopicMap:
    """Return places of documents and topics. See :meth:`Topics.map`."""
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}.")
    theta, first = topics.mixtures, topics.first_topics
    with one_thread():  # sums in the same order: the same places each time
        places = METHODS[method](vectors_of(topics), theta)
        places = _in_square(_components(places))  # the widest direction is x
    names = np.array(topics.names, dtype=object)
    documents = {
        "document": np.arange(len(theta)),
        "x": places[:, 0],
        "y": places[:, 1],
        "topic": first,
        "name": names[first],
        "share": theta[np.arange(len(theta)), first],
    }
    middles = _means(places, theta)
    for k in np.unique(first):
        middles[k] = np.median(places[first == k], axis=0)
    found = topics._some_topics(
        range(len(names)),
        x=middles[:, 0],
        y=middles[:, 1],
        share=theta.mean(axis=0),
        n_documents=topics.sizes,
    )
    return TopicMap(pandas_for("Topics.map").DataFrame(documents), found)


def vectors_of(topics: "Topics") -> np.ndarray:
    """Return vectors of the documents: of the embedder, or else of their words (LSA)."""
    if topics._vectors is not None:
        return topics._vectors
    rows = TfidfTransformer(sublinear_tf=True).fit_transform(topics._counts)
    if min(rows.shape) <= _N_DIMENSIONS:
        return rows.toarray()
    svd = TruncatedSVD(_N_DIMENSIONS, n_iter=2, random_state=0)
    # equal texts have no variance, of which its explained_variance_ratio_ would be shares
    with np.errstate(divide="ignore", invalid="ignore"):
        return normalize(svd.fit_transform(rows))


def by_topics(vectors: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Return places of documents around their topics, (D, 2).

    Topics are placed by multidimensional scaling of the distances of their mean vectors. Radii
    are added to the distances, so that topics overlap little. A document is at the mean place of
    its topics, weighted by θ². What its vector differs from the mean vectors of its topics
    moves it from there: by the two first principal components of its first topic's documents.
    """
    share, first = theta.mean(axis=0), theta.argmax(axis=1)
    vectors = _components(vectors, _N_DIMENSIONS)
    centers = _means(vectors, theta)
    radii = np.sqrt(share * len(share))
    squares = theta**2
    weights = squares / squares.sum(axis=1, keepdims=True)
    places = weights @ _topic_places(normalize(centers), radii)
    differences = vectors - theta @ centers
    for k in np.unique(first):
        rows = first == k
        places[rows] += _RADIUS * radii[k] * _scattered(differences[rows])
    return places


def by_pca(vectors: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Return the first two principal components, (D, 2)."""
    return _components(vectors)


def by_umap(vectors: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Return places by UMAP, (D, 2)."""
    try:
        from umap import UMAP
    except ImportError as error:
        raise ImportError(
            "method='umap' needs umap-learn: pip install umap-learn"
        ) from error
    if len(vectors) < 5:
        raise ValueError(
            f"method='umap' needs at least 5 documents, got {len(vectors)}: use 'topics'."
        )
    model = UMAP(
        n_neighbors=min(15, len(vectors) - 1),
        init="spectral" if len(vectors) > 15 else "random",
        metric="cosine",
        random_state=0,
        n_jobs=1,
    )
    return np.asarray(model.fit_transform(vectors), np.float64)


METHODS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "topics": by_topics,
    "pca": by_pca,
    "umap": by_umap,
}


def _topic_places(directions: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Return places of topics, (K, 2)."""
    if len(radii) < 2:
        return np.zeros((len(radii), 2))
    distances = pdist(directions)
    sums = squareform(np.add.outer(radii, radii), checks=False)  # without the diagonal
    scale = sums.mean() / (distances.mean() or 1.0)
    wanted = squareform(_GAP * scale * distances + sums / 2)
    scaling: Any = MDS(
        metric="precomputed",
        init="classical_mds",
        n_init=1,
        max_iter=500,
        normalized_stress=False,
    )
    return scaling.fit_transform(wanted)


def _scattered(vectors: np.ndarray) -> np.ndarray:
    """Return two principal components, with a mean square length of one."""
    found = _components(vectors)
    return found / (np.sqrt((found**2).sum(axis=1).mean()) or 1.0)


def _components(vectors: np.ndarray, n: int = 2) -> np.ndarray:
    """Return the first n principal components, zeros where there are fewer."""
    found = np.zeros((len(vectors), n))
    n = min(n, len(vectors) - 1, vectors.shape[1])
    if n > 0 and np.ptp(vectors, axis=0).any():
        # few texts with many words: no square matrix of the words
        wide = vectors.shape[1] > len(vectors)
        solver = "full" if wide else "covariance_eigh"
        found[:, :n] = PCA(n, svd_solver=solver).fit_transform(vectors)
    return found


def _means(values: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Return means over documents weighted by θ, that of all documents for a θ of zero."""
    totals = theta.sum(axis=0)[:, None]
    mean = np.tile(values.mean(axis=0), (len(totals), 1))
    return np.divide(theta.T @ values, totals, where=totals > 0, out=mean)


def _in_square(places: np.ndarray) -> np.ndarray:
    """Return places from -1 to 1, with the middle of all at 0. Both axes keep one scale."""
    places = places - (places.max(axis=0) + places.min(axis=0)) / 2
    return places / (np.abs(places).max() or 1.0)
