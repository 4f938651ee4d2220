"""``Describer``: the base class of describers. It describes each file once."""

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Options, StrOptions

from llmtopics._checks import check_rows
from llmtopics._language.cache import folder_of, get_or_compute
from llmtopics._progress import fitting, reporting, stage
from llmtopics._text_readers import TextOutput
from llmtopics.describe._inputs import MISSING, Input, Unreadable, read_input

logger = logging.getLogger(__name__)

OUTCOMES = ("described", "empty", "missing", "failed")
# the inputs of each kind besides files, for error messages
_IN_MEMORY = {
    "picture": "an image of PIL or an array of pixels",
    "sound": "or a pair (samples, sampling_rate)",
}


class Describer(TextOutput, ABC):
    """Base of describers: reads and checks rows, and reports and counts failures."""

    _KIND: str  # the word for a row in error messages
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "cache_dir": [str, Path, Options(bool, {False}), None],
        "on_error": [StrOptions({"raise", "keep"})],
        "verbose": ["verbose"],
    }
    on_error: str
    cache_dir: str | Path | bool | None
    verbose: bool | int

    _ABSENT: ClassVar[dict[str, str]] = dict.fromkeys(
        ["outcomes_", "errors_", "report_"], "transform sets it: call transform first"
    )

    def __getattr__(self, name: str) -> Any:
        """Raise an error that says why an attribute is absent."""
        found = f"{type(self).__name__!r} object has no attribute {name!r}"
        reason = self._ABSENT.get(name)
        raise AttributeError(f"{found}: {reason}." if reason else found)

    def fit(self, X, y=None):
        """Check the parameters and the files, and learn nothing.

        Parameters
        ----------
        X : sequence
            Paths, or the other inputs of :meth:`transform`.
        y : None
            Ignored.

        Returns
        -------
        self : estimator
            The estimator itself.
        """
        with fitting(self):
            self._check()
            self._read(X, hashed=False)
        return self

    @abstractmethod
    def _check(self) -> None:
        """Raise a ValueError that names the first parameter that is wrong."""

    @abstractmethod
    def _in_memory(self, value: Any) -> list[Any] | None:
        """Return the bytes that identify a picture or sound in memory; None for others."""

    def _read(
        self, X: Any, *, hashed: bool = True
    ) -> tuple[list[Input | None], "Failures"]:
        """Return the input in each row, or None if it failed or is missing."""
        name = type(self).__name__
        rows = check_rows(X, name, self._KIND)
        failures = Failures(name, self.on_error, self.cache_dir is not False)
        files: list[Input | None] = []
        others = _IN_MEMORY[self._KIND]
        with (
            reporting(name, self.verbose, self),
            stage("reading", len(rows), "files") as read,
        ):
            for row, value in enumerate(rows):
                file = None
                if value is MISSING:  # a missing cell in make_describer is no failure
                    failures.missing.add(row)
                else:
                    try:
                        file = read_input(value, self._in_memory, others, hashed=hashed)
                    except Unreadable as error:
                        failures.add(row, "", error)
                files.append(file)
                read.update()
        return files, failures

    def _report(self, texts: list[str | None], failures: "Failures") -> list[str]:
        """Set ``outcomes_``, ``errors_`` and ``report_``; return one text per row."""
        outcomes = np.array(
            [
                "failed"
                if row in failures.reasons
                else "missing"
                if row in failures.missing
                else "described"
                if text
                else "empty"
                for row, text in enumerate(texts)
            ],
            dtype=f"<U{max(map(len, OUTCOMES))}",
        )
        self.outcomes_ = outcomes
        self.errors_ = dict(sorted(failures.reasons.items()))
        self.report_ = {name: int((outcomes == name).sum()) for name in OUTCOMES}
        if failures.reasons:
            logger.warning(
                "%s: %d of %d rows failed (errors_). The first: %s",
                failures.estimator,
                len(failures.reasons),
                len(texts),
                failures.reasons[min(failures.reasons)],
            )
        return [text or "" for text in texts]


class Failures:
    """Rows that failed and why. The first raises an error unless failures are kept."""

    def __init__(self, estimator: str, on_error: str, cached: bool):
        self.estimator = estimator
        self.keep = on_error == "keep"
        self.cached = cached  # whether earlier descriptions are in a cache
        self.reasons: dict[int, str] = {}
        self.missing: set[int] = set()

    def add(self, row: int, name: str, error: Exception) -> None:
        """Note that a row failed.

        Raises
        ------
        ValueError
            Unless failures are kept.
        """
        message = f"{where(row, name)}: {error}"
        if not self.keep:
            raise ValueError(
                f"{self.estimator} cannot read {message} "
                + "Earlier descriptions are in the cache. " * self.cached
                + "Remove the row, or set on_error='keep' for an empty text."
            ) from None
        known = self.reasons.get(row, message)  # another part of how may have failed
        self.reasons[row] = message if message in known else f"{known} {error}"


def keep_onnxruntime_quiet() -> None:
    """Turn off the telemetry of onnxruntime, unless the user has set the variable.

    It has an effect before onnxruntime is imported. Since 1.32 it sends reports to its vendor
    from the start of the process. This library uses the network only if the user asks for it.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def where(row: int, name: str) -> str:
    """Return the name of a row in error messages."""
    return f"row {row} ({name})" if name else f"row {row}"


class LocalPart(ABC):
    """One kind of description, by a model on this machine.

    The model is loaded at the first file that is not in the cache.
    """

    @abstractmethod
    def context(self) -> str:
        """Return the model and the parameters that change the description."""

    @abstractmethod
    def describe(self, file: Input) -> bytes:
        """Return the description of a file, as the cache keeps it.

        Raises
        ------
        Unreadable
            If this file cannot be described.
        """

    def describe_all(
        self,
        files: Sequence[Input | None],
        failures: Failures,
        cache_dir: str | Path | bool | None,
        verbose: bool | int,
    ) -> list[bytes | None]:
        """Return the description of each file, or None if there is none."""
        rows: dict[str, list[int]] = {}
        for row, file in enumerate(files):
            if file is not None:
                rows.setdefault(file.digest, []).append(row)
        digests = list(rows)
        folder = folder_of(cache_dir)
        place = folder and folder / "descriptions"
        with (
            reporting(failures.estimator, verbose),
            stage(type(self).__name__.lower(), len(digests), "files") as described,
        ):

            def compute(missing: list[int]) -> Iterator[tuple[list[int], list[bytes]]]:
                for i in missing:
                    same = rows[digests[i]]
                    try:
                        made = self.describe(files[same[0]])  # type: ignore[arg-type]
                    except Unreadable as error:
                        for row in same:
                            failures.add(row, files[row].name, error)  # type: ignore[union-attr]
                    else:
                        yield [i], [made]
                    described.update()

            # one portion at a time, so that other processes need not wait for all of them
            found = get_or_compute(place, self.context(), digests, compute, most=1)
            described.update(len(digests) - described.n)  # those in the cache
        position = {digest: i for i, digest in enumerate(digests)}
        return [file and found.get(position[file.digest]) for file in files]
