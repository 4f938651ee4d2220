"""Random input for tests: strategies, and what every call must do with it."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.utils._param_validation import InvalidParameterError

from tests.nasty import TEXTS

# What Python and NumPy say of a slip in our own code, and never of wrong input
SLIPS = re.compile(
    r"zero-size array|could not be broadcast|empty sequence|index out of|out of bounds"
    r"|invalid literal|'NoneType'|not subscriptable|unhashable|inhomogeneous|cannot reshape"
    r"|mismatch in its core|not supported between|unexpected keyword|object is not|^$"
    r"|unsupported operand|ufunc|not iterable|must be real number|unpack|cannot convert float"
    r"|negative dimensions|must be str|probabilities|truth value"
    r"|positional argument"
)

REFUSALS = (TypeError, ValueError, InvalidParameterError)  # and none of their children


def answer_or_refusal(call, about=""):
    """Return what a call gives, or None if it refuses with an error that says why."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # advice
        warnings.filterwarnings("ignore", module="sklearn")  # the users' own parts
        try:
            return call()
        except (TypeError, ValueError) as error:
            refusal = error
    if type(refusal) not in REFUSALS or SLIPS.search(str(refusal)):
        raise AssertionError(f"{about} does not say what is wrong") from refusal
    assert len(str(refusal)) < 3000
    return None


# strategies ------------------------------------------------------------------------------

whole = st.sampled_from([0, 0, 0, 1, 1, 2, 5, 300])
odd = st.sampled_from([0.5, -1, np.nan, np.inf, 2.0**31, 1e300, -0.0, 5e-324])
real = st.floats(-1e3, 1e3, width=32) | odd


@st.composite
def matrices(draw, values, most=6):
    rows, columns = draw(st.integers(0, most)), draw(st.integers(0, most))
    cells = st.lists(values, min_size=rows * columns, max_size=rows * columns)
    X = np.array(draw(cells), float).reshape(rows, columns)
    as_given = [
        lambda X: X,
        np.ndarray.tolist,
        sp.csr_array,
        sp.coo_array,
        pd.DataFrame,
    ]
    return draw(st.sampled_from(as_given))(X)


counts = matrices(whole) | matrices(whole | odd)
vectors = matrices(real, 5)
texts = st.text(max_size=30) | st.sampled_from([*TEXTS.values()])
corpora = st.lists(
    texts | st.sampled_from(["apple pear", "bank money loan"]), max_size=8
)
prior = st.sampled_from(
    [0.1, 1, 1e-30, 1e30, 0, -1, np.nan, np.inf, "auto", "x", [1, 2]]
)
components = st.sampled_from([1, 2, 3, 20, 0, -1, 2.5, None])
words = st.sampled_from(["apple", "bank", "", " ", "ß", "<b>", "\ud800", "nan"])
topics = st.lists(st.lists(words, max_size=5), max_size=4)
labels = st.lists(st.sampled_from([0, 1, 2, "a", None, np.nan, -1, 1.5]), max_size=8)


@st.composite
def shares(draw, n_rows=None, n_columns=None):
    """Proportions, or something near to them."""
    D = draw(st.integers(1, 6)) if n_rows is None else n_rows
    K = draw(st.integers(1, 4)) if n_columns is None else n_columns
    numbers = st.sampled_from([0, 0.25, 1, 1e-300, 3])
    made = np.array([draw(st.lists(numbers, min_size=K, max_size=K)) for _ in range(D)])
    made = made.reshape(D, K).astype(float)
    sums = made.sum(axis=1, keepdims=True)
    made = np.divide(made, sums, out=np.full_like(made, 1 / K), where=sums > 0)
    fault = draw(st.sampled_from([None] * 6 + [np.nan, -0.5, 2.0, np.inf]))
    if fault is not None:
        made[-1, -1] = fault
    return made


def rarely(data):
    """Return True once in five times."""
    return data.draw(st.sampled_from([False] * 4 + [True]))


# numbers that many parameters refuse
NUMBERS = [0, -1, 1.5, np.nan, np.inf, "x", None, True]


def drawn(data, options):
    """Return some of the parameters. Now and then, one has a value that may be bad."""
    some = data.draw(st.sets(st.sampled_from([*options]), max_size=3))
    given = {name: data.draw(st.sampled_from(options[name])) for name in sorted(some)}
    if given and rarely(data):
        given[next(iter(given))] = data.draw(st.sampled_from(NUMBERS))
    return given


# properties -------------------------------------------------------------------------------


def assert_shares(theta, n):
    assert theta.shape[0] == n
    assert theta.dtype == np.float64
    assert np.isfinite(theta).all()
    assert (theta >= 0).all()
    np.testing.assert_allclose(theta.sum(axis=1), 1)


# the runs ---------------------------------------------------------------------------------


def run(check, n):
    """Try a property on so many examples, always the same ones."""
    options = settings(
        max_examples=n,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    options(given(st.data())(check))()


def as_tests(checks):
    """Return two tests of properties, and of 50 times as many examples in ``make soak``.

    Parameters
    ----------
    checks : dict from functions to numbers of examples
        ``check_NAME(data)`` draws its input from ``data``.
    """
    each = pytest.mark.parametrize(
        "check", checks, ids=lambda check: check.__name__.removeprefix("check_")
    )

    def any_input(check):
        run(check, checks[check])

    def much_more_input(check):
        run(check, 50 * checks[check])

    return each(any_input), pytest.mark.soak(each(much_more_input))
