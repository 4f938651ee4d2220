"""Vectors of streams of texts in files, with random weights and with planted vectors."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import islice

import numpy as np
import pandas as pd
import polars as pl
import pytest
import transformers
from filelock import FileLock
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.pipeline import make_pipeline

from llmtopics import PrecomputedEmbeddings, RemoteEmbedder, TransformerEmbedder
from llmtopics._language import files
from llmtopics.datasets import load_bbc_news
from llmtopics.embed import store_vectors

N_DIMENSIONS = 8


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The folder of an encoder of random weights that computes in no time."""
    import torch

    torch.manual_seed(0)
    place = tmp_path_factory.mktemp("tiny")
    tokenizer = transformers.AutoTokenizer.from_pretrained(files.find_files("minilm"))
    tokenizer.save_pretrained(place)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=N_DIMENSIONS,
        intermediate_size=N_DIMENSIONS,
        num_hidden_layers=1,
        num_attention_heads=1,
        max_position_embeddings=32,
        initializer_range=0.5,
    )
    transformers.BertModel(config).save_pretrained(place)
    return str(place)


@pytest.fixture(scope="module")
def titles():
    return load_bbc_news().titles[:200]


def embedder(model, **parameters):
    return TransformerEmbedder(
        model, **{"dtype": "float32", "cache_dir": False, **parameters}
    )


class Lengths(BaseEstimator):
    """An embedder that needs no model. It counts its texts, and fails at some."""

    n_texts = 0

    def __init__(self, factor=1.0, fails_at=None):
        self.factor = factor
        self.fails_at = fails_at

    def transform(self, X):
        if self.fails_at in X:
            raise ValueError(f"row {X.index(self.fails_at)} is bad")
        self.n_texts += len(X)
        return np.array([[len(x), 1, self.factor * x.count("a")] for x in X], float)


def interrupted(texts, n):
    """Yield n texts, and then fail."""
    yield from islice(texts, n)
    raise KeyboardInterrupt


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# what is written ----------------------------------------------------------------------


def test_the_file_is_that_of_np_save(tiny, titles, tmp_path):
    path = tmp_path / "new" / "vectors.npy"
    found = store_vectors(iter(titles), path, embedder=embedder(tiny), batch_size=64)
    assert found.shape == (200, N_DIMENSIONS)
    assert found.dtype == np.float32
    assert_allclose(found, embedder(tiny).transform(titles), atol=1e-6)
    saved = io.BytesIO()
    np.save(saved, found)
    assert path.read_bytes() == saved.getvalue()
    assert_array_equal(np.load(path), found)
    assert names(path.parent) == ["vectors.npy", "vectors.npy.json"]
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 0


@pytest.mark.parametrize("kind", [tuple, pd.Series, pl.Series, np.array, pd.DataFrame])
def test_columns_of_texts(titles, tmp_path, kind):
    found = store_vectors(kind(titles), tmp_path / "v.npy", embedder=Lengths())
    assert_array_equal(found, Lengths().transform(titles))


def test_names_and_objects_of_other_libraries(tiny, titles, tmp_path):
    found = store_vectors(titles, tmp_path / "name.npy", embedder=tiny)
    wanted = embedder(tiny, dtype="auto").transform(titles)
    assert_allclose((found * wanted).sum(axis=1), 1, atol=1e-3)

    class Encoder:
        encode = staticmethod(Lengths().transform)

    found = store_vectors(titles, tmp_path / "encoder.npy", embedder=Encoder())
    assert_array_equal(found, Lengths().transform(titles))
    given = PrecomputedEmbeddings(titles, found)
    again = store_vectors(titles[::-1], tmp_path / "given.npy", embedder=given)
    assert_array_equal(again, found[::-1])
    pipeline = make_pipeline(CountVectorizer(), TruncatedSVD(5, random_state=0))
    with pytest.raises(NotFittedError):
        store_vectors(titles, tmp_path / "pipeline.npy", embedder=pipeline)
    wanted = pipeline.fit_transform(titles)
    pipeline[1].set_output(transform="pandas")
    found = store_vectors(titles, tmp_path / "pipeline.npy", embedder=pipeline)
    assert_allclose(found, wanted, atol=1e-5)


