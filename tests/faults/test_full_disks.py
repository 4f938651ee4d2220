"""A full disk: an error that names the file and what to do; earlier files stay."""

import errno
import logging
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from llmtopics import GibbsLDA, StoredCounts, store_counts
from llmtopics._language import gguf
from llmtopics._language.cache import Cache
from llmtopics.datasets import make_topics
from llmtopics.embed import store_vectors
from llmtopics.reading import read_topics
from llmtopics.report import topic_report
from llmtopics.text import store_texts

TEXTS = [f"{i} bank share market goal match team" for i in range(2_000)]


class Wide:
    def transform(self, X):
        return np.ones((len(X), 256), np.float32)


@pytest.fixture
def disk(tmp_path):
    """A disk of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small disk can be mounted by root on Linux only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk, left=0):
    """Leave some bytes of the disk."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    (disk / "filler").write_bytes(bytes(max(0, free - left)))


def full(path):
    return pytest.raises(
        OSError, match=rf"No space left.* bytes .*Free some space.*{path}"
    )


def test_counts(disk):
    X = make_topics(3_000, 100, 4, doc_length=200, random_state=0).data
    blocks = [X[i : i + 100] for i in range(0, 3_000, 100)]
    with full("words.bin"):
        store_counts(blocks, disk / "counts")
    assert not list((disk / "counts").iterdir())  # the space is free again
    with full("words.bin"):
        store_texts(TEXTS * 30, disk / "counts", vectorizer=CountVectorizer())
    with pytest.raises(FileNotFoundError, match="store_counts did not finish"):
        StoredCounts(disk / "counts")
    assert store_counts(blocks[:2], disk / "counts").shape == (200, 100)


def test_a_fit_says_so_at_its_start_and_in_its_middle(disk):
    X = make_topics(300, 100, 4, doc_length=100, random_state=0).data
    stored = store_counts(X, disk / "counts")
    lda = GibbsLDA(4, sampler="blocked", max_iter=6, random_state=0)
    once = GibbsLDA(**lda.get_params()).fit(X).components_
    fill(disk, 20_000)
    with pytest.raises(OSError, match=r"\d bytes could not be written. GibbsLDA needs"):
        lda.fit(stored)
    (disk / "filler").unlink()

    def full_soon(model):
        if model.n_iter_ == 3:
            fill(disk)

    watched = GibbsLDA(**lda.get_params())
    if hasattr(watched, "set_callbacks"):
        from llmtopics import SweepCallback

        watched.set_callbacks(SweepCallback(full_soon))
        with full(r"state\.json"):
            watched.fit(stored)
        (disk / "filler").unlink()
        assert list((disk / "counts").glob("chain-*"))  # it continues
    np.testing.assert_array_equal(lda.fit(stored).components_, once)


def test_vectors_continue_when_there_is_space(disk):
    path = disk / "v.npy"
    with full(r"v\.npy"):
        store_vectors(TEXTS, path, embedder=Wide(), batch_size=100)
    assert not path.exists()
    with pytest.raises(OSError, match="No space left"):
        store_vectors(TEXTS, path, embedder=Wide(), batch_size=100)
    subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
    found = store_vectors(TEXTS, path, embedder=Wide(), batch_size=100)
    assert found.shape == (2_000, 256)
    assert found.all()
    assert {each.name for each in disk.iterdir()} == {"v.npy", "v.npy.json"}


def test_pages_and_exports_keep_the_earlier_file(disk):
    model = make_pipeline(CountVectorizer(), GibbsLDA(2, max_iter=5, random_state=0))
    topics = read_topics(model.fit(TEXTS[:50]), TEXTS[:50])
    for path, write in [
        (disk / "page.html", lambda path: topic_report(topics, path=path)),
        (disk / "topics.json", topics.to_json),
    ]:
        path.write_text("earlier")
        fill(disk)
        with full(path.name):
            write(path)
        assert path.read_text() == "earlier"
        (disk / "filler").unlink()
        assert not list(disk.glob("*.part"))
        write(path)
        assert len(path.read_text("utf-8")) > 100


def test_nothing_is_cached(disk, caplog):
    cache = Cache(disk / "cache")
    cache.put({b"a": b"value"})
    fill(disk)
    with caplog.at_level(logging.WARNING):
        for i in range(5):
            cache.put({b"%d" % i: bytes(100_000)})
    assert caplog.text.count("is not used") == 1  # said once
    assert cache.get([b"a", b"0"]) == {b"a": b"value"}
    (disk / "filler").unlink()
    cache.put({b"0": b"new"})
    assert cache.get([b"a", b"0"]) == {b"a": b"value", b"0": b"new"}


def test_a_model_is_unpacked_elsewhere(disk, tiny_gguf, caplog, monkeypatch):
    fill(disk, 10_000)
    with caplog.at_level(logging.WARNING):
        place = gguf.unpacked(str(tiny_gguf), None, "tiny.gguf", disk / "cache")
    assert "is unpacked for this run only" in caplog.text
    assert (place / "model.safetensors").exists()
    assert disk not in place.parents
    assert not [each for each in (disk / "cache" / "models").iterdir() if each.is_dir()]
    gguf._unpack_for_this_run.cache_clear()
    monkeypatch.setattr("tempfile.tempdir", str(disk))
    with pytest.raises(
        OSError, match="name a folder on another disk in LLMTOPICS_CACHE"
    ):
        gguf.unpacked(str(tiny_gguf), None, "tiny.gguf", disk / "cache")


SMALL = """
import resource, sys, signal
from llmtopics.embed import store_vectors
import numpy as np
class Wide:
    def transform(self, X):
        return np.ones((len(X), 256), np.float32)
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY))
try:
    store_vectors([str(i) for i in range(2000)], sys.argv[1], embedder=Wide(), batch_size=100)
except OSError as error:
    print(error.errno, error)
"""


def test_a_limit_on_the_size_of_files_is_said_too(tmp_path):
    pytest.importorskip("resource")
    command = [sys.executable, "-c", SMALL, str(tmp_path / "v.npy")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.startswith(f"{errno.EFBIG} ")
    assert "Free some space, or choose another disk" in told
    assert "v.npy.part" in told
