"""Limits on the requests and tokens per minute that are sent to a server."""

from collections import deque
from threading import Event, Lock
from time import monotonic

MINUTE = 60.0
_waiting = Lock()
_sent: dict[tuple[str, str], deque[tuple[float, int]]] = {}
# what was sent in the last minute, by server and model: when, and how many tokens


def wait_for_turn(
    address: tuple[str, str],
    n_tokens: int,
    max_requests: int | None,
    max_tokens: int | None,
    stopped: Event,
) -> None:
    """Wait until a request keeps the limits per minute, or until ``stopped`` is set.

    All threads of this process that ask a model at an ``address`` count together. A request
    with more than ``max_tokens`` waits until a minute has no other.
    """
    while not (max_requests is None and max_tokens is None) and not stopped.is_set():
        with _waiting:
            now, sent = monotonic(), _sent.setdefault(address, deque())
            while sent and sent[0][0] <= now - MINUTE:
                sent.popleft()
            total = n_tokens + sum(n for _, n in sent)
            full = max_requests is not None and len(sent) >= max_requests
            if not full and (not sent or max_tokens is None or total <= max_tokens):
                sent.append((now, n_tokens))
                return
            pause = sent[0][0] + MINUTE - now
        stopped.wait(pause)
