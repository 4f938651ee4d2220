"""No file, class or function is too long to read, or the reason stands here."""

import ast
from pathlib import Path

import pytest

import llmtopics

ROOT = Path(llmtopics.__file__).parent
MOST = {
    "file": 400,
    "class": 300,
    "function": 60,
}  # lines; functions without docstrings
_ONE_LOOP = "one compiled loop; calls inside it cost time"
_DOCS = "half of it is docstrings of public parameters and attributes"
EXCEPTIONS = {  # what may be longer -> why
    "topics/_gibbs/kernels/lists.py: draw": _ONE_LOOP,
    "topics/_gibbs/kernels/mixtures.py: infer_paths": _ONE_LOOP,
    "topics/_gibbs/kernels/paths.py: draw": _ONE_LOOP,
    "topics/_gibbs_lda.py": _DOCS,
    "topics/_gibbs_lda.py: GibbsLDA": _DOCS,
    "topics/_pachinko.py": _DOCS,
    "topics/_pachinko.py: PachinkoAllocation": _DOCS,
    "apply/_recommender.py": _DOCS,
    "apply/_recommender.py: TopicRecommender": _DOCS,
    "apply/_sentiment.py": _DOCS,
    "apply/_sentiment.py: TopicSentiment": _DOCS,
    "apply/_summarizer.py": _DOCS,
    "apply/_summarizer.py: TopicSummarizer": _DOCS,
    "dask/_fusion.py: DaskFusionTopicModel": _DOCS,
    "describe/_describer.py: ImageDescriber": _DOCS,
    "finetune/_classifier.py": _DOCS,
    "finetune/_classifier.py: TransformerClassifier": _DOCS,
    "finetune/_tuner.py: LanguageModelTuner": _DOCS,
    "fusion/_estimator.py: FusionTopicModel": _DOCS,
    "fusion/_estimator.py": _DOCS,
    "llm_topics.py: LLMTopics": _DOCS,
    "reading/_topics.py": _DOCS,
    "reading/_topics.py: Topics": _DOCS,
    "llm_topics.py": _DOCS,
}


def sizes_in(path):
    """Yield kind, name and lines of a file and of each class and function in it."""
    text = path.read_text("utf-8")
    name = path.relative_to(ROOT).as_posix()
    yield "file", name, len(text.splitlines())
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        n_lines = node.end_lineno - node.lineno + 1
        if isinstance(node, ast.ClassDef):
            yield "class", f"{name}: {node.name}", n_lines
        else:
            first = node.body[0]
            if ast.get_docstring(node) is not None:
                n_lines -= first.end_lineno - first.lineno + 1
            yield "function", f"{name}: {node.name}", n_lines


SIZES = [size for path in sorted(ROOT.rglob("*.py")) for size in sizes_in(path)]
LONG = {name: f"{kind}, {n}" for kind, name, n in SIZES if n > MOST[kind]}


def test_what_is_long_has_a_reason():
    assert {name: n for name, n in LONG.items() if name not in EXCEPTIONS} == {}


def test_exceptions_are_still_needed():
    assert EXCEPTIONS.keys() <= LONG.keys()


@pytest.mark.parametrize("kind", MOST)
def test_sizes_are_found(kind):
    assert any(size[0] == kind for size in SIZES)
