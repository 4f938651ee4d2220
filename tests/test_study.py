"""The study of the gallery runs as a notebook, from texts to saved tables."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

STUDY = Path(__file__).parents[1] / "examples" / "plot_study.py"


def cells(source):
    """Split a program of the gallery into cells, as sphinx-gallery does."""
    for block in source.split("# %%\n")[1:]:
        code = [line for line in block.splitlines() if not line.startswith("#")]
        yield "\n".join(code).strip()


@pytest.mark.slow
def test_the_study_runs_as_a_notebook(tmp_path):
    source = STUDY.read_text("utf-8")
    assert "import numpy" not in source
    assert max(len(block.splitlines()) for block in source.split("# %%")) <= 25
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells(source)]
    )
    client = NotebookClient(
        notebook, timeout=900, resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    html = [o.data["text/html"] for o in outputs if "text/html" in o.get("data", {})]
    assert len(html) >= 9  # tables, and the explanation
    assert any("image/png" in o.get("data", {}) for o in outputs)
    assert not any(o.output_type == "error" for o in outputs)
