"""Embed texts with a model behind a server."""

import json
import logging
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from llmtopics._checks import check_texts
from llmtopics._language.cache import folder_of, get_or_compute
from llmtopics._language.connection import Stopped
from llmtopics._language.errors import LLMError, PromptFailed
from llmtopics._language.remote_vectors import EMBED, remote_vectors
from llmtopics._language.served import Served
from llmtopics._progress import reporting, stage
from llmtopics._redact import redacted
from llmtopics.embed._base import Embedder

logger = logging.getLogger(__name__)


@dataclass(eq=False, repr=False)
class RemoteEmbedder(Served, Embedder):
    """Embed texts as vectors with a model behind an OpenAI-compatible server.

    Each distinct text is sent once, and to this server only. Vectors are stored on disk for
    later calls and other processes. Nothing is sent before the first vector that is not in
    the cache. Needs the extra ``remote``.

    Parameters
    ----------
    base_url : str
        Address of the server. Most end in "/v1".

    model : str
        Name of the model on the server.

    provider : {"openai"}, default="openai"
        Format of requests and answers. "openai" is for all servers with the endpoint
        ``/embeddings``, such as OpenAI, vLLM, Ollama, LM Studio and text-embeddings-inference.

    api_key_env : str or None, default="OPENAI_API_KEY"
        Name of the environment variable with the key. The key is read at each call and never
        stored. None is for servers that need no key.

    timeout : float, default=60.0
        Seconds to wait for a response of the server, and for all of it. Then the request has
        failed.

    max_retries : int, default=5
        How many times a request is sent again after a temporary failure, as in
        :class:`RemoteLLM`.

    max_requests : int or None, default=None
        Maximum number of requests, including those sent again.

    max_cost : float or None, default=None
        Maximum cost, in the currency of ``price``.

    price : tuple of two floats, dict or None, default=None
        Price per million tokens read, and per million tokens written. Embedding models write
        none, so the second is 0. A dict maps names of models to these pairs, so that one table
        serves several models.

    n_jobs : int or None, default=4
        Number of requests at the same time. None is 1 unless ``joblib.parallel_config`` sets
        more, -1 is one per CPU core.

    cache_dir : str, Path, False or None, default=None
        Folder of the vectors. None is the folder in the environment variable
        ``LLMTOPICS_CACHE``, or else the user's cache folder. False stores no vectors.

    extra_body : dict or None, default=None
        Fields that are added to each request, such as ``{"reasoning_effort": "low"}``. They
        replace fields of the same name, and None leaves a field out.

    extra_headers : dict or None, default=None
        Headers that are added to each request. ``$NAME`` in a value is replaced by the
        environment variable ``NAME`` when a request is sent: ``{"api-key": "$AZURE_KEY"}``.
        ``$$`` is a dollar sign.
        The value of the variable is never stored. Headers with secrets must be written so.

    query : dict or None, default=None
        What is added to the address after "?", such as ``{"api-version": "2024-10-21"}`` for
        Azure.

    requests_per_minute, tokens_per_minute : int or None, default=None
        Limits of the server. Requests wait for their turn. All threads of this process that
        ask this model count together. The tokens of a request are estimated: its bytes
        divided by four.

    redact : {"pii"}, callable or None, default=None
        Replaces personal data before anything is sent. "pii" finds e-mail and web addresses,
        phone, card and account numbers (IBAN), IP addresses and @handles, and sends
        placeholders such as ``<EMAIL_1>``. It finds no names of people. A callable gets a text
        and returns the text to send. The prompt is replaced, too.

    dimensions : int or None, default=None
        Length of the vectors, for models that offer several. None is the model's own.

    prompt : str, default=""
        Text that is put before each text. Some models need one ("query: ").

    batch_size : int, default=32
        Number of texts per request. If the server refuses a request, its texts are sent in
        halves.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    usage_ : dict
        Use of this model and its clones so far: ``n_calls`` (texts), ``n_cached`` (texts),
        ``n_requests``, ``cost``, and, as the server counts them, ``prompt_tokens``.
        ``new_tokens`` is 0.

    See Also
    --------
    TransformerEmbedder : Computes vectors on this machine.
    RemoteLLM : A language model behind a server.

    Notes
    -----
    There is nothing to fit. You can call ``transform`` at once. It uses the present
    parameters. Vectors are returned as the server sends them. Most servers divide them by
    their lengths.

    A blank text gets the zero vector and is not sent. So does a text of which ``redact`` leaves
    nothing; a message is logged. The number of dimensions is known from
    ``dimensions``. If this is None, it is known from the vector of the word "text", which is
    sent if the model needs the number (all texts blank, ``get_feature_names_out``).

    The vectors of each request are stored at once, by server, model, dimensions, prompt and
    text. If a run failed or was interrupted, and you repeat it, only missing vectors are asked
    for. If the server changes the model behind a name, use another ``cache_dir``. Vectors
    reveal something about their texts, so protect the cache as you protect the texts.

    Limits are those of :class:`RemoteLLM`. If a server refuses a text as too long, the error
    names its row. Some servers cut long texts without a message (Ollama does).

    Examples
    --------
    >>> from llmtopics import FusionTopicModel, RemoteEmbedder
    >>> embedder = RemoteEmbedder(
    ...     "http://localhost:11434/v1", "bge-m3", api_key_env=None, max_requests=1_000
    ... )
    >>> embedder.transform(["A cat sat on the mat."]).shape  # doctest: +SKIP
    (1, 1024)
    >>> model = FusionTopicModel(5, embedder=embedder)
    >>> embedder.usage_["n_requests"]
    0
    """

    _: KW_ONLY
    dimensions: int | None = None
    prompt: str = ""
    batch_size: int = 32
    verbose: bool | int = False

    _AT_ONCE = (  # change no result
        "api_key_env",
        "timeout",
        "max_retries",
        "max_requests",
        "max_cost",
        "price",
        "n_jobs",
        "batch_size",
        "requests_per_minute",
        "tokens_per_minute",
        "verbose",
    )
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Served._parameter_constraints,
        "dimensions": [Interval(Integral, 1, None, closed="left"), None],
        "prompt": [str],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
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
            One row per text; zeros for blank texts.

        Raises
        ------
        ValueError
            If an entry is not a text (the error names its row), or a parameter is wrong.
        LLMError
            If the server gives no vectors, or wrong ones, or a limit could be exceeded.
        """
        with reporting("RemoteEmbedder", self.verbose, self):
            return self._embed(check_texts(X, "RemoteEmbedder"))

    def _embed(self, texts: list[str]) -> np.ndarray:
        """Return the vectors of texts. Each distinct text is sent once."""
        self._identity()  # checks the parameters
        prompt, originals = redacted(self.prompt, self.redact)
        sent = {
            text: redacted(text, self.redact, originals)[0]
            for text in dict.fromkeys(texts)
        }
        n_blank = sum(bool(text.strip()) > bool(sent[text].strip()) for text in texts)
        if n_blank:
            logger.warning(
                "redact leaves nothing of %d of %d texts. Their vectors are zero",
                n_blank,
                len(texts),
            )
        return self._sent(prompt, [sent[text] for text in texts])

    def _made_with(self) -> str:
        """Return what vectors depend on besides the text, as in the key of the cache."""
        return self._context(redacted(self.prompt, self.redact)[0])

    def _context(self, prompt: str) -> str:
        dimensions = self.dimensions and int(self.dimensions)  # NumPy's are no JSON
        return json.dumps(["embed", *self._identity(), dimensions, prompt])

    def _sent(self, prompt: str, texts: list[str]) -> np.ndarray:
        """Return the vectors of texts without personal data."""
        context = self._context(prompt)
        rows = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        distinct = list(rows)
        try:
            vectors = self._vectors(distinct, prompt, context)
        except PromptFailed as failure:
            raise LLMError(f"Row {texts.index(failure.prompt)}: {failure}") from None
        return vectors[[rows[text] for text in texts]]

    def _vectors(self, texts: list[str], prompt: str, context: str) -> np.ndarray:
        """Return the vectors of distinct texts, from the cache or the server."""
        written = [i for i, text in enumerate(texts) if text.strip()]
        n_new = 0

        def compute(missing: list[int]) -> Iterator[tuple[list[int], list[bytes]]]:
            nonlocal n_new
            asked = [texts[written[i]] for i in missing]
            with stage("vectors", len(asked), "texts") as sent:
                for some, vectors in self._asked(asked, prompt):
                    yield (
                        [missing[i] for i in some],
                        [each.tobytes() for each in vectors],
                    )
                    n_new += len(some)
                    sent.update(len(some))

        found = get_or_compute(
            folder_of(self.cache_dir),
            context,
            [texts[i] for i in written],
            compute,
        )
        self._used["n_cached"] += len(found) - n_new
        lengths = {len(vector) // 4 for vector in found.values()}
        if len(lengths) > 1:
            raise LLMError(
                f"{self.base_url} ({self.model}) gave vectors of different lengths: "
                f"{sorted(lengths)}. The model behind the name has changed: use another "
                "cache_dir."
            )
        n_dimensions = lengths.pop() if lengths else self._n_dimensions()
        vectors = np.zeros((len(texts), n_dimensions), np.float32)
        for i, vector in found.items():
            vectors[written[i]] = np.frombuffer(vector, np.float32)
        return vectors

    def _asked(
        self, texts: list[str], prompt: str
    ) -> Iterator[tuple[range, list[np.ndarray]]]:
        """Yield positions in ``texts`` and their vectors, as soon as the server sends them."""
        connection = self._connection(EMBED)
        starts = range(0, len(texts), self.batch_size)

        def ask(start: int) -> tuple[list[np.ndarray], Exception | None]:
            """Return the vectors of a batch, up to a failure, and the failure."""
            batch = texts[start : start + self.batch_size]
            parts: list[np.ndarray] = []
            try:
                for part in remote_vectors(connection, batch, prompt, self.dimensions):
                    parts.extend(part)
            except Stopped:
                return parts, None
            except (LLMError, PromptFailed) as failure:
                connection.stopped.set()  # vectors that are on their way are kept
                return parts, failure
            return parts, None

        failure: Exception | None = None
        for i, (vectors, failed) in self._ask_all(connection, ask, starts):
            self._used["n_calls"] += len(vectors)
            yield range(starts[i], starts[i] + len(vectors)), vectors
            failure = failure or failed
        if failure:
            raise failure

    def _n_dimensions(self) -> int:
        if self.dimensions:
            return self.dimensions
        self._identity()  # checks the parameters
        return self._sent("", ["text"]).shape[1]
