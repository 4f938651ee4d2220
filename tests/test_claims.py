"""Figures in the README and the guides are those of the benchmarks."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def read(name):
    return (ROOT / name).read_text("utf-8")


BENCHMARKS = read("docs/benchmarks.md")


def tables(text):
    """Return each table as rows, dicts from column to cell."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = (
            [cell.strip(" *") for cell in line.split("|")[1:-1]]
            for line in block.splitlines()
        )
        found.append([dict(zip(head, row, strict=True)) for row in rows])
    return found


def measured(section):
    """Return problem → model → column → figure, without its spread."""
    (text,) = re.findall(
        rf"^## {section}\n(.*?)(?=^## )", BENCHMARKS, re.MULTILINE | re.DOTALL
    )
    return {
        part.partition("\n")[0]: {
            row["model"]: {
                column: float(cell.split()[0])
                for column, cell in row.items()
                if re.match(r"-?[\d.]+( ±|$)", cell)
            }
            for row in tables(part)[0]
            if "model" in row
        }
        for part in text.split("\n### ")[1:]
    }


def test_agreement_and_coherence_of_the_readme():
    (rows,) = [rows for rows in tables(read("README.md")) if "KeyNMF" in rows[0]]
    topics = measured("Topics of texts")
    assert len(rows) == 6
    for row in rows:
        problem = row.pop("").replace(" titles", "")
        for model, cell in row.items():
            found = topics[problem][
                model.replace(" (UMAP, k-means)", ", UMAP + k-means")
            ]
            figures = [float(figure) for figure in re.findall(r"\d*\.\d+", cell)]
            expected = [found["NMI"], found["NPMI"]]
            assert figures == pytest.approx(expected, abs=0.0056), (problem, model)


@pytest.mark.parametrize(
    ("heading", "problem"),
    [
        ("2,225 articles of BBC news, 30 topics", "BBC news, K=30"),
        ("18,846 posts of 20 Newsgroups, 50 topics", "20 Newsgroups, K=50"),
        ("20,000 titles of StackOverflow, 20 topics", "StackOverflow, K=20"),
    ],
)
def test_figures_that_compare_topic_models(heading, problem):
    guide = read("docs/guide/which_model.md")
    rows = tables(guide.partition(f"**{heading}**")[2])[0]
    assert len(rows) == 5
    for row in rows:
        found = measured("Topics of texts")[problem][row.pop("")]
        for column, cell in row.items():
            digits = len(cell.split(".")[1])
            expected = found[column]
            assert float(cell) == pytest.approx(expected, abs=0.51 * 10**-digits)


def test_figures_of_short_texts():
    (rows,) = tables(read("docs/guide/short_texts.md"))
    added = measured("What a language model adds")
    names = {
        "LDA + next words, in a Pipeline": "LDA + next words",
        "`FusionTopicModel(alpha=0, expander=…)`": "LDA + next words, own words",
        "LDA + keywords (`LLMAugmenter`)": "LDA + keywords",
    }
    problems = {
        "StackOverflow titles": "StackOverflow, K=20",
        "SearchSnippets": "SearchSnippets, K=8",
        "BBC news": "BBC news, K=5",
    }
    assert len(rows) == 9
    for row in rows:
        name = row.pop("")
        for column, cell in row.items():
            found = added[problems[column]][names.get(name, name)]
            figures = [float(f) for f in cell.replace("−", "-").split(" / ")]
            expected = [found[m] for m in ("NMI", "accuracy", "NPMI", "diversity")]
            assert figures == pytest.approx(expected, abs=0.0056), (name, column)


def test_the_costs_of_language_models():
    pages = read("docs/guide/language.md"), BENCHMARKS
    ours, theirs = (
        next(rows for rows in tables(page) if "written" in rows[0]) for page in pages
    )
    assert len(ours) == len(theirs)
    for row, measured_row in zip(ours, theirs, strict=True):
        corpus, *rest = row.values()
        assert corpus.replace(" titles", "") == measured_row["corpus"]
        columns = ["way", "seconds", "tokens read", "written"]
        assert rest == [measured_row[column] for column in columns]