def test_the_cache_is_not_used(tiny, titles, tmp_path):
    cache = tmp_path / "cache"
    given = embedder(tiny, cache_dir=cache)
    store_vectors(titles, tmp_path / "v.npy", embedder=given)
    assert not cache.exists()
    assert given.cache_dir == cache


# several processes and devices --------------------------------------------------------


def test_processes_give_the_same_bytes(tiny, titles, tmp_path):
    paths = [tmp_path / f"{n_jobs}.npy" for n_jobs in (1, 2)]
    for n_jobs, path in enumerate(paths, 1):
        store_vectors(
            titles, path, embedder=embedder(tiny), batch_size=30, n_jobs=n_jobs
        )
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_devices_share_the_texts(tiny, titles):
    found = embedder(tiny, device=["cpu", "cpu"]).transform(titles)
    assert_array_equal(found, embedder(tiny).transform(titles))
    with pytest.raises(ValueError, match="device is an empty list"):
        embedder(tiny, device=[]).transform(titles)
    with pytest.raises(ValueError, match="'nowhere' is unknown"):
        embedder(tiny, device=["cpu", "nowhere"]).transform(titles)


def test_processes_divide_the_devices(tiny, monkeypatch):
    from llmtopics.embed import _processes

    monkeypatch.setattr(_processes, "devices_of", lambda _: ["a", "b", "c"])
    for n, wanted in {2: [["a", "c"], ["b"]], 4: [["a"], ["b"], ["c"], ["a"]]}.items():
        shares = _processes._shares(embedder(tiny), n)
        assert [each.device for each in shares] == wanted


# after an interrupt -------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 5, 64, 130, 200])
def test_continues_to_the_same_bytes(tiny, titles, tmp_path, n):
    once, again = tmp_path / "once.npy", tmp_path / "again.npy"
    settings = {"embedder": embedder(tiny), "batch_size": 64}
    store_vectors(titles, once, **settings)
    with pytest.raises(KeyboardInterrupt):
        store_vectors(interrupted(titles, n), again, **settings)
    assert not again.exists()
    with again.with_name("again.npy.part").open("ab") as file:
        file.write(b"half a row")  # as after a kill
    store_vectors(titles, again, **settings)
    assert once.read_bytes() == again.read_bytes()


def test_only_missing_vectors_are_computed(titles, tmp_path):
    first, second = Lengths(), Lengths()
    with pytest.raises(KeyboardInterrupt):
        store_vectors(
            interrupted(titles, 130), tmp_path / "v", embedder=first, batch_size=50
        )
    assert first.n_texts == 100
    store_vectors(titles, tmp_path / "v", embedder=second, batch_size=50)
    assert second.n_texts == 100 + 16  # and those by which the embedder is known
    again = store_vectors(iter(titles), tmp_path / "v", embedder=second)
    assert second.n_texts == 100 + 16 + 16
    assert_array_equal(again, Lengths().transform(titles))


@pytest.mark.parametrize("n", [100, 200])  # a part, and a whole file
def test_other_texts_and_models_are_refused(tiny, titles, tmp_path, n):
    path = tmp_path / "v.npy"
    settings = {"batch_size": 50}
    start = interrupted(titles, n) if n < 200 else titles
    with suppress(KeyboardInterrupt):
        store_vectors(start, path, embedder=embedder(tiny), **settings)
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    for texts in ["other", *titles[1:]], titles[:99], titles[::-1], []:
        with pytest.raises(ValueError, match="begun with other texts"):
            store_vectors(texts, path, embedder=embedder(tiny), **settings)
    if n == 200:
        with pytest.raises(ValueError, match="200 texts, and there are more"):
            store_vectors([*titles, "more"], path, embedder=embedder(tiny))
    for other in [{"max_length": 16}, {"prompt": "query: "}, {"dtype": "bfloat16"}]:
        with pytest.raises(ValueError, match="another model or other parameters"):
            store_vectors(titles, path, embedder=embedder(tiny, **other))
    with pytest.raises(ValueError, match="another model"):
        store_vectors(titles, path, embedder="minilm")
    assert before == {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    store_vectors(titles, path, embedder=embedder(tiny, batch_size=99, n_jobs=1))


def test_other_embedders_are_known_by_their_vectors(titles, tmp_path):
    path = tmp_path / "v.npy"
    store_vectors(titles, path, embedder=Lengths())
    with pytest.raises(ValueError, match="gives other vectors of the first texts"):
        store_vectors(titles, path, embedder=Lengths(factor=2))
    store_vectors(titles, path, embedder=Lengths(factor=1.00001))


def test_files_of_others_stay_as_they_are(titles, tmp_path):
    path = tmp_path / "v.npy"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="not written by store_vectors"):
        store_vectors(titles, path, embedder=Lengths())
    assert path.read_bytes() == b"mine"
    with pytest.raises(ValueError, match="is a folder"):
        store_vectors(titles, tmp_path, embedder=Lengths())


