import numpy as np
import pytest

from llmtopics import LanguageModelTuner
from llmtopics._language.training_texts import train_tokenizer

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


@pytest.fixture(scope="session")
def others():
    """Return more texts, and their subjects."""
    return some_texts(40, seed=1)


@pytest.fixture(scope="session")
def encoder(tmp_path_factory, texts):
    """The folder of an encoder of random weights that computes in no time."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = train_tokenizer(texts, 300, 32)
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        initializer_range=0.2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    return folder
