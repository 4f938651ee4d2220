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


@pytest.fixture
def results(monkeypatch, tmp_path):
    """Two runs; the second line of the first one has no times and a new measure."""
    from benchmarks.report import markdown

    lines = [
        {"problem": "P", "model": "A", "seed": 0, "nmi": 0.5, "seconds": 9.0},
        {"problem": "P", "model": "B", "seed": 0, "nmi": 0.7, "seconds": 2.0},
        {"problem": "P", "model": "A", "seed": 0, "nmi": 0.6, "ari": 0.4},
    ]
    path = tmp_path / "results/pets.jsonl"
    path.parent.mkdir()
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    monkeypatch.setattr(markdown, "ROOT", tmp_path)
    return path


def test_lines_without_times_keep_the_earlier_ones(results):
    from benchmarks.report.markdown import runs_of

    found = runs_of("pets")
    assert len(found) == 2
    run = found["P", "A", 0]
    assert (run["nmi"], run["ari"], run["seconds"]) == (0.6, 0.4, 9.0)


def test_runs_that_lack_a_measure_are_repeated(results):
    from benchmarks.runs import runs_in, without_times

    both = {("P", "A", 0), ("P", "B", 0)}
    assert runs_in(results, None) == both
    assert runs_in(results, "ari") == {("P", "A", 0)}
    assert runs_in(results.with_name("none.jsonl"), "ari") == set()
    times = {"seconds": 1.0, "seconds_per_sweep": [2.0]}
    assert without_times(times | {"nmi": 0.5}) == {"nmi": 0.5}


def test_models_of_other_tables_are_named_as_not_run():
    from benchmarks.report.markdown import not_run

    assert not_run(["A"], ["A", "B", "C", "B"]) == ["Not run: `B`, `C`.\n"]
    assert not_run(["A", "B"], ["B"]) == []


def test_a_corpus_is_one_entry(monkeypatch):
    from benchmarks import corpora, counts

    texts = ["a cat and a dog"] * 6 + ["stocks and bonds"] * 9
    entry = corpora.Corpus(lambda: corpora.Data(texts))
    monkeypatch.setitem(corpora.CORPORA, "pets", entry)
    monkeypatch.setitem(counts.COUNT_PROBLEMS, "pets, K=2", ("pets", 2, "held_out"))
    problem = counts.count_problem("pets, K=2")
    assert problem.counts.shape[0] == 14
    assert problem.held_out.shape[0] == 1
