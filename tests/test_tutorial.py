"""The tutorial: one notebook, which the documentation executes."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def notebook():
    return nbformat.read(DOCS / "tutorial.ipynb", 4)


def test_the_file_holds_no_outputs(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs, f"{cell.id}: clear the outputs"
            assert cell.execution_count is None, f"{cell.id}: clear the outputs"


def test_links_lead_to_files(notebook):
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    links = re.findall(r"\]\((?!http)([^)#]+)", text)
    assert len(links) > 10
    missing = [link for link in links if not (DOCS / link).exists()]
    assert not missing


@pytest.mark.slow
def test_it_runs_from_texts_to_new_texts_in_another_process(notebook, tmp_path):
    client = NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    outputs = {c.id: c.outputs for c in notebook.cells if c.cell_type == "code"}
    shown = [o.data for each in outputs.values() for o in each if "data" in o]
    assert sum("image/png" in data for data in shown) == 2
    assert sum("text/html" in data for data in shown) >= 4  # topics and tables
    written = [data.get("text/plain", "") for data in shown]
    said = {
        name: "".join(o.text for o in each if o.output_type == "stream")
        for name, each in outputs.items()
    }
    for text in [*written, *said.values()]:
        assert "site-packages" not in text
        assert str(tmp_path) not in text
        assert "it/s" not in text  # a progress bar

    topics, words = map(float, re.findall(r"accuracy.*: +(\S+)", said["train"]))
    assert topics > words
    assert "section: business" in said["run-program"]
    assert "topic: Sport, " in said["run-program"]
    assert (tmp_path / "report.html").stat().st_size > 100_000
    assert len((tmp_path / "documents.csv").read_text("utf-8").splitlines()) > 318
