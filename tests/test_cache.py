"""What the cache holds, and that it can be deleted."""

import os
import sqlite3
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from filelock import FileLock

from llmtopics import LanguageModelTuner, LocalLLM, TransformerEmbedder, cache
from llmtopics._language.cache import Cache
from llmtopics._locks import Busy, locked

TEXT = "Zyxwa Quorlin owes me forty pounds"


@pytest.fixture
def folder(tmp_path):
    """A cache with one vector and one answer."""
    TransformerEmbedder(cache_dir=tmp_path).fit_transform([TEXT])
    Cache(tmp_path / "answers").put({b"key": b"an answer"})
    return tmp_path


def entries(folder):
    return {part.part: part.n_entries for part in cache.info(folder)}


def test_info_tells_what_is_where(folder):
    before = datetime.now(UTC) - timedelta(minutes=10)
    for part in cache.info(folder)[:2]:
        assert part.n_entries == 1
        assert part.path.exists()
        assert part.n_bytes >= part.path.stat().st_size
        assert before < part.oldest <= datetime.now(UTC)
    assert [part.n_bytes for part in cache.info(folder)[2:]] == [0, 0]
    assert entries(folder / "none") == dict.fromkeys(entries(folder), 0)
    assert not (folder / "none").exists()


def test_the_default_folder_is_that_of_the_estimators(monkeypatch, tmp_path):
    monkeypatch.setenv("LLMTOPICS_CACHE", str(tmp_path))
    TransformerEmbedder().fit_transform([TEXT])
    assert cache.info()[0].n_entries == 1
    assert cache.clear()[0].n_entries == 0


def test_everything_is_deleted(folder):
    left = cache.clear(folder=folder)
    assert [part.n_entries for part in left] == [0, 0, 0, 0]
    assert not list(folder.rglob("*.sqlite*"))
    vectors = TransformerEmbedder(cache_dir=folder).fit_transform([TEXT])
    assert np.isfinite(vectors).all()
    assert entries(folder)["vectors"] == 1


def test_lock_files_are_deleted_unless_a_process_holds_them(folder):
    values = Cache(folder / "answers")
    with values.claim(["held"], 1):
        with values.claim(["free"], 1):
            pass
        others = [values.folder / "mine.lock", folder / "models" / "a.lock"]
        for path in others:
            path.parent.mkdir(exist_ok=True)
            path.touch()
        assert len({*values.folder.glob("*.lock")} - {*others}) == 2
        cache.clear(older_than=1, folder=folder)
        assert len({*values.folder.glob("*.lock")} - {*others}) == 2  # they are new
        cache.clear(folder=folder)
        (held,) = {*values.folder.glob("*.lock")} - {*others}
        with pytest.raises(Busy), locked(held, wait=False):
            pass
        assert all(path.exists() for path in others)
    with values.claim(["held"], 1), values.claim(["held", "free"], 1) as names:
        assert names == ["free"]


def test_only_the_named_parts_are_deleted(folder):
    cache.clear(parts="answers", folder=folder)
    assert entries(folder) == {"vectors": 1, "answers": 0, "models": 0, "tuned": 0}


def test_old_entries_are_deleted_and_overwritten(tmp_path):
    values = Cache(tmp_path)
    values.put({b"old": b"OLD ANSWER" * 1000, b"unknown": b"OLD ANSWER"})
    with sqlite3.connect(values._file) as connection:
        connection.execute("DELETE FROM times WHERE key = ?", [b"unknown"])
        connection.execute("UPDATE times SET time = time - 100 * 86400")
    connection.close()
    values.put({b"new": b"new answer"})
    assert cache.clear(older_than=101, folder=tmp_path)[0].n_entries == 2  # not unknown
    assert cache.clear(older_than=99, folder=tmp_path)[0].n_entries == 1
    assert values.get([b"old", b"unknown", b"new"]) == {b"new": b"new answer"}
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"OLD ANSWER" not in path.read_bytes()
    assert values._file.stat().st_size < 30_000  # the file has become smaller


def test_an_entry_that_is_written_again_is_new(tmp_path):
    values = Cache(tmp_path)
    values.put({b"a": b"value"})
    with sqlite3.connect(values._file) as connection:
        connection.execute("UPDATE times SET time = 0")
    connection.close()
    values.put({b"a": b"value"})
    assert cache.clear(older_than=1, folder=tmp_path)[0].n_entries == 1


