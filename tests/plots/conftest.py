"""Plots are drawn without a screen, and closed after each test."""

import matplotlib
import pytest
from matplotlib import pyplot


@pytest.fixture(autouse=True)
def _nothing_on_screen(monkeypatch):
    matplotlib.use("Agg")
    monkeypatch.setattr(pyplot, "show", lambda: pytest.fail("shown"))
    yield
    pyplot.close("all")
