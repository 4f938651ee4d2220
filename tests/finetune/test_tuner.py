import errno
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import load_file
from scipy.sparse import csr_array
from scipy.special import entr
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, ShuffleSplit

from llmtopics import LanguageModelTuner, LocalLLM, TransformerEmbedder
from llmtopics._language import training, training_models, tune
from llmtopics._language.objectives import Topics
from llmtopics._language.training_models import license_of
from llmtopics._language.training_texts import packed, pieces

CHECKPOINT = "checkpoints/checkpoint-"


def weights(tuner):
    return load_file(Path(tuner.model_path_) / "model.safetensors")


def assert_same_weights(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert_array_equal(found[name], array, err_msg=name)


@pytest.mark.parametrize("objective", ["causal", "masked"])
def test_a_model_of_random_weights_learns(tiny, texts, objective):
    tuner = tiny(objective=objective, n_epochs=14, learning_rate=0.03).fit(texts)
    checked = tuner.history_["perplexity"]
    checked = checked[~np.isnan(checked)]
    assert checked[0] > 200  # of 300 tokens
    assert checked.min() < checked[0] / 5
    assert tuner.score(texts) > -np.log(checked[0]) + 1
    assert tuner.score(texts) == tuner.score(texts)
    assert tuner.score(["the bank market"]) > tuner.score(["zqx 9§7 wvu"])


@pytest.mark.parametrize("name", ["accelerate", "psutil"])
def test_training_without_a_package_names_the_extra(tiny, texts, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"{name}: pip install .*\[finetune\]"):
        tiny(max_steps=1).fit(texts)


def test_the_score_of_texts_is_that_of_their_tokens(tiny, texts):
    """The mean over texts, weighted by tokens, whatever stands beside them."""
    tuner = tiny(max_steps=2).fit(texts)
    one, other = texts[0], f"{texts[1]} {texts[2]} {texts[3]}"
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tuner.model_path_)
    n = [len(tokenizer(t, add_special_tokens=False)["input_ids"]) for t in (one, other)]
    n = np.array(n) + 1  # the end of a text is predicted, too
    apart = np.array([tuner.score([one]), tuner.score([other])])
    assert n[1] > 33  # it is read in pieces
    assert tuner.score([one, other]) == pytest.approx(n @ apart / n.sum(), rel=1e-5)


def test_the_history_is_a_table_that_starts_before_training(tiny, texts):
    tuner = tiny(n_epochs=4, validation_fraction=0.2).fit(texts)
    history = tuner.history_
    assert len({len(column) for column in history.values()}) == 1
    assert history["step"][0] == 0
    assert np.isfinite(history["held_out_loss"][0])
    assert (np.diff(history["seconds"]) >= 0).all()
    assert (history["memory_mib"] > 1).all()
    # all windows are read four times
    assert history["tokens"].max() > 4 * sum(len(text.split()) for text in texts[12:])


def test_lora_leaves_the_base_alone_and_is_merged(small_model, texts, tmp_path):
    from llmtopics import LanguageModelTuner

    before = load_file(small_model / "model.safetensors")
    tuner = LanguageModelTuner(
        str(small_model), max_steps=4, max_length=16, output_dir=tmp_path / "lora"
    ).fit(texts)
    assert_same_weights(load_file(small_model / "model.safetensors"), before)
    tuned = weights(tuner)
    assert tuned.keys() == before.keys()  # no adapter beside the weights
    moved = {name for name in before if not np.array_equal(tuned[name], before[name])}
    assert "model.layers.0.self_attn.q_proj.weight" in moved
    assert "model.embed_tokens.weight" not in moved
    llm = LocalLLM(tuner.model_path_, dtype="float32", cache_dir=False)
    plain = LocalLLM(str(small_model), dtype="float32", cache_dir=False)
    asked = ["the bank"], [" share", " goal"]
    assert np.abs(llm.score(*asked) - plain.score(*asked)).max() > 1e-3


def test_adapter_none_trains_all_weights(small_model, texts, tmp_path):
    from llmtopics import LanguageModelTuner

    tuner = LanguageModelTuner(
        str(small_model),
        adapter=None,
        max_steps=2,
        max_length=16,
        gradient_accumulation_steps=2,
        gradient_checkpointing=True,
        output_dir=tmp_path / "all",
    ).fit(texts)
    before = load_file(small_model / "model.safetensors")
    assert not any(
        np.array_equal(weights(tuner)[name], before[name]) for name in before
    )


