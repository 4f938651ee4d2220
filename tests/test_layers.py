"""Which module may import which, checked in the source. CONTRIBUTING.md has the table."""

import ast
from pathlib import Path

import pytest

import llmtopics

ROOT = Path(llmtopics.__file__).parent
LAYERS = {  # a module imports only modules of lower layers, save the neighbors below
    0: {
        "_checks",
        "_compiled",
        "_fitted_model",
        "_held_out",
        "_locks",
        "_mixtures",
        "_parts",
        "_progress",
        "_stage",
        "_redact",
        "_stored_counts",
        "_state",
        "_sweep_callback",
        "_text_readers",
        "_text_streams",
        "_topic_html",
        "_vectorizers",
        "_whole_files",
        "_words",
        "redaction",
        "text",
    },
    1: {"_language"},
    2: {
        "augment",
        "cache",
        "datasets",
        "describe",
        "embed",
        "finetune",
        "metrics",
        "plots",
        "topics",
    },
    3: {"explanation", "fusion", "llm_topics", "naming"},
    4: {"_topic_tuning", "apply", "dask", "reading", "report", "saving"},
}
PLANNED: dict[int, set[str]] = {}  # their layers are decided; they are not there yet
NO_LANGUAGE_MODEL = {  # they read arrays and load no model: layer 0 alone
    "datasets",
    "metrics",
    "plots",
    "topics",
}
NEIGHBORS = {  # module -> module of the same layer that it may import -> reason
    "augment": {"embed": "names of embedders are understood in one place"},
    "finetune": {
        "embed": "a classifier reads the vectors of the embedder, and its cache"
    },
    "_fitted_model": {
        "_mixtures": "a model's weights become topic proportions",
        "_vectorizers": "its words are those of its vectorizer",
        "_words": "and are ranked as top_words does",
    },
    "_topic_html": {
        "_fitted_model": "it shows the topics of a fitted model",
        "_words": "and their labels",
    },
    "_stored_counts": {
        "_checks": "store_counts is public and checks its input",
        "_locks": "one process writes a folder",
        "_whole_files": "what it records is written whole",
    },
    "redaction": {"_redact": "the patterns, as a public function"},
    "report": {"reading": "a report is a page about Topics"},
    "_words": {"_checks": "top_words is public and checks its input"},
    "text": {
        "_checks": "detect_language is public and checks its texts",
        "_progress": "store_texts shows how far it is",
        "_stored_counts": "store_texts counts the words of texts into files",
        "_text_streams": "and reads them from a stream",
    },
    "_progress": {"_stage": "a bar shows stages"},
    "_text_streams": {"_checks": "a stream is checked batch by batch"},
    "_text_readers": {"_progress": "what fits nothing reports its work as a fit"},
}
ONLY_IN = {  # heavy or guarded packages, and the modules that may import them
    "PIL": {"describe"},
    "av": {"describe"},
    "ctranslate2": {"describe"},
    "dask": {"dask"},
    "distributed": {"dask"},
    "faster_whisper": {"describe"},
    "filelock": {"_locks"},
    "huggingface_hub": {"_language"},
    "icu4py": {"text"},
    "implicit": {"apply"},
    "jinja2": {"report"},
    "llvmlite": {"_compiled"},
    "matplotlib": {"plots"},
    "numba": {"_compiled"},
    "platformdirs": {"_language"},
    "py3langid": {"text"},
    "rapidocr": {"describe"},
    "regex": {"text"},
    "sentencex": {"text"},
    "snowballstemmer": {"text"},
    "openai": {"_language"},
    "opendp": {"topics"},
    "peft": {"_language"},
    "stopwordsiso": {"text"},
    "tokenizers": {"_language"},
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


LAYER_OF = {
    module: layer
    for table in (LAYERS, PLANNED)
    for layer, modules in table.items()
    for module in modules
}


def may_import(module):
    """Return the modules of the library that a module may import."""
    top = 1 if module in NO_LANGUAGE_MODEL else LAYER_OF[module]
    below = {other for other, layer in LAYER_OF.items() if layer < top}
    return below | NEIGHBORS.get(module, {}).keys() | {module, "__version__"}


def faults_in(module, tree):
    """Yield what ``module`` imports and may not."""
    for name in imports_of(tree):
        package, *rest = name.split(".")
        if package == "llmtopics":
            home = llmtopics._HOME.get(rest[0], rest[0]) if rest else "llmtopics"
            if home not in may_import(module):
                yield name
        elif module not in ONLY_IN.get(package, {module}):
            yield name


SOURCES = [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    module = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert module in LAYER_OF, f"say in this file which layer {module} belongs to"
    assert not list(faults_in(module, ast.parse(path.read_text("utf-8"))))


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


def test_neighbors_are_of_one_layer():
    for module, neighbors in NEIGHBORS.items():
        assert all(LAYER_OF[module] == LAYER_OF[other] for other in neighbors)


def test_every_module_of_the_table_exists():
    found = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in SOURCES}
    assert found == set.union(*LAYERS.values())
