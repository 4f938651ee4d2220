"""Compiled loops on disk: with a damaged or full disk, the loop is compiled again."""

from importlib.util import module_from_spec, spec_from_file_location

import pytest

SOURCE = """
from llmtopics._compiled.compile import compiled

@compiled
def twice(x):
    return 2 * x
"""


@pytest.fixture
def loop(tmp_path):
    """Return a function that loads the loop as a new process would."""
    path = tmp_path / "loops.py"
    path.write_text(SOURCE)

    def load():
        spec = spec_from_file_location("loops", path)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.twice

    return load


def is_read_from_disk(loop):
    fresh = loop()
    assert fresh(21) == 42
    return bool(fresh.stats.cache_hits)


def flip(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("kind", ["nbi", "nbc"], ids=["index", "code"])
@pytest.mark.parametrize(
    "damage",
    [lambda content: b"", lambda content: content[:-40], flip, lambda c: b"\x80" + c],
    ids=["empty", "truncated", "one bit", "shifted"],
)
def test_a_damaged_file_is_written_again(loop, tmp_path, kind, damage):
    assert not is_read_from_disk(loop)
    assert is_read_from_disk(loop)
    (file,) = tmp_path.rglob(f"*.{kind}")
    file.write_bytes(damage(file.read_bytes()))
    assert not is_read_from_disk(loop)
    assert is_read_from_disk(loop)


def test_a_loop_runs_with_a_full_disk(loop, tmp_path):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        assert not is_read_from_disk(loop)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not any(file.stat().st_size for file in tmp_path.rglob("*.nb?"))
    assert not is_read_from_disk(loop)
    assert is_read_from_disk(loop)


def test_a_loop_runs_if_a_file_cannot_be_replaced(loop, tmp_path):
    is_read_from_disk(loop)
    (index,) = tmp_path.rglob("*.nbi")
    index.unlink()
    index.mkdir()
    assert not is_read_from_disk(loop)
    assert not is_read_from_disk(loop)
