"""The disk cache: shared by processes, limited in size, and never the cause of an error."""

import multiprocessing
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import parallel_config
from joblib.parallel import SequentialBackend

from llmtopics._language.cache import (
    Cache,
    default_folder,
    get_or_compute,
    key_of,
    private_folder,
)


class Worker(SequentialBackend):
    """Behaves like the inside of a joblib worker."""

    def __init__(self):
        super().__init__(nesting_level=1)


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def test_only_stored_values_are_returned(cache):
    assert cache.get([b"a"]) == {}
    assert not cache.folder.exists()  # reading creates nothing
    values = {b"%d" % i: b"value %d" % i for i in range(1200)}
    cache.put(values)
    assert cache.get([*values, b"other"]) == values
    cache.put({b"1": b"new"})
    assert cache.get([b"1", b"2"]) == {b"1": b"new", b"2": b"value 2"}


def test_keys_differ_by_context_and_text():
    keys = {
        key_of(context, text) for context in ("a", "b") for text in ("x", "y", "\ud800")
    }
    assert len(keys) == 6
    assert key_of("a", "x") == key_of("a", "x")


def test_a_damaged_entry_is_not_returned(cache):
    cache.put({b"a": b"12345678", b"b": b"12345678"})
    with sqlite3.connect(cache._file) as connection:
        value = connection.execute("SELECT value FROM entries WHERE key = ?", [b"a"])
        damaged = value.fetchone()[0][:-1] + b"9"
        connection.execute(
            "UPDATE entries SET value = ? WHERE key = ?", [damaged, b"a"]
        )
    connection.close()
    assert cache.get([b"a", b"b"]) == {b"b": b"12345678"}


@pytest.mark.parametrize("seed", range(20))
def test_no_changed_byte_gives_a_wrong_value(cache, seed):
    """Wherever the file changes or ends: a value is right, or it is computed again."""
    values = {key_of("model", f"text {i}"): bytes([i]) * 99 for i in range(40)}
    cache.put(values)
    file, rng = cache.folder / "values.sqlite", np.random.default_rng(seed)
    data = bytearray(file.read_bytes())
    for place in rng.integers(len(data), size=10):
        data[place] ^= 1 << int(rng.integers(8))
    file.write_bytes(data[: rng.integers(len(data))] if seed % 3 == 0 else data)
    assert cache.get(values).items() <= values.items()
    cache.put(values)
    assert cache.get(values).items() <= values.items()


def test_a_file_that_is_not_a_database_is_created_again(cache, caplog):
    cache.folder.mkdir()
    cache._file.write_bytes(b"no database" * 1000)
    assert cache.get([b"a"]) == {}
    assert "created again" in caplog.text
    cache.put({b"a": b"value"})
    assert cache.get([b"a"]) == {b"a": b"value"}


def test_a_read_only_folder_is_not_an_error(tmp_path, caplog):
    (tmp_path / "file").write_text("not a folder")
    cache = Cache(tmp_path / "file" / "cache")
    with cache.claim(["name"], 1) as names:
        assert names == ["name"]
        cache.put({b"a": b"value"})
    assert cache.get([b"a"]) == {}
    assert "not used" in caplog.text


def test_the_oldest_values_are_deleted_when_the_cache_is_full(tmp_path):
    cache = Cache(tmp_path, max_bytes=300_000)
    keys = [b"%d" % i for i in range(100)]
    for key in keys:
        cache.put({key: bytes(10_000)})
    kept = [key for key in keys if key in cache.get(keys)]
    assert 10 <= len(kept) <= 30
    assert kept == keys[-len(kept) :]
    assert cache._file.stat().st_size < 500_000


def test_the_environment_variable_sets_the_limit(monkeypatch, tmp_path):
    monkeypatch.setenv("LLMTOPICS_CACHE_MAX_BYTES", "100000")
    cache = Cache(tmp_path)
    for i in range(40):
        cache.put({b"%d" % i: bytes(10_000)})
    assert 1 <= cache.count()[0] < 10
    cache.put({b"large": bytes(200_000)})
    assert cache.get([b"large"]) == {}
    assert cache.get([b"39"])
    monkeypatch.setenv("LLMTOPICS_CACHE_MAX_BYTES", "4 GB")
    with pytest.raises(ValueError, match=r"LLMTOPICS_CACHE_MAX_BYTES.*'4 GB'"):
        Cache(tmp_path)


def test_a_smaller_limit_deletes_until_it_is_kept(tmp_path):
    Cache(tmp_path).put({b"%d" % i: bytes(10_000) for i in range(100)})
    small = Cache(tmp_path, max_bytes=100_000)
    small.put({b"new": bytes(1_000)})
    assert 1 <= small.count()[0] < 10
    assert small.get([b"new"])


