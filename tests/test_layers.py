"""Who may import whom, kept true by reading the source."""

import ast
from pathlib import Path

import pytest

import llmtopics

ROOT = Path(llmtopics.__file__).parent
GROUND = {
    "_checks",
    "_compile",
    "_completion",
    "_lanes",
    "_lanes_llvm",
    "_parts",
    "_threads",
    "_words",
    "text",
}  # layer 0
MAY_IMPORT = {  # a module and its layer's own; modules of one layer do not import each other
    "_checks": set(),
    "_completion": set(),
    "_compile": set(),
    "_lanes": {"_compile", "_lanes_llvm"},
    "_lanes_llvm": {"_compile", "_lanes"},
    "_parts": set(),
    "_threads": set(),
    "_words": {"_checks"},
    "text": set(),
    "metrics": GROUND,
    "topics": GROUND,
    "datasets": GROUND,
    "plots": GROUND,
    "_language": {"_checks", "_threads"},  # layer 1
    "augment": {"_checks", "_language", "_parts", "text"},
    "embed": {"_checks", "_language"},
    "explanation": GROUND | {"_language", "augment", "topics"},  # layer 3
    "fusion": GROUND | {"augment", "embed", "topics"},
    "llm_topics": GROUND | {"_language", "topics"},
    "naming": {"_checks", "_language"},
}
ONLY_IN = {  # heavy or guarded packages, and the modules that may import them
    "filelock": {"_language"},
    "huggingface_hub": {"_language"},
    "llvmlite": {"_lanes_llvm"},
    "matplotlib": {"plots"},
    "numba": {"_compile", "_lanes", "_lanes_llvm"},
    "platformdirs": {"_language"},
    "regex": {"text"},
    "rjieba": {"text"},
    "snowballstemmer": {"text"},
    "openai": {"_language"},
    "stopwordsiso": {"text"},
    "torch": {"_language"},
    "transformers": {"_language"},
}


def imports_of(tree):
    """Yield the dotted name of everything imported, wherever the statement stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def faults_in(stage, tree):
    """Yield what ``stage`` imports and may not."""
    for name in imports_of(tree):
        package, *rest = name.split(".")
        if package == "llmtopics":
            home = llmtopics._HOME.get(rest[0], rest[0]) if rest else "llmtopics"
            if home not in MAY_IMPORT[stage] | {stage, "__version__"}:
                yield name
        elif stage not in ONLY_IN.get(package, {stage}):
            yield name


SOURCES = [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    stage = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert stage in MAY_IMPORT, f"say in this file which layer {stage} belongs to"
    assert not list(faults_in(stage, ast.parse(path.read_text("utf-8"))))


@pytest.mark.parametrize(
    "source",
    [
        "from llmtopics.datasets import make_topics",
        "def f():\n    import torch.nn",
        "from llmtopics import GibbsLDA",
        "import llmtopics",
        "from llmtopics import datasets",
        "import numba",
    ],
)
def test_an_import_that_points_up_or_sideways_is_found(source):
    assert list(faults_in("text", ast.parse(source)))


def test_public_names_live_where_the_package_says():
    for name, home in llmtopics._HOME.items():
        assert getattr(llmtopics, name).__module__.startswith(f"llmtopics.{home}")
