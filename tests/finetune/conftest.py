import numpy as np
import pytest

from llmtopics import LanguageModelTuner

_WORDS = {
    "money": ["bank", "share", "market", "profit", "price", "trade", "stock", "tax"],
    "sport": ["goal", "match", "team", "player", "coach", "cup", "win", "league"],
}


def some_texts(n, seed=0):
    """Return texts about two subjects, and the subject of each."""
    rng = np.random.default_rng(seed)
    subjects = np.array(["money", "sport"])[np.arange(n) % 2]
    texts = [f"the {' '.join(rng.choice(_WORDS[subject], 8))}" for subject in subjects]
    return texts, subjects


@pytest.fixture(scope="session")
def texts():
    return some_texts(60)[0]


@pytest.fixture(scope="session")
def subjects():
    return some_texts(60)[1]


@pytest.fixture
def tiny(tmp_path):
    """Return a maker of tuners of a tiny model of random weights, on a folder of the test."""

    def make(**parameters):
        settings = {
            "init": "random",
            "hidden_size": 16,
            "n_layers": 1,
            "vocab_size": 300,
            "max_length": 32,
            "batch_size": 4,
            "output_dir": tmp_path / "tuned",
        }
        return LanguageModelTuner(**settings | parameters)

    return make
