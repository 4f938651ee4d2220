"""What a fitted estimator keeps, and its state after an error."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any


@contextmanager
def restored_on_error(estimator: Any) -> Iterator[None]:
    """Restore the attributes of ``estimator`` if the block ends in an error or interrupt."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def as_fitted(estimator: Any) -> SimpleNamespace:
    """Return the parameters as they are now, for a fitted estimator to read later.

    ``set_params`` says what the next ``fit`` does. Until then only parameters that change no
    result act (``n_jobs``, ``verbose``, ``on_error``).
    """
    return SimpleNamespace(**estimator.get_params(deep=False))
