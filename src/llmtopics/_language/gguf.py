"""Unpack a language model in a GGUF file into a folder, once."""

import atexit
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache, partial
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from llmtopics._language.cache import private_folder
from llmtopics._language.checkpoints import disk_is_full
from llmtopics._language.files import (
    SHORT_NAMES,
    WEIGHTS,
    digest_of,
    find_files,
    from_hub,
)
from llmtopics._language.load import loading, quiet, read
from llmtopics._locks import locked

logger = logging.getLogger(__name__)


def unpacked(
    name: str,
    revision: str | None,
    gguf_file: str | None,
    cache_folder: Path,
    weights: Sequence[str] = WEIGHTS,
) -> Path:
    """Return the folder with a language model's files. A GGUF file is unpacked once.

    Parameters
    ----------
    name, revision : str, str or None
        As in :func:`find_files`.
    gguf_file : str or None
        Name of the GGUF file in that folder or repository, if the model is one.
    cache_folder : Path
        Where unpacked models are stored.
    weights : sequence of str
        As in :func:`find_files`.

    Raises
    ------
    OSError
        If the model is not on this machine and cannot be downloaded, or cannot be read.
    ImportError
        If a package that reads GGUF files is needed and not installed.
    """
    if gguf_file is None:
        folder = find_files(name, revision, weights)
        gguf_file = SHORT_NAMES[name].gguf_file if name in SHORT_NAMES else None
        if gguf_file is None or not (folder / gguf_file).exists():
            return folder  # the hub's copy is not a GGUF file
    elif Path(name).expanduser().is_dir():
        folder = find_files(name, revision)
    else:
        folder = from_hub(name, revision, name, gguf_file=gguf_file)
    packed = folder / gguf_file
    if not packed.exists():
        raise OSError(f"There is no file {gguf_file} in {folder}. Check gguf_file.")
    digest = digest_of([packed], folder)[:16]
    place = cache_folder / "models" / f"{packed.stem}-{digest}"
    if _unpack_once(packed, place):
        return place
    return _unpack_for_this_run(packed)


def _unpack_once(packed: Path, place: Path) -> bool:
    """Unpack a model unless it is there. Return False if the folder cannot be written."""
    if (
        place.exists()
    ):  # it got this name when it was whole. No lock: it may be read-only
        return True
    with ExitStack() as held:
        try:
            private_folder(place.parent)
            held.enter_context(locked(Path(f"{place}.lock"), wait=True))
        except OSError as error:
            logger.warning("%s is unpacked for this run only: %s", packed.name, error)
            return False
        if place.exists():
            return True
        logger.info("unpacking %s, once, into %s", packed.name, place)
        made = Path(f"{place}.part")
        rmtree(made, ignore_errors=True)  # left by a process that was killed
        try:
            _unpack(packed, made)
            made.rename(place)
        except Exception as error:
            if not disk_is_full(error, place.parent):
                raise
            logger.warning("%s is unpacked for this run only: %s", packed.name, error)
            return False
        finally:
            rmtree(made, ignore_errors=True)
    return True


@contextmanager
def _reading_gguf() -> Iterator[None]:
    """Make transformers parse a GGUF file once, not at each step. This halves the time.

    Also hide a progress bar that no setting of transformers hides.
    """
    import gguf
    from transformers import modeling_gguf_pytorch_utils as reading

    others: list[tuple[Any, str, Any]] = [
        (gguf, name, lru_cache(getattr(gguf, name)))
        for name in ("GGUFReader", "get_tensor_name_map")
    ]
    if hasattr(reading, "tqdm"):  # not in all releases
        others.append((reading, "tqdm", partial(reading.tqdm, disable=True)))
    own = [(module, name, getattr(module, name)) for module, name, _ in others]
    try:
        for module, name, other in others:
            setattr(module, name, other)
        yield
    finally:
        for module, name, one in own:
            setattr(module, name, one)


@lru_cache(maxsize=1)
def _unpack_for_this_run(packed: Path) -> Path:
    place = Path(mkdtemp(prefix="llmtopics-"))
    atexit.register(rmtree, place, ignore_errors=True)
    try:
        _unpack(packed, place)
    except Exception as error:
        full = disk_is_full(error, place)
        rmtree(place, ignore_errors=True)
        if not full:
            raise
        raise OSError(
            f"{packed.name} could not be unpacked into {place}: {error}. Free some space, "
            "or name a folder on another disk in LLMTOPICS_CACHE."
        ) from error
    return place


def _unpack(packed: Path, place: Path) -> None:
    """Write the model in a GGUF file into a folder, in float32."""
    import torch
    import transformers

    if missing := [name for name in ("accelerate", "gguf") if not find_spec(name)]:
        raise ImportError(
            f"Reading {packed.name} needs {' and '.join(missing)}: "
            "pip install 'llmtopics[gguf]'"
        )
    options: dict[str, Any] = {"gguf_file": packed.name}
    with loading, _reading_gguf():
        tokenizer = _gguf_tokenizer(packed)
        if hasattr(transformers, "GgufConfig"):  # older releases always dequantize
            options["quantization_config"] = transformers.GgufConfig(dequantize=True)
        options["dtype"] = torch.float32
        model = read(
            transformers.AutoModelForCausalLM.from_pretrained, packed.parent, **options
        )
    with quiet():
        model.save_pretrained(place)
    tokenizer.save_pretrained(place)


_GGUF_TOKENS = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}


def _gguf_tokenizer(packed: Path) -> Any:
    """Return the tokenizer in a GGUF file, with the special tokens that the file names.

    The oldest releases of transformers would choose other ones for some models.
    """
    from gguf import GGUFReader
    from transformers import PreTrainedTokenizerFast

    tokenizer = read(
        PreTrainedTokenizerFast.from_pretrained, packed.parent, gguf_file=packed.name
    )
    fields = GGUFReader(str(packed)).fields
    for name, stated in _GGUF_TOKENS.items():
        if field := fields.get(f"tokenizer.ggml.{stated}_token_id"):
            token = tokenizer.convert_ids_to_tokens(int(field.contents()))
            setattr(tokenizer, f"{name}_token", token)
    tokenizer.clean_up_tokenization_spaces = False
    return tokenizer
