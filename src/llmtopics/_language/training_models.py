"""Models to train: from weights or at random, with an adapter, and as a folder at the end."""

import warnings
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile
from typing import Any, NamedTuple

from llmtopics._language.load import quiet, read_weights

_GIB = 2**30
_LORA_SHARE = 0.05  # of the weights, roughly: rank 16 in SmolLM2 is 0.036
_REMEDY = (
    "adapter='lora', a smaller batch_size with gradient_accumulation_steps, "
    "gradient_checkpointing=True, a smaller max_length"
)
_SENTENCE_FILES = ("modules.json", "sentence_*_config.json", "config_sentence_*.json")


class Size(NamedTuple):
    """The size of a model of random weights."""

    hidden_size: int
    n_layers: int
    n_heads: int
    vocab_size: int


def check_installed() -> None:
    """Raise an ImportError if a package that every training needs is missing."""
    if missing := [name for name in ("accelerate", "psutil") if not find_spec(name)]:
        raise ImportError(
            f"Training a language model needs {' and '.join(missing)}: "
            "pip install 'llmtopics[finetune]'"
        )


def check_encoder(config: Any, model: str) -> None:
    """Raise a ValueError if a model cannot predict masked tokens."""
    import transformers

    if type(config) not in transformers.MODEL_FOR_MASKED_LM_MAPPING:
        raise ValueError(
            f"objective='masked' needs an encoder, and model={model!r} is none. Use an "
            "encoder, such as 'minilm', or objective='causal' for a decoder."
        )


def check_size(size: Size) -> None:
    """Raise a ValueError if the heads cannot divide the numbers of a token."""
    if size.hidden_size % (2 * size.n_heads):
        raise ValueError(
            f"hidden_size={size.hidden_size} must be a multiple of twice "
            f"n_heads={size.n_heads}."
        )


def random_config(kind: str, size: Size, tokenizer: Any, window: int) -> Any:
    """Return the plan of a Llama for "AutoModelForCausalLM", else of a BERT."""
    import transformers

    same: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": size.hidden_size,
        "num_hidden_layers": size.n_layers,
        "num_attention_heads": size.n_heads,
        "max_position_embeddings": window,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    if kind == "AutoModelForCausalLM":
        return transformers.LlamaConfig(
            **same,
            intermediate_size=3 * size.hidden_size,
            num_key_value_heads=size.n_heads,
            tie_word_embeddings=True,
        )
    return transformers.BertConfig(**same, intermediate_size=4 * size.hidden_size)


def random_model(kind: str, config: Any, seed: int) -> Any:
    """Return a model of random weights."""
    import torch
    import transformers

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return getattr(transformers, kind).from_config(config)


def pretrained_model(kind: str, folder: Path, seed: int) -> Any:
    """Return a model with a folder's weights, apart from those that others use.

    A head that the folder lacks starts at random.
    """
    import torch
    import transformers

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        load = getattr(transformers, kind).from_pretrained
        return read_weights(load, folder, dtype=torch.float32)


def with_lora(model: Any, rank: int, seed: int, also: list[str] | None = None) -> Any:
    """Return a model whose weights are kept, with a low-rank adapter that is trained.

    Raises
    ------
    ImportError
        If peft is not installed.
    """
    import torch

    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise ImportError(
            "LoRA needs peft: pip install 'llmtopics[finetune]'"
        ) from None
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        target_modules="all-linear",
        modules_to_save=also,
    )
    with torch.random.fork_rng(devices=[]), quiet(), warnings.catch_warnings():
        # peft asks newer releases of transformers by a name of older ones
        warnings.filterwarnings("ignore", ".*gradient_checkpointing", FutureWarning)
        torch.manual_seed(seed)
        return get_peft_model(model, config)


