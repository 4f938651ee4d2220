"""Texts that have broken programs elsewhere, read by language models."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from llmtopics import (
    LLMTopics,
    NextWordCounts,
    TransformerClassifier,
    TransformerEmbedder,
)
from tests.fuzzing import assert_shares
from tests.nasty import TEXTS

NASTY = [*TEXTS.values()]
WRITTEN = np.array([bool(text.strip()) for text in NASTY])


@pytest.mark.parametrize("kind", ["truncate", "mean"])
def test_vectors_are_whole(small_model, kind):
    model = TransformerEmbedder(
        str(small_model), dtype="float32", long_texts=kind, cache_dir=False
    )
    texts = [text[:10_000] for text in NASTY] if kind == "mean" else NASTY
    found = model.transform(texts)
    assert_allclose(np.linalg.norm(found[WRITTEN], axis=1), 1, atol=1e-5)
    assert not found[~WRITTEN].any()
    assert_allclose(model.transform(texts[::-1])[::-1], found, atol=1e-4)


def test_answers_are_texts(small_llm):
    with pytest.raises(ValueError, match="Row 0 is blank"):
        small_llm.generate(NASTY)
    written = [text for text in NASTY if text.strip()]
    found = small_llm.generate(written, max_new_tokens=2)
    assert [type(answer) for answer in found] == [str] * len(written)


def test_topics_are_shares(small_llm):
    model = LLMTopics(["food", "money"], llm=small_llm, max_length=32)
    assert_shares(model.fit(NASTY).transform(NASTY), len(NASTY))


def test_next_words_are_counts(small_llm):
    model = NextWordCounts(llm=small_llm, max_length=32).fit(["apples ripen", *NASTY])
    found = model.transform(NASTY)
    assert found.shape[0] == len(NASTY)
    assert np.isfinite(found.data).all()
    assert (found.data >= 0).all()


def test_classes_have_probabilities():
    texts = [text[:2000] for text in NASTY]
    classes = ["a", "b"] * (len(texts) // 2)
    model = TransformerClassifier(dtype="float32").fit(texts, classes)
    assert_shares(model.predict_proba(texts).astype(float), len(texts))
    assert {*model.predict(texts)} <= {"a", "b"}
