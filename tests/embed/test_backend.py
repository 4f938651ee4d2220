"""Adding a backend other than PyTorch."""

import numpy as np
import pytest

from llmtopics import TransformerEmbedder
from llmtopics.embed import _backend


class LengthBackend:
    """Two numbers per text. Reads only folders that name this backend."""

    weights = ("*.lengths",)

    def reads(self, folder):
        return (folder / "model.lengths").exists()

    def fingerprint(self, folder):
        return "lengths"

    def dtype(self, device, dtype):
        return "int8"

    def n_dimensions(self, folder):
        return 2

    def encode(self, texts, settings, device, batch_size, n_jobs):
        assert settings.dtype == "int8"
        lengths = [len(settings.prompt + text) for text in texts]
        vectors = np.array([[n, settings.max_length] for n in lengths], np.float32)
        order = np.argsort(lengths)[::-1]
        yield order, vectors[order], 0, 0


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "model.lengths").touch()
    monkeypatch.setattr(_backend, "BACKENDS", (LengthBackend(), *_backend.BACKENDS))
    return tmp_path


def test_a_backend_is_used_only_for_its_models(folder):
    embedder = TransformerEmbedder(
        str(folder), max_length=9, prompt="q:", cache_dir=False
    )
    texts = ["cat", " ", "a dog", "cat"]
    assert embedder.fit_transform(texts).tolist() == [[5, 9], [0, 0], [7, 9], [5, 9]]
    assert embedder.transform([""]).shape == (1, 2)
    assert len(embedder.get_feature_names_out()) == 2
    assert TransformerEmbedder().transform(texts).shape == (4, 384)


def test_the_files_of_a_backend_are_downloaded(folder, monkeypatch):
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}")

    def hub(hub_id, *, allow_patterns, **options):
        assert hub_id == "someone/lengths"
        assert "*.lengths" in allow_patterns
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", hub)
    embedder = TransformerEmbedder("someone/lengths", max_length=9, cache_dir=False)
    assert embedder.transform(["cat"]).tolist() == [[3, 9]]
