"""Small models of random weights for the scenarios, and runs of their trials."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TRIALS = Path(__file__).with_name("trials.py")


@pytest.fixture(scope="session")
def parts(tmp_path_factory, small_model, encoder_folder, tiny_gguf):
    """The folder with the models: of answers, of vectors, and a packed one."""
    place = tmp_path_factory.mktemp("parts")
    for name, made in {
        "model": small_model,
        "encoder": encoder_folder,
        "gguf": tiny_gguf,
    }.items():
        shutil.copytree(made, place / name)
    return place


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory):
    import torch
    from transformers import BertConfig, BertModel

    from llmtopics._language.training_texts import train_tokenizer

    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = train_tokenizer(["bank share market goal match team"] * 9, 300, 32)
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


def run_trials(place, scenarios, kinds, n_trials, parts="none", seed=0):
    """Return what happened in each trial of each scenario."""
    request = {
        "scenarios": scenarios,
        "kinds": kinds,
        "n_trials": n_trials,
        "parts": str(parts),
        "place": str(place),
        "seed": seed,
    }
    command = [sys.executable, str(TRIALS), json.dumps(request)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=3600
    )
    assert done.returncode == 0, done.stderr[-5000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == n_trials * len(scenarios)
    failed = [each for each in told if "failed" in each]
    assert not failed, "\n".join(
        f"{each['scenario']}, {each['kind']}: {each['failed']}\n{each['log']}"
        for each in failed[:3]
    )
    return told


@pytest.fixture
def trials():
    return run_trials
