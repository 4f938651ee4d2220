"""Personal data that ``redact="pii"`` finds, and what else it replaces.

Texts are made by ``redaction_texts.py``, in five languages. Its development half may be looked at
(``--show``). The lines in ``results/redaction.jsonl`` are of the other half. Presidio's patterns
are measured on the same texts, without its models, which find names of people.
"""

import re
from collections import Counter
from collections.abc import Callable
from functools import partial

from benchmarks.redaction_texts import Text, texts
from benchmarks.runs import run_tasks, task_arguments

PACKAGES = "llmtopics faker phonenumbers"
ALSO = {"presidio": "presidio-analyzer"}
Find = Callable[[str], list[tuple[int, int]]]


def ours() -> Find:
    from llmtopics._redact import redacted

    def find(text: str) -> list[tuple[int, int]]:
        """Return where the text was replaced."""
        result, originals = redacted(text, "pii")
        spans, place = [], 0
        for i, part in enumerate(re.split(r"(<[A-Z]+_\d+>)", result)):
            size = len(originals[part] if i % 2 else part)
            if i % 2:
                spans.append((place, place + size))
            place += size
        return spans

    return find


def presidio() -> Find:
    """Presidio's patterns for the same kinds, with a tokenizer and without a model."""
    try:
        import spacy
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer.nlp_engine import SpacyNlpEngine
        from presidio_analyzer.predefined_recognizers import (
            CreditCardRecognizer,
            EmailRecognizer,
            IbanRecognizer,
            IpRecognizer,
            PhoneRecognizer,
            UrlRecognizer,
        )
    except ImportError as error:
        raise FileNotFoundError(f"{error}") from error
    engine = SpacyNlpEngine()
    engine.nlp = {"en": spacy.blank("en")}
    registry = RecognizerRegistry(supported_languages=["en"])
    for kind in (
        CreditCardRecognizer,
        EmailRecognizer,
        IbanRecognizer,
        IpRecognizer,
        PhoneRecognizer,
        UrlRecognizer,
    ):
        registry.add_recognizer(kind())
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine)
    return lambda text: [
        (found.start, found.end) for found in analyzer.analyze(text, "en")
    ]


FINDERS = {"llmtopics": ours, "presidio": presidio}


def is_covered(made: Text, spans: list[tuple[int, int]]) -> bool:
    """Tell whether no letter or digit of the planted value is left."""
    return all(
        any(start <= made.start + i < end for start, end in spans)
        for i, character in enumerate(made.value)
        if character.isalnum()
    )


def touches(made: Text, span: tuple[int, int]) -> bool:
    return span[0] < made.start + len(made.value) and made.start < span[1]


def measure(finder: str) -> dict:
    """Return counts per language and kind."""
    find = FINDERS[finder]()
    counts: dict[str, dict[str, Counter]] = {}
    for made in texts("measure"):
        own = counts.setdefault(made.language, {})
        for name in ("n", "found", "extra"):
            own.setdefault(name, Counter())[made.kind] += 0
        spans = find(made.text)
        own["n"][made.kind] += 1
        if made.is_decoy:
            own["found"][made.kind] += bool(spans)
        else:
            own["found"][made.kind] += is_covered(made, spans)
            own["extra"][made.kind] += sum(not touches(made, span) for span in spans)
    return {"languages": counts}


def show() -> None:
    """Print the faults of our patterns in the development half."""
    find = ours()
    for made in texts("development"):
        spans = find(made.text)
        wrong = bool(spans) if made.is_decoy else not is_covered(made, spans)
        if wrong or any(not touches(made, span) for span in spans):
            replaced = [made.text[a:b] for a, b in spans]
            print(made.language, made.kind, repr(made.text), replaced, sep=" | ")


def main() -> None:
    parser = task_arguments(__doc__)
    parser.add_argument("--show", action="store_true", help="print faults and stop")
    options = parser.parse_args()
    if options.show:
        show()
        return
    tasks = [
        ("five languages", finder, 0, partial(measure, finder)) for finder in FINDERS
    ]
    run_tasks("redaction", tasks, PACKAGES, options, ALSO)


if __name__ == "__main__":
    main()
