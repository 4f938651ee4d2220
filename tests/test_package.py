import inspect
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from importlib import import_module, metadata
from pathlib import Path

import pytest
from numpydoc.validate import validate
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import llmtopics
from llmtopics import GibbsLDA
from llmtopics.datasets import load_bbc_news

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
METRICS = import_module("llmtopics.metrics")
import_module("llmtopics.dask")  # not loaded with the package: it needs an extra
PUBLIC = [f"llmtopics.metrics.{name}" for name in METRICS.__all__]
PUBLIC += [
    f"llmtopics.plots.{name}" for name in import_module("llmtopics.plots").__all__
]
PUBLIC += ["llmtopics.report.topic_report", "llmtopics.text.stop_words"]
PUBLIC += ["llmtopics.embed.store_vectors"]
PUBLIC += [f"llmtopics.cache.{name}" for name in llmtopics.cache.__all__]
PUBLIC += [f"llmtopics.redaction.{name}" for name in llmtopics.redaction.__all__]
PUBLIC += [f"llmtopics.dask.{name}" for name in llmtopics.dask.__all__]
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


@pytest.mark.slow  # compiles everything again
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


@pytest.mark.parametrize(
    "name",
    ["", *sorted({*llmtopics.__all__} - {*llmtopics._HOME, "__version__"})],
)
def test_dir_shows_the_public_names_alone(name):
    module = import_module(f"llmtopics.{name}" if name else "llmtopics")
    assert dir(module) == sorted(module.__all__)
    assert all(hasattr(module, public) for public in module.__all__)
    own = [
        each
        for each, value in vars(module).items()
        if inspect.isclass(value) or inspect.isfunction(value)
        if value.__module__.startswith(f"llmtopics.{name}" if name else module.__name__)
        if not each.startswith("_")
    ]
    assert set(own) <= set(module.__all__)


@pytest.mark.slow
def test_every_heavy_dependency_can_be_imported():
    """They are declared for all users, so an installation must be able to load them."""
    code = "import torch, transformers; transformers.AutoModel; torch.zeros(1)"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


EXTRAS = [  # what they install, as it is imported
    *("PIL", "accelerate", "av", "dask", "distributed", "faster_whisper", "gguf"),
    *("icu4py", "implicit", "matplotlib", "onnxruntime", "openai", "pandas", "peft"),
    *("psutil", "py3langid", "rapidocr", "rich"),
]


@pytest.mark.slow
def test_without_extras_every_module_is_imported_or_names_its_extra():
    """`make dist` tries the same where none is installed."""
    code = (
        "import runpy, sys; sys.modules.update(dict.fromkeys(sys.argv[2:])); "
        "print(*runpy.run_path(sys.argv[1])['check_modules']())"
    )
    tool = ROOT / "release/try_wheel.py"
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, tool, *EXTRAS],
        check=True,
        capture_output=True,
        text=True,
    )
    assert {each.split(".")[1] for each in run.stdout.split()} == {"dask"}