def test_a_limit_of_zero_stores_nothing(tmp_path):
    Cache(tmp_path / "none", max_bytes=0).put({b"a": b"value"})
    assert not (tmp_path / "none").exists()


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_files_and_folders_are_for_this_user_alone(tmp_path, monkeypatch):
    """Also while they are open, when SQLite has one more file, and at every moment."""
    cache = Cache(tmp_path / "new" / "cache")
    modes = set()

    def look(*_):
        for path in (tmp_path / "new", *(tmp_path / "new").rglob("*")):
            modes.add((path.is_dir(), path.suffix, path.stat().st_mode & 0o777))

    before = os.umask(0)  # the most open one
    try:
        with cache.claim(["name"], 1), cache._connection() as connection:
            look()
            connection.set_trace_callback(look)
            connection.execute("REPLACE INTO entries VALUES (x'00', x'00')")
            connection.commit()
            look()
    finally:
        os.umask(before)
    assert modes == {
        (True, "", 0o700),
        (False, ".lock", 0o600),
        (False, ".sqlite", 0o600),
        (False, ".sqlite-journal", 0o600),
    }


@pytest.fixture
def earlier(cache):
    """A file as earlier versions made it: with a write-ahead log, and without times."""
    cache.put({b"a": b"value"})
    connection = sqlite3.connect(cache._file)
    connection.execute("DROP TABLE times")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("SELECT key FROM entries").fetchall()
    yield connection
    connection.close()


def mode_of(cache):
    with cache._connection() as connection:  # to read the file would release its locks
        return connection.execute("PRAGMA journal_mode").fetchone()[0]


def test_a_file_of_an_earlier_version_is_used_and_gets_no_more_log(cache, earlier):
    assert cache.get([b"a"]) == {b"a": b"value"}
    cache.put({b"b": b"value"})
    assert mode_of(cache) == "wal"  # another process has it open
    earlier.close()
    assert cache.get([b"a", b"b"]) == {b"a": b"value", b"b": b"value"}
    assert mode_of(cache) == "delete"
    assert cache.files() == [cache._file]
    assert cache.count()[0] == 2


def test_a_folder_on_a_drive_that_is_missing_is_an_error(monkeypatch, tmp_path):
    """And no endless recursion."""
    monkeypatch.setattr("pathlib.Path.is_dir", lambda self: False)
    with pytest.raises(OSError, match="exists"):
        private_folder(tmp_path / "cache")


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_modes_that_the_user_chose_are_kept(cache):
    cache.put({b"a": b"value"})
    cache.folder.chmod(0o770)
    cache._file.chmod(0o660)
    cache.put({b"b": b"value"})
    assert cache.folder.stat().st_mode & 0o777 == 0o770
    assert cache._file.stat().st_mode & 0o777 == 0o660


def test_threads_create_the_file_at_the_same_time(tmp_path):
    """And no value is lost."""
    values = [{b"%d" % i: b"value"} for i in range(32)]
    for attempt in range(5):
        cache = Cache(tmp_path / str(attempt))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(cache.put, values))
        assert cache.count()[0] == 32


def test_the_environment_variable_sets_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("LLMTOPICS_CACHE", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("LLMTOPICS_CACHE")
    assert default_folder().name == "llmtopics"


def fill(folder, start):
    for i in range(start, start + 50):
        Cache(folder).put({b"%d" % i: b"%d" % i})


def test_several_processes_may_write_at_the_same_time(cache):
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=fill, args=(cache.folder, start)) for start in (0, 50)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert len(cache.get([b"%d" % i for i in range(100)])) == 100


def test_a_claimed_name_is_locked(cache):
    inside, seen = [], []

    def work():
        with cache.claim(["name"], 1):
            inside.append(1)
            seen.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    with cache.claim(["name"], 1), cache.claim(["another"], 1):
        for thread in threads:
            thread.start()
        assert not seen
    for thread in threads:
        thread.join()
    assert seen == [1] * 8


def test_claimed_names_are_skipped(cache):
    with (
        cache.claim(["a", "b", "c"], 2) as first,
        cache.claim(["a", "b", "c"], 3) as rest,
    ):
        assert first == ["a", "b"]
        assert rest == ["c"]


def test_two_workers_share_the_same_texts(tmp_path):
    """Each text is computed once, and both workers compute at the same time."""
    texts = [f"text {i}" for i in range(100)]
    made, both = [], threading.Barrier(2, timeout=30)

    def work():
        calls = []

        def compute(rows):
            if not calls:
                both.wait()  # fails if one worker waits until the other ends
            calls.append(rows)
            made.extend(rows)
            yield rows, [texts[i].encode() for i in rows]

        with parallel_config(backend=Worker()):
            return get_or_compute(tmp_path, "context", texts, compute)

    with ThreadPoolExecutor(2) as pool:
        found = [job.result() for job in [pool.submit(work) for _ in range(2)]]
    assert found == [{i: text.encode() for i, text in enumerate(texts)}] * 2
    assert sorted(made) == [*range(100)]


def test_a_single_process_computes_all_texts_at_once(tmp_path):
    calls = []

    def compute(rows):
        calls.append(rows)
        yield rows, [b"value"] * len(rows)

    get_or_compute(tmp_path, "context", [f"text {i}" for i in range(100)], compute)
    assert calls == [[*range(100)]]