def test_damaged_files_are_refused(titles, tmp_path):
    path = tmp_path / "v.npy"
    store_vectors(titles, path, embedder=Lengths())
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(ValueError, match="damaged"):
        store_vectors(titles, path, embedder=Lengths())
    about = tmp_path / "v.npy.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), "format": "2"}))
    with pytest.raises(ValueError, match="not of this version"):
        store_vectors(titles, path, embedder=Lengths())
    path.unlink()  # the record alone counts for nothing
    store_vectors(titles, path, embedder=Lengths())
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"format": "llmtopics stored vectors 1"}', '"n_texts": "5"'],
)
def test_a_damaged_record_is_refused(titles, tmp_path, text):
    path = tmp_path / "v.npy"
    store_vectors(titles[:5], path, embedder=Lengths())
    about = tmp_path / "v.npy.json"
    good = about.read_text()
    about.write_text(good.replace('"n_texts": 5', text) if "n_texts" in text else text)
    with pytest.raises(ValueError, match=r"v\.npy\.json is damaged"):
        store_vectors(titles[:5], path, embedder=Lengths())


def test_a_file_that_was_replaced_is_refused(tiny, titles, tmp_path):
    path = tmp_path / "v.npy"
    store_vectors(titles[:5], path, embedder=embedder(tiny))
    np.save(path, np.ones((50, 8), np.float32))
    with pytest.raises(ValueError, match="damaged"):
        store_vectors(titles[:5], path, embedder=embedder(tiny))


def test_one_process_at_a_time(titles, tmp_path):
    path = tmp_path / "v.npy"
    with FileLock(tmp_path / "v.npy.lock"), pytest.raises(RuntimeError, match="writes"):
        store_vectors(titles, path, embedder=Lengths())
    store_vectors(titles, path, embedder=Lengths())


# errors -------------------------------------------------------------------------------


def test_bad_texts_are_named(tmp_path):
    path = tmp_path / "v.npy"
    for texts, message in [
        (["a text"] * 25 + [None], "row 25 holds None"),
        ("a text", "single text into a list"),
        ({"a text"}, "order is not fixed"),
        (3, "got one int"),
        (np.zeros((3, 2)), "got numbers"),
        ([], "There are no texts"),
        (iter([]), "There are no texts"),
    ]:
        with pytest.raises(ValueError, match=message):
            store_vectors(texts, path, embedder=Lengths(), batch_size=100)
    assert not names(tmp_path)
    with pytest.raises(ValueError, match="row 25 holds None"):
        store_vectors(
            (each for each in ["a text"] * 25 + [None]),
            path,
            embedder=Lengths(),
            batch_size=10,
        )
    assert names(tmp_path) == ["v.npy.json", "v.npy.part"]
    texts = ["a text"] * 26
    assert len(store_vectors(texts, path, embedder=Lengths(), batch_size=10)) == 26


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_errors_of_the_embedder_have_the_row(tmp_path, n_jobs):
    texts = [str(i) for i in range(50)]
    with pytest.raises(ValueError, match="row 5 is bad") as caught:
        store_vectors(
            texts,
            tmp_path / "v.npy",
            embedder=Lengths(fails_at="35"),
            batch_size=10,
            n_jobs=n_jobs,
        )
    assert caught.value.__notes__ == ["Row 0 of this batch is row 30 of all texts."]
    about = json.loads((tmp_path / "v.npy.json").read_text())
    assert about["n_texts"] == 30


