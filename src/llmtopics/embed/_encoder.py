"""Take models of other libraries, and names of models, as embedders."""

from typing import Any

import numpy as np
from sklearn.utils import check_array

from llmtopics._checks import check_texts
from llmtopics.embed._base import Embedder
from llmtopics.embed._transformer import TransformerEmbedder


def as_embedder(embedder: Any, verbose: bool | int) -> Any:
    """Return the embedder for a parameter ``embedder``, not yet cloned.

    None and names become a ``TransformerEmbedder``, and objects with ``encode`` an
    ``Encoder``.
    """
    if embedder is None:
        return TransformerEmbedder(verbose=verbose)
    if isinstance(embedder, str):
        return TransformerEmbedder(embedder, verbose=verbose)
    if hasattr(embedder, "encode") and not hasattr(embedder, "transform"):
        return Encoder(embedder)
    return embedder


class Encoder(Embedder):
    """Vectors of an object with ``encode``, as in sentence-transformers and model2vec.

    Parameters
    ----------
    model : object
        ``model.encode(texts)`` returns one vector per text. Clones share it.
    """

    _parameter_constraints = {"model": "no_validation"}

    def __init__(self, model):
        self.model = model

    def __sklearn_clone__(self):
        return type(self)(self.model)  # scikit-learn's way would copy the weights

    def transform(self, X):
        """Return one vector per text, float32; zeros for blank texts."""
        texts = check_texts(X, "FusionTopicModel")
        # one blank text stands for all if there are no others, for the number of dimensions
        written = [*dict.fromkeys(text for text in texts if text.strip())] or texts[:1]
        found = check_array(
            np.asarray(self.model.encode(written)),
            dtype=np.float32,
            input_name="embedder.encode(texts)",
        )
        if len(found) != len(written):
            raise ValueError(
                f"embedder.encode made {len(found)} vectors of {len(written)} texts: pass a "
                "model that makes one vector per text."
            )
        rows = {text: i for i, text in enumerate(written) if text.strip()}
        vectors = np.zeros((len(texts), found.shape[1]), np.float32)
        for i, text in enumerate(texts):
            if text in rows:
                vectors[i] = found[rows[text]]
        return vectors
