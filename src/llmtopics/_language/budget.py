"""What a remote language model may cost, and what it has cost."""

from threading import Lock

from llmtopics._language.errors import LLMLimitError

_counting = Lock()  # threads and clones share one account


class Budget:
    """Limits on requests and cost, and the account of what was used.

    Parameters
    ----------
    used : dict
        The account: ``n_requests``, ``cost``, ``prompt_tokens``, ``new_tokens``.
    max_requests : int or None
    max_cost : float or None
    price : tuple of two floats or None
        Of a million tokens read, and of a million tokens written.
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
        """Return the price of tokens read and written."""
        per_read, per_new = self.price or (0, 0)
        return (n_read * per_read + n_new * per_new) / 1e6

    def reserve(self, n_read: int, n_new: int, name: str) -> None:
        """Book a request before it is sent, with the most tokens that it can take.

        Raises
        ------
        LLMLimitError
            If it could pass a limit. The message says which, and the server's ``name``.
        """
        used, cost = self.used, self.cost_of(n_read, n_new)
        with _counting:
            if (
                self.max_requests is not None
                and used["n_requests"] >= self.max_requests
            ):
                what = f"max_requests={self.max_requests}"
            elif self.max_cost is not None and used["cost"] + cost > self.max_cost:
                what = f"max_cost={self.max_cost} ({used['cost']:.4g} are spent)"
            else:
                used["n_requests"] += 1
                used["cost"] += cost
                return
        raise LLMLimitError(
            f"The next request to {name} could pass {what}. What was answered is "
            "kept, unless cache_dir is False: raise the limit and run again to go on."
        )

    def refund(self, n_read: int, n_new: int) -> None:
        """Take the cost of a request that failed off the account."""
        with _counting:
            self.used["cost"] -= self.cost_of(n_read, n_new)

    def count_tokens(self, n_read: int, n_new: int) -> None:
        """Count tokens that the server says it has read and written."""
        with _counting:
            self.used["prompt_tokens"] += n_read
            self.used["new_tokens"] += n_new

    def settle(self, reserved: tuple[int, int], taken: tuple[int, int]) -> None:
        """Replace the tokens that were reserved for a request by those it took."""
        with _counting:
            self.used["cost"] += self.cost_of(*taken) - self.cost_of(*reserved)
