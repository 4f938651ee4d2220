import inspect
import re
import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path

import pytest
from numpydoc.validate import validate

import llmtopics

README = Path(__file__).parents[1] / "README.md"
METRICS = import_module("llmtopics.metrics")
PUBLIC = [f"llmtopics.metrics.{name}" for name in METRICS.__all__]
PUBLIC += ["llmtopics.plots.plot_correlations"]
PUBLIC += [f"llmtopics.{name}" for name in llmtopics._HOME] + [
    f"llmtopics.datasets.{name}"
    for name, value in vars(import_module("llmtopics.datasets")).items()
    if inspect.isfunction(value) and value.__module__ == "llmtopics.datasets"
    if not name.startswith("_")
]


def test_import_is_light():
    code = (
        "import sys, llmtopics; "
        "heavy = {'torch', 'transformers', 'numba', 'sklearn', 'scipy', 'numpy'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()


def test_a_place_where_nothing_can_be_written_only_costs_the_cache():
    code = (
        "from numba.core import caching\n"
        "name = '_CacheImpl' if hasattr(caching, '_CacheImpl') else 'CacheImpl'\n"
        "getattr(caching, name)._locator_classes = []  # no place for a cache\n"
        "from llmtopics import GibbsLDA\n"
        "GibbsLDA(2, max_iter=1).fit([[1, 2]])"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_and_version():
    assert metadata.version("llmtopics") == llmtopics.__version__
    assert set(llmtopics.__all__) <= set(dir(llmtopics))
    assert set(llmtopics._HOME) <= set(llmtopics.__all__)
    assert llmtopics.topics.GibbsLDA is llmtopics.GibbsLDA
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = llmtopics.no_such_name


def test_every_heavy_dependency_can_be_imported():
    """They are declared for all users, so an installation must be able to load them."""
    code = "import torch, transformers; transformers.AutoModel; torch.zeros(1)"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_are_complete(name):
    """A summary, every parameter in order, what is returned, and a runnable example."""
    asked = {
        "GL08",
        "SS01",
        "SS03",
        "PR01",
        "PR02",
        "PR03",
        "PR04",
        "PR07",
        "RT01",
        "RT03",
    }
    obj = import_module("llmtopics")
    for part in name.split(".")[1:]:
        obj = getattr(obj, part)
    names = [name]
    if inspect.isclass(obj):
        names += [f"{name}.{m}" for m in vars(obj) if not m.startswith("_")]
    for each in names:
        faults = [error for error in validate(each)["errors"] if error[0] in asked]
        assert not faults, f"{each}: {faults}"
    assert ">>>" in (obj.__doc__ or ""), f"{name} has no example"


def test_the_readme_example_runs(capsys):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, str(README), "exec"), {})
    assert "market" in capsys.readouterr().out
