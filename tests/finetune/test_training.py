"""The loop that the tuner and the classifier share: what is kept, continued and refused."""

import errno
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import load_file

from llmtopics import LanguageModelTuner, TransformerClassifier
from llmtopics._checks import as_seed
from llmtopics._language import training, tune
from llmtopics._language.checkpoints import held
from llmtopics._language.devices import devices_of
from llmtopics._language.objectives import Causal, Contrastive, Masked
from llmtopics._language.training_texts import spread_rows
from llmtopics._language.tune import _split


def weights(tuner):
    return load_file(Path(tuner.model_path_) / "model.safetensors")


def checks(model):
    losses = model.history_["held_out_loss"]
    return losses[~np.isnan(losses)]


@pytest.fixture(scope="session")
def still(encoder, tmp_path_factory):
    """The folder of the encoder, without dropout."""
    from transformers import AutoModel, AutoTokenizer

    folder = tmp_path_factory.mktemp("still")
    model = AutoModel.from_pretrained(
        encoder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(encoder).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def classifier(encoder):
    def make(**parameters):
        settings = {"training": "full", "dtype": "float32", "cache_dir": False}
        return TransformerClassifier(str(encoder), **settings | parameters)

    return make


@pytest.fixture
def interrupted(monkeypatch):
    """Fit a tuner until it has written the checkpoint of a step."""
    from transformers import Trainer

    save = Trainer._save_checkpoint

    def fit(tuner, texts, last, error=KeyboardInterrupt):
        def stop(self, *arguments, **options):
            if self.state.global_step > last:
                raise error
            save(self, *arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(Trainer, "_save_checkpoint", stop)
            with pytest.raises(error):
                tuner.fit(texts)

    return fit


BEST_BEFORE_THE_LAST = {
    "n_epochs": 99,
    "learning_rate": 0.05,
    "eval_steps": 5,
    "patience": 2,
}


SIZE = {
    "init": "random",
    "hidden_size": 16,
    "n_layers": 1,
    "vocab_size": 300,
    "max_length": 32,
    "batch_size": 4,
}


@pytest.fixture(scope="module")
def unbroken(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    return LanguageModelTuner(**SIZE, **BEST_BEFORE_THE_LAST, output_dir=folder).fit(
        texts
    )


WORSE = {"learning_rate": 0.5, "n_epochs": 20}


@pytest.mark.parametrize("adapter", ["lora", None])
def test_the_tuner_keeps_the_weights_of_before_if_training_makes_them_worse(
    tiny, texts, unbroken, adapter
):
    base = {"init": "pretrained", "model": unbroken.model_path_, "adapter": adapter}
    tuner = tiny(**base, **WORSE).fit(texts)
    assert checks(tuner)[1:].min() > checks(tuner)[0]
    before, kept = weights(unbroken), weights(tuner)
    for name, array in before.items():
        assert_array_equal(kept[name], array)
    card = (Path(tuner.model_path_) / "README.md").read_text("utf-8")
    assert "the weights of before are kept" in card


def test_the_classifier_keeps_the_weights_of_before_if_training_makes_them_worse(
    classifier, texts, subjects
):
    worse = classifier(**WORSE).fit(texts, subjects)
    assert checks(worse)[-1] > checks(worse)[0] == checks(worse).min()
    same = classifier(learning_rate=1e-30, n_epochs=1).fit(texts, subjects)
    assert_array_equal(worse.predict_proba(texts), same.predict_proba(texts))


def test_the_kept_weights_have_the_least_loss_on_the_held_out_texts(texts, unbroken):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    losses = checks(unbroken)
    assert 0 < losses.argmin() == len(losses) - 3
    tuning = unbroken._tuning(as_seed(0))
    held, _ = _split(len(texts), tuning)
    objective = Causal(AutoTokenizer.from_pretrained(unbroken.model_path_), 32)
    rows = objective.items([texts[i] for i in held], None, True)
    model = AutoModelForCausalLM.from_pretrained(unbroken.model_path_).eval()
    size = unbroken.batch_size  # a check is the mean over rows of the means of batches
    batches = [rows[i : i + size] for i in range(0, len(rows), size)]
    # on CPUs that can, checks compute in bfloat16, as training does
    narrow = training.training_dtype(unbroken._tuning(0).plan) == "bfloat16"
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=narrow):
        means = [model(**objective.collate(batch)).loss.item() for batch in batches]
    loss = np.average(means, weights=[len(batch) for batch in batches])
    assert loss == pytest.approx(losses.min(), rel=1e-4)
    assert loss < losses[-1] - 0.01


@pytest.mark.parametrize("how", ["cut off", "gone"])
def test_a_run_without_its_best_weights_starts_again(
    tiny, texts, unbroken, interrupted, tmp_path, how
):
    best = 5 * int(checks(unbroken).argmin())
    interrupted(tiny(**BEST_BEFORE_THE_LAST), texts, best + 5)
    file = tmp_path / "tuned/checkpoints" / f"checkpoint-{best}" / "model.safetensors"
    assert file.exists()
    if how == "gone":
        shutil.rmtree(file.parent)
    else:
        os.truncate(file, 100)
    tuner = tiny(**BEST_BEFORE_THE_LAST).fit(texts)
    for name, array in weights(unbroken).items():
        assert_array_equal(weights(tuner)[name], array)


def test_a_run_goes_on_to_its_best_weights_after_a_move(
    tiny, texts, tmp_path, monkeypatch
):
    settings = {"schedule": "constant", "patience": None, "n_epochs": 16}
    settings = BEST_BEFORE_THE_LAST | settings
    with monkeypatch.context() as patch:
        patch.setattr(tune, "save", None)  # all checkpoints are written by now
        with pytest.raises(TypeError):
            tiny(**settings).fit(texts)
    folder = (tmp_path / "tuned").rename(tmp_path / "elsewhere")
    moved = tiny(**settings, output_dir=folder).fit(texts)
    direct = tiny(**settings).fit(texts)
    assert checks(direct).argmin() < len(checks(direct)) - 1
    for name, array in weights(direct).items():
        assert_array_equal(weights(moved)[name], array)


@pytest.mark.parametrize("objective", ["causal", "masked", "contrastive", "topics"])
def test_accumulated_batches_have_the_mean_loss_of_the_batches(
    tiny, small_model, still, texts, subjects, objective, tmp_path
):
    settings = {
        "init": "pretrained",
        "model": str(small_model) if objective == "causal" else still,
        "objective": objective,
        "adapter": None,
        "learning_rate": 1e-30,  # the batches are the same, and so are the weights
        "batch_size": 2,
        "validation_fraction": 0,
        "eval_steps": 1,
        "dtype": "float32",
    }
    apart = tiny(**settings, max_steps=4, output_dir=tmp_path / "apart")
    apart = apart.fit(texts, subjects).history_["loss"]
    joined = tiny(**settings, max_steps=1, gradient_accumulation_steps=4)
    (joined,) = joined.fit(texts, subjects).history_["loss"]
    assert len(apart) == 4
    assert joined == pytest.approx(apart.mean(), rel=0.02)


def test_an_encoder_is_not_trained_to_predict_the_next_token(tiny, encoder, texts):
    tuner = tiny(init="pretrained", model=str(encoder))
    with pytest.raises(ValueError, match=r"'smollm2'.*objective='masked'"):
        tuner.fit(texts)


def test_a_decoder_with_a_mask_token_is_not_trained_as_an_encoder(
    tiny, texts, tmp_path
):
    decoder = tiny(max_steps=1).fit(texts).model_path_
    masked = {"objective": "masked", "output_dir": tmp_path / "masked"}
    with pytest.raises(ValueError, match=r"needs an encoder.*'minilm'"):
        tiny(init="pretrained", model=decoder, **masked).fit(texts)


def test_half_precision_on_a_processor_is_refused(tiny, classifier, texts, subjects):
    half = {"dtype": "float16", "device": "cpu"}
    for fit in [
        lambda: tiny(**half).fit(texts),
        lambda: classifier(**half).fit(texts, subjects),
    ]:
        with pytest.raises(ValueError, match="'bfloat16' or 'float32'"):
            fit()


def test_weights_that_are_not_finite_are_never_kept(tiny, texts, tmp_path):
    tuner = tiny(learning_rate=1e38, max_steps=1, warmup=0, validation_fraction=0)
    with pytest.raises(FloatingPointError, match=r"step 1 is not finite.*lower"):
        tuner.fit(texts)
    assert not (tmp_path / "tuned" / "model").exists()


def test_a_run_that_would_fail_again_frees_its_folder(tiny, texts, monkeypatch):
    with pytest.raises(FloatingPointError, match=r"lower learning_rate\.$"):
        tiny(learning_rate=1e30, schedule="constant", eval_steps=1).fit(texts)
    same = np.full((60, 2), 0.5)
    collapsing = tiny(objective="contrastive", n_epochs=6, learning_rate=0.01)
    with pytest.raises(ValueError, match="nearly the same vector"):
        collapsing.fit(texts, same)
    assert tiny(max_steps=1).fit(texts).history_["step"].max() == 1


def test_what_a_folder_holds_is_said(tiny, texts, interrupted):
    interrupted(tiny(n_epochs=9, eval_steps=2), texts, 2)
    with pytest.raises(ValueError, match=r"holds an unfinished run .*output_dir=None"):
        tiny().fit(texts)
    tiny(n_epochs=9, eval_steps=2).fit(texts)
    with pytest.raises(ValueError, match="holds a model with other texts or"):
        tiny().fit(texts)


def test_a_classifier_on_a_full_disk_is_advised_to_use_another(
    classifier, texts, subjects, monkeypatch
):
    from transformers import Trainer

    def fake_full_disk(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Trainer, "_save_checkpoint", fake_full_disk)
    with pytest.raises(OSError, match=r"Free space on this disk.* TMPDIR") as caught:
        classifier().fit(texts, subjects)
    assert "output_dir" not in str(caught.value)
    assert "continues" not in str(caught.value)


@pytest.mark.parametrize("n", [1, 3, 8, 40])
def test_each_held_out_window_has_a_masked_token(encoder, n):
    from transformers import AutoTokenizer

    objective = Masked(AutoTokenizer.from_pretrained(encoder), 8)
    for held_out in [True, False]:
        batch = objective.collate(objective.items(["a", "b"] * n, None, held_out))
        assert (batch["labels"] != -100).any()
    rows = objective.items(["a", "b"] * n, None, True)
    assert all((row["labels"] != -100).any() for row in rows)


@pytest.fixture(scope="module")
def words_only(tmp_path_factory):
    """The folder of an encoder that knows two words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("words")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "bank", "goal"]
    numbers = {word: i for i, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = dict(zip(["pad", "unk", "cls", "sep", "mask"], vocabulary, strict=False))
    special = {f"{name}_token": token for name, token in special.items()}
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=32, **special
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=7,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=32,
    )
    with torch.random.fork_rng(devices=[]):
        BertForMaskedLM(config).save_pretrained(folder)
    return str(folder)


def test_texts_of_unknown_tokens_alone_are_said(tiny, words_only, tmp_path):
    settings = {
        "init": "pretrained",
        "model": words_only,
        "objective": "masked",
        "max_steps": 1,
    }
    with pytest.raises(ValueError, match="'🦤🪬', have no token that can be masked"):
        tiny(**settings).fit(["🦤🪬"] * 4)
    tuner = tiny(**settings).fit(["bank goal bank"] * 9 + ["🦤"])
    with pytest.raises(ValueError, match="no token that can be masked"):
        tuner.score(["\u200b"])
    known = tuner.score(["bank goal"])
    assert tuner.score(["bank goal", "🦤"]) == pytest.approx(known, rel=1e-5)


def test_equal_texts_at_the_start_are_no_collapse(encoder, texts):
    from transformers import AutoModel, AutoTokenizer

    objective = Contrastive(AutoTokenizer.from_pretrained(encoder), 32)
    model = AutoModel.from_pretrained(encoder)
    objective.check(model, ["the same"] * 100 + texts)
    objective.check(model, ["the same"] * 100)  # one text has one vector
    model.embeddings.word_embeddings.weight.data.zero_()
    with pytest.raises(ValueError, match="nearly the same vector"):
        objective.check(model, texts)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({"money": -1.0, "sport": 1.0}, "weight -1.0 for class 'money'"),
        ({"money": 1.0, "sport": np.nan}, "nan for class 'sport'"),
        ({"money": 1.0, "sport": "2"}, "'2' for class 'sport'"),
    ],
)
def test_bad_class_weights_are_named(
    classifier, texts, subjects, class_weight, message
):
    for trained in ["head", "full"]:
        model = classifier(training=trained, class_weight=class_weight)
        with pytest.raises(ValueError, match=re.escape(message)):
            model.fit(texts, subjects)


def test_a_class_of_weight_zero_is_left_out(classifier, texts, subjects):
    y = np.array(["other", *subjects[1:]])
    weights = {"money": 1.0, "sport": 2.0, "other": 0}
    model = classifier(class_weight=weights, max_steps=1).fit(texts, y)
    del weights["other"]
    without = classifier(class_weight=weights, max_steps=1).fit(texts[1:], y[1:])
    assert_array_equal(model.classes_, ["money", "sport"])
    assert_array_equal(model.predict_proba(texts), without.predict_proba(texts))


@pytest.mark.skipif("__import__('torch').cuda.is_available()")
def test_a_device_that_is_not_there_is_named(tiny, texts):
    for device in ["cuda", "mps", "tpu"]:
        with pytest.raises(ValueError, match=f"{device}.*device='auto'"):
            devices_of(device)
    with pytest.raises(ValueError, match="device='auto'"):
        tiny(device="cuda").fit(texts)


def test_output_dir_must_be_a_folder(tiny, texts, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine", "utf-8")
    for bad in [file, file / "inside"]:
        with pytest.raises(ValueError, match="is a file, or is inside of one"):
            tiny(output_dir=bad).fit(texts)
    with pytest.raises(ValueError, match="output_dir is empty"):
        tiny(output_dir="").fit(texts)


def test_a_relative_output_dir_is_found_from_elsewhere(
    tiny, texts, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("here").mkdir()
    left = Path("here", "run.json.7-7.part")
    left.write_text("left by a process that was killed", "utf-8")
    tuner = tiny(output_dir="here", max_steps=1).fit(texts)
    score = tuner.score(texts)
    monkeypatch.chdir("/")
    assert tuner.score(texts) == score


@pytest.mark.parametrize("damage", ["history", "weights", "gone"])
def test_a_damaged_model_is_said(tiny, texts, tmp_path, damage):
    folder = Path(tiny(max_steps=1).fit(texts).model_path_)
    file = folder / "model.safetensors"
    if damage == "history":
        (folder.parent / "history.json").unlink()
    elif damage == "weights":
        os.truncate(file, 100)
    else:
        file.unlink()
    for _ in range(2):  # the error deletes nothing
        with pytest.raises(OSError, match=r"tuned'? is damaged.* Delete this folder"):
            tiny(max_steps=1).fit(texts)


def test_memory_is_estimated_for_two_passes_and_by_rank(
    tiny, still, texts, monkeypatch
):
    seen = []

    def noted(config, kind, trained, n_tokens, *_):
        seen.append((trained, n_tokens))
        raise MemoryError

    monkeypatch.setattr(tune, "check_memory", noted)
    for objective in ["masked", "contrastive"]:
        for rank in [16, 32]:
            settings = {"objective": objective, "rank": rank, "batch_size": 4}
            with pytest.raises(MemoryError):
                tiny(init="pretrained", model=still, **settings).fit(texts)
    assert seen == [(0.05, 128), (0.1, 128), (0.05, 256), (0.1, 256)]


def test_the_memory_of_a_run_on_the_processor_is_that_of_the_process(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.max_memory_allocated", lambda: 0)
    assert training._memory_mib("cpu") > 1


def test_only_losses_of_tokens_have_a_perplexity(tiny, texts):
    history = tiny(objective="contrastive", max_steps=1).fit(texts).history_
    assert np.isfinite(history["held_out_loss"]).any()
    assert np.isnan(history["perplexity"]).all()


def test_the_card_of_a_second_tuning_names_the_first_base(tiny, texts, tmp_path):
    first = tiny(max_steps=1).fit(texts).model_path_
    folder = tmp_path / "second"
    second = tiny(init="pretrained", model=first, max_steps=1, output_dir=folder)
    cards = [
        Path(path, "README.md").read_text("utf-8")
        for path in (first, second.fit(texts).model_path_)
    ]
    assert f"Base model: {first}, tuned from random weights\n" in cards[1]
    for card in cards:
        assert not card.startswith("---")  # the front matter would name a license
        assert "License of the base model: none" in card


PROGRAM = """
import sys
from llmtopics import LanguageModelTuner
sys.path.insert(0, {tests!r})
from conftest import some_texts
tuner = LanguageModelTuner(init="random", hidden_size=16, n_layers=1, vocab_size=300,
    max_length=32, batch_size=4, max_steps=2, output_dir={folder!r}).fit(some_texts(60)[0])
print(tuner.history_["seconds"].tolist())
"""


def test_two_processes_on_one_folder_take_turns(tmp_path):
    tests, folder = str(Path(__file__).parent), str(tmp_path / "tuned")
    command = [sys.executable, "-W", "ignore", "-c"]
    command.append(PROGRAM.format(tests=tests, folder=folder))
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    printed = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert printed[0] == printed[1] != b""


# checks and interrupts ----------------------------------------------------------------


@pytest.mark.parametrize(("n", "length"), [(1, 9000), (3, 10), (600, 100), (65, 128)])
def test_a_check_reads_about_8192_tokens_of_all_rows(n, length):
    rows = [{"input_ids": np.full(length, i)} for i in range(n)]
    read = spread_rows(rows, 8192)
    numbers = [row["input_ids"][0] for row in read]
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 0
    assert numbers[-1] == n - 1
    assert len(read) == (n if n * length <= 8192 else max(1, 8192 // length))


def test_training_checks_on_no_more_tokens(tiny, texts, monkeypatch):
    monkeypatch.setattr(training, "_CHECKED", 64)
    read = []

    def recorded(rows, most):
        read.append(spread_rows(rows, most))
        return read[-1]

    monkeypatch.setattr(training, "spread_rows", recorded)
    tiny(max_steps=2, validation_fraction=0.5).fit(texts)
    assert 1 <= sum(len(row["input_ids"]) for row in read[0]) <= 64


@pytest.mark.parametrize(("minutes", "said"), [(1e-4, True), (9, False), (None, False)])
def test_checks_that_take_most_of_the_time_are_said(tiny, texts, caplog, minutes, said):
    tiny(max_minutes=minutes, max_steps=1).fit(texts)
    assert ("The first check on held-out texts took" in caplog.text) == said


def test_an_interrupt_says_where_the_run_continues(tiny, texts, interrupted, caplog):
    interrupted(tiny(max_steps=6, eval_steps=2), texts, 4)
    assert "Call fit again" in caplog.text
    assert "continue from step 4" in caplog.text


def test_a_folder_that_a_failed_run_deletes_is_made_again(tmp_path):
    place = tmp_path / "tuned"

    def fail(_):
        for _ in range(200):
            with pytest.raises(ValueError, match="of the run"), held(place, "key"):
                raise ValueError("of the run")

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(fail, range(2)))
    assert not place.exists()


@pytest.mark.parametrize("refused", [{"hidden_size": 17}, {"learning_rate": 1e38}])
def test_a_refused_run_leaves_no_folder(tiny, texts, tmp_path, refused):
    with pytest.raises((ValueError, FloatingPointError)):
        tiny(**refused).fit(texts)
    assert not (tmp_path / "tuned").exists()
    (tmp_path / "tuned").mkdir()
    with pytest.raises((ValueError, FloatingPointError)):
        tiny(**refused).fit(texts)
    assert (tmp_path / "tuned").is_dir()  # a folder of the user stays
