"""All poolings, by the name that ``FusionTopicModel(pooling=...)`` takes."""

from llmtopics.fusion._poolings._base import Contributions, Divide, Pooling
from llmtopics.fusion._poolings._geometric import GeometricPooling
from llmtopics.fusion._poolings._linear import LinearPooling
from llmtopics.fusion._poolings._one_side import CountsAlone, EmbeddingsAlone
from llmtopics.fusion._poolings._prior import PriorPooling

__all__ = ["POOLINGS", "Contributions", "Divide", "Pooling", "pooling_for"]

POOLINGS: dict[str, type[Pooling]] = {
    "prior": PriorPooling,
    "linear": LinearPooling,
    "geometric": GeometricPooling,
}


def pooling_for(name: str, alpha: float) -> type[Pooling]:
    """Return the pooling of a name; at ``alpha`` 0 or 1, the only side with weight."""
    named = POOLINGS[name]
    return {0.0: CountsAlone, 1.0: EmbeddingsAlone}.get(alpha, named)
