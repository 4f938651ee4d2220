"""Call a function after each sweep of a fit."""

from collections.abc import Callable
from typing import Any

import numpy as np

# of the running fit: with them, a copy would call its callbacks and could not be pickled
_OF_THE_FIT = (
    "_skl_callbacks",
    "_skl_callbacks_to_teardown",
    "_callback_fit_ctx",
    "_parent_callback_ctx",
)


class SweepCallback:
    """Call a function after each sweep of a fit, to watch it converge or to stop it early.

    It is a callback of scikit-learn, which needs version 1.9. Pass it to ``set_callbacks`` of
    GibbsLDA, PachinkoAllocation, or an estimator that fits one, such as FusionTopicModel. The
    fit gives the same bits with and without it.

    Parameters
    ----------
    function : callable
        ``function(model)`` gets a copy of the GibbsLDA or PachinkoAllocation, as if the fit had
        stopped after this sweep. ``model.n_iter_`` is the number of the sweep, and
        ``model.log_likelihood_[-1]`` its log-likelihood per token. ``components_`` comes from
        the counts of this sweep. The copy has no callbacks. If the function returns True, the
        fit makes no more sweeps.

    Notes
    -----
    A copy is made after every sweep. The sweeps in which ``PachinkoAllocation`` searches for a
    start are left out, and so are ``partial_fit``, and the nine fits of ``alpha="auto"``.

    In the worker processes of a search with ``n_jobs``, the function of that process is called:
    a list that it fills stays there.

    A function that cannot be pickled, such as a lambda, keeps the estimator from being pickled.
    ``set_callbacks()`` removes it.

    Examples
    --------
    >>> from llmtopics import GibbsLDA, SweepCallback
    >>> from llmtopics.datasets import make_topics
    >>> X = make_topics(200, n_components=4, random_state=0).data
    >>> trace = []
    >>> watch = SweepCallback(lambda model: trace.append(model.log_likelihood_[-1]))
    >>> lda = GibbsLDA(4, max_iter=50, random_state=0)
    >>> lda = lda.set_callbacks(watch).fit(X)  # doctest: +SKIP
    >>> len(trace)  # doctest: +SKIP
    50
    """

    def __init__(self, function: Callable[[Any], object]):
        self.function = function

    def setup(self, estimator, context):
        """Do nothing. scikit-learn calls it before the fit.

        Parameters
        ----------
        estimator : estimator
            The one that is fitted.
        context : sklearn.callback.CallbackContext
            The task.
        """

    def teardown(self, estimator, context):
        """Do nothing. scikit-learn calls it after the fit.

        Parameters
        ----------
        estimator : estimator
            The one that is fitted.
        context : sklearn.callback.CallbackContext
            The task.
        """

    def on_fit_task_begin(self, estimator, context):
        """Do nothing. scikit-learn calls it before each task.

        Parameters
        ----------
        estimator : estimator
            The one that is fitted.
        context : sklearn.callback.CallbackContext
            The task.
        """

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Call the function if the task was a sweep.

        Parameters
        ----------
        estimator : estimator
            The one that is fitted.
        context : sklearn.callback.CallbackContext
            The task.
        fitted_estimator : estimator or None, default=None
            A copy that is fitted so far. None after other tasks than sweeps.

        Returns
        -------
        stop : bool
            Whether the function returned True.
        """
        if fitted_estimator is None:
            return False
        for name in _OF_THE_FIT:
            vars(fitted_estimator).pop(name, None)
        answer = self.function(fitted_estimator)
        return isinstance(answer, bool | np.bool_) and bool(answer)