def save(
    model: Any, tokenizer: Any, base: Path | None, folder: Path, head: str | None
) -> None:
    """Write a model, its adapter merged into the weights, as a folder.

    Parameters
    ----------
    model : PreTrainedModel or PeftModel
    tokenizer : PreTrainedTokenizerFast
    base : Path or None
        The folder of the model that training began with. What it says of the pooling of
        vectors is kept.
    folder : Path
    head : str or None
        The name of a part that is left out.
    """
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    if head is not None:
        delattr(model, head)
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    if base is None:
        return
    for pattern in _SENTENCE_FILES:
        for file in base.glob(pattern):
            copyfile(file, folder / file.name)
    for file in base.glob("*_*/config.json"):
        (folder / file.parent.name).mkdir(exist_ok=True)
        copyfile(file, folder / file.parent.name / file.name)


def lora_share(rank: int) -> float:
    """Return roughly the share of the weights that an adapter has."""
    return _LORA_SHARE * rank / 16


def check_memory(
    config: Any,
    kind: str,
    trained: float,
    n_tokens: int,
    checkpointing: bool,
    device: str,
    remedy: str = _REMEDY,
) -> int:
    """Return an estimate of the bytes that training takes.

    Parameters
    ----------
    config : PretrainedConfig
    kind : str
        The class of transformers that is made of it.
    trained : float
        Share of the weights that are trained.
    n_tokens : int
        Tokens of a batch, as often as it is read for an update.
    checkpointing : bool
        Whether activations are computed again instead of kept.
    device : str
    remedy : str
        What the error proposes.

    Raises
    ------
    MemoryError
        If it is more than the device has free.
    """
    import torch
    import transformers

    with torch.device("meta"), quiet():
        model = getattr(transformers, kind).from_config(config)
    n_weights = sum(weight.numel() for weight in model.parameters())
    text = config.get_text_config()
    width = text.hidden_size
    inner = getattr(text, "intermediate_size", None) or 4 * width
    # float32 numbers per token and layer that the backward pass reads
    layer = 12 * width + 4 * inner
    n_layers = text.num_hidden_layers
    kept = layer + n_layers * width if checkpointing else n_layers * layer
    # scores of all tokens, in two number formats, their softmax, and gradients
    head = 0 if kind == "AutoModel" else 5 * text.vocab_size
    # weights, and a copy in half precision; gradients and two moments of those that are
    # trained, and their copy of before training, on the processor; activations
    copies = 4 if device == "cpu" else 3
    needed = 4 * round(n_weights * (1.5 + copies * trained) + n_tokens * (kept + head))
    free = _free_bytes(device)
    if needed > free:
        raise MemoryError(
            f"Training needs about {needed / _GIB:.1f} GiB, and {free / _GIB:.1f} GiB are "
            f"free. Use {remedy}, or a smaller model."
        )
    return needed


def _free_bytes(device: str) -> int:
    import torch

    if device.startswith("cuda"):
        return torch.cuda.mem_get_info()[0]
    import psutil

    return psutil.virtual_memory().available


def window_of(config: Any, tokenizer: Any, max_length: int | None, most: int) -> int:
    """Return the tokens that are read at once: ``max_length``, or ``most`` if possible.

    Raises
    ------
    ValueError
        If ``max_length`` is more than the model can read.
    """
    limits = [
        getattr(config.get_text_config(), "max_position_embeddings", None),
        tokenizer.model_max_length,
    ]
    limit = min(n for n in limits if n)
    if max_length is None:
        return min(limit, most)
    if max_length > limit:
        raise ValueError(
            f"max_length={max_length} is more than the {limit} tokens that the model reads."
        )
    return max_length


def license_of(folder: Path) -> str:
    """Return the license that a model's own card names, or "unknown"."""
    named = of_card(folder, "license:") or of_card(
        folder, "- License of the base model:"
    )
    return named or "unknown"


def of_card(folder: Path, start: str) -> str:
    """Return the rest of the line of a model's own card with a start, or ""."""
    card = folder / "README.md"
    lines = card.read_text("utf-8", "replace").splitlines() if card.exists() else []
    for line in lines[:60]:
        if line.startswith(start):
            return line.removeprefix(start).strip()
    return ""
