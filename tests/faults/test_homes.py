"""Homes and caches that cannot be used: models work, and nothing is cached."""

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from llmtopics._language.cache import Cache, get_or_compute
from llmtopics._language.gguf import unpacked

# root may write everywhere unless it gives up that right
AS_USER = []
if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("setpriv"):
    AS_USER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
CAN_BE_KEPT_OUT = bool(AS_USER) or (hasattr(os, "geteuid") and os.geteuid() != 0)

USE = """
import logging, os, sys
from pathlib import Path
logging.basicConfig(stream=sys.stdout, format="%(message)s")
if "--no-home" in sys.argv:
    import pwd
    def unknown(*_):
        raise KeyError("no such user")
    pwd.getpwuid = unknown
    os.environ.pop("HOME", None)
from llmtopics import GibbsLDA, LocalLLM
llm = LocalLLM(sys.argv[1], gguf_file="tiny.gguf", dtype="float32")
assert llm.generate(["ab"], max_new_tokens=2) != [""]
print(GibbsLDA(2, max_iter=3, random_state=0).fit([[1, 2], [3, 1]]).components_.shape)
"""


def use(tiny_gguf, *options, as_user=(), cwd=None, **variables):
    """Return what a new process prints."""
    given = {**os.environ, "HF_HUB_OFFLINE": "1", **variables}
    given = {name: value for name, value in given.items() if value is not None}
    command = [*as_user, sys.executable, "-c", USE, str(tiny_gguf), *options]
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, env=given, cwd=cwd
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="has other users")
def test_without_a_home_nothing_is_left(tmp_path, tiny_gguf):
    """Containers run as users without a name or a home."""
    (tmp_path / "tmp").mkdir()
    told = use(
        tiny_gguf,
        "--no-home",
        cwd=tmp_path,
        LLMTOPICS_CACHE=None,
        XDG_CACHE_HOME=None,
        TMPDIR=str(tmp_path / "tmp"),
    )
    assert "There is no home folder" in told
    assert "LLMTOPICS_CACHE" in told
    assert told.endswith("(2, 2)\n")
    assert [each.name for each in tmp_path.iterdir()] == ["tmp"]  # no folder named "~"
    assert not list((tmp_path / "tmp").glob("llmtopics*"))


@pytest.mark.slow
@pytest.mark.skipif(not CAN_BE_KEPT_OUT, reason="this user may write everywhere")
def test_a_home_that_is_read_only(tmp_path, tiny_gguf):
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    told = use(
        tiny_gguf,
        as_user=AS_USER,
        HOME=str(home),
        LLMTOPICS_CACHE=None,
        XDG_CACHE_HOME=None,
    )
    assert "unpacked for this run only" in told
    assert told.count("is not used") == 1
    assert told.endswith("(2, 2)\n")
    assert not list(home.iterdir())


@pytest.mark.slow
def test_a_cache_that_is_a_file(tmp_path, tiny_gguf):
    (tmp_path / "cache").write_text("a file of the user")
    told = use(tiny_gguf, LLMTOPICS_CACHE=str(tmp_path / "cache"))
    assert told.endswith("(2, 2)\n")
    assert (tmp_path / "cache").read_text() == "a file of the user"


def disturbed(folder, disturb):
    """Compute 100 values. After the 5th batch something happens to the cache."""
    texts = [f"text {i}" for i in range(100)]

    def compute(rows):
        for start in range(0, len(rows), 10):
            if start == 50:
                disturb()
            some = rows[start : start + 10]
            yield some, [texts[i].encode() for i in some]

    found = get_or_compute(folder, "context", texts, compute)
    assert found == {i: text.encode() for i, text in enumerate(texts)}


@pytest.mark.skipif(os.name == "nt", reason="open files cannot be removed")
def test_a_cache_that_is_deleted_in_the_middle(tmp_path):
    cache = tmp_path / "cache"
    disturbed(cache, lambda: shutil.rmtree(cache))
    calls = []
    disturbed(cache, lambda: calls.append(1))
    assert not calls  # only those before it are computed again, fewer than 60


