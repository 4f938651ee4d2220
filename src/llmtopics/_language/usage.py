"""Counts of the use of a model, shared by its clones."""

from typing import Any


class CountsUsage:
    """Base of models that count what they compute. Clones share the counts."""

    _COUNTED: tuple[str, ...] = ("n_calls", "n_cached", "prompt_tokens", "new_tokens")

    def __sklearn_clone__(self) -> Any:
        other = super().__sklearn_clone__()  # type: ignore[misc]
        other._usage = self._used  # shared, so that limits hold for all clones together
        return other

    @property
    def usage_(self) -> dict[str, float]:
        """Counts so far: calls made, answers found in the cache, tokens."""
        return dict(self._used)

    @property
    def _used(self) -> dict[str, float]:
        if not hasattr(self, "_usage"):
            self._usage: dict[str, float] = dict.fromkeys(self._COUNTED, 0)
        return self._usage
