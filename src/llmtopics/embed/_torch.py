"""Compute vectors with PyTorch, for any model that transformers loads."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from llmtopics._language import encode
from llmtopics._language.devices import devices_of, dtype_on
from llmtopics._language.encode_settings import EncodeSettings
from llmtopics._language.files import WEIGHTS, fingerprint


class TorchBackend:
    """Computes vectors with PyTorch."""

    weights: tuple[str, ...] = WEIGHTS

    def reads(self, folder: Path) -> bool:
        """Return True. If the files cannot be loaded, the error of loading says why."""
        return True

    def fingerprint(self, folder: Path) -> str:
        """Return a digest of the weights and the tokenizer."""
        return fingerprint(folder)

    def dtype(self, device: str | Sequence[str], dtype: str) -> str:
        """Return the number format that a device computes in."""
        return dtype_on(devices_of(device)[0], dtype)

    def n_dimensions(self, folder: Path) -> int:
        """Return the length of the vectors, E."""
        return encode.n_dimensions(folder)

    def encode(
        self,
        texts: Sequence[str],
        settings: EncodeSettings,
        device: str | Sequence[str],
        batch_size: int | str,
        n_jobs: int | None,
    ) -> Iterator[tuple[np.ndarray, np.ndarray, int, int]]:
        """Yield positions, vectors, and how many texts were too long or mostly unknown."""
        return encode.encode(texts, settings, device, batch_size, n_jobs)