def test_an_embedder_reads_a_masked_model(tiny, texts):
    tuner = tiny(objective="masked", max_steps=2).fit(texts)
    vectors = TransformerEmbedder(tuner.model_path_, cache_dir=False).transform(texts)
    assert vectors.shape == (60, 16)


def test_a_masked_model_keeps_the_pooling_of_its_base(texts, tmp_path):
    """sentence-transformers reads the folder, and gives the same vectors."""
    from sentence_transformers import SentenceTransformer

    from llmtopics import LanguageModelTuner

    tuner = LanguageModelTuner(
        "minilm",
        objective="masked",
        max_steps=2,
        max_length=16,
        batch_size=2,
        dtype="float32",
        output_dir=tmp_path / "masked",
    ).fit(texts)
    ours = TransformerEmbedder(
        tuner.model_path_, dtype="float32", cache_dir=False
    ).transform(texts[:4])
    theirs = SentenceTransformer(tuner.model_path_, device="cpu").encode(texts[:4])
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def closeness(tuner, texts, subjects):
    """Return the mean cosine within subjects, less that between them."""
    vectors = TransformerEmbedder(
        tuner.model_path_, dtype="float32", cache_dir=False
    ).transform(texts)
    same = subjects[:, None] == subjects
    cosines = vectors @ vectors.T
    return cosines[same].mean() - cosines[~same].mean()


CLOSE = {"objective": "contrastive", "n_epochs": 8, "learning_rate": 0.01}


def test_texts_of_one_label_come_closer(tiny, texts, subjects, tmp_path):
    with_y = tiny(**CLOSE, output_dir=tmp_path / "y").fit(texts, subjects)
    without = tiny(**CLOSE, output_dir=tmp_path / "none").fit(texts)
    assert closeness(with_y, texts, subjects) > 0.1 + closeness(
        without, texts, subjects
    )
    assert with_y.score(texts, subjects) == with_y.score(texts, subjects)
    losses = without.history_["held_out_loss"]
    losses = losses[~np.isnan(losses)]
    assert losses.min() < losses[0]


def test_cosines_follow_the_topics_that_texts_share(tiny, texts, subjects):
    shares = np.where(subjects[:, None] == ["money", "sport"], 0.9, 0.1)
    tuner = tiny(**CLOSE).fit(texts, shares)
    same, other = shares[0] @ shares[2], shares[0] @ shares[1]
    expected = 0.05 * np.log(same / other)  # where the softmax equals its target
    assert closeness(tuner, texts, subjects) == pytest.approx(expected, abs=0.02)


def test_vectors_that_are_all_alike_are_refused(tiny, texts):
    y = np.full((60, 2), 0.5)  # every text has the same topics
    tuner = tiny(objective="contrastive", n_epochs=6, learning_rate=0.01)
    with pytest.raises(ValueError, match="nearly the same vector"):
        tuner.fit(texts, y)


def test_contrastive_needs_mean_pooling_and_dropout(tiny, small_model, texts, tmp_path):
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    decoder = tiny(
        objective="contrastive", init="pretrained", model=str(small_model), batch_size=2
    )
    with pytest.raises(ValueError, match=r"pooling='last'.*such as 'minilm'"):
        decoder.fit(texts)
    encoder = tiny(objective="masked", max_steps=1).fit(texts).model_path_
    config = AutoConfig.from_pretrained(
        encoder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    AutoModel.from_config(config).save_pretrained(tmp_path / "still")
    AutoTokenizer.from_pretrained(encoder).save_pretrained(tmp_path / "still")
    still = tiny(
        objective="contrastive",
        init="pretrained",
        model=str(tmp_path / "still"),
        adapter=None,
        max_steps=1,
        output_dir=tmp_path / "tuned still",  # a fit that is refused leaves it free
    )
    with pytest.raises(ValueError, match="the model has none: pass y"):
        still.fit(texts)
    still.fit(texts, [*"ab" * 30])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a"] * 60, "y has one label, 'a'"),
        (["a", "b"], "y has 2 rows, and there are 60 texts"),
        ([*"ab" * 29, "a", None], "no label in row 59"),
        ([0.0, 1.0] * 29 + [0.0, np.nan], "no label in row 59"),
        (np.zeros((60, 2)), "no topic in row 0"),
        (np.full((60, 2), -1.0), "Negative"),
        (np.tile([1.0, 0.0], (60, 1)), "one topic, column 0"),
        (np.ones((60, 1)), "one label, 1.0"),
        ([1, "1"] * 30, "different types, number and str"),
        (np.linspace(0, 1, 60), "continuous"),
        (3, "one label per text, got 3"),
    ],
)
@pytest.mark.filterwarnings("ignore:A column-vector")
def test_bad_labels_are_named(tiny, texts, y, message):
    with pytest.raises(ValueError, match=message):
        tiny(objective="contrastive").fit(texts, y)


