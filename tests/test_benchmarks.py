"""The registries of the benchmarks have all problems and models of the results."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def recorded(table):
    lines = (ROOT / f"benchmarks/results/{table}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("table", ["lda", "topics"])
def test_recorded_problems_and_models_can_be_run_again(table):
    from benchmarks import lda, topics

    cells = {"lda": lda, "topics": topics}[table].cells()
    for line in recorded(table):
        assert line["model"] in cells[line["problem"]]


def test_every_table_is_a_module_and_a_section_of_the_page():
    from benchmarks.run_all import TABLES

    for table in TABLES:
        assert (ROOT / f"benchmarks/{table}.py").exists()
        assert (ROOT / f"benchmarks/report/{table}.py").exists()


def test_a_corpus_is_one_entry(monkeypatch):
    from benchmarks import corpora, counts

    texts = ["a cat and a dog"] * 6 + ["stocks and bonds"] * 9
    entry = corpora.Corpus(lambda: corpora.Data(texts))
    monkeypatch.setitem(corpora.CORPORA, "pets", entry)
    monkeypatch.setitem(counts.COUNT_PROBLEMS, "pets, K=2", ("pets", 2, "held_out"))
    problem = counts.count_problem("pets, K=2")
    assert problem.counts.shape[0] == 14
    assert problem.held_out.shape[0] == 1