def pins(name):
    """Package to its pinned releases, those for some platforms only with their marker."""
    found = defaultdict(list)
    for line in (ROOT / "requirements" / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            found[canonicalize_name(requirement.name)].append(requirement)
    return found


@pytest.mark.parametrize("name", ["lock.txt", "lowest.txt"])
def test_all_dependencies_are_pinned(name):
    """``make lock`` was run after the last change of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = project["dependency-groups"]
    wanted = project["project"]["dependencies"]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    for group in groups if name == "lock.txt" else ["test"]:
        wanted += groups[group]
    pinned = pins(name)
    for each in map(Requirement, wanted):
        releases = [pin.specifier for pin in pinned[canonicalize_name(each.name)]]
        assert releases, f"{each} is not pinned"
        for (release,) in releases:
            assert release.operator == "=="
            assert each.specifier.contains(release.version), f"{each}, {release}"
        if name == "lowest.txt":
            bounds = [one.version for one in each.specifier if one.operator == ">="]
            assert bounds, f"{each} has no lower bound"
            assert {Version(only.version) for (only,) in releases} == {
                Version(bound) for bound in bounds
            }


def test_packages_of_some_platforms_are_pinned_for_these_alone():
    pinned = pins("lock.txt")
    cuda = [pin for name in pinned if name.startswith("nvidia") for pin in pinned[name]]
    assert cuda
    for pin in [*cuda, *pinned["triton"]]:
        assert "sys_platform == 'linux'" in str(pin.marker).replace('"', "'"), pin


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
        parameters = getattr(obj, "__dataclass_fields__", {})  # they have defaults here
        public = [m for m in vars(obj) if not m.startswith("_") and m not in parameters]
        names += [f"{name}.{m}" for m in public]
    for each in names:
        faults = [error for error in validate(each)["errors"] if error[0] in asked]
        assert not faults, f"{each}: {faults}"
    assert ">>>" in (obj.__doc__ or ""), f"{name} has no example"


@pytest.mark.parametrize("every", [20, pytest.param(1, marks=pytest.mark.slow)])
def test_the_readme_example_runs(capsys, monkeypatch, tmp_path, every):
    """On every twentieth article, or all."""
    # vectors that other tests kept, of other batches, differ by rounding: the order of topics, too
    monkeypatch.setenv("LLMTOPICS_CACHE", str(tmp_path))
    corpus = load_bbc_news()
    corpus.data = corpus.data[::every]
    monkeypatch.setattr("llmtopics.datasets.load_bbc_news", lambda: corpus)
    readme = README.read_text("utf-8")
    names = {}
    for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL):
        exec(compile(block, str(README), "exec"), names)
    assert names["proportions"].sum() == pytest.approx(1)
    printed = re.findall(r"prints\n\n```text\n(.*?)```", readme, re.DOTALL)
    assert len(printed) == 2
    if every == 1:
        assert capsys.readouterr().out == "".join(printed)


HAS_CALLBACKS = hasattr(GibbsLDA, "_init_callback_context")  # scikit-learn 1.9
MINUTES = ("llm_topics", "naming")  # they ask a language model often
READ_FILES = ("describe.md", "tune.md")  # they read what only the reader has


@pytest.mark.parametrize(
    "page",
    [
        "install.md",
        "guide/from_bertopic.md",
        pytest.param("../README.zh.md", marks=pytest.mark.slow),
        *(
            pytest.param(
                f"guide/{path.name}",
                marks=pytest.mark.soak if path.stem in MINUTES else pytest.mark.slow,
            )
            for path in sorted((ROOT / "docs/guide").glob("*.md"))
            if "```python" in path.read_text("utf-8")
            if path.name not in ("from_bertopic.md", *READ_FILES)
        ),
    ],
)
def test_the_code_of_a_page_runs(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / page).read_text("utf-8")
    for package in re.findall(
        r"^(?:from|import) (spacy|tomotopy)\b", text, re.MULTILINE
    ):
        pytest.importorskip(package)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        if "set_callbacks" in block and not HAS_CALLBACKS:
            continue
        exec(compile(block, page, "exec"), names)
    assert names


def test_links_of_the_readme_lead_to_files():
    links = re.findall(r"\]\((?!http)([^)#]+)", README.read_text("utf-8"))
    assert len(links) > 10
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing


def test_the_citation_agrees_with_the_package():
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    said = dict(re.findall(r"^([a-z-]+): (.+)$", citation, re.MULTILINE))
    about = metadata.metadata("llmtopics")
    assert said["title"] == about["Name"]
    assert said["version"] == llmtopics.__version__
    assert said["abstract"] == about["Summary"]
    assert said["license"] == about["License-Expression"]


def test_the_page_on_pypi_has_no_links_to_files():
    """The substitutions of pyproject.toml leave addresses and the text of other links."""
    hook = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]
    rules = hook["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]
    text = README.read_text("utf-8")
    for rule in rules:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    assert not re.findall(r"\]\((?!https://)", text)
    assert "Install · Tutorial · Guide · Examples" in text
    assert "`FusionTopicModel`" in text


def test_the_tests_that_hold_promises_exist():
    """Each test that the page of promises names."""
    page = (ROOT / "docs/guide/rely.md").read_text("utf-8")
    named = set(re.findall(r"\b(test_\w+)`", page))
    assert len(named) > 50
    sources = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "src").rglob("*.py")]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    missing = {name for name in named if f"def {name}(" not in text}
    assert not missing
    files = set(re.findall(r"\b(test_\w+\.py)", page))
    assert files <= {path.name for path in sources}
