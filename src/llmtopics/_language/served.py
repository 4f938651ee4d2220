"""What models behind a server share: parameters, their checks, requests at the same time."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import KW_ONLY, dataclass
from math import inf
from numbers import Integral, Real
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, Options, StrOptions

from llmtopics._checks import N_JOBS
from llmtopics._compiled.threads import n_workers
from llmtopics._language.budget import Budget
from llmtopics._language.connection import Connection, Stopped
from llmtopics._language.errors import PromptFailed
from llmtopics._language.extras import check_address, check_extras, check_variable
from llmtopics._language.providers import PROVIDERS
from llmtopics._language.request import Request
from llmtopics._language.usage import CountsUsage


@dataclass(eq=False, repr=False)
class Served(CountsUsage):
    """Base of models behind a server. :class:`RemoteLLM` describes the parameters."""

    base_url: str
    model: str
    _: KW_ONLY
    provider: str = "openai"
    api_key_env: str | None = "OPENAI_API_KEY"
    timeout: float = 60.0
    max_retries: int = 5
    max_requests: int | None = None
    max_cost: float | None = None
    price: tuple[float, float] | dict[str, tuple[float, float]] | None = None
    n_jobs: int | None = 4
    cache_dir: str | Path | bool | None = None
    extra_body: dict[str, Any] | None = None
    extra_headers: dict[str, str] | None = None
    query: dict[str, str] | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    redact: str | Callable[[str], str] | None = None

    _COUNTED = (*CountsUsage._COUNTED, "n_requests", "cost")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "base_url": [str],
        "model": [str],
        "provider": [StrOptions(set(PROVIDERS))],
        "api_key_env": [str, None],
        "timeout": [Interval(Real, 0, None, closed="neither")],
        "max_retries": [Interval(Integral, 0, None, closed="left")],
        "max_requests": [Interval(Integral, 0, None, closed="left"), None],
        "max_cost": [Interval(Real, 0, None, closed="left"), None],
        "price": [tuple, list, dict, None],
        "n_jobs": N_JOBS,
        "cache_dir": [str, Path, Options(bool, {False}), None],
        "extra_body": [dict, None],
        "extra_headers": [dict, None],
        "query": [dict, None],
        "redact": [StrOptions({"pii"}), callable, None],
        "requests_per_minute": [Interval(Integral, 1, None, closed="left"), None],
        "tokens_per_minute": [Interval(Integral, 1, None, closed="left"), None],
    }

    def _identity(self) -> list[Any]:
        """Return what answers depend on besides the request. Check the parameters."""
        self._validate_params()  # type: ignore[attr-defined]
        check_address(self.base_url)
        if self.api_key_env is not None:
            check_variable(self.api_key_env)
        check_extras(
            self.extra_body,
            self.extra_headers,
            self.query,
            PROVIDERS[self.provider].limit_fields,
        )
        if self.max_cost is not None and self.price is None:
            raise ValueError(
                "max_cost needs the price of tokens. Set price=(cost per million tokens read, "
                "cost per million tokens written)."
            )
        self._price()
        extras = [self.extra_body or {}, self.extra_headers or {}, self.query or {}]
        identity = [self.provider, self.base_url.rstrip("/"), self.model]
        return [*identity, extras] if any(extras) else identity

    def _price(self) -> tuple[float, float] | None:
        """Return the price per million tokens read, and per million written."""
        price = self.price
        if isinstance(price, dict):
            if self.model not in price:
                raise ValueError(
                    f"price has no entry for the model {self.model!r}. Add it: "
                    f"{{{self.model!r}: (cost per million tokens read, written)}}."
                )
            price = price[self.model]
        if price is None:
            return None
        if not (
            isinstance(price, tuple | list)
            and len(price) == 2
            and all(isinstance(each, Real) and 0 <= each < inf for each in price)
        ):
            raise ValueError(
                "price must be two numbers of at least 0, per million tokens read and per "
                f"million written, or a dict from models to these, got {price!r}."
            )
        return price[0], price[1]

    def _connection(self, request: Request) -> Connection:
        """Return a connection for one call with many requests."""
        return Connection(
            PROVIDERS[self.provider],
            Budget(self._used, self.max_requests, self.max_cost, self._price()),
            request,
            Event(),
            base_url=self.base_url,
            model=self.model,
            api_key_env=self.api_key_env,
            timeout=self.timeout,
            max_retries=self.max_retries,
            extra_body=self.extra_body or {},
            extra_headers=self.extra_headers or {},
            query=self.query or {},
            per_minute=(self.requests_per_minute, self.tokens_per_minute),
        )

    def _ask_all(
        self,
        connection: Connection,
        ask: Callable[[Any], Any],
        inputs: Sequence[Any],
        failed: Callable[[PromptFailed], bool] = lambda error: False,
    ) -> Iterator[tuple[int, Any]]:
        """Yield positions in ``inputs`` and their answers, as soon as they are known.

        Parameters
        ----------
        connection : Connection
            It is closed at the end.
        ask : callable
            From an input to its answer.
        inputs : sequence
        failed : callable
            Gets the errors of single inputs. If it returns False, nothing more is asked, and
            the error is raised after the answers that are on their way.
        """
        stopped, failure = connection.stopped, None

        def work(each: Any) -> Any:
            if stopped.is_set():
                return None
            try:
                return ask(each)
            except Stopped:
                return None
            except BaseException as error:
                if isinstance(error, PromptFailed) and failed(error):
                    return None
                stopped.set()
                raise

        with connection.client, ThreadPoolExecutor(n_workers(self.n_jobs)) as pool:
            jobs = {pool.submit(work, each): i for i, each in enumerate(inputs)}
            try:
                for job in as_completed(jobs):
                    if job.exception():
                        failure = failure or job.exception()
                    elif job.result() is not None:
                        yield jobs[job], job.result()
            finally:
                stopped.set()
                pool.shutdown(cancel_futures=True)
        if failure:
            raise failure
