"""Pictures and sounds → texts, for any topic model."""

from llmtopics.describe._columns import make_describer
from llmtopics.describe._describer import ImageDescriber
from llmtopics.describe._transcriber import AudioTranscriber

__all__ = ["AudioTranscriber", "ImageDescriber", "make_describer"]


def __dir__() -> list[str]:
    return sorted(__all__)
