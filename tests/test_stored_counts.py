"""Counts on disk, and fits that continue after a kill."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    PachinkoAllocation,
    StoredCounts,
    SweepCallback,
    TransformerEmbedder,
    store_counts,
    suggest_n_components,
)
from llmtopics._compiled.threads import ONE
from llmtopics.datasets import load_reuters395, make_topics
from llmtopics.topics._gibbs import chain as chains
from llmtopics.topics._gibbs.chain import start_chain
from llmtopics.topics._gibbs.counts import LargeRowCounts
from llmtopics.topics._gibbs.tokens import Tokens, random_topics, tokens_from_counts


@pytest.fixture(scope="module")
def reuters():
    return load_reuters395().data


@pytest.fixture
def stored(tmp_path, reuters):
    return store_counts(
        (reuters[i : i + 50] for i in range(0, 395, 50)), tmp_path / "c"
    )


def equal(one, other):
    assert_array_equal(one.components_, other.components_)
    assert_array_equal(one.log_likelihood_, other.log_likelihood_)
    assert_array_equal(one.doc_topic_prior_, other.doc_topic_prior_)


def test_blocks_together_are_the_counts(stored, reuters, monkeypatch):
    monkeypatch.setattr("llmtopics._stored_counts._BLOCK", 1000)
    blocks = list(stored)
    assert len(blocks) > 10
    assert (sp.vstack(blocks) != reuters).nnz == 0
    assert all(block.has_canonical_format for block in blocks)
    assert stored.shape == reuters.shape
    assert len(stored) == 395
    assert stored.n_tokens == reuters.sum()


def test_documents_without_words_are_kept(tmp_path):
    X = sp.csr_array([[0, 0], [2, 1], [0, 0], [0, 0], [0, 3], [0, 0]])
    stored = store_counts([X[:1], X[1:4], X[4:]], tmp_path)
    assert_array_equal(sp.vstack(list(stored)).toarray(), X.toarray())
    theta = GibbsLDA(2, max_iter=5, random_state=0).fit_transform(stored)
    assert theta.shape == (6, 2)
    assert_allclose(theta[[0, 2, 3, 5]], 0.5)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"sampler": "exact"},
        {"doc_topic_prior": "auto", "topic_word_prior": "auto", "n_jobs": 2},
        {"n_components": 300, "max_iter": 12},
        {"tol": 0.5, "max_iter": 100},
    ],
)
def test_same_bits_as_in_memory(stored, reuters, settings):
    settings = {"sampler": "blocked", "max_iter": 40, "random_state": 1, **settings}
    in_memory = GibbsLDA(**settings).fit(reuters)
    on_disk = GibbsLDA(**settings).fit(stored)
    equal(on_disk, in_memory)
    assert on_disk.n_iter_ == in_memory.n_iter_
    assert_array_equal(on_disk.transform(stored), in_memory.transform(reuters))
    assert not list(stored.path.glob("chain-*"))


def test_warm_start_on_disk(stored, reuters):
    def fitted(X):
        model = GibbsLDA(5, sampler="blocked", max_iter=12, random_state=0)
        return model.set_params(warm_start=True).fit(X).fit(X)

    equal(fitted(stored), fitted(reuters))


def test_first_topics_are_written_in_place():
    tokens = Tokens(np.zeros(1001, np.int32), np.array([0, 1001]), 1)
    there = np.empty(1001, np.uint16)
    assert random_topics(tokens, 7, 3, there) is there
    assert_array_equal(there, random_topics(tokens, 7, 3))


def test_continues_after_an_interrupt(stored, reuters, monkeypatch, caplog):
    """As by Ctrl-C in the middle of the 17th sweep."""
    lda = GibbsLDA(
        5, sampler="blocked", doc_topic_prior="auto", topic_word_prior="auto"
    ).set_params(max_iter=40, random_state=0)
    sweep, n_calls = chains.Chain.sweep, []

    def interrupted(chain, prior):
        n_calls.append(chain.n_sweeps)
        if len(n_calls) == 17:
            chain.schedule._blocks = chain.schedule._blocks[:3]
            sweep(chain, prior)
            raise KeyboardInterrupt
        sweep(chain, prior)

    monkeypatch.setattr(chains.Chain, "sweep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lda.fit(stored)
    assert not hasattr(lda, "components_")
    with caplog.at_level("INFO", "llmtopics"):
        lda.fit(stored)
    assert "fit continues after sweep 16 of 40" in caplog.text
    assert n_calls == [*range(17), *range(16, 40)]
    assert not list(stored.path.glob("chain-*"))
    monkeypatch.undo()
    equal(lda, GibbsLDA(**lda.get_params()).fit(reuters))


def test_lists_of_topics_continue_in_their_order(stored, reuters, monkeypatch):
    """With many topics, draws depend on the order of the topics in lists."""
    lda = GibbsLDA(300, sampler="blocked", max_iter=12, random_state=0)
    sweep = chains.Chain.sweep

    def interrupted(chain, prior):
        sweep(chain, prior)
        if chain.n_sweeps in (4, 9):
            raise KeyboardInterrupt

    monkeypatch.setattr(chains.Chain, "sweep", interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            lda.fit(stored)
    monkeypatch.setattr(chains.Chain, "sweep", sweep)
    equal(lda.fit(stored), GibbsLDA(**lda.get_params()).fit(reuters))


@pytest.mark.parametrize("change", [{"n_components": 4}, {"random_state": 1}])
def test_another_fit_does_not_continue_it(stored, reuters, monkeypatch, change):
    lda = GibbsLDA(5, sampler="blocked", max_iter=12, random_state=0)
    sweep = chains.Chain.sweep

    def interrupted(chain, prior):
        sweep(chain, prior)
        if chain.n_sweeps == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(chains.Chain, "sweep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lda.fit(stored)
    monkeypatch.undo()
    assert len(list(stored.path.glob("chain-*"))) == 1
    lda.set_params(**change)
    equal(lda.fit(stored), GibbsLDA(**lda.get_params()).fit(reuters))


def test_without_a_seed_nothing_is_left(stored, monkeypatch):
    def interrupted(chain, prior):
        raise KeyboardInterrupt

    monkeypatch.setattr(chains.Chain, "sweep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        GibbsLDA(5, sampler="blocked").fit(stored)
    assert not list(stored.path.glob("chain-*"))


def test_two_fits_at_once_are_refused(stored, monkeypatch):
    lda = GibbsLDA(5, sampler="blocked", max_iter=3, random_state=0)
    sweep = chains.Chain.sweep

    def meanwhile(chain, prior):
        if chain.n_sweeps == 1:
            with pytest.raises(RuntimeError, match="Another fit with the same"):
                GibbsLDA(**lda.get_params()).fit(stored)
        sweep(chain, prior)

    monkeypatch.setattr(chains.Chain, "sweep", meanwhile)
    lda.fit(stored)


def test_words_beyond_single_precision_are_counted(monkeypatch):
    """With integers beside floats: as if float32 could not count beyond 20."""
    X = make_topics(60, random_state=0).data
    tokens = tokens_from_counts(sp.csr_array(X, dtype=np.int32))
    topics = random_topics(tokens, 4, 0)

    def swept():
        chain = start_chain(tokens, topics, 4, 0.1, 0, ONE, sampler="blocked")
        for _ in range(5):
            chain.sweep(np.full((1, 4), 0.25))
        return chain

    usual = swept()
    monkeypatch.setattr(chains, "COUNTED", 20)
    large = swept()
    assert type(large.counts).__name__ == "LargeRowCounts"
    assert_array_equal(large.topics, usual.topics)
    assert_array_equal(large.counts.word_topic(), usual.counts.word_topic())
    assert_array_equal(large.counts.totals(), usual.counts.totals())


def test_integers_count_where_floats_stop():
    """One word, 2**24 + 2**20 tokens, one topic: no token is lost."""
    n = 2**24 + 2**20
    tokens = Tokens(np.zeros(n, np.int32), np.arange(0, n + 1, 2**16), 1)
    chain = start_chain(
        tokens, np.zeros(n, np.uint16), 1, 0.1, 0, ONE, sampler="blocked"
    )
    chain.sweep(np.ones((1, 1)))
    assert chain.counts.totals() == [n]
    assert chain.counts.word_topic()[0, 0] == n


def test_added_counts_stay_when_tokens_move():
    """What other workers counted is in the integers, too, of which the floats are made."""
    tokens = Tokens(np.array([0, 0, 1], np.int32), np.array([0, 3]), 2)
    topics = np.array([0, 1, 1], np.uint16)
    counts = LargeRowCounts(tokens, topics, 2)
    change = np.zeros_like(counts.parts.table, np.int32)
    change[0, 1] = 2**24 + 1
    counts.add(change)
    counts.move(tokens, topics, np.zeros(3, np.uint16), 0, 3, 0, 2)
    assert_array_equal(counts.totals(), [3, 2**24 + 1])
    assert_array_equal(counts.word_topic(), np.float32([[2, 2**24 + 1], [1, 0]]))


# faults -------------------------------------------------------------------------------------


def test_bad_blocks_are_named(tmp_path):
    good = sp.csr_array([[1, 2]])
    with pytest.raises(ValueError, match=r"Block 1: .*row 0, column 1 holds -2"):
        store_counts([good, np.array([[1, -2]])], tmp_path / "a")
    with pytest.raises(ValueError, match="Block 1 has 3 columns"):
        store_counts([good, sp.csr_array([[1, 2, 3]])], tmp_path / "b")
    with pytest.raises(ValueError, match="at least one matrix"):
        store_counts([], tmp_path / "c")
    with pytest.raises(ValueError, match="3 feature_names were given for 2"):
        store_counts(good, tmp_path / "d", feature_names="abc")
    for name in "abcd":  # nothing half done can be opened, and storing again works
        with pytest.raises(FileNotFoundError, match="call store_counts"):
            StoredCounts(tmp_path / name)
        assert store_counts(good, tmp_path / name).n_tokens == 3


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_tables_give_the_names_of_columns(tmp_path, library):
    frame = pytest.importorskip(library).DataFrame
    table, swapped = frame({"a": [1, 2], "b": [0, 3]}), frame({"b": [0], "a": [1]})
    stored = store_counts(table, tmp_path / "one")  # one table is one block
    assert list(stored.feature_names) == ["a", "b"]
    assert_array_equal(next(iter(stored)).toarray(), [[1, 0], [2, 3]])
    assert store_counts([table, sp.csr_array([[1, 2]])], tmp_path / "two").n_tokens == 9
    with pytest.raises(ValueError, match="Column 0 of block 1 is 'b', and 'a' was"):
        store_counts([table, swapped], tmp_path / "swapped")
    with pytest.raises(ValueError, match="block 1 have names, and those before"):
        store_counts([sp.csr_array([[1, 2]]), table], tmp_path / "late")
    copied = store_counts(stored, tmp_path / "copied")
    assert copied.n_tokens == stored.n_tokens


def test_stored_counts_are_not_overwritten(stored):
    with pytest.raises(FileExistsError, match="open them with StoredCounts"):
        store_counts(sp.csr_array([[1]]), stored.path)


def flip(path, place, bits=1):
    """Change some bits of a byte of a file, and not its size."""
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= bits
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["words.bin", "starts.bin"])
@pytest.mark.parametrize("bits", [1, 0x80, 0xFF])
@pytest.mark.parametrize("place", [0, 3, 7, 8, 1_000, -1])
def test_changed_bytes_are_refused_before_a_fit(tmp_path, name, bits, place):
    """Compiled loops would write beyond memory, or count other words."""
    X = np.random.default_rng(0).poisson(1, (80, 40))
    stored = store_counts(X, tmp_path / "counts")
    stored.check()
    flip(stored.path / name, place, bits)
    with pytest.raises(ValueError, match=rf"{name}.*damaged. Call store_counts again"):
        GibbsLDA(2, sampler="blocked", max_iter=1).fit(StoredCounts(stored.path))


@pytest.mark.parametrize(("field", "value"), [("shape", [80, 41]), ("names", "ba")])
def test_changed_columns_are_refused_before_a_fit(tmp_path, field, value):
    X = np.random.default_rng(0).poisson(1, (80, 2 if field == "names" else 40))
    names = "ab" if field == "names" else None
    stored = store_counts(X, tmp_path / "counts", feature_names=names)
    about = json.loads((stored.path / "counts.json").read_text("utf-8"))
    about["feature_names" if field == "names" else field] = list(value)
    (stored.path / "counts.json").write_text(json.dumps(about), "utf-8")
    with pytest.raises(ValueError, match=r"counts\.json was changed"):
        GibbsLDA(2, sampler="blocked", max_iter=1).fit(StoredCounts(stored.path))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "3", '{"format": "llmtopics stored counts 2"}'],
)
def test_a_damaged_description_is_refused(stored, text):
    (stored.path / "counts.json").write_text(text)
    with pytest.raises(ValueError, match=r"counts\.json.*store_counts again"):
        StoredCounts(stored.path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("shape", [-1, 2]),
        ("shape", "x"),
        ("n_tokens", 1e9),
        ("n_tokens", None),
        ("feature_names", ["a"]),
        ("feature_names", 3),
        ("sha256", 5),
    ],
)
def test_wrong_fields_of_a_description_are_refused(stored, field, value):
    about = json.loads((stored.path / "counts.json").read_text())
    (stored.path / "counts.json").write_text(json.dumps({**about, field: value}))
    with pytest.raises(ValueError, match="lacks a field, or has a wrong one"):
        StoredCounts(stored.path)


def test_a_file_that_is_gone_is_named(stored):
    (stored.path / "words.bin").unlink()
    with pytest.raises(ValueError, match=r"words\.bin has 0 of .* bytes"):
        StoredCounts(stored.path)


def test_damaged_files_are_refused(stored):
    with open(stored.path / "words.bin", "ab") as file:
        file.write(b"0000")
    with pytest.raises(ValueError, match="the file is damaged"):
        StoredCounts(stored.path)


def test_counts_that_cannot_be_fitted(tmp_path, stored):
    nothing = store_counts(sp.csr_array((3, 2), dtype=int), tmp_path / "nothing")
    with pytest.raises(ValueError, match="holds no words"):
        GibbsLDA(2).fit(nothing)
    lda = GibbsLDA(2, max_iter=2, random_state=0).fit(stored)
    with pytest.raises(ValueError, match="4258 features"):
        lda.transform(nothing)
    with pytest.raises(ValueError, match="one batch in memory"):
        lda.partial_fit(stored)
    for block in stored:
        lda.partial_fit(block)


def test_a_callback_stops_a_continued_fit_where_it_stops_any(stored, monkeypatch):
    """The process is interrupted after the sweep in which the callback stopped it."""
    pytest.importorskip("sklearn.callback")

    def enough(model):
        return model.n_iter_ == 6

    def fitted():
        lda = GibbsLDA(5, sampler="blocked", max_iter=12, random_state=0)
        return lda.set_callbacks(SweepCallback(enough)).fit(stored)

    def interrupted(*_):
        raise KeyboardInterrupt

    at_once = fitted()
    with monkeypatch.context() as patched:
        patched.setattr("llmtopics.topics._gibbs_lda.expected_counts", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fitted()
    continued = fitted()
    assert continued.n_iter_ == at_once.n_iter_ == 6
    equal(continued, at_once)


@pytest.mark.parametrize(
    "damage",
    [
        "no topics",
        "short topics",
        "empty state",
        "changed state",
        "changed topics",
        "topics beyond K",
        "changed lists",
        "no lists",
    ],
)
def test_a_damaged_chain_starts_again(stored, monkeypatch, damage):
    K = 300 if "lists" in damage else 5  # many topics are in lists
    lda = GibbsLDA(K, sampler="blocked", max_iter=8, random_state=0)
    once, sweep = GibbsLDA(**lda.get_params()).fit(stored), chains.Chain.sweep

    def interrupted(chain, prior):
        sweep(chain, prior)
        if chain.n_sweeps == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(chains.Chain, "sweep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lda.fit(stored)
    (folder,) = stored.path.glob("chain-*")
    if damage == "no topics":
        (folder / "topics_1.bin").unlink()
    elif damage == "short topics":
        os.truncate(folder / "topics_1.bin", 10)
    elif damage == "empty state":
        (folder / "state.json").write_text("")
    elif damage == "changed state":
        flip(folder / "state.json", 20)
    elif damage == "no lists":
        for file in folder.glob("lists_*"):
            file.unlink()
    else:
        name = "lists_*" if damage == "changed lists" else "topics_*"
        for file in folder.glob(name):
            flip(file, 301, 0xFF if "beyond" in damage else 1)
    equal(lda.fit(stored), once)


@pytest.mark.skipif(os.name == "nt", reason="open files cannot be removed")
def test_a_folder_that_is_removed_during_a_fit_is_an_error(stored, monkeypatch):
    lda = GibbsLDA(5, sampler="blocked", max_iter=4, random_state=0)
    once, sweep = GibbsLDA(**lda.get_params()).fit(stored), chains.Chain.sweep

    def removing(chain, prior):
        sweep(chain, prior)
        for folder in stored.path.glob("chain-*"):
            shutil.rmtree(folder)

    with monkeypatch.context() as patched:
        patched.setattr(chains.Chain, "sweep", removing)
        with pytest.raises(FileNotFoundError, match="chain-"):
            lda.fit(stored)
    assert not hasattr(lda, "components_")
    equal(lda.fit(stored), once)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="cannot reserve space")
def test_a_full_disk_is_an_error_before_the_first_sweep(stored, monkeypatch):
    """A write to a memory map of a full disk would kill the process."""
    lda = GibbsLDA(5, sampler="blocked", max_iter=2, random_state=0)

    def reserve(error):
        def fail(*_):
            raise OSError(error, "no")

        return fail

    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", reserve(errno.ENOSPC))
        with pytest.raises(OSError, match="GibbsLDA needs two files") as caught:
            lda.fit(stored)
    assert caught.value.errno == errno.ENOSPC
    assert not list(stored.path.glob("chain-*"))
    with monkeypatch.context() as patched:  # file systems that reserve nothing are used
        patched.setattr(os, "posix_fallocate", reserve(errno.EOPNOTSUPP))
        once = GibbsLDA(**lda.get_params()).fit(stored)
    equal(lda.fit(stored), once)


@pytest.mark.parametrize("method", ["score", "perplexity"])
def test_what_reads_counts_in_memory_says_so(stored, method):
    lda = GibbsLDA(2, max_iter=2, random_state=0).fit(stored)
    with pytest.raises(TypeError, match="one block at a time"):
        getattr(lda, method)(stored)
    with pytest.raises(TypeError, match="one block at a time"):
        PachinkoAllocation(2).fit(stored)
    with pytest.raises(TypeError, match="one block at a time"):
        suggest_n_components(lda, stored)


def test_what_reads_texts_says_so(stored):
    for model in (FusionTopicModel(2), TransformerEmbedder(cache_dir=False)):
        with pytest.raises(ValueError, match=r"got numbers \(StoredCounts .*the texts"):
            model.fit(stored)


SCRIPT = """
import sys
from llmtopics import GibbsLDA, StoredCounts
import numpy as np
lda = GibbsLDA(20, sampler="blocked", max_iter=300, n_jobs=2, random_state=0)
np.save(sys.argv[2], lda.fit(StoredCounts(sys.argv[1])).components_)
"""


@pytest.mark.slow
def test_same_bits_after_kills(tmp_path, stored):
    """A process is killed again and again, until one reaches the end."""
    result = tmp_path / "phi.npy"
    command = [sys.executable, "-c", SCRIPT, str(stored.path), str(result)]
    n_kills, reached = 0, []
    while not result.exists():
        process = subprocess.Popen(command)
        state = None
        while state is None and process.poll() is None:  # until it has made a sweep
            time.sleep(0.05)
            state = next(stored.path.glob("chain-*/state.json"), None)
        time.sleep(0.02 * n_kills)
        if n_kills < 8 and process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            n_kills += 1
        process.wait()
        if state is not None and state.exists():
            _, _, text = state.read_text().partition(" ")  # after the checksum
            reached.append(json.loads(text)["n_sweeps"])
    assert n_kills >= 3
    assert reached == sorted(reached)
    once = GibbsLDA(20, sampler="blocked", max_iter=300, random_state=0).fit(
        sp.vstack(list(stored))
    )
    assert_array_equal(np.load(result), once.components_)