def test_sparse_topics_are_those_of_an_array(tiny, texts, subjects, tmp_path):
    shares = np.where(subjects[:, None] == ["money", "sport"], 1.0, 0.0)
    dense = tiny(**TOPICS | {"n_epochs": 1}).fit(texts, shares)
    sparse = tiny(**TOPICS | {"n_epochs": 1}, output_dir=tmp_path / "sparse")
    assert_same_weights(weights(sparse.fit(texts, csr_array(shares))), weights(dense))


def test_the_card_says_what_the_model_was_made_of(small_model, texts, tmp_path):
    from llmtopics import LanguageModelTuner

    (small_model / "README.md").write_text("---\nlicense: mit\n---\n", "utf-8")
    tuner = LanguageModelTuner(
        str(small_model), max_steps=1, max_length=16, output_dir=tmp_path / "card"
    ).fit(texts)
    card = (Path(tuner.model_path_) / "README.md").read_text("utf-8")
    for part in [
        "License of the base model: mit",
        "60 (SHA-256",
        "perplexity",
        '"rank"',
    ]:
        assert part in card
    second = LanguageModelTuner(
        tuner.model_path_, max_steps=1, max_length=16, output_dir=tmp_path / "second"
    ).fit(texts)
    assert license_of(Path(second.model_path_)) == "mit"


