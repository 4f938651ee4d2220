"""Load a model, its tokenizer and its configuration from a folder; keep them in memory."""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from inspect import signature
from pathlib import Path
from threading import Lock, RLock
from typing import Any

from llmtopics._language.files import fingerprint

_PICKLED = {".bin", ".ckpt", ".pkl", ".pt", ".pth"}
loading = (
    Lock()
)  # threads do not load the same model twice, nor import at the same time
_verbosity = RLock()  # the settings of transformers apply to the whole process


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer of a folder's model."""
    with loading:
        return _tokenizer(folder, fingerprint(folder))


@lru_cache(maxsize=4)
def _tokenizer(folder: Path, fingerprint: str) -> Any:
    from transformers import AutoTokenizer

    tokenizer = read(AutoTokenizer.from_pretrained, folder)
    if not getattr(tokenizer, "is_fast", False):
        raise ValueError(
            f"The model in {folder} has no fast tokenizer (tokenizer.json). Use one that has."
        )
    return tokenizer


def load_processor(folder: Path) -> Any:
    """Return what prepares pictures, sounds and texts for a folder's model."""
    with loading:
        return _processor(folder, fingerprint(folder))


@lru_cache(maxsize=4)
def _processor(folder: Path, fingerprint: str) -> Any:
    from transformers import AutoProcessor

    return read(AutoProcessor.from_pretrained, folder)


def load_config(folder: Path) -> Any:
    """Return the configuration of a folder's model."""
    with (
        loading
    ):  # transformers is incomplete for threads that import it at the same time
        from transformers import AutoConfig

        return read(AutoConfig.from_pretrained, folder)


def check_decoder(config: Any, model: str, caller: str) -> None:
    """Raise a ValueError if a model is no decoder, which predicts the next token.

    transformers also loads encoders for this, although they see the next token.
    """
    import transformers

    encoder = type(config) in transformers.MODEL_FOR_MASKED_LM_MAPPING and not (
        getattr(config, "is_decoder", False)
        or any(
            name.endswith(("ForCausalLM", "LMHeadModel"))
            for name in config.architectures or ()
        )
    )
    if encoder or type(config) not in transformers.MODEL_FOR_CAUSAL_LM_MAPPING:
        raise ValueError(
            f"{caller} needs a decoder, and model={model!r} is none. Use a decoder, such as "
            "'smollm2'. For an encoder, such as 'minilm', use TransformerEmbedder or "
            "objective='masked'."
        )


def read(load: Callable, folder: Path, **options: Any) -> Any:
    """Call a loader of transformers. Code that comes with a model is never run."""
    from safetensors import SafetensorError

    damaged = (
        *(ArithmeticError, LookupError, RecursionError, TypeError),
        *(struct.error, SafetensorError),
    )
    try:
        with quiet():
            return load(folder, trust_remote_code=False, **options)
    except (AttributeError, ValueError, OSError, ImportError, *damaged) as error:
        raise OSError(
            f"{folder} has no model that transformers can load by itself (code that "
            f"comes with a model is never run): {error}"
        ) from None


def read_weights(load: Callable, folder: Path, **options: Any) -> Any:
    """Call a loader of transformers that reads weights. Only safetensors are read.

    Raises
    ------
    OSError
        If the weights are in a format of pickle, which can run any code. Also as :func:`read`.
    """
    pickled = [
        path.name
        for path in sorted(folder.iterdir())
        if path.suffix in _PICKLED
        and not path.with_suffix(".safetensors").exists()
        and (
            path.name.startswith("adapter_model")
            or not any(folder.glob("*.safetensors"))
        )
    ]
    if pickled:
        raise OSError(
            f"{folder} has weights in a format that can run code ({pickled[0]}), which is never "
            "read. Use a model with safetensors. If you trust this one, convert it: load it "
            "with transformers, and call its save_pretrained."
        )
    return read(load, folder, use_safetensors=True, **options)


def load_model(folder: Path, device: str, dtype: str, kind: str) -> Any:
    """Return a model that is ready to compute.

    The last few models stay in memory, each on all devices that it was loaded on.

    Parameters
    ----------
    folder : Path
    device, dtype : str
    kind : str
        "AutoModel" is without a head, "AutoModelForCausalLM" with the language-model head.
        Others are named as in transformers.
    """
    with loading:
        models = _models(folder, dtype, kind, fingerprint(folder))
        if device not in models:
            models[device] = _model(folder, device, dtype, kind)
        return models[device]


@lru_cache(maxsize=4)
def _models(folder: Path, dtype: str, kind: str, fingerprint: str) -> dict[str, Any]:
    return {}  # from device to model


def _model(folder: Path, device: str, dtype: str, kind: str) -> Any:
    import torch
    import transformers

    load = getattr(transformers, kind).from_pretrained
    model = read_weights(load, folder, dtype=getattr(torch, dtype))
    if kind == "AutoModel" and getattr(model.config, "is_encoder_decoder", False):
        model = model.get_encoder()
    if kind == "AutoModelForCausalLM":  # the caller chooses how to generate
        ends = getattr(model.generation_config, "eos_token_id", None)
        model.generation_config = transformers.GenerationConfig(eos_token_id=ends)
    return model.to(device).eval()


def cache_name(model: Any) -> str:
    """Return the name of a model's argument and output that is its key-value cache.

    Releases of transformers use two names. Each release warns about the other name.
    """
    taken = signature(model.forward).parameters
    return "cache" if "cache" in taken else "past_key_values"


@contextmanager
def quiet() -> Iterator[None]:
    """Hide messages and progress bars of transformers."""
    from transformers.utils import logging as messages

    with _verbosity:
        level, bars = messages.get_verbosity(), messages.is_progress_bar_enabled()
        messages.set_verbosity_error()
        messages.disable_progress_bar()
        try:
            yield
        finally:
            messages.set_verbosity(level)
            if bars:
                messages.enable_progress_bar()
