"""Files of earlier releases are read, and give what they gave."""

import json
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import InconsistentVersionWarning

from llmtopics import load
from tests.golden.make import FOLDER, output_of

FILES = sorted(FOLDER.glob("*/*.llmtopics"))


def test_files_are_found():
    assert len(FILES) >= 10
    assert sum(path.stat().st_size for path in FILES) < 2**20


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_files_of_earlier_releases_give_what_they_gave(path):
    with warnings.catch_warnings():
        # of scikit-learn, which cannot promise it from version to version
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        model = load(path)
    noted = json.loads((path.parent / "outputs.json").read_text("utf-8"))[path.stem]
    assert_allclose(output_of(model), np.array(noted), rtol=1e-6, atol=1e-9)
