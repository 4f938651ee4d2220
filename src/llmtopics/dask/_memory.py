"""How much memory a fit needs on each worker."""

from collections.abc import Mapping
from typing import Any

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
    limits = [each["memory_limit"] for each in about.values() if each["memory_limit"]]
    if not limits:
        return
    n_tokens = int(source.starts[-1])
    need = bytes_per_worker(n_tokens, source.n_words, n_components, len(about))
    if need > USABLE * min(limits):
        raise MemoryError(
            f"{n_tokens:,} tokens, {source.n_words:,} words and {n_components} topics need "
            f"about {need / 2**30:.2g} GiB on each of {len(about)} workers, and the smallest "
            f"has memory_limit={min(limits) / 2**30:.2g} GiB, of which {USABLE:.0%} are "
            "usable: take more or larger workers, or leave out rare words (min_df)."
        )
