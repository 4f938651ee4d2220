"""Pictures → texts: captions, words that fit, and the text in them."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from llmtopics._checks import check_texts
from llmtopics._language import RemoteLLM
from llmtopics._language.files import find_files
from llmtopics.describe._base import Describer
from llmtopics.describe._caption import Caption, RemoteCaption
from llmtopics.describe._ocr import PrintedText
from llmtopics.describe._picture import picture_bytes
from llmtopics.describe._words import PictureVector

KINDS = ("ocr", "caption", "words")


# the kinds of description that use a parameter
_USED_BY = {
    "model": {"caption", "words"},
    "revision": {"caption", "words"},
    "llm": {"caption"},
    "prompt": {"caption"},
    "vocabulary": {"words"},
}


@dataclass(eq=False, repr=False)
class ImageDescriber(
    Describer,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    """Turn pictures into texts: the text in them, captions, or words that fit.

    Each picture is described once, because descriptions are cached on disk. Needs the extra
    ``image``, and ``ocr`` for ``how="ocr"``.

    Parameters
    ----------
    how : {"ocr", "caption", "words"} or list of these, default="ocr"
        What to describe. A list joins several descriptions, in its order.

        - "ocr": the English or Chinese text in the picture (text recognition), by the models
          in the package ``rapidocr``. Works offline. For scans, slides, screenshots, signs.
        - "caption": a caption that a language model writes. Needs ``model`` or
          ``llm``. For photographs.
        - "words": the words of ``vocabulary`` that fit best (zero-shot). Needs ``model``,
          such as CLIP. For photographs, if you know the words.

    model : str or None, default=None
        For "caption", a model that ``transformers.AutoModelForImageTextToText`` loads
        ("Salesforce/blip-image-captioning-base",
        "HuggingFaceTB/SmolVLM2-500M-Video-Instruct"). For "words", CLIP or SigLIP
        ("openai/clip-vit-base-patch32"). It is the path of a folder or a hub id, which is
        downloaded at first use. Code that comes with a model is never run.

    revision : str or None, default=None
        Branch, tag or commit on the hub.

    llm : RemoteLLM or None, default=None
        A server with a chat model that reads pictures. It writes the captions instead of
        ``model``. Pictures are sent to it, at most 1,024 pixels wide and high.

    prompt : str or None, default=None
        Prompt for "caption". With None, chat models are asked for one or two sentences. Other
        models continue the prompt ("a photo of"), and None is an empty prompt.

    max_new_tokens : int, default=64
        Largest number of tokens per caption.

    vocabulary : sequence of str or None, default=None
        The words for "words", all different.

    n_words : int, default=5
        Number of words that "words" writes per picture, best first.

    device : str, default="auto"
        PyTorch device of ``model`` ("cpu", "cuda:1"). "auto" is the first GPU, or the
        processor if there is none.

    dtype : {"auto", "float32", "bfloat16", "float16"}, default="auto"
        Number format of the weights of ``model``, as in :class:`TransformerEmbedder`.

    cache_dir : str, Path, False or None, default=None
        Folder that caches descriptions. None is the folder in the environment variable
        ``LLMTOPICS_CACHE``, or the user's cache folder. False caches nothing. ``llm`` caches
        captions in its own ``cache_dir``.

    on_error : {"raise", "keep"}, default="raise"
        What to do with a picture that cannot be read. "raise" raises an error, and earlier
        descriptions are in the cache. "keep" reports it and gives it an empty text, or the
        text of the other kinds in ``how``.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    outcomes_ : ndarray of shape (n_pictures,), of str
        Outcome of each picture in the last call of ``transform``: "described", "empty" (no
        text in it), "missing" (a missing cell in :func:`make_describer`) or "failed" (at
        least one kind in ``how``).

    errors_ : dict of int to str
        Why rows failed, with ``on_error="keep"``. Rows are positions in the last call.

    report_ : dict
        Number of pictures per outcome.

    See Also
    --------
    AudioTranscriber : Sounds to texts.
    make_describer : Texts, pictures and sounds in the columns of one table.

    Notes
    -----
    There is nothing to fit. ``transform`` works without ``fit`` and uses the current
    parameters.

    Pictures are turned upright by their EXIF data, and shrunk to at most 2,000 pixels wide
    and high. Transparent areas become white. Of an animation or a file with several pages,
    only the first picture is read. Pictures of more than ``PIL.Image.MAX_IMAGE_PIXELS`` (89
    million) are refused before they are decoded.

    Local models read one picture at a time, so a description does not depend on the others.
    The cache is keyed by the file's bytes, the model's files and the parameters that change
    the text.

    Inputs cause no downloads: web addresses (``http:``) are refused. The telemetry of
    onnxruntime is turned off (``ORT_DISABLE_TELEMETRY``), unless that variable is set.

    References
    ----------
    A. Radford et al., "Learning Transferable Visual Models From Natural Language
    Supervision", ICML 2021 (zero-shot words).

    Examples
    --------
    >>> from PIL import Image, ImageDraw, ImageFont
    >>> from llmtopics import ImageDescriber
    >>> page = Image.new("RGB", (400, 80), "white")
    >>> font = ImageFont.load_default(size=32)
    >>> ImageDraw.Draw(page).text((20, 20), "Shares fell sharply", "black", font)
    >>> ImageDescriber(how="ocr").transform([page])
    ['Shares fell sharply']
    """

    how: str | Sequence[str] = "ocr"
    _: KW_ONLY
    model: str | None = None
    revision: str | None = None
    llm: RemoteLLM | None = None
    prompt: str | None = None
    max_new_tokens: int = 64
    vocabulary: Sequence[str] | None = None
    n_words: int = 5
    device: str = "auto"
    dtype: str = "auto"
    cache_dir: str | Path | bool | None = None
    on_error: str = "raise"
    verbose: bool | int = False

    _KIND = "picture"
    _ABSENT: ClassVar[dict[str, str]] = {
        **Describer._ABSENT,
        "scores": "it needs how='words', model and vocabulary",
    }
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Describer._parameter_constraints,
        "how": [StrOptions(set(KINDS)), list, tuple],
        "model": [str, None],
        "revision": [str, None],
        "llm": [RemoteLLM, None],
        "prompt": [str, None],
        "max_new_tokens": [Interval(Integral, 1, None, closed="left")],
        "vocabulary": ["array-like", None],
        "n_words": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
        "dtype": [StrOptions({"auto", "float32", "bfloat16", "float16"})],
    }

    @config_context(transform_output="default")
    def transform(self, X):
        """Return the description of each picture.

        Parameters
        ----------
        X : sequence
            Paths (str or Path), ``file:`` URLs, the bytes of files, PIL images, or arrays of
            shape (height, width), (height, width, 3) or (height, width, 4). Arrays hold bytes
            (uint8), 16-bit integers (uint16), booleans or floats from 0 to 1. Floats are
            divided by the largest one if it is above 1.

        Returns
        -------
        texts : list of str
            One per picture, in their order. Each of several descriptions has its own line.

        Raises
        ------
        ValueError
            If a picture cannot be read, with its row and path, unless ``on_error`` is "keep".
            Also for bad parameters.
        LLMError
            If the server does not answer, and ``on_error`` is "raise".
        ImportError
            If an extra is missing.
        OSError
            If the model is not found.
        """
        self._check()
        files, failures = self._read(X)
        columns = []
        for kind in self._kinds():
            part = self._part(kind)
            kept = part.describe_all(files, failures, self.cache_dir, self.verbose)
            if isinstance(part, PictureVector):
                columns.append(self._fitting_words(part, kept))
            else:
                columns.append([text.decode() if text else "" for text in kept])
        return self._report(
            ["\n".join(filter(None, texts)) for texts in zip(*columns, strict=True)],
            failures,
        )

    @available_if(lambda self: "words" in self._kinds())
    @config_context(transform_output="default")
    def scores(self, X):
        """Return how well each word of ``vocabulary`` fits each picture.

        Parameters
        ----------
        X : sequence
            As in :meth:`transform`.

        Returns
        -------
        scores : ndarray of shape (n_pictures, n_words), float64
            Probabilities, in the order of ``vocabulary``. Rows sum to one for CLIP. For
            SigLIP, each word has its own probability. Rows that failed are zeros.

        Raises
        ------
        ValueError, ImportError, OSError
            As :meth:`transform`.
        AttributeError
            If ``how`` does not include "words".
        """
        self._check()
        files, failures = self._read(X)
        part = self._part("words")
        kept = part.describe_all(files, failures, self.cache_dir, self.verbose)
        self._report([each and "described" for each in kept], failures)
        return part.scores(kept, self._vocabulary(), self.cache_dir)

    def _fitting_words(
        self, part: PictureVector, kept: list[bytes | None]
    ) -> list[str]:
        """Return the best words of each picture, as a text."""
        words = self._vocabulary()
        texts = []
        all_scores = part.scores(kept, words, self.cache_dir)
        for vector, scores in zip(kept, all_scores, strict=True):
            best = np.argsort(-scores, kind="stable")[: self.n_words]
            texts.append(" ".join(words[i] for i in best) if vector else "")
        return texts

    def _part(self, kind: str) -> Any:
        """Return the part that makes one kind of description."""
        if kind == "ocr":
            return PrintedText()
        if kind == "caption" and self.llm is not None:
            return RemoteCaption(self.llm, self.prompt, int(self.max_new_tokens))
        folder = find_files(str(self.model), self.revision)
        if kind == "words":
            return PictureVector(folder, self.device, self.dtype)
        return Caption(
            folder, self.prompt, int(self.max_new_tokens), self.device, self.dtype
        )

    def _vocabulary(self) -> list[str]:
        words = check_texts(self.vocabulary, "ImageDescriber(vocabulary=...)")
        if len({*words}) < len(words):
            raise ValueError("vocabulary has a word more than once.")
        return words

    def _kinds(self) -> list[str]:
        return [self.how] if isinstance(self.how, str) else list(self.how)

    def _check(self) -> None:
        self._validate_params()
        try:
            import PIL  # noqa: F401
        except ImportError:
            raise ImportError(
                "ImageDescriber needs the package Pillow: pip install 'llmtopics[image]'"
            ) from None
        kinds = self._kinds()
        known = all(kind in KINDS for kind in kinds)
        if not kinds or not known or len({*kinds}) < len(kinds):
            raise ValueError(
                f"how must be one of {', '.join(KINDS)} or a list of different ones, got "
                f"{self.how!r}."
            )
        for name, users in _USED_BY.items():
            if getattr(self, name) is not None and not users & {*kinds}:
                raise ValueError(
                    f"how={self.how!r} does not use {name}: leave {name} out, or set how to "
                    f"{' or '.join(sorted(users))}."
                )
        if "caption" in kinds and self.llm is None and self.model is None:
            raise ValueError(
                "how='caption' needs a model that writes: set model="
                "'Salesforce/blip-image-captioning-base' (or the path of a folder), or "
                "llm=RemoteLLM(...)."
            )
        if "words" in kinds:
            if self.model is None or self.vocabulary is None:
                raise ValueError(
                    "how='words' needs model, such as 'openai/clip-vit-base-patch32', and "
                    "vocabulary, a list of words."
                )
            if "caption" in kinds and self.llm is None:
                raise ValueError(
                    "how has 'caption' and 'words', which need different models: set llm for "
                    "captions, or use two ImageDescribers (make_describer)."
                )
            self._vocabulary()

    def _in_memory(self, value: Any) -> list[Any] | None:
        return picture_bytes(value)
