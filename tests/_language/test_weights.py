"""Weights are read from safetensors alone: other formats can run code."""

import json
import pickle
import struct
from pathlib import Path
from shutil import copytree

import pytest
import torch
from safetensors.torch import load_file

from llmtopics import (
    AudioTranscriber,
    ImageDescriber,
    LanguageModelTuner,
    LocalLLM,
    TransformerClassifier,
    TransformerEmbedder,
)
from llmtopics._language.files import SPEECH_WEIGHTS, WEIGHTS, find_files


class Attack:
    """Unpickled, it writes a file."""

    def __init__(self, victim: Path):
        self.victim = victim

    def __reduce__(self):
        return Path.touch, (self.victim,)


@pytest.fixture
def victim(tmp_path):
    yield (path := tmp_path / "code was run")
    assert not path.exists()


@pytest.fixture(
    params=["pytorch_model.bin", "model.pt", "weights.pth", "plain tensors"]
)
def planted(request, small_model, tmp_path, victim):
    """A model whose only weights are in a format of pickle."""
    folder = copytree(small_model, tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    if request.param == "plain tensors":  # harmless, and refused all the same
        torch.save(weights, folder / "pytorch_model.bin")
    else:
        (folder / request.param).write_bytes(pickle.dumps(Attack(victim)))
    return folder


MODELS = [
    lambda folder: LocalLLM(folder, cache_dir=False).generate(["a text"]),
    lambda folder: TransformerEmbedder(folder, cache_dir=False).fit_transform(
        ["a text"]
    ),
    lambda folder: TransformerClassifier(folder).fit(["a text", "b"] * 4, [0, 1] * 4),
    lambda folder: LanguageModelTuner(folder, max_steps=1).fit(["a text"] * 9),
]


@pytest.mark.parametrize("use", MODELS, ids=["llm", "embedder", "classifier", "tuner"])
def test_weights_that_can_run_code_are_refused(use, planted):
    with pytest.raises(OSError, match=r"can run code.*never read.*safetensors"):
        use(str(planted))


def test_an_adapter_that_can_run_code_is_refused(small_model, tmp_path, victim):
    folder = copytree(small_model, tmp_path / "model")
    settings = {"peft_type": "LORA", "base_model_name_or_path": str(small_model)}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    (folder / "adapter_model.bin").write_bytes(pickle.dumps(Attack(victim)))
    with pytest.raises(OSError, match=r"adapter_model\.bin.*never read"):
        LocalLLM(str(folder), cache_dir=False).generate(["a text"])


def test_pickles_beside_safetensors_are_not_opened(small_model, tmp_path, victim):
    folder = copytree(small_model, tmp_path / "model")
    for name in ["pytorch_model.bin", "training_args.bin", "model.pkl"]:
        (folder / name).write_bytes(pickle.dumps(Attack(victim)))
    answers = [
        LocalLLM(str(each), cache_dir=False, dtype="float32").generate(
            ["a text"], max_new_tokens=4
        )
        for each in (folder, small_model)
    ]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_code_that_comes_with_a_model_is_not_run(file, small_model, tmp_path, victim):
    folder = copytree(small_model, tmp_path / "model")
    settings = json.loads((folder / file).read_text())
    settings["auto_map"] = {
        "AutoConfig": "own.Config",
        "AutoModelForCausalLM": "own.Model",
        "AutoTokenizer": ["own.Tokenizer", "own.Tokenizer"],
    }
    settings["model_type"] = "own-model"
    if file == "tokenizer_config.json":
        settings["tokenizer_class"] = "OwnTokenizer"
    (folder / file).write_text(json.dumps(settings))
    (folder / "own.py").write_text(
        f"import pathlib\npathlib.Path({str(victim)!r}).touch()"
    )
    with pytest.raises(OSError, match="code that comes with a model is never run"):
        LocalLLM(str(folder), cache_dir=False).generate(["a text"])


def test_describers_refuse_such_weights_too(tmp_path, victim):
    """These models are found before they are loaded: a folder with a pickle is enough."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "blip"}))
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Attack(victim)))
    import numpy as np

    picture = np.zeros((9, 9), np.uint8)
    sound = (np.ones(16_000, np.float32) / 9, 16_000)
    for describer, value in [
        (ImageDescriber(how="caption", model=str(tmp_path), cache_dir=False), picture),
        (AudioTranscriber(str(tmp_path), cache_dir=False), sound),
    ]:
        with pytest.raises((OSError, ValueError)):
            describer.transform([value])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GGUF",
        b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60),
        b"GGUF" + struct.pack("<IQQQ", 3, 1, 1, 2**62) + b"abc",
        b"another format" * 9,
    ],
    ids=["empty", "cut", "huge numbers", "huge text", "another format"],
)
def test_a_damaged_gguf_file_is_an_error(data, tmp_path):
    (tmp_path / "m.gguf").write_bytes(data)
    llm = LocalLLM(str(tmp_path), gguf_file="m.gguf", cache_dir=tmp_path / "cache")
    with pytest.raises(OSError, match="has no model that transformers can load"):
        llm.generate(["a text"])


@pytest.mark.parametrize("change", ["cut", "header", "empty"])
def test_damaged_safetensors_are_an_error(change, small_model, tmp_path):
    folder = copytree(small_model, tmp_path / "model")
    file = folder / "model.safetensors"
    data = file.read_bytes()
    changed = {"cut": data[:-99], "header": b"\xff" * 9 + data[9:], "empty": b""}
    file.write_bytes(changed[change])
    with pytest.raises(OSError, match="has no model that transformers can load"):
        LocalLLM(str(folder), cache_dir=False).generate(["a text"])


def test_only_safe_formats_are_downloaded(monkeypatch, tmp_path):
    asked = []

    def download(hub_id, *, allow_patterns, **_):
        asked.extend(allow_patterns)
        return tmp_path

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    for weights in [WEIGHTS, SPEECH_WEIGHTS]:
        with pytest.raises(OSError, match="lacks weights"):
            find_files("organization/name", weights=weights)
    assert {
        name for name in asked if name.endswith((".bin", ".pt", ".pkl", ".py"))
    } == {
        "model.bin"  # CTranslate2's own format
    }
