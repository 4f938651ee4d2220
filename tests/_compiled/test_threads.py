"""The number of threads; linear algebra in one thread, with any number of callers."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from threading import Event

import pytest
from joblib import cpu_count, effective_n_jobs, parallel_config
from threadpoolctl import threadpool_limits

from llmtopics._compiled.blas import _libraries, one_thread
from llmtopics._compiled.threads import n_workers


def n_threads(user_api):
    """Threads of the libraries that are limited: torch, loaded later, has its own."""
    found = [lib for some in _libraries() for lib in some if lib.user_api == user_api]
    return {lib.get_num_threads() for lib in found}


@pytest.mark.parametrize(
    "around", [nullcontext, lambda: threadpool_limits(3)], ids=["alone", "limited"]
)
def test_the_last_caller_restores_the_threads(around):
    """The first to leave must not lift the limit; the last must restore the old one."""
    entered, left, done = Event(), Event(), Event()

    def other():
        with one_thread():
            entered.set()
            left.wait()
            inside = n_threads("blas")
        done.set()
        return inside

    with around(), ThreadPoolExecutor(1) as pool, ExitStack() as stack:
        before = n_threads("blas")
        stack.callback(left.set)  # also if an assertion fails
        with one_thread():
            found = pool.submit(other)
            entered.wait()
            assert n_threads("blas") == {1}
        assert n_threads("blas") == {1}
        left.set()
        assert found.result() == {1}
        done.wait()
        assert n_threads("blas") == before


def test_inner_limits_end_with_the_outer_one():
    with threadpool_limits(3):
        with one_thread(), one_thread():
            pass
        with one_thread():
            with one_thread():
                pass
            assert n_threads("blas") == n_threads("openmp") == {1}
        assert n_threads("blas") == n_threads("openmp") == {3}


def test_an_error_restores_the_threads():
    with threadpool_limits(3):
        with pytest.raises(KeyError), one_thread():
            raise KeyError
        assert n_threads("blas") == n_threads("openmp") == {3}


@pytest.mark.parametrize(
    ("n_jobs", "n"), [(None, 1), (1, 1), (3, 3), (-1, 8), (-2, 7), (-20, 1)]
)
def test_n_jobs_has_the_meaning_of_scikit_learn(n_jobs, n):
    assert n_workers(n_jobs, 8) == n
    assert n_workers(n_jobs) == effective_n_jobs(n_jobs)
    with parallel_config(n_jobs=5):
        assert n_workers(n_jobs, 8) == (5 if n_jobs is None else n)


def test_threads_inside_a_worker_of_multiprocessing():
    """Threads can be started there. Processes cannot, and joblib would warn."""
    code = (
        "import multiprocessing, warnings\n"
        "from llmtopics._compiled.threads import workers\n"
        "def count(n_jobs):\n"
        "    warnings.simplefilter('error')\n"
        "    with workers(n_jobs) as threads:\n"
        "        return threads.n\n"
        "with multiprocessing.get_context('fork').Pool(1) as pool:\n"
        "    print(pool.map(count, [2, -1]))\n"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out.strip() == str([2, cpu_count()])
