"""Functions for ``redact=``: personal data by patterns, and names of people by Presidio."""

import re
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

from llmtopics._redact import redacted

__all__ = ["presidio", "redact_pii"]

_PLACEHOLDER = re.compile(r"<[A-Z]+_\d+>")


def redact_pii(text: str) -> str:
    """Return a text as ``redact="pii"`` changes it: with placeholders for personal data.

    Use it to see what is replaced, and inside your own function for ``redact``.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    text : str
        Web and e-mail addresses, IBANs, card numbers, IP addresses, phone numbers and @handles
        are replaced.

    Raises
    ------
    TypeError
        If it is no str.

    See Also
    --------
    presidio : Also replaces names of people.

    Examples
    --------
    >>> from llmtopics.redaction import redact_pii
    >>> redact_pii("Jane (jane@example.com) called +1 212 555 0123.")
    'Jane (<EMAIL_1>) called <PHONE_1>.'
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, got {type(text).__name__}.")
    return redacted(text, "pii")[0]


class _Presidio:
    """A function from a text to the text without what Presidio finds. See :func:`presidio`."""

    def __init__(
        self,
        analyzer: Any,
        language: str,
        entities: Sequence[str],
        score_threshold: float,
    ) -> None:
        self._analyzer, self._language = analyzer, language
        self._entities, self._score_threshold = list(entities), score_threshold

    def __call__(self, text: str) -> str:
        """Return the text with placeholders."""
        text = redact_pii(text)
        used = set(_PLACEHOLDER.findall(text))
        inside = [match.span() for match in _PLACEHOLDER.finditer(text)]
        found = self._analyzer.analyze(
            text=text,
            language=self._language,
            entities=self._entities,
            score_threshold=self._score_threshold,
        )
        names: dict[str, str] = {}
        parts, end = [], 0
        for start, stop, kind in _joined(found):
            if any(a <= start and stop <= b for a, b in inside):
                continue  # a part of a placeholder
            value = text[start:stop]
            if value not in names:
                n = 1
                while f"<{kind}_{n}>" in used:
                    n += 1
                names[value] = f"<{kind}_{n}>"
                used.add(names[value])
            parts += [text[end:start], names[value]]
            end = stop
        return "".join([*parts, text[end:]])

    def __deepcopy__(self, memo: dict) -> "_Presidio":
        return self  # scikit-learn's clone would copy the models of the analyzer

    def __repr__(self) -> str:
        return f"presidio(language={self._language!r}, entities={self._entities!r})"


def _joined(found: Any) -> list[tuple[int, int, str]]:
    """Return start, end and kind of what was found. What overlaps is one, of the first kind."""
    spans: list[tuple[int, int, str]] = []
    for each in sorted(found, key=lambda each: (each.start, -each.end)):
        kind = re.sub("[^A-Z]", "", each.entity_type.upper()) or "NAME"
        if spans and each.start < spans[-1][1]:
            start, stop, first = spans[-1]
            spans[-1] = (start, max(stop, each.end), first)
        else:
            spans.append((each.start, each.end, kind))
    return spans


def presidio(
    analyzer: Any,
    *,
    language: str = "en",
    entities: Sequence[str] = ("PERSON",),
    score_threshold: float = 0.5,
) -> Callable[[str], str]:
    """Return a function for ``redact`` that also replaces names of people, by Presidio.

    `Presidio <https://microsoft.github.io/presidio/>`_ (``pip install presidio-analyzer``) finds
    names by a language model of the language. Patterns, as of ``redact="pii"``, replace their
    kinds first.

    Parameters
    ----------
    analyzer : presidio_analyzer.AnalyzerEngine
        An engine of the language. ``AnalyzerEngine()`` downloads a model of spaCy if it is not
        installed. Texts stay on this machine.
    language : str, default="en"
        The language of the texts, as the engine names it.
    entities : sequence of str, default=("PERSON",)
        Kinds that Presidio replaces, such as "PERSON" and "LOCATION".
    score_threshold : float between 0 and 1, default=0.5
        What Presidio is less sure of stays in the text.

    Returns
    -------
    redact : callable
        From a text to the text with placeholders such as ``<PERSON_1>``. Equal names of one text
        have the same placeholder.

    Raises
    ------
    TypeError
        If the analyzer has no method ``analyze``, or ``entities`` is a str.
    ValueError
        If there are no entities, or the threshold is not between 0 and 1.

    See Also
    --------
    redact_pii : Patterns only.

    Examples
    --------
    >>> from llmtopics import RemoteLLM
    >>> from llmtopics.redaction import presidio
    >>> from presidio_analyzer import AnalyzerEngine  # doctest: +SKIP
    >>> names = presidio(AnalyzerEngine(), entities=["PERSON", "LOCATION"])  # doctest: +SKIP
    >>> llm = RemoteLLM("https://api.openai.com/v1", "m", redact=names)  # doctest: +SKIP
    """
    if not callable(getattr(analyzer, "analyze", None)):
        raise TypeError(
            "analyzer must be an AnalyzerEngine of presidio_analyzer, got "
            f"{type(analyzer).__name__}."
        )
    if isinstance(entities, str):
        raise TypeError(
            f"entities must be a list of kinds, such as [{entities!r}], not a str."
        )
    if not entities:
        raise ValueError("entities is empty: name a kind, such as 'PERSON'.")
    if not isinstance(score_threshold, Real) or not 0 <= score_threshold <= 1:
        raise ValueError(
            f"score_threshold must be between 0 and 1, got {score_threshold!r}."
        )
    return _Presidio(analyzer, language, entities, score_threshold)


def __dir__() -> list[str]:
    return sorted(__all__)
