"""``set_params`` of estimators that have other estimators as parts."""

from typing import ClassVar


class PartsMixin:
    """``set_params`` of estimators whose parts may be None (the default) or a name.

    Attributes
    ----------
    _part_defaults : dict of str to str
        For each part, the code that makes its default.
    """

    _part_defaults: ClassVar[dict[str, str]]

    def set_params(self, **params):
        """Set parameters, including those of nested estimators (``<part>__<parameter>``).

        Parameters
        ----------
        **params : dict
            Parameters and their values.

        Returns
        -------
        self : estimator
            The estimator itself.

        Raises
        ------
        ValueError
            If a parameter is unknown, or belongs to a part that is None or a name.
        """
        for name in params:
            part, nested, _ = name.partition("__")
            if not nested or part not in self._part_defaults:
                continue
            value = params.get(part, getattr(self, part))
            if value is None or isinstance(value, str):
                raise ValueError(
                    f"{name} cannot be set while {part} is {value!r}: pass "
                    f"{part}={self._part_defaults[part]} to {type(self).__name__} first."
                )
        return super().set_params(**params)
