"""Captions and words that fit, by real architectures of random weights.

Their texts are nonsense: what is tested is that models are loaded, asked and kept as they are.
"""

import numpy as np
import pytest

pytest.importorskip("PIL")

from llmtopics import ImageDescriber

LINE = "Shares fell sharply"


@pytest.mark.parametrize("kind", ["blip", "smolvlm"])
@pytest.mark.parametrize("prompt", [None, "the picture shows"])
def test_captions_of_real_architectures(kind, prompt, folder_of, two):
    describer = ImageDescriber(
        "caption",
        model=folder_of(kind),
        prompt=prompt,
        max_new_tokens=6,
        dtype="float32",
        cache_dir=False,
    )
    texts = describer.transform(two)
    assert all(text.strip() for text in texts)
    assert texts == [describer.transform([picture])[0] for picture in two]
    if kind == "smolvlm":
        assert not any("assistant" in text or "shows" in text for text in texts)
    elif prompt:  # a captioner goes on from the prompt
        assert all(text.startswith(prompt) for text in texts)


def test_text_and_caption_are_joined(folder_of, strip):
    both = ImageDescriber(["ocr", "caption"], model=folder_of("blip"), max_new_tokens=6)
    caption = ImageDescriber("caption", model=folder_of("blip"), max_new_tokens=6)
    assert both.transform([strip]) == [f"{LINE}\n{caption.transform([strip])[0]}"]


WORDS = ["dog", "beach", "bicycle", "mountain", "office"]


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_words_are_the_best_scored(kind, folder_of, two):
    describer = ImageDescriber(
        "words",
        model=folder_of(kind),
        vocabulary=WORDS,
        n_words=2,
        dtype="float32",
        cache_dir=False,
    )
    scores = describer.scores(two)
    assert scores.shape == (2, 5)
    assert (scores >= 0).all()
    assert (scores <= 1).all()
    assert np.allclose(scores.sum(axis=1), 1) == (kind == "clip")
    best = np.argsort(-scores, axis=1)[:, :2]
    assert describer.transform(two) == [" ".join(WORDS[i] for i in row) for row in best]


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_scores_are_those_of_the_model(kind, folder_of, two):
    """The product of kept vectors is what the model itself computes in one pass."""
    import torch
    from transformers import AutoModel, AutoProcessor

    folder = folder_of(kind)
    found = ImageDescriber(
        "words", model=folder, vocabulary=WORDS, dtype="float32", cache_dir=False
    ).scores(two)
    inputs = AutoProcessor.from_pretrained(folder)(
        text=[f"This is a photo of {word}." for word in WORDS],
        images=two,
        padding="max_length",
        truncation=True,
        return_tensors="pt",
    )
    with torch.inference_mode():
        logits = AutoModel.from_pretrained(folder)(**inputs).logits_per_image
    expected = logits.softmax(1) if kind == "clip" else logits.sigmoid()
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-6)


@pytest.fixture
def model_loads(monkeypatch):
    from llmtopics._language import pictures

    found = []
    real = pictures.load
    monkeypatch.setattr(pictures, "load", lambda *a: found.append(a) or real(*a))
    return found


@pytest.mark.parametrize("kind", ["blip", "clip"])
def test_a_second_run_of_a_model_loads_nothing(
    kind, folder_of, two, tmp_path, model_loads
):
    parameters = {"model": folder_of(kind), "cache_dir": tmp_path, "max_new_tokens": 6}
    if kind == "clip":
        parameters.update(how="words", vocabulary=WORDS)
    else:
        parameters.update(how="caption")
    first = ImageDescriber(**parameters).transform(two)
    n = len(model_loads)
    assert n > 0
    assert ImageDescriber(**parameters, verbose=True).transform(two) == first
    assert len(model_loads) == n
    if kind == "clip":  # other words need no picture again
        words = [*WORDS[:2], "a new word"]
        ImageDescriber(**{**parameters, "vocabulary": words}).transform(two)
        assert len(model_loads) == n + 1


def test_scores_of_a_bad_picture_are_zeros(folder_of, two):
    describer = ImageDescriber(
        "words", model=folder_of("clip"), vocabulary=WORDS, on_error="keep"
    )
    scores = describer.scores([two[0], b"no picture"])
    assert scores[0].sum() > 0.99
    assert not scores[1].any()
    assert describer.transform([b"no picture", two[0]])[0] == ""


def test_scores_need_words(two):
    with pytest.raises(AttributeError, match="'scores': it needs how='words'"):
        ImageDescriber().scores(two)
    assert not hasattr(ImageDescriber(), "scores")


def test_a_model_that_reads_no_pictures_is_refused(small_model, two):
    with pytest.raises(OSError, match="has no model that transformers can load"):
        ImageDescriber("caption", model=str(small_model)).transform(two)