def test_a_cache_that_becomes_a_file_in_the_middle(tmp_path):
    cache = tmp_path / "cache"

    def replace():
        shutil.rmtree(cache)
        cache.write_text("a file")

    disturbed(cache, replace)
    assert cache.read_text() == "a file"


UNREADABLE = """
import os, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from test_homes import disturbed
cache = Path(sys.argv[1])
disturbed(cache, lambda: cache.chmod(0))
disturbed(cache, lambda: None)
"""


@pytest.mark.skipif(not CAN_BE_KEPT_OUT, reason="this user may read everything")
def test_a_cache_that_becomes_unreadable_in_the_middle(tmp_path):
    code = UNREADABLE.format(here=os.path.dirname(__file__))
    command = [*AS_USER, sys.executable, "-c", code, str(tmp_path / "cache")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "is not used" in run.stderr
    (tmp_path / "cache").chmod(0o700)


READ_ONLY = """
import sys
from pathlib import Path
from llmtopics._language.cache import Cache
cache = Cache(Path(sys.argv[1]))
cache.put({b"b": b"new"})
print(cache.get([b"a", b"b"]), *cache.count()[:1])
"""


@pytest.mark.skipif(not CAN_BE_KEPT_OUT, reason="this user may write everywhere")
@pytest.mark.parametrize("made_by", ["this version", "without times", "with a log"])
def test_a_shared_cache_that_is_read_only_is_read(tmp_path, made_by):
    cache = Cache(tmp_path / "cache")
    cache.put({b"a": b"value"})
    with closing(sqlite3.connect(cache._file)) as connection:
        if made_by != "this version":
            connection.execute("DROP TABLE times")
        if made_by == "with a log":
            connection.execute("PRAGMA journal_mode=WAL")
    cache._file.chmod(0o444)
    cache.folder.chmod(0o555)
    command = [*AS_USER, sys.executable, "-c", READ_ONLY, str(cache.folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    cache.folder.chmod(0o755)
    assert run.stdout == "{b'a': b'value'} 1\n", run.stderr
    assert "is not used: attempt to write a readonly database" in run.stderr


UNPACK = """
import sys
from pathlib import Path
from llmtopics._language.gguf import unpacked
print(unpacked(sys.argv[1], None, "tiny.gguf", Path(sys.argv[2])))
"""


@pytest.mark.skipif(not CAN_BE_KEPT_OUT, reason="this user may write everywhere")
def test_a_model_in_a_cache_that_is_read_only_is_not_unpacked_again(
    tmp_path, tiny_gguf
):
    place = unpacked(str(tiny_gguf), None, "tiny.gguf", tmp_path / "cache")
    for path in (*place.parent.glob("*.lock"), place.parent):
        path.chmod(0o555)
    command = [*AS_USER, sys.executable, "-c", UNPACK]
    command += [str(tiny_gguf), str(tmp_path / "cache")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    place.parent.chmod(0o755)
    assert run.stdout == f"{place}\n", run.stderr


def test_a_cache_that_is_cut_or_overwritten(tmp_path, caplog):
    """Half a file, zeros in the middle, another file: values are computed again."""
    for damage in ("cut", "zeros", "other"):
        cache = Cache(tmp_path / damage)
        values = {b"%d" % i: b"value %d" % i * 300 for i in range(200)}
        cache.put(values)
        size = cache._file.stat().st_size
        with open(cache._file, "r+b") as file:
            if damage == "cut":
                file.truncate(size // 2)
            else:
                file.seek(size // 3 if damage == "zeros" else 0)
                file.write(b"\0" * (size // 3))
        with caplog.at_level(logging.ERROR):
            found = cache.get(values)
            assert all(values[key] == value for key, value in found.items())
            cache.put(values)
            cache.put(values)
        assert cache.get(values) == values, damage
