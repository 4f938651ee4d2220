"""Functions for ``redact``: our patterns, and names that Presidio finds."""

import copy
import re
from types import SimpleNamespace

import pytest
from sklearn.base import clone

from llmtopics import RemoteLLM
from llmtopics.redaction import presidio, redact_pii


class Names:
    """Finds capitalized words, as an engine of Presidio would name persons."""

    def analyze(self, text, language, entities, score_threshold):
        assert (language, entities) == ("en", ["PERSON"])
        return [
            SimpleNamespace(
                start=m.start(), end=m.end(), entity_type="PERSON", score=1.0
            )
            for m in re.finditer(r"[A-Z][a-z]+|EMAIL", text)
        ]


def test_patterns():
    assert redact_pii("Jane, jane@example.com") == "Jane, <EMAIL_1>"
    with pytest.raises(TypeError, match="text must be a str"):
        redact_pii(None)


def test_names_get_placeholders():
    redact = presidio(Names())
    text = "Jane met Bob and Jane, jane@example.com; <PERSON_1> is known."
    assert redact(text) == (
        "<PERSON_2> met <PERSON_3> and <PERSON_2>, <EMAIL_1>; <PERSON_1> is known."
    )
    assert redact("nobody") == "nobody"


def test_what_overlaps_is_replaced_whole():
    class Two:
        def analyze(self, **_):
            return [
                SimpleNamespace(start=3, end=8, entity_type="US_SSN", score=1.0),
                SimpleNamespace(start=0, end=5, entity_type="PERSON", score=1.0),
            ]

    assert presidio(Two())("abcdefghij") == "<PERSON_1>ij"


def test_it_is_a_parameter_of_models():
    redact = presidio(Names())
    llm = RemoteLLM("http://localhost:1/v1", "m", redact=redact)
    assert clone(llm).redact is redact
    assert copy.deepcopy(redact) is redact
    assert "PERSON" in repr(llm)


@pytest.mark.parametrize(
    ("parameters", "error", "says"),
    [
        ({"analyzer": "en"}, TypeError, "analyzer must be an AnalyzerEngine"),
        ({"entities": "PERSON"}, TypeError, r"such as \['PERSON'\]"),
        ({"entities": []}, ValueError, "entities is empty"),
        ({"score_threshold": 2}, ValueError, "score_threshold"),
    ],
)
def test_wrong_parameters(parameters, error, says):
    with pytest.raises(error, match=says):
        presidio(**{"analyzer": Names(), **parameters})


def test_presidio_itself():
    """With a recognizer of listed names, which needs no model."""
    library = pytest.importorskip("presidio_analyzer")
    spacy = pytest.importorskip("spacy")
    engine = library.nlp_engine.SpacyNlpEngine()
    engine.nlp = {"en": spacy.blank("en")}
    registry = library.RecognizerRegistry(supported_languages=["en"])
    registry.add_recognizer(
        library.PatternRecognizer("PERSON", deny_list=["Jane Doe", "Bob"])
    )
    analyzer = library.AnalyzerEngine(registry=registry, nlp_engine=engine)
    redact = presidio(analyzer)
    assert redact("Bob wrote to Jane Doe (j@a.org). Bob left.") == (
        "<PERSON_1> wrote to <PERSON_2> (<EMAIL_1>). <PERSON_1> left."
    )
