"""How much memory a fit needs on each worker."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from distributed import Client

from llmtopics.dask._errors import some_workers
from llmtopics.dask._sources import Source
from llmtopics.topics._gibbs.kernels.common import filled_up

PER_TOKEN = 20  # bytes: words and topics, twice while documents move between workers
PER_CELL = 20  # bytes: counts of words in topics, changes, shares
USABLE = 0.7  # of memory_limit; Dask pauses a worker at 0.8


def bytes_per_worker(
    n_tokens: int, n_words: int, n_components: int, n_workers: int
) -> float:
    """Return the most memory that a worker needs, beside that of its process."""
    cells = n_words * filled_up(n_components)
    return PER_TOKEN * n_tokens / n_workers + PER_CELL * cells


def check_memory(about: Mapping[str, Any], source: Source, n_components: int) -> None:
    """Raise a MemoryError if the smallest worker is too small; 0 is no limit."""
    limit = _smallest(about)
    if limit is None:
        return
    n_tokens = int(source.starts[-1])
    need = bytes_per_worker(n_tokens, source.n_words, n_components, len(about))
    if need > USABLE * limit:
        raise MemoryError(
            f"{n_tokens:,} tokens, {source.n_words:,} words and {n_components} topics need "
            f"about {need / 2**30:.2g} GiB on each of {len(about)} workers, and the smallest "
            f"has memory_limit={limit / 2**30:.2g} GiB, of which {USABLE:.0%} are "
            "usable: take more or larger workers, or leave out rare words (min_df)."
        )


def check_blocks(client: Client, X: Any) -> None:
    """Raise a MemoryError if a dense block of a dask array is too large for a worker.

    Sizes of other partitions are known only after they were read.
    """
    if not isinstance(getattr(X, "_meta", None), np.ndarray) or X.ndim != 2:
        return
    rows = np.nan_to_num(np.array(X.chunks[0], float))
    number, size = int(rows.argmax()), rows.max() * X.shape[1] * X.dtype.itemsize
    limit = _smallest(some_workers(client))
    if limit is not None and size > USABLE * limit:
        raise MemoryError(
            f"Partition {number} of X has {int(rows[number])} rows and needs "
            f"{size / 2**30:.2g} GiB, and the smallest worker has "
            f"memory_limit={limit / 2**30:.2g} GiB, of which {USABLE:.0%} are usable: cut X "
            "into smaller blocks, X.rechunk({0: 1000}), or use sparse blocks."
        )


def _smallest(about: Mapping[str, Any]) -> int | None:
    """Return the smallest limit of memory, None if no worker has one."""
    limits = [each["memory_limit"] for each in about.values() if each["memory_limit"]]
    return min(limits, default=None)