def test_bad_vectors_are_named(titles, tmp_path):
    class Bad(Lengths):
        def transform(self, X):
            found = super().transform(X)
            found[[text == titles[60] for text in X]] = np.nan
            return found[:, :2] if titles[110] in X else found

    class OneLess(Lengths):
        def transform(self, X):
            return super().transform(X)[1:]

    def store(texts, embedder):
        store_vectors(texts, tmp_path / "v.npy", embedder=embedder, batch_size=50)

    with pytest.raises(ValueError, match="NaN or infinity for the text in row 60"):
        store(titles, Bad())
    with pytest.raises(ValueError, match="length 2 from row 100 on, and of length 3"):
        store([*titles[:60], "", *titles[61:]], Bad())
    for other in [OneLess(), HashingVectorizer()]:
        with pytest.raises(ValueError, match="one vector per text"):
            store_vectors(titles, tmp_path / "w.npy", embedder=other)
    with pytest.raises(TypeError, match="has no transform and no encode"):
        store_vectors(titles, tmp_path / "w.npy", embedder=3)
    with pytest.raises(ValueError, match="batch_size must be"):
        store_vectors(titles, tmp_path / "w.npy", embedder=Lengths(), batch_size=0)
    remote = RemoteEmbedder("http://localhost:1/v1", "m", api_key_env=None)
    with pytest.raises(ValueError, match="RemoteEmbedder\\(n_jobs="):
        store_vectors(titles, tmp_path / "w.npy", embedder=remote, n_jobs=2)


def test_a_process_that_is_killed_is_an_error(titles, tmp_path):
    class Killed(Lengths):
        def transform(self, X):
            if titles[70] in X:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().transform(X)

    with pytest.raises(RuntimeError, match="has ended, perhaps for lack of memory"):
        store_vectors(
            titles, tmp_path / "v", embedder=Killed(), batch_size=30, n_jobs=2
        )


def test_progress(titles, tmp_path, capsys):
    for _ in range(2):
        store_vectors(titles, tmp_path / "v.npy", embedder=Lengths(), verbose=True)
        assert "200/200" in capsys.readouterr().err


# at scale -----------------------------------------------------------------------------

SCRIPT = """
import sys
from resource import RUSAGE_SELF, getrusage
import numpy as np
from llmtopics import TransformerEmbedder
from llmtopics.embed import store_vectors

class Ones:  # also in other processes, which do not import this script
    def transform(self, X):
        return np.ones((len(X), 64))

model, path, n, n_jobs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
texts = (f"{i} shares {i % 7} fell" for i in range(n))
embedder = Ones() if model == "ones" else TransformerEmbedder(model, dtype="float32")
store_vectors(texts, path, embedder=embedder, batch_size=5_000, n_jobs=n_jobs)
print(getrusage(RUSAGE_SELF).ru_maxrss // 1024)
"""


def run(*arguments):
    command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc"), reason="reads /proc")
@pytest.mark.parametrize(("n_jobs", "n_texts"), [(1, 100_000), (2, 40_000)])
def test_same_bytes_after_kills(tiny, tmp_path, n_jobs, n_texts):
    """A process is killed twice in the middle, and its own processes end with it."""
    once, again = tmp_path / "once.npy", tmp_path / "again.npy"
    about = tmp_path / "again.npy.json"
    reached, workers = [0], []
    for _ in range(2):
        process = run(tiny, again, n_texts, n_jobs)
        while (
            not about.exists()
            or json.loads(about.read_text())["n_texts"] <= reached[-1]
        ):
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(0.1)
        workers += children(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        reached.append(json.loads(about.read_text())["n_texts"])
    assert reached == sorted(reached)
    assert not again.exists()
    for path in (once, again):
        with run(tiny, path, n_texts, n_jobs) as process:
            assert process.wait() == 0
    assert once.read_bytes() == again.read_bytes()
    assert np.load(once, mmap_mode="r").shape == (n_texts, N_DIMENSIONS)
    deadline = time.time() + 60
    while any(map(is_alive, workers)) and time.time() < deadline:
        time.sleep(0.1)
    assert not any(map(is_alive, workers))


@pytest.mark.skipif(sys.platform == "win32", reason="reads the peak memory")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_memory_does_not_grow_with_the_texts(tmp_path, n_jobs):
    """A million texts have 70 MiB, and their vectors 244 MiB."""
    peaks = []
    for n in (20_000, 1_000_000):
        with run("ones", tmp_path / f"{n}.npy", n, n_jobs) as process:
            peaks.append(int(process.communicate()[0]))
            assert process.returncode == 0
    assert peaks[1] < peaks[0] + 30
