"""What can be an embedder: names, and models of other libraries with ``encode``."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sentence_transformers import SentenceTransformer
from sklearn.base import clone

from llmtopics import TransformerEmbedder
from llmtopics._language.files import find_files
from llmtopics.embed._encoder import as_embedder

TEXTS = [
    "The cat chased a mouse.",
    "A dog and a cat sleep.",
    "Mouse, dog, cat and bird.",
    "Shares of the bank fell.",
    "The bank bought shares.",
    "Bank shares and profits.",
]


@pytest.fixture(scope="module")
def theirs():
    """MiniLM, as sentence-transformers loads it."""
    return SentenceTransformer(str(find_files("minilm")), device="cpu")


def test_a_name_is_a_transformer_embedder(fusion, connections):
    model = fusion(2, embedder="minilm", max_iter=10)
    theta = model.fit_transform(TEXTS)
    assert model.get_params()["embedder"] == "minilm"
    assert isinstance(model.embedder_, TransformerEmbedder)
    assert_array_equal(
        clone(model).set_params(embedder=TransformerEmbedder()).fit_transform(TEXTS),
        theta,
    )
    with pytest.raises(
        ValueError, match=r"while embedder is 'minilm': pass embedder=Tr"
    ):
        model.set_params(embedder__max_length=9)
    with pytest.raises(OSError, match="nobody/nothing"):
        clone(model).set_params(embedder="nobody/nothing").fit(TEXTS)


def test_an_embedder_and_a_language_model_take_the_same_names(smollm2):
    """smollm2 is a decoder in a GGUF file, which is unpacked for both."""
    named = TransformerEmbedder("smollm2", cache_dir=False)
    found = named.transform(TEXTS)
    assert found.shape == (6, 576)
    by_folder = TransformerEmbedder(str(smollm2), cache_dir=False).transform(TEXTS)
    assert_array_equal(found, by_folder)


def test_a_sentence_transformer_is_an_embedder(fusion, theirs):
    model = fusion(2, embedder=theirs, max_iter=10)
    theta = model.fit(TEXTS).transform(TEXTS)
    assert_allclose(theta.sum(axis=1), 1)
    assert model.embedder_.model is theirs  # weights are not copied by fit
    ours = TransformerEmbedder(dtype="float32", cache_dir=False)
    assert_allclose(model.embedder_.transform(TEXTS), ours.transform(TEXTS), atol=1e-5)
    expected = fusion(2, embedder=ours, max_iter=10).fit(TEXTS).transform(TEXTS)
    assert_allclose(theta, expected, atol=1e-3)
    assert_allclose(clone(model).fit(TEXTS).transform(TEXTS), theta, atol=1e-5)
    twin = pickle.loads(pickle.dumps(model))
    assert_allclose(twin.transform(TEXTS), theta, atol=1e-5)


def test_blank_and_equal_texts(theirs):
    encoder = as_embedder(theirs, verbose=False)
    found = encoder.transform(["cat", "", "dog", " ", "cat"])
    assert found.dtype == np.float32
    assert_array_equal(found.any(axis=1), [True, False, True, False, True])
    assert_array_equal(found[0], found[4])
    assert_array_equal(encoder.transform(["", ""]), np.zeros((2, 384)))


class FakeEncoder:
    """A fake model that returns what it is given."""

    def __init__(self, vectors):
        self.vectors = vectors

    def encode(self, texts):
        assert isinstance(texts, list)
        return self.vectors


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones((5, 3)), "made 5 vectors of 6 texts"),
        (np.full((6, 3), np.nan), "embedder.encode.*NaN"),
        (np.ones(6), "2D array"),
    ],
)
def test_wrong_vectors_are_errors(fusion, vectors, message):
    with pytest.raises(ValueError, match=message):
        fusion(2, embedder=FakeEncoder(vectors)).fit(TEXTS)


def test_other_objects_are_refused(fusion):
    with pytest.raises(
        ValueError, match="The 'embedder' parameter of FusionTopicModel"
    ):
        fusion(2, embedder=object()).fit(TEXTS)
