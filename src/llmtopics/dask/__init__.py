"""Topic models and language models on a Dask cluster."""

try:
    import dask  # noqa: F401
    import distributed  # noqa: F401
except ImportError as error:
    raise ImportError(
        "llmtopics.dask needs Dask: install the extra, pip install 'llmtopics[dask]'."
    ) from error

from llmtopics.dask._fusion import DaskFusionTopicModel
from llmtopics.dask._lda import DaskGibbsLDA
from llmtopics.dask._partitions import map_partitions

__all__ = ["DaskFusionTopicModel", "DaskGibbsLDA", "map_partitions"]


def __dir__() -> list[str]:
    return sorted(__all__)
