"""The state of fitted estimators: what they keep, and how errors restore it.

Every public estimator lists in ``_fitted_state`` the attributes that its methods read after
``fit``, without those in ``_OF_INPUT``. These are enough to restore it (see
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
    """Return a copy of the parameters, for a fitted estimator to read later.

    Parameters that ``set_params`` changes take effect at the next ``fit``. Those that change no
    result take effect at once (``n_jobs``, ``verbose``, ``on_error``).
    """
    return SimpleNamespace(**estimator.get_params(deep=False))


def fitted_state(estimator: Any) -> dict[str, Any]:
    """Return the attributes that a fitted estimator needs, by name.

    A clone with these attributes gives the same results as the fitted estimator. Their names
    are in ``_fitted_state`` and ``_OF_INPUT``. Some are set only with some parameters and may
    be missing.
    """
    found, names = vars(estimator), (*_OF_INPUT, *estimator._fitted_state)
    return {name: found[name] for name in names if name in found}
