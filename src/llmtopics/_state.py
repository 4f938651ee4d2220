"""What a fitted estimator keeps, and its state after an error.

Every public estimator lists in ``_fitted_state`` the attributes that the methods of a fitted
one read, without those in ``_OF_INPUT``. Nothing else has to be kept to get it back (see
``fitted_state``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

_OF_INPUT = ("n_features_in_", "feature_names_in_")  # scikit-learn sets and reads them


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


def fitted_state(estimator: Any) -> dict[str, Any]:
    """Return the attributes that a fitted estimator needs, by name.

    A clone that is given these returns what the fitted estimator does. The names stand in
    ``_fitted_state`` and ``_OF_INPUT``. Attributes that only some settings make may be
    missing.
    """
    found, names = vars(estimator), (*_OF_INPUT, *estimator._fitted_state)
    return {name: found[name] for name in names if name in found}
