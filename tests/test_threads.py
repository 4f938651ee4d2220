"""Linear algebra in one thread, whoever else asks for it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from threading import Event

import pytest
from threadpoolctl import threadpool_limits

from llmtopics._threads import _libraries, one_thread


def n_threads(user_api):
    """Threads of the libraries that are limited: torch, loaded later, has its own."""
    found = [lib for some in _libraries() for lib in some if lib.user_api == user_api]
    return {lib.get_num_threads() for lib in found}


@pytest.mark.parametrize(
    "around", [nullcontext, lambda: threadpool_limits(3)], ids=["alone", "limited"]
)
def test_the_last_to_leave_gives_the_threads_back(around):
    """The first to leave must not free the others, nor the last keep what those had."""
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
        stack.callback(left.set)  # also where an assertion fails
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


def test_an_error_gives_the_threads_back():
    with threadpool_limits(3):
        with pytest.raises(KeyError), one_thread():
            raise KeyError
        assert n_threads("blas") == n_threads("openmp") == {3}