PROGRAM = """
import sys
from llmtopics import LanguageModelTuner
sys.path.insert(0, {tests!r})
from conftest import some_texts
LanguageModelTuner(init="random", hidden_size=16, n_layers=1, vocab_size=300, max_length=32,
    batch_size=4, n_epochs=12, eval_steps=10, output_dir={folder!r}).fit(some_texts(60)[0])
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_continues_to_the_weights_of_an_unbroken_one(
    tiny, texts, tmp_path, sent
):
    folder = tmp_path / "killed"
    program = PROGRAM.format(tests=str(Path(__file__).parent), folder=str(folder))
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", program]) as process:
        for _ in range(6000):
            if list(folder.glob(f"{CHECKPOINT}[1-9]*/complete.json")):
                break
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(sent)
    assert not (folder / "model").exists()  # it was in the middle
    last = max(int(path.name.split("-")[1]) for path in folder.glob(f"{CHECKPOINT}*"))
    cut = folder / f"{CHECKPOINT}{last + 10}"
    cut.mkdir()
    (cut / "trainer_state.json").write_text("{", "utf-8")
    settings = {"n_epochs": 12, "eval_steps": 10}
    continued = tiny(**settings, output_dir=folder).fit(texts)
    unbroken = tiny(**settings, output_dir=tmp_path / "unbroken").fit(texts)
    assert_same_weights(weights(continued), weights(unbroken))
    for name in ["step", "loss", "held_out_loss", "tokens"]:
        assert_array_equal(continued.history_[name], unbroken.history_[name])
    assert not (folder / "checkpoints").exists()


def test_a_finished_run_is_not_repeated(tiny, texts, monkeypatch):
    tuner = tiny(max_steps=2).fit(texts)
    monkeypatch.setattr(tune, "train", None)
    again = tiny(max_steps=2, verbose=True).fit(texts)
    assert again.model_path_ == tuner.model_path_
    assert_array_equal(again.history_["loss"], tuner.history_["loss"])


def test_two_fits_on_one_folder_take_turns(tiny, texts):
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(tiny(max_steps=2).fit, texts) for _ in range(2)]
        first, second = (job.result() for job in jobs)
    assert_array_equal(first.history_["seconds"], second.history_["seconds"])


def test_a_run_interrupted_before_its_first_checkpoint_frees_its_folder(
    tiny, texts, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tune, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tiny(max_steps=1).fit(texts)
    assert tiny(max_steps=2).fit(texts).history_["step"].max() == 2


def test_another_run_in_the_folder_is_never_overwritten(tiny, texts, tmp_path):
    tiny(max_steps=1).fit(texts)
    for other in [tiny(max_steps=2), tiny(max_steps=1, random_state=1)]:
        with pytest.raises(
            ValueError, match=r"output_dir=.*a model with other texts or"
        ):
            other.fit(texts)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("hello", "utf-8")
    with pytest.raises(ValueError, match="other files, such as 'letter'"):
        tiny(output_dir=tmp_path / "mine").fit(texts)


def test_a_search_trains_each_candidate(tiny, texts):
    tuner = tiny(output_dir=None, n_epochs=2)
    search = GridSearchCV(
        tuner,
        {"learning_rate": [1e-6, 1e-2]},
        cv=ShuffleSplit(1, random_state=0),
    ).fit(texts)
    low, high = search.cv_results_["mean_test_score"]
    assert high > low + 0.1
    assert search.best_params_ == {"learning_rate": 1e-2}


def test_time_is_limited(tiny, texts):
    history = tiny(n_epochs=1000, max_minutes=1e-9).fit(texts).history_
    assert history["step"].max() == 1
    assert np.isfinite(history["held_out_loss"][-1])


def test_without_held_out_texts_all_are_trained_on(tiny):
    tuner = tiny(validation_fraction=0, max_steps=1).fit(["one text alone"])
    assert np.isnan(tuner.history_["held_out_loss"]).all()


def test_a_loss_that_is_not_finite_stops_training(tiny, texts):
    tuner = tiny(learning_rate=1e30, schedule="constant", n_epochs=9)
    with pytest.raises(FloatingPointError, match=r"step \d+ is .*lower learning_rate"):
        tuner.fit(texts)
    with pytest.raises(NotFittedError):
        tuner.score(texts)


def test_too_little_memory_is_said_before_training(tiny, texts, monkeypatch):
    monkeypatch.setattr(training_models, "_free_bytes", lambda device: 1000)
    with pytest.raises(MemoryError, match=r"GiB are free\. Use adapter='lora'"):
        tiny().fit(texts)


def test_a_full_disk_is_named_and_the_next_fit_continues(tiny, texts, monkeypatch):
    from transformers import Trainer

    save = Trainer._save_checkpoint

    def fake_full_disk(self, *arguments, **options):
        if self.state.global_step >= 6:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(self, *arguments, **options)

    settings = {"n_epochs": 3, "eval_steps": 2}
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_save_checkpoint", fake_full_disk)
        with pytest.raises(OSError, match="Free space on this disk"):
            tiny(**settings).fit(texts)
    steps = []

    def noted(folder):
        steps.append(last(folder))
        return steps[-1]

    last = training.last_whole_checkpoint
    monkeypatch.setattr(training, "last_whole_checkpoint", noted)
    tiny(**settings).fit(texts)
    assert steps[0].name == "checkpoint-4"


@pytest.mark.parametrize(
    ("settings", "corpus", "message"),
    [
        ({}, ["", " "], "all 2 are blank"),
        ({}, ["one"], "got 1 text"),
        ({"max_length": 4}, ["a", "b"], "max_length"),
        ({"n_heads": 3}, ["a", "b"], "n_heads"),
        ({"objective": "masked", "init": "pretrained"}, ["a", "b"], "'minilm'"),
        ({"init": "pretrained", "max_length": 9999}, ["a", "b"], "max_length=9999"),
        ({"device": "cuda:1"}, ["a", "b"], "CUDA_VISIBLE_DEVICES"),
    ],
)
def test_bad_input_is_named(tiny, small_model, settings, corpus, message):
    with pytest.raises(ValueError, match=message):
        tiny(model=str(small_model), **settings).fit(corpus)


def test_a_batch_without_a_masked_token_masks_one(tiny, texts):
    """Of short windows, chance masks none now and then; their mean loss would be NaN."""
    tuner = tiny(objective="masked", batch_size=1, max_length=8, max_steps=12).fit(
        texts
    )
    assert np.isfinite(tuner.history_["loss"][1:2]).all()


def test_packing_loses_no_token():
    texts = [[*range(10)], [*range(20, 45)], []]
    rows = packed(texts, 99, 8)
    expected = [99, *range(10), 99, *range(20, 45), 99, 99]
    assert np.concatenate(rows).tolist() == expected
    lengths = {len(row) for row in rows}
    assert max(lengths) <= 8
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("n", [0, 1, 6, 7, 8, 30])
def test_pieces_predict_each_token_once(n):
    found = pieces(range(n), 99, 8)
    predicted = np.concatenate([piece[1:] for piece in found])
    assert predicted.tolist() == [*range(n), 99]
    assert max(map(len, found)) <= 8


TOPICS = {"objective": "topics", "n_epochs": 8, "learning_rate": 0.01}


def test_texts_of_one_label_gather_at_a_prototype(tiny, texts, subjects, tmp_path):
    still = {"learning_rate": 1e-9, "output_dir": tmp_path / "before"}
    before = tiny(**TOPICS | still).fit(texts, subjects)
    tuner = tiny(**TOPICS).fit(texts, subjects)
    assert closeness(tuner, texts, subjects) > 0.3 + closeness(before, texts, subjects)
    assert tuner.score(texts, subjects) > 0.1 + before.score(texts, subjects)
    assert tuner.score(texts, subjects) == tuner.score(texts, subjects)


@pytest.mark.parametrize("share", [1.0, 0.9])
def test_the_least_loss_is_the_entropy_of_the_topics(tiny, texts, subjects, share):
    shares = np.where(subjects[:, None] == ["money", "sport"], share, 1 - share)
    losses = tiny(**TOPICS).fit(texts, shares).history_["held_out_loss"]
    losses = losses[~np.isnan(losses)]
    least = entr(shares[0]).sum()
    assert least < losses.min() < least + 0.02
    assert losses[0] > least + 0.04


@pytest.fixture(scope="module")
def encoder(texts, tmp_path_factory):
    """The folder of an encoder of random weights, with mean pooling."""
    return (
        LanguageModelTuner(
            init="random",
            objective="contrastive",
            hidden_size=16,
            n_layers=1,
            vocab_size=300,
            max_length=32,
            max_steps=1,
            output_dir=tmp_path_factory.mktemp("encoder"),
        )
        .fit(texts)
        .model_path_
    )


@pytest.mark.parametrize("adapter", ["lora", None])
def test_prototypes_are_trained_kept_in_checkpoints_and_left_out_at_the_end(
    tiny, texts, subjects, adapter, encoder, tmp_path, monkeypatch
):
    from transformers import Trainer

    settings = {
        "objective": "topics",
        "init": "pretrained",
        "model": encoder,
        "adapter": adapter,
        "learning_rate": 0.01,
        "n_epochs": 3,
        "eval_steps": 4,
    }
    save = Trainer._save_checkpoint

    def fake_kill(self, *arguments, **options):
        save(self, *arguments, **options)
        heads.append(self.model.prototypes.weight.detach().numpy().copy())
        if self.state.global_step == 8:
            raise KeyboardInterrupt

    heads = []
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_save_checkpoint", fake_kill)
        with pytest.raises(KeyboardInterrupt):
            tiny(**settings).fit(texts, subjects)
    assert heads[0].shape == (2, 16)
    assert not np.array_equal(heads[0], heads[1])
    continued = tiny(**settings).fit(texts, subjects)
    unbroken = tiny(**settings, output_dir=tmp_path / "unbroken").fit(texts, subjects)
    assert_same_weights(weights(continued), weights(unbroken))
    assert_array_equal(continued.history_["loss"], unbroken.history_["loss"])
    before = load_file(Path(encoder) / "model.safetensors")
    assert weights(continued).keys() == before.keys()


def test_prototypes_start_at_the_mean_vectors_of_topics(texts, subjects, encoder):
    """A topic without texts starts at the mean of all, and not at a vector of zeros."""
    from transformers import AutoModel, AutoTokenizer

    topics = np.column_stack([subjects == "money", subjects == "sport", [False] * 60])
    objective = Topics(AutoTokenizer.from_pretrained(encoder), 32)
    model = AutoModel.from_pretrained(encoder)
    objective.add_head(model, objective.items(texts, topics.astype(float), True))
    embedder = TransformerEmbedder(encoder, dtype="float32", cache_dir=False)
    vectors = embedder.transform(texts)
    means = np.stack([vectors[::2].mean(axis=0), vectors[1::2].mean(axis=0)])
    means = np.vstack([means, vectors.mean(axis=0)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    found = model.prototypes.weight.detach().numpy()
    np.testing.assert_allclose(found, means, atol=1e-5)
    assert model.prototypes.weight.requires_grad


def test_topics_need_y(tiny, texts):
    with pytest.raises(ValueError, match="objective='topics' needs y"):
        tiny(objective="topics").fit(texts)
