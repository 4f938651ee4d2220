"""Vectors of an encoder that was trained, by the embedder and its cache."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from llmtopics._language.classify import trained_encoder
from llmtopics._language.encode import encode
from llmtopics._language.encode_settings import EncodeSettings
from llmtopics.embed import TransformerEmbedder
from llmtopics.embed._torch import TorchBackend


class TrainedBackend(TorchBackend):
    """Computes vectors with what was trained. Pickles contain this, and no base weights."""

    def __init__(self, trained: dict[str, np.ndarray], lora: bool):
        self.trained = trained
        self.lora = lora
        self.__setstate__({})

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in vars(self).items()
            if name not in ("_lock", "_loaded", "_digest")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = Lock()
        self._loaded: dict[tuple[str, str, str], Any] = {}
        # never from a file: it would choose the cached vectors that it is given or overwrites
        digest = sha256(b"lora" if self.lora else b"")
        for name, content in sorted(self.trained.items()):
            kind = [name, content.dtype.str, content.shape]
            digest.update(repr(kind).encode() + np.ascontiguousarray(content).tobytes())
        self._digest = digest.hexdigest()

    def fingerprint(self, folder: Path) -> str:
        """Return a digest of the base and of what was trained."""
        return f"{super().fingerprint(folder)} {self._digest}"

    def encode(
        self,
        texts: Sequence[str],
        settings: EncodeSettings,
        device: str | Sequence[str],
        batch_size: int | str,
        n_jobs: int | None,
    ) -> Iterator[tuple[np.ndarray, np.ndarray, int, int]]:
        """Yield positions, vectors, and how many texts were too long or mostly unknown."""
        return encode(texts, settings, device, batch_size, n_jobs, self._load)

    def _load(self, folder: Path, device: str, dtype: str, kind: str) -> Any:
        """Return the encoder, which stays in memory."""
        key = super().fingerprint(folder), device, dtype
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = trained_encoder(
                    folder, device, dtype, self.trained, self.lora
                )
            return self._loaded[key]


class TrainedEmbedder(TransformerEmbedder):
    """An embedder whose backend was trained."""

    _trained: TrainedBackend | None = None
    _LIMITS = "max_length"

    def _find(self):
        folder, backend = super()._find()
        return folder, self._trained or backend
