"""What is not saved, and files that are not loaded."""

import errno
import io
import json
import os
import pickle
import signal
import struct
import subprocess
import sys
import zipfile
from hashlib import sha256

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    RemoteEmbedder,
    RemoteLLM,
    TopicSummarizer,
    load,
    save,
)
from llmtopics.saving import _archive
from tests.saving.conftest import COUNTS, LABELS, TEXTS


def my_tokenizer(text):
    return text.split()


class MyLDA(GibbsLDA):
    pass


class Evil:
    def __reduce__(self):
        return os.mkdir, ("made by a pickle",)


# What is not saved ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            make_pipeline(CountVectorizer(tokenizer=my_tokenizer), GibbsLDA()),
            r"Pipeline\.steps\[0\]\[1\]\.tokenizer is .*my_tokenizer.*TextAnalyzer",
        ),
        (
            GibbsLDA(doc_topic_prior={"a": [lambda: 0]}),
            r"prior\['a'\]\[0\] is .*lambda",
        ),
        (FunctionTransformer(os.system), r"\.func is .*system.* holds no code"),
        (FunctionTransformer(np.load), r"\.func is .*load.* holds no code"),
        (FunctionTransformer(TEXTS.append), "append"),
        (MyLDA(), r"MyLDA is a .*MyLDA, which cannot be saved"),
        (GibbsLDA(random_state=Evil()), r"random_state is a .*Evil"),
        (
            RandomForestClassifier(2).fit([[0], [1]], [0, 1]),
            r"estimator is a .*DecisionTreeClassifier",
        ),
        (SVC(), "SVC"),
        (GibbsLDA(doc_topic_prior=np.zeros(2, "i4,O")), r"prior has the dtype"),
        (GibbsLDA(doc_topic_prior=np.array([Evil()])), r"prior\[0\] is a .*Evil"),
        (np.random.Generator(np.random.PCG64(0)).normal, "normal"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_cannot_be_saved_is_named(model, message, tmp_path):
    (tmp_path / "model").write_text("older")
    with pytest.raises(TypeError, match=message):
        save(model, tmp_path / "model", card=True)
    assert (tmp_path / "model").read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_keys_are_never_in_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-planted-secret")
    llm = RemoteLLM(
        "http://localhost:1/v1",
        "model",
        api_key_env="MY_KEY",
        extra_headers={"api-key": "Bearer $MY_KEY"},
    )
    save(TopicSummarizer(llm=llm), tmp_path / "model", card=True)
    for name in ("model", "model.md"):
        assert b"planted" not in (tmp_path / name).read_bytes()
    assert b"MY_KEY" in (tmp_path / "model").read_bytes()
    call = "servers=['http://localhost:1/v1'], variables=['MY_KEY'])"
    assert call in (tmp_path / "model.md").read_text("utf-8")
    for wrong in (
        {"extra_headers": {"Authorization": "Bearer sk-planted-secret"}},
        {"base_url": "http://me:sk-planted-secret@localhost/v1"},
        {"query": {"api-key": "sk-planted-secret"}},
        {"api_key_env": "sk-planted-secret"},
        {"extra_body": {"api_key": "sk-planted-secret"}},
        {"extra_body": {"options": [{"access_token": "sk-planted-secret"}]}},
    ):
        for make in (RemoteLLM, RemoteEmbedder):
            good = make("http://localhost:1/v1", "model")
            ((name, value),) = wrong.items()
            for model in (
                clone(good).set_params(**wrong),
                GridSearchCV(good, {name: [value]}),
                GridSearchCV(
                    TopicSummarizer(llm=good), [{}, {f"llm__{name}": [value]}]
                ),
                RandomizedSearchCV(good, {name: np.array([value], object)}),
                GridSearchCV(
                    GridSearchCV(good, {}),
                    {"param_grid": [{name: [value]}, [{name: [value]}]]},
                ),
                GridSearchCV(
                    make_pipeline(GridSearchCV(good, {})),
                    {"gridsearchcv__param_grid": ([{name: [value]}],)},
                ),
            ):
                with pytest.raises(
                    ValueError, match=r"secret|password|not the key"
                ) as error:
                    save(model, tmp_path / "other", card=True)
                assert "planted" not in str(error.value)
    assert not (tmp_path / "other").exists()


def test_servers_are_named_before_texts_go_there(tmp_path):
    llm = RemoteLLM(
        "https://evil.example/v1", "m", extra_headers={"X-Key": "$AWS_SECRET_KEY"}
    )
    save(TopicSummarizer(llm=llm), tmp_path / "model")
    with pytest.raises(
        ValueError,
        match=r"evil\.example/v1.*OPENAI_API_KEY, AWS_SECRET_KEY.*servers=\[",
    ):
        load(tmp_path / "model")
    names = ["OPENAI_API_KEY", "AWS_SECRET_KEY"]
    with pytest.raises(ValueError, match=r"evil\.example"):
        load(
            tmp_path / "model",
            servers=["https://evil.example/v1/other"],
            variables=names,
        )
    found = load(
        tmp_path / "model", servers=["https://evil.example/v1/"], variables=names
    )
    assert found.llm.model == "m"
    for name in ("servers", "variables"):
        with pytest.raises(ValueError, match=f"{name} must be a list"):
            load(tmp_path / "model", **{name: "https://evil.example/v1"})


def searched():
    """A search with results, where some candidates set headers and others do not."""
    search = GridSearchCV(RemoteLLM("https://good.example/v1", "m"), {})
    headers = np.ma.MaskedArray([{"X-A": "$AWS_SECRET"}, None], [False, True], object)
    search.cv_results_ = {"param_llm__extra_headers": headers}
    return search


@pytest.mark.parametrize(
    "model",
    [
        RemoteLLM("https://good.example/v1", "m", api_key_env="AWS_SECRET"),
        RemoteEmbedder(
            "https://good.example/v1", "m", extra_headers={"X-A": "a ${AWS_SECRET}"}
        ),
        GridSearchCV(
            TopicSummarizer(llm=RemoteLLM("https://good.example/v1", "m")),
            {"llm__extra_headers": [None, {"X-A": "$AWS_SECRET"}]},
        ),
        RandomizedSearchCV(
            RemoteEmbedder("https://good.example/v1", "m"),
            {"api_key_env": np.array(["AWS_SECRET"])},
        ),
        GridSearchCV(
            GridSearchCV(RemoteLLM("https://good.example/v1", "m"), {}),
            {"param_grid": [{"extra_headers": [{"X-A": "$AWS_SECRET"}]}]},
        ),
        searched(),
    ],
    ids=[
        "key",
        "header",
        "grid of headers",
        "grid of keys",
        "grid of grids",
        "results",
    ],
)
def test_a_named_server_gets_only_named_variables(model, tmp_path):
    """A file could send any secret of the environment to a server that the user named."""
    save(model, tmp_path / "model")
    servers = ["https://good.example/v1"]
    for known in ([], ["OPENAI_API_KEY"], ["AWS"]):
        with pytest.raises(ValueError, match=r"AWS_SECRET.*variables=\[.*AWS_SECRET"):
            load(tmp_path / "model", servers=servers, variables=known)
    load(
        tmp_path / "model", servers=servers, variables=["OPENAI_API_KEY", "AWS_SECRET"]
    )


def test_a_key_that_a_file_leaves_out_is_the_default_of_the_class(tmp_path):
    save(RemoteLLM("https://good.example/v1", "m"), tmp_path / "model")
    rewritten(tmp_path / "model", in_json(b'"api_key_env":"OPENAI_API_KEY",', b""))
    with pytest.raises(ValueError, match=r"variables=\['OPENAI_API_KEY'\]"):
        load(tmp_path / "model", servers=["https://good.example/v1"])


def test_headers_that_are_no_texts_are_refused(tmp_path):
    for headers in ([["X-A", "$AWS"]], {"X-A": ["$AWS"]}):
        llm = RemoteLLM("https://good.example/v1", "m", api_key_env=None)
        save(TopicSummarizer(model=headers, llm=llm), tmp_path / "model")
        rewritten(
            tmp_path / "model",
            lambda members: members.update(
                {
                    "model.json": members["model.json"]
                    .replace(b'"extra_headers":null,', b"")
                    .replace(b'"model":{', b'"extra_headers":{')
                }
            ),
        )
        with pytest.raises(ValueError, match="extra_headers has no texts"):
            load(tmp_path / "model", servers=["https://good.example/v1"])


def test_folders_of_pickles_are_refused(tmp_path):
    model = make_pipeline(CountVectorizer(), GibbsLDA(), memory="cache")
    with pytest.raises(ValueError, match=r"memory='cache'.*memory=None"):
        save(model, tmp_path / "model")
    save(model.set_params(memory=None), tmp_path / "model")
    rewritten(tmp_path / "model", in_json(b'"memory":null', b'"memory":"cache"'))
    with pytest.raises(ValueError, match="folder of pickles"):
        load(tmp_path / "model")


def test_a_folder_of_pickles_can_be_left_out_after_the_fit(tmp_path):
    embedder = make_pipeline(TfidfVectorizer(), TruncatedSVD(2))
    model = FusionTopicModel(2, embedder=embedder, max_iter=2, random_state=0)
    model.set_params(memory=str(tmp_path / "cache"))
    texts = ["a red cat", "a red dog", "two blue seas", "three blue lakes"] * 3
    search = GridSearchCV(model, {"max_iter": [2]}, cv=2).fit(texts)
    with pytest.raises(ValueError, match="memory=None"):
        save(search, tmp_path / "search")
    search.set_params(estimator__memory=None).best_estimator_.set_params(memory=None)
    save(search, tmp_path / "search")
    again = load(tmp_path / "search").transform(texts)
    assert_array_equal(again, search.transform(texts))


SERVER = "https://evil.example/v1"


@pytest.mark.parametrize(
    "model",
    [
        GridSearchCV(
            TopicSummarizer(llm=RemoteLLM("https://good.example/v1", "m")),
            {"llm__base_url": ["https://good.example/v1", SERVER]},
        ),
        GridSearchCV(
            RemoteEmbedder("https://good.example/v1", "m"),
            [{}, {"base_url": np.array([SERVER])}],
        ),
        RandomizedSearchCV(GibbsLDA(), ({"base_url": [SERVER]},)),
        GibbsLDA(doc_topic_prior={"a__llm__base_url": SERVER}),
    ],
    ids=["nested", "array", "tuple", "dict"],
)
def test_servers_of_a_search_are_named_too(model, tmp_path):
    save(model, tmp_path / "model")
    known = {"variables": ["OPENAI_API_KEY"]}
    with pytest.raises(ValueError, match=r"evil\.example"):
        load(tmp_path / "model", servers=["https://good.example/v1"], **known)
    load(tmp_path / "model", servers=["https://good.example/v1", SERVER], **known)


def test_addresses_that_are_no_texts_are_refused(tmp_path):
    address = [SERVER]
    for _ in range(60):  # its repr would be without end
        address = [address, address]
    for name, message in (("base_url", "is no text"), ("memory", "folder of pickles")):
        save(GibbsLDA(doc_topic_prior=address), tmp_path / "model")
        rewritten(
            tmp_path / "model",
            in_json(b'"doc_topic_prior":', f'"{name}":'.encode()),
        )
        with pytest.raises(ValueError, match=message):
            load(tmp_path / "model")


def test_folders_of_pickles_of_a_search_are_refused(tmp_path):
    for grid in ({"memory": ["cache"]}, {"merger__memory": [None, "cache"]}):
        model = GridSearchCV(make_pipeline(CountVectorizer(), GibbsLDA()), grid)
        with pytest.raises(ValueError, match="folder of pickles"):
            save(model, tmp_path / "model")
    words = CountVectorizer(token_pattern=r"\w+").fit(["x__memory memory base_url"])
    save(words, tmp_path / "model")  # they are only words
    assert load(tmp_path / "model").vocabulary_ == words.vocabulary_


def test_states_of_random_generators_are_checked(tmp_path):
    """NumPy copies the state of SFC64 from whatever it is given."""
    path = tmp_path / "model"
    for state in (np.zeros(1, np.uint8), np.zeros(4, np.uint32)):
        save(GibbsLDA(random_state=np.random.Generator(np.random.SFC64(0))), path)
        rewritten(path, with_array(state))
        with pytest.raises(ValueError, match="no array of 4 numbers"):
            load(path)
    save(GibbsLDA(random_state=np.random.default_rng(0)), path)
    with zipfile.ZipFile(path) as file:
        text = file.read("model.json")
    keys = next(
        each["dict"]
        for each in json.loads(text)["objects"]
        if "pool_size" in each.get("dict", [[]])[0]
    )
    old = json.dumps(keys[1], separators=(",", ":")).encode()
    keys[1][keys[0].index("pool_size")] = 10**9
    new = json.dumps(keys[1], separators=(",", ":")).encode()
    rewritten(path, in_json(old, new))
    with pytest.raises(ValueError, match="pool of a seed"):
        load(path)


def test_a_file_does_not_choose_the_cached_vectors_of_another_model(tmp_path):
    from llmtopics.finetune._trained_embedder import TrainedBackend

    model = TrainedBackend({"head": np.ones((2, 3), np.float32)}, True)
    save(GibbsLDA(doc_topic_prior=model), tmp_path / "model")
    rewritten(tmp_path / "model", in_json(b'"lora":true', b'"lora":true,"_digest":"x"'))
    found = load(tmp_path / "model").doc_topic_prior
    assert found._digest == model._digest
    for trained, lora in (
        ({"head": np.ones((3, 2), np.float32)}, True),
        ({"head": np.ones((2, 3), np.float32).view(np.int32)}, True),
        (model.trained, False),
    ):
        assert TrainedBackend(trained, lora)._digest != model._digest


# An older file stays whole -------------------------------------------------------------------


def test_a_full_disk_leaves_the_older_file(lda, tmp_path, monkeypatch):
    save(lda, tmp_path / "model")
    before = (tmp_path / "model").read_bytes()

    def full(file, array, **_):
        file.write(b"some")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_archive.np.lib.format, "write_array", full)
    with pytest.raises(OSError, match=r"No space.*Free some space.*model"):
        save(lda, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.skipif(os.name != "posix", reason="sends a signal of POSIX")
def test_a_kill_leaves_the_older_file(lda, tmp_path):
    save(lda, tmp_path / "model")
    code = (
        "import os, sys, signal, llmtopics\n"
        "model = llmtopics.load(sys.argv[1])\n"
        "model.components_[:] = 0\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "llmtopics.save(model, sys.argv[1])"
    )
    path = str(tmp_path / "model")
    run = subprocess.run([sys.executable, "-c", code, path], check=False)
    assert run.returncode == -signal.SIGKILL
    assert_array_equal(load(path).components_, lda.components_)


# Files that are not loaded ---------------------------------------------------------------------


def rewritten(path, change, about=None):
    """Write the file again, with other members and with the right digests."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    manifest = json.loads(members.pop("manifest.json")) | (about or {})
    change(members)
    manifest["sha256"] = {
        n: sha256(content).hexdigest() for n, content in members.items()
    }
    with zipfile.ZipFile(path, "w") as file:
        for name, content in [
            *members.items(),
            ("manifest.json", json.dumps(manifest)),
        ]:
            file.writestr(name, content)


def in_json(old, new):
    """Return a change of the JSON of the model."""

    def change(members):
        assert old in members["model.json"]
        members["model.json"] = members["model.json"].replace(old, new)

    return change


def with_array(array, name="array-0.npy", **options):
    def change(members):
        out = io.BytesIO()
        np.save(out, array, **options)
        members[name] = out.getvalue()

    return change


def no_length(members):
    out = io.BytesIO()
    header = {"descr": "<U0", "fortran_order": False, "shape": (10**10,)}
    np.lib.format.write_array_header_1_0(out, header)
    members["array-0.npy"] = out.getvalue()


def too_large(members):
    out = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**6)}
    np.lib.format.write_array_header_1_0(out, header)
    members["array-0.npy"] = out.getvalue()


_LDA = b'"llmtopics.GibbsLDA"'
_GIBBS = b'"object":["llmtopics.GibbsLDA",{'
CRAFTED = {
    "os.system": (in_json(_LDA, b'"os.system"'), r"not allowed: os\.system"),
    "Popen": (in_json(_LDA, b'"subprocess.Popen"'), r"not allowed: subprocess\.Popen"),
    "builtin": (in_json(_LDA, b'"builtins.eval"'), r"not allowed: builtins\.eval"),
    "private class of ours": (
        in_json(_LDA, b'"llmtopics._language.cache.Cache"'),
        "not allowed",
    ),
    "function of ours": (in_json(_LDA, b'"llmtopics.save"'), "not allowed"),
    "type from elsewhere": (
        in_json(_LDA, b'"sklearn.pipeline.sys"'),
        r"not allowed: sklearn\.pipeline\.sys",
    ),
    "Tree": (in_json(_LDA, b'"sklearn.tree._tree.Tree"'), r"not allowed: .*Tree"),
    "SVC": (in_json(_LDA, b'"sklearn.svm.SVC"'), r"not allowed: sklearn\.svm\.SVC"),
    "function": (
        in_json(_GIBBS, _GIBBS + b'"f":{"function":"os.system"},'),
        r"KeyError: 'os\.system'",
    ),
    "function of NumPy": (
        in_json(_GIBBS, _GIBBS + b'"f":{"function":"numpy.load"},'),
        "KeyError",
    ),
    "call": (in_json(_GIBBS, _GIBBS + b'"f":{"exp":5},'), "KeyError: 'exp'"),
    "unknown kind": (in_json(_GIBBS, _GIBBS + b'"f":{"reduce":[]},'), "KeyError"),
    "no constructor": (
        in_json(_GIBBS, b'"fields":["llmtopics.GibbsLDA",{'),
        "has no fields",
    ),
    "other kind of class": (
        in_json(_GIBBS, b'"object":["llmtopics.Sphere",{'),
        "TypeError",
    ),
    "object dtype": (
        in_json(_GIBBS, _GIBBS + b'"f":{"scalar":["O","AAAAAAAAAAA="]},'),
        "dtype O",
    ),
    "negative place": (in_json(_GIBBS, _GIBBS + b'"f":{"ref":-1},'), "IndexError"),
    "deep": (
        in_json(
            _GIBBS, _GIBBS + b'"f":' + b'{"tuple":[' * 99999 + b"]}" * 99999 + b","
        ),
        "nested too deep",
    ),
    "too long a number": (
        in_json(_GIBBS, _GIBBS + b'"f":' + b"9" * 9999 + b","),
        "digit",
    ),
    "pickled array": (
        with_array(np.array([Evil()]), allow_pickle=True),
        "holds object, not numbers",
    ),
    "records with objects": (
        with_array(np.zeros(1, "i4,O"), allow_pickle=True),
        "not numbers or texts",
    ),
    "method": (in_json(_GIBBS, _GIBBS + b'"fit":{"function":"str"},'), "is a method"),
    "texts without a length": (no_length, "without a length"),
    "other size": (with_array(np.ones(5), "array-2.npy"), "has the shape"),
    "array larger than its file": (too_large, "another size than its shape"),
    "more words": (in_json(b'"n_features_in_":30', b'"n_features_in_":300'), "fit"),
    "NaN": (in_json(b'"max_iter":20', b'"max_iter":[1]'), "stands alone"),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_files_are_refused(name, lda, tmp_path, monkeypatch):
    change, message = CRAFTED[name]
    monkeypatch.chdir(tmp_path)
    save(lda, "model")
    rewritten("model", lambda members: None)
    assert_array_equal(load("model").components_, lda.components_)
    rewritten("model", change)
    with pytest.raises(ValueError, match=message):
        load("model")
    assert not os.path.exists("made by a pickle")


def test_columns_outside_the_counts_are_refused(pipeline, tmp_path):
    path = tmp_path / "model"
    save(pipeline, path)
    n = len(pipeline[0].vocabulary_)
    last = f'"int64":{n - 1}' if b'"int64":' in path.read_bytes() else str(n - 1)
    rewritten(
        path, in_json(f"{last}".encode(), last.replace(str(n - 1), "9999").encode())
    )
    with pytest.raises(ValueError, match="columns of a vocabulary"):
        load(path)


def test_indices_outside_a_sparse_matrix_are_refused(tmp_path):
    from scipy.sparse import csr_array

    path = tmp_path / "model"
    save(GibbsLDA(doc_topic_prior=csr_array(np.eye(3))), path)
    with zipfile.ZipFile(path) as file:
        names = {n: np.load(io.BytesIO(file.read(n))) for n in file.namelist()[:3]}
    (name,) = (n for n, found in names.items() if found.tolist() == [0, 1, 2])

    def change(members):
        out = io.BytesIO()
        np.save(out, names[name] + 10**6)
        members[name] = out.getvalue()

    rewritten(path, change)
    with pytest.raises(ValueError, match="indices"):
        load(path)


def test_members_are_what_was_listed_and_not_compressed(lda, tmp_path):
    path = tmp_path / "model"
    save(lda, path)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("../../more.pkl", pickle.dumps(Evil()))
    with pytest.raises(ValueError, match=r"unexpected or missing parts: .*more\.pkl"):
        load(path)
    save(lda, path)
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    with pytest.raises(ValueError, match="compressed"):
        load(path)
    members.pop("array-0.npy")
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    with pytest.raises(ValueError, match=r"missing parts: \['array-0\.npy"):
        load(path)


def test_damage_is_found(lda, tmp_path):
    """Any byte may be lost, anywhere: the model is equal or the file refused."""
    path = tmp_path / "model"
    save(lda, path)
    whole = path.read_bytes()
    rng, n_refused = np.random.default_rng(0), 0
    for place in rng.choice(len(whole), 300, replace=False):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            twin = load(path)
        except ValueError:
            n_refused += 1
        else:  # a byte that only fills space, or a date
            assert_array_equal(twin.transform(COUNTS), lda.transform(COUNTS))
            assert twin.get_params() == lda.get_params()
    assert n_refused > 200
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="cannot be loaded"):
            load(path)
    middle = bytearray(whole)
    at = whole.index(lda.components_.tobytes()[:64])
    middle[at : at + 8] = struct.pack("<d", 0.5)
    path.write_bytes(middle)
    with pytest.raises(ValueError, match="SHA-256"):
        load(path)


def test_other_files_are_refused(lda, tmp_path):
    joblib.dump(Evil(), tmp_path / "pickle")
    np.savez(tmp_path / "arrays.npz", a=[1])
    for name in ("pickle", "arrays.npz"):
        with pytest.raises(ValueError, match="save did not write it"):
            load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        save(lda, tmp_path / "no folder" / "model")


def test_newer_formats_say_what_to_do(lda, tmp_path):
    save(lda, tmp_path / "model")
    about = {"format": 2, "llmtopics": "9.9.9"}
    rewritten(tmp_path / "model", lambda members: None, about)
    with pytest.raises(ValueError, match=r"saved by llmtopics 9.* Upgrade llmtopics"):
        load(tmp_path / "model")


def test_classifiers_may_be_used_after_all(pipeline, tmp_path):
    """The advice of the error works: the part that can be saved is saved alone."""
    forest = RandomForestClassifier(2).fit(pipeline.transform(TEXTS), LABELS)
    model = make_pipeline(*pipeline, forest)
    with pytest.raises(TypeError, match="joblib"):
        save(model, tmp_path / "model")
    save(model[:-1], tmp_path / "model")
    assert_array_equal(
        load(tmp_path / "model").transform(TEXTS), pipeline.transform(TEXTS)
    )
