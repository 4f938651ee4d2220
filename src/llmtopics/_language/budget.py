"""Limits on the requests and cost of a remote language model."""

from threading import Lock

from llmtopics._language.errors import LLMLimitError

_counting = Lock()  # threads and clones share one account


class Budget:
    """Count requests and cost, and stop requests that could exceed a limit.

    Parameters
    ----------
    used : dict
        Totals so far, updated in place: ``n_requests``, ``cost``, ``prompt_tokens``,
        ``new_tokens``.
    max_requests : int or None
    max_cost : float or None
    price : tuple of two floats or None
        Price per million tokens read, and per million tokens written.
    """

    def __init__(
        self,
        used: dict[str, float],
        max_requests: int | None,
        max_cost: float | None,
        price: tuple[float, float] | None,
    ):
        self.used = used
        self.max_requests = max_requests
        self.max_cost = max_cost
        self.price = price

    def cost_of(self, n_read: int, n_new: int) -> float:
        """Return the cost of tokens read and written."""
        per_read, per_new = self.price or (0, 0)
        return (n_read * per_read + n_new * per_new) / 1e6

    def reserve(self, n_read: int, n_new: int, name: str) -> None:
        """Count a request before it is sent, with the most tokens that it can use.

        Raises
        ------
        LLMLimitError
            If the request could exceed a limit. The message has the limit and the
            server's ``name``.
        """
        used, cost = self.used, self.cost_of(n_read, n_new)
        with _counting:
            if (
                self.max_requests is not None
                and used["n_requests"] >= self.max_requests
            ):
                what = f"max_requests={self.max_requests}"
            elif self.max_cost is not None and used["cost"] + cost > self.max_cost:
                what = f"max_cost={self.max_cost} ({used['cost']:.4g} is spent)"
            else:
                used["n_requests"] += 1
                used["cost"] += cost
                return
        raise LLMLimitError(
            f"The next request to {name} could exceed {what}. Raise the limit and run "
            "again. Earlier answers are in the cache, unless cache_dir is False."
        )

    def refund(self, n_read: int, n_new: int) -> None:
        """Subtract the cost of a request that failed."""
        with _counting:
            self.used["cost"] -= self.cost_of(n_read, n_new)

    def count_tokens(self, n_read: int, n_new: int) -> None:
        """Add the tokens that the server reports as read and written."""
        with _counting:
            self.used["prompt_tokens"] += n_read
            self.used["new_tokens"] += n_new

    def settle(self, reserved: tuple[int, int], taken: tuple[int, int]) -> None:
        """Replace the reserved cost of a request by its actual cost."""
        with _counting:
            self.used["cost"] += self.cost_of(*taken) - self.cost_of(*reserved)
