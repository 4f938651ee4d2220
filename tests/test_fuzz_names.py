"""Every public name gets random input, or a reason why not."""

import ast
import re
from importlib import import_module
from pathlib import Path

from llmtopics import metrics
from tests.nasty import TEXTS
from tests.test_fuzz import WITHOUT

ROOT = Path(__file__).parents[1]
LEFT_OUT = {
    "tests of their own try damaged files and bytes": [
        *("ImageDescriber", "AudioTranscriber", "make_describer", "StoredCounts"),
        *("save", "load", "load_bbc_news", "load_reuters395", "info", "clear"),
    ],
    "tests of their own try answers of servers": ["RemoteLLM", "RemoteEmbedder"],
    "language models, which take long: tests/_language/test_nasty_texts.py tries texts": [
        *("LocalLLM", "TransformerEmbedder", "NextWordCounts", "LLMTopics"),
        "TransformerClassifier",
    ],
    "each call trains a language model": ["LanguageModelTuner", "tune_embedder"],
    "they call what is tried here": [
        *("TopicLabeler", "DaskFusionTopicModel", "DaskGibbsLDA", "map_partitions"),
    ],
    "it calls an engine that is not installed in all tests": ["presidio"],
    "results and errors, which others make": [
        *("CachePart", "Explanation", "RecommendationExplanation"),
        *("TopicMap", "TopicNames", "Topics"),
    ],
    "it calls a function of the user": ["SweepCallback"],
}


def public_names():
    """Return the names of the API's pages."""
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    return set(re.findall(r"^   (?:\w+\.)*(\w+)$", text, re.MULTILINE))


def tried_names():
    """Return what the tests of random input import and call, or look up in a module."""
    found = {*metrics.__all__} - WITHOUT  # check_metrics calls them by name
    for path in (ROOT / "tests").rglob("test_fuzz*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                function = node.func
                found.add(getattr(function, "attr", getattr(function, "id", None)))
    return found


def test_every_public_name_gets_random_input_or_is_left_out():
    left_out = [name for some in LEFT_OUT.values() for name in some]
    assert len(left_out) == len({*left_out})
    assert public_names() - tried_names() == {*left_out}


def test_the_guide_says_how_much_is_tried():
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "tests").rglob("test_fuzz*.py")
        if path.name != Path(__file__).name
    ]
    tried = [n for name in modules for n in import_module(name).CHECKS.values()]
    guide = (ROOT / "docs" / "guide" / "rely.md").read_text("utf-8")
    assert f"by {len(tried)} properties" in guide
    assert f"| {sum(tried):,} |" in guide
    assert f"(`tests/nasty.py`) | {len(TEXTS)} |" in guide