def test_models_are_deleted_only_by_name_and_nothing_else_is(tmp_path):
    tuned, unpacked = (
        tmp_path / "tuned" / ("0" * 32),
        tmp_path / "models/m-0123456789abcdef",
    )
    own, other = tmp_path / "models" / "mine", tmp_path / "models" / "file"
    for place in (tuned, unpacked, own):
        (place / "model").mkdir(parents=True)
        (place / "model" / "weights").write_bytes(bytes(100))
    other.write_text("mine")
    assert entries(tmp_path) == {"vectors": 0, "answers": 0, "models": 1, "tuned": 1}
    assert [part.n_bytes >= 100 for part in cache.info(tmp_path)[2:]] == [True, True]
    cache.clear(folder=tmp_path)
    cache.clear(older_than=1, parts="all", folder=tmp_path)
    assert tuned.exists()
    assert unpacked.exists()
    os.utime(tuned, (0, 0))
    cache.clear(older_than=1, parts="all", folder=tmp_path)
    assert not tuned.exists()
    cache.clear(parts=["models"], folder=tmp_path)
    assert not unpacked.exists()
    assert own.exists()
    assert other.exists()


@pytest.mark.parametrize("name", ["tuned/" + "0" * 32, "models/m-0123456789abcdef"])
def test_a_kill_while_a_model_is_deleted_leaves_no_half_model(
    tmp_path, monkeypatch, name
):
    model = tmp_path / name
    for at in range(12):
        made = model / "model" if "tuned" in name else model
        made.mkdir(parents=True)
        (made / "config.json").touch()
        (made / "weights").touch()
        (model / "run.json").touch()

        seen = []

        def kill(event, at=at, seen=seen):
            seen.append(event)
            if len(seen) > at:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            for function in ("rename", "unlink", "rmdir"):
                watch(patch, os, function, kill)
            with suppress(KeyboardInterrupt):
                cache.clear(parts="all", folder=tmp_path)
        n = len(list(made.iterdir())) if made.exists() else 0
        assert n in (0, 2 if "tuned" in name else 3)
        if made.exists():
            assert (model / "run.json").exists()
        cache.clear(parts="all", folder=tmp_path)
        assert not model.exists()
        assert not list(model.parent.glob("*.part"))
    assert len(seen) <= at  # all stages were tried


def watch(patch, module, name, call):
    real = getattr(module, name)

    def watched(*args, **options):
        call(name)
        return real(*args, **options)

    patch.setattr(module, name, watched)


def test_a_model_that_is_being_tuned_is_kept(tmp_path):
    model = tmp_path / "tuned" / ("0" * 32)
    model.mkdir(parents=True)
    (model / "run.json").write_text("key")
    with FileLock(model / ".lock"):
        assert cache.clear(parts="all", folder=tmp_path)[3].n_entries == 1
    assert (model / "run.json").exists()
    assert cache.clear(parts="all", folder=tmp_path)[3].n_entries == 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"older_than": -1}, "older_than"),
        ({"older_than": "1"}, "older_than"),
        ({"older_than": float("nan")}, "older_than"),
        ({"parts": ["vectors", "texts"]}, "parts.*'texts'"),
        ({"folder": False}, "folder"),
    ],
)
def test_wrong_parameters_delete_nothing(folder, wrong, says):
    with pytest.raises(ValueError, match=says):
        cache.clear(**{"folder": folder, **wrong})
    assert entries(folder)["vectors"] == 1


def test_a_cache_that_is_in_use_is_an_error_and_not_silently_kept(folder, monkeypatch):
    monkeypatch.setattr("llmtopics._language.cache._TIMEOUT", 0.1)
    connection = sqlite3.connect(folder / "values.sqlite")
    connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(OSError, match=r"cannot be cleared.*again"):
        cache.clear(older_than=0, folder=folder)
    connection.close()


def test_texts_are_not_in_the_cache(folder, small_model):
    """Neither those that were read nor the prompts. Answers are."""
    llm = LocalLLM(str(small_model), dtype="float32", cache_dir=folder)
    (answer,) = llm.generate([TEXT], template="What of this: {text}?", max_new_tokens=5)
    llm.score([TEXT], [" a", " b"])
    time.sleep(0.01)
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert any(answer.encode() in data for data in files)
    for part in (TEXT, "Quorlin", "What of this"):
        for coded in (part.encode(), part.encode("utf-16-le"), part.lower().encode()):
            assert not any(coded in data for data in files)


@pytest.mark.slow
def test_texts_are_not_beside_a_tuned_model(tmp_path, monkeypatch, small_model):
    """And its folder is for this user alone."""
    monkeypatch.setenv("LLMTOPICS_CACHE", str(tmp_path / "cache"))
    texts = [f"{TEXT} {i}" for i in range(30)]
    LanguageModelTuner(str(small_model), n_epochs=1).fit(texts)
    (model,) = (tmp_path / "cache" / "tuned").iterdir()
    assert entries(tmp_path / "cache")["tuned"] == 1
    if os.name == "posix":
        assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
        assert model.parent.stat().st_mode & 0o777 == 0o700
    for path in model.rglob("*"):
        assert path.is_dir() or b"Quorlin" not in path.read_bytes()
