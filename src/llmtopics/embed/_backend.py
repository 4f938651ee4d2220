"""Backends that compute vectors, such as PyTorch or ONNX.

A new backend needs a class with these methods in its own file, and an entry in ``BACKENDS``.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from llmtopics._language.cache import default_folder
from llmtopics._language.encode_settings import EncodeSettings
from llmtopics._language.gguf import unpacked
from llmtopics.embed._torch import TorchBackend


class Backend(Protocol):
    """Computes the vectors of texts from the files of a model."""

    weights: tuple[str, ...]  # patterns of the files to download, the best first

    def reads(self, folder: Path) -> bool:
        """Return whether it can compute with the files in a folder."""

    def fingerprint(self, folder: Path) -> str:
        """Return a digest of the files that it reads. Backends must not share a digest."""

    def dtype(self, device: str | Sequence[str], dtype: str) -> str:
        """Return the number format that a device computes in, never "auto"."""

    def n_dimensions(self, folder: Path) -> int:
        """Return the length of the vectors, E."""

    def encode(
        self,
        texts: Sequence[str],
        settings: EncodeSettings,
        device: str | Sequence[str],
        batch_size: int | str,
        n_jobs: int | None,
    ) -> Iterator[tuple[np.ndarray, np.ndarray, int, int]]:
        """Yield vectors of texts that are not blank, in any order, as soon as known.

        Parameters
        ----------
        texts : sequence of str
        settings : EncodeSettings
            Pooling, prompt, ``max_length``, ``dtype`` and so on, never None or "auto".
        device : str or sequence of str
        batch_size : int or "auto"
            Tokens per batch.
        n_jobs : int or None
            Batches computed at the same time.

        Yields
        ------
        positions : ndarray of shape (n,)
            Positions in ``texts``.
        vectors : ndarray of shape (n, E), float32
        n_long : int
            How many of these texts are longer than ``max_length``.
        n_unknown : int
            In how many of these texts most tokens are unknown to the tokenizer.
        """


BACKENDS: tuple[Backend, ...] = (TorchBackend(),)


def find_backend(model: str, revision: str | None) -> tuple[Path, Backend]:
    """Return the folder of a model, and the first backend that reads its files."""
    weights = [pattern for backend in BACKENDS for pattern in backend.weights]
    folder = unpacked(model, revision, None, default_folder(), weights)
    return folder, next(backend for backend in BACKENDS if backend.reads(folder))
