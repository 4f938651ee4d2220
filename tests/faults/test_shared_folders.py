"""Several processes on one folder, file systems without locks, signals, little memory."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from filelock import FileLock

from llmtopics import GibbsLDA, store_counts
from llmtopics._language import cache as caches
from llmtopics._language.cache import Cache, get_or_compute
from llmtopics.datasets import make_topics
from llmtopics.embed import store_vectors

SHARE = """
import json, os, sys, time
from pathlib import Path
from llmtopics._language.cache import get_or_compute
place, n = Path(sys.argv[1]), int(sys.argv[2])
texts = [f"text {i}" for i in range(200)]
def compute(rows):
    for start in range(0, len(rows), 10):
        some = rows[start : start + 10]
        time.sleep(0.01)
        yield some, [part[i].encode() * 50 for i in some]
        with open(place / f"computed-{os.getpid()}", "a") as file:
            file.writelines(f"{part[i]}\\n" for i in some)
while len(list(place.glob("ready-*"))) < n:  # all begin together
    (place / f"ready-{os.getpid()}").touch()
    time.sleep(0.01)
for start in range(0, 200, 50):
    part = texts[start : start + 50]
    found = get_or_compute(place / "cache", "context", part, compute)
    assert found == {i: text.encode() * 50 for i, text in enumerate(part)}
"""


@pytest.mark.parametrize("n", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_processes_that_share_a_cache_compute_each_text_once(tmp_path, n):
    command = [sys.executable, "-c", SHARE, str(tmp_path), str(n)]
    running = [
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(n)
    ]
    told = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0] * n, told
    assert not any(told)  # no warning, such as of a locked database
    computed = [
        line
        for path in tmp_path.glob("computed-*")
        for line in path.read_text().splitlines()
    ]
    assert len(computed) == len(set(computed)) == 200


def test_two_writers_of_counts(tmp_path):
    X = make_topics(50, 20, 2, random_state=0).data

    def blocks():
        yield X
        with pytest.raises(
            RuntimeError, match="Another process or thread writes counts"
        ):
            store_counts(X, tmp_path / "c")
        yield X

    assert store_counts(blocks(), tmp_path / "c").shape == (100, 20)
    assert not (tmp_path / "c" / "lock").exists()


# file systems without locks ------------------------------------------------------------


class Ones:
    def transform(self, X):
        return np.ones((len(X), 3))


@pytest.mark.parametrize("kind", ["ENOLCK", "EOPNOTSUPP", "NotImplementedError"])
def test_without_locks_everything_works_and_the_log_says_so(
    tmp_path, monkeypatch, caplog, kind
):
    fcntl = pytest.importorskip("fcntl")

    def none(*_, **__):
        if kind == "NotImplementedError":  # of older releases of filelock
            raise NotImplementedError
        raise OSError(getattr(errno, kind), "no locks")

    X = make_topics(60, 20, 2, random_state=0).data
    lda = GibbsLDA(2, sampler="blocked", max_iter=4, random_state=0)
    if kind == "NotImplementedError":
        monkeypatch.setattr(FileLock, "acquire", none)
    else:
        monkeypatch.setattr(fcntl, "flock", none)
        monkeypatch.setattr(fcntl, "lockf", none)
    stored = store_counts(X, tmp_path / "counts")
    np.testing.assert_array_equal(
        lda.fit(stored).components_, GibbsLDA(**lda.get_params()).fit(X).components_
    )
    assert store_vectors(["a", "b"], tmp_path / "v.npy", embedder=Ones()).all()
    found = get_or_compute(
        tmp_path / "cache", "context", ["a"], lambda rows: [(rows, [b"value"])]
    )
    assert found == {0: b"value"}
    assert "has no locks: let one process at a time use this folder" in caplog.text


NO_LOCKS = r"""
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#define _GNU_SOURCE
#include <dlfcn.h>
int flock(int file, int operation) { errno = ENOLCK; return -1; }
static int call(const char *name, int file, int command, void *argument) {
  int (*real)(int, int, void *) = dlsym((void *)-1L, name);
  if (command == F_SETLK || command == F_SETLKW) { errno = ENOLCK; return -1; }
  return real(file, command, argument);
}
int fcntl(int file, int command, ...) {
  va_list list; va_start(list, command); void *argument = va_arg(list, void *); va_end(list);
  return call("fcntl", file, command, argument);
}
int fcntl64(int file, int command, ...) {
  va_list list; va_start(list, command); void *argument = va_arg(list, void *); va_end(list);
  return call("fcntl64", file, command, argument);
}
"""

USE_CACHE = """
import logging, sys, time
from pathlib import Path
logging.basicConfig(stream=sys.stdout, format="%(message)s")
from llmtopics._language.cache import get_or_compute
started = time.perf_counter()
for _ in range(3):
    found = get_or_compute(Path(sys.argv[1]), "c", ["a"], lambda rows: [(rows, [b"value"])])
    assert found == {0: b"value"}
assert time.perf_counter() - started < 30, "SQLite waited for locks that never come"
"""


def test_without_locks_the_database_is_not_waited_for(tmp_path):
    """The same for SQLite, whose calls Python cannot replace."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs a C compiler on Linux")
    (tmp_path / "no_locks.c").write_text(NO_LOCKS)
    library = tmp_path / "no_locks.so"
    command = [compiler, "-shared", "-fPIC", "-o", library, tmp_path / "no_locks.c"]
    subprocess.run([*command, "-ldl"], check=True, capture_output=True)
    run = subprocess.run(
        [sys.executable, "-c", USE_CACHE, str(tmp_path / "cache")],
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("its file system has no locks") == 1


# signals, clocks, memory ---------------------------------------------------------------

THREADS = """
import json, signal, sys, threading
import numpy as np
from llmtopics import GibbsLDA
from llmtopics.datasets import make_topics
X = make_topics(400, 200, 5, doc_length=100, random_state=0).data
lda = GibbsLDA(20, sampler="blocked", n_jobs=4, random_state=0)
once = lda.set_params(max_iter=5).fit(X).components_.copy()
print("ready", flush=True)
try:
    lda.set_params(max_iter=1_000_000).fit(X)
except KeyboardInterrupt:
    print("interrupted", threading.active_count(), flush=True)
again = lda.set_params(max_iter=5).fit(X).components_
print("same", np.array_equal(once, again), flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_signals_during_threads(sent):
    command = [sys.executable, "-c", THREADS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        started = time.monotonic()
        process.send_signal(sent)
        told = process.stdout.read()
        status = process.wait(timeout=60)
    assert time.monotonic() - started < 30
    if sent == signal.SIGINT:
        assert told == "interrupted 1\nsame True\n"
        assert status == 0
    else:
        assert status == -signal.SIGTERM


def test_a_clock_that_jumps_back(tmp_path, monkeypatch):
    now = time.time()
    for hours in (0, -10_000, 5, -20_000):
        monkeypatch.setattr(time, "time", lambda hours=hours: now + 3_600 * hours)
        get_or_compute(
            tmp_path / "cache", "c", ["a", "b"], lambda rows: [(rows, [b"value"] * 2)]
        )
        assert len(Cache(tmp_path / "cache").get([caches.key_of("c", "a")])) == 1
    X = make_topics(60, 20, 2, random_state=0).data
    stored = store_counts(X, tmp_path / "counts")
    os.utime(tmp_path / "counts" / "words.bin", (0, 0))
    lda = GibbsLDA(2, sampler="blocked", max_iter=4, random_state=0)
    np.testing.assert_array_equal(
        lda.fit(stored).components_, GibbsLDA(**lda.get_params()).fit(X).components_
    )


MEMORY = """
import hashlib, os, re, resource, sys
from llmtopics import GibbsLDA
from llmtopics.datasets import make_topics
X = make_topics(300, 2_000, 5, doc_length=100, random_state=0).data
def fit():
    lda = GibbsLDA(2_000, sampler="blocked", max_iter=2, n_jobs=2, random_state=0).fit(X)
    return hashlib.sha256(lda.components_.tobytes()).hexdigest()
once = fit()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
for more in (1, 5, 20, 50, 100, 200, 1_000):
    limit = used + more * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    try:
        told = "same" if fit() == once else "OTHER"
    except MemoryError:
        told = "MemoryError"
    except RuntimeError as error:
        told = "thread" if "thread" in str(error) else repr(error)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
    print(told)
print(fit() == once)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_too_little_memory_is_an_error_and_never_another_result():
    command = [sys.executable, "-c", MEMORY]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    told = run.stdout.split()
    assert told.pop() == "True"  # the model is as usable as before
    assert set(told) <= {"same", "MemoryError", "thread"}
    assert "MemoryError" in told
