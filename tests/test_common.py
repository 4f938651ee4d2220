"""What every estimator promises. A new one joins by adding one instance to a list."""

import copy
import json
import pickle
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from inspect import signature
from itertools import pairwise
from pathlib import Path
from threading import Thread

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image, ImageDraw, ImageFont
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_info

import llmtopics
from llmtopics import (
    AudioTranscriber,
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    ImageDescriber,
    LanguageModelTuner,
    LLMAugmenter,
    LLMResampler,
    LLMTopics,
    LocalLLM,
    NextWordCounts,
    PachinkoAllocation,
    PrecomputedEmbeddings,
    PrivateLDA,
    RemoteEmbedder,
    TextAnalyzer,
    TopicLabeler,
    TopicMerger,
    TopicRecommender,
    TopicSentiment,
    TopicSummarizer,
    TransformerClassifier,
    TransformerEmbedder,
    explain,
)
from llmtopics._language import LanguageModel
from llmtopics._state import fitted_state
from llmtopics.apply import RecommendationExplanation
from llmtopics.datasets import make_topics
from llmtopics.metrics import topic_scorer

COUNTS, DOC_TOPIC = (
    make_topics(60, 30, 3, doc_length=30, random_state=0)[name]
    for name in ("data", "doc_topic")
)
OTHER_COUNTS = make_topics(50, 20, 3, doc_length=30, random_state=1).data
VECTORS = np.random.default_rng(0).normal(size=(60, 64)) / 2
VECTORS[:, :3] += DOC_TOPIC
OTHER_VECTORS = np.random.default_rng(1).normal(size=(50, 20))
_WORDS = np.array([f"{a}{b}word" for a in "bcdfgh" for b in "aeiou"])


def as_texts(X):
    rows = [np.repeat(X.indices[i:j], X.data[i:j]) for i, j in pairwise(X.indptr)]
    return [" ".join(_WORDS[row]) for row in rows]


TEXTS, OTHER_TEXTS = as_texts(COUNTS), as_texts(OTHER_COUNTS)
SOME_TEXTS = TEXTS[:15]
FEW_TEXTS = [" ".join(text.split()[:8]) for text in TEXTS[:4]]
# Of 8 dimensions, so that fits are quick. scikit-learn's TfidfVectorizer alone breaks where
# the output is set to pandas
LSA = Pipeline([("words", TfidfVectorizer()), ("svd", TruncatedSVD(8))])
LLM_WORDS = CountVectorizer(analyzer=TextAnalyzer(min_length=1, stop_words=None))

COUNT_MODELS = [
    make(max_iter=20, random_state=0, **parameters)
    for sampler in ["auto", "blocked"]  # of so few tokens, "auto" is "exact"
    for make, parameters in [
        (GibbsLDA, {"n_components": 3, "sampler": sampler}),
        (
            PachinkoAllocation,
            {"n_components": 3, "n_super_components": 2, "sampler": sampler},
        ),
    ]
]
# Private noise never repeats: without it, the same seed gives the same bits. Its own tests
# are in topics/test_private_lda.py
COUNT_MODELS += [PrivateLDA(3, epsilon=np.inf, max_iter=20, random_state=0)]
VECTOR_MODELS = [EmbeddingTopics(n_components=3, random_state=0)]
TEXT_MODELS = [
    Pipeline(
        [
            ("counts", CountVectorizer(analyzer=TextAnalyzer())),
            ("topics", GibbsLDA(n_components=3, max_iter=20, random_state=0)),
        ]
    ),
    *(
        FusionTopicModel(n_components=3, max_iter=10, random_state=0, **parameters)
        for parameters in [
            {"pooling": "linear"},  # reads MiniLM's vectors
            {"embedder": LSA},
            {"embedder": LSA, "topic_model": GibbsLDA(sampler="blocked")},
            {"embedder": LSA, "expander": NextWordCounts(LLM_WORDS, max_length=16)},
        ]
    ),
]
# Topics given by name: no n_components, nothing random, columns that are the names
NAMED_MODELS = [LLMTopics(["animals", "money", "sport"], llm=LocalLLM(), max_length=16)]


class FakeEmbeddings(BaseHTTPRequestHandler):
    """A fake server of vectors: how often each letter is in a text."""

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        letters = "abcdefghijklmnopqrstuvwxyz"
        vectors = [[*map(text.count, letters)] for text in body["input"]]
        data = [{"index": i, "embedding": v} for i, v in enumerate(vectors)]
        answer = json.dumps({"data": data, "model": body["model"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


SERVER = ThreadingHTTPServer(("127.0.0.1", 0), FakeEmbeddings)
Thread(target=SERVER.serve_forever, daemon=True).start()
_FOLDER = tempfile.TemporaryDirectory()
# Texts to something else than mixtures, or to mixtures of topics that others found
TEXT_TOOLS = [
    TopicMerger(FusionTopicModel(4, embedder=LSA, max_iter=10, random_state=0), 3),
    TopicLabeler(
        Pipeline([("counts", LLM_WORDS), ("topics", GibbsLDA(2, random_state=0))]),
        n_words=3,
    ),
    TransformerEmbedder(),
    PrecomputedEmbeddings(
        [*TEXTS, *OTHER_TEXTS], np.vstack([VECTORS[:, :20], OTHER_VECTORS])
    ),
    RemoteEmbedder(
        f"http://127.0.0.1:{SERVER.server_port}/v1",
        "letters",
        api_key_env=None,
        cache_dir=_FOLDER.name,
    ),
    NextWordCounts(LLM_WORDS, llm=LocalLLM(), weight=3),
    LLMAugmenter(max_new_tokens=4, max_length=16),
    TopicSentiment(
        TEXT_MODELS[0],
        embedder=LSA,
        positive=["beword", "deword"],
        negative=["cuword", "daword"],
        random_state=0,
    ),
    TopicSummarizer(TEXT_MODELS[0], llm=LocalLLM(), max_new_tokens=4),
]


# Files to texts. Their rows are paths


def printed(word):
    """Save a picture of a word; return its path."""
    picture = Image.new("RGB", (200, 60), "white")
    font = ImageFont.load_default(size=32)
    ImageDraw.Draw(picture).text((20, 10), word, "black", font)
    path = Path(_FOLDER.name) / f"{word}.png"
    picture.save(path)
    return str(path)


_CLIPS = Path(__file__).parents[1] / "examples" / "clips"
FILE_TOOLS = [
    (ImageDescriber(), [printed("banana"), printed("football")]),
    (AudioTranscriber(), [str(_CLIPS / "sport.ogg"), str(_CLIPS / "film.ogg")]),
]
# They transform nothing, or not texts: a resampler has no ``fit``, a labeler reads the
# topics' words, a tuner writes a model, a classifier returns labels, a recommender tables
OTHERS = [
    LLMResampler(max_new_tokens=4, max_length=16, max_rounds=5, random_state=0),
    LanguageModelTuner(
        init="random",
        hidden_size=8,
        n_layers=1,
        vocab_size=300,
        max_length=16,
        max_steps=2,
    ),
    TransformerClassifier(),
    TopicRecommender(TEXT_MODELS[0], random_state=0),
]
# Of users who like texts of one topic
LIKES = sp.csr_array(
    (np.arange(60) % 3 == np.arange(12)[:, np.newaxis] % 3) & (DOC_TOPIC.argmax(1) == 0)
).astype(float)


def last_step(model):
    return model[-1] if isinstance(model, Pipeline) else model


def cases(named=False, tools=False, others=False):
    """Return every model, with the input that it reads; other estimators if asked."""
    found = [(model, COUNTS) for model in COUNT_MODELS]
    found += [(model, VECTORS) for model in VECTOR_MODELS]
    found += [(model, TEXTS) for model in TEXT_MODELS]
    found += [(model, SOME_TEXTS) for model in NAMED_MODELS * named]
    found += [
        (tool, FEW_TEXTS if hasattr(tool, "llm") else TEXTS)
        for tool in TEXT_TOOLS * tools + OTHERS * others
    ]
    return found + FILE_TOOLS * tools


def named(estimator):
    return type(last_step(estimator)).__name__


def parametrized(found, *names):
    ids = [
        "-".join(map(str, [named(case[0]), *case[2:], i]))
        for i, case in enumerate(found)
    ]
    return pytest.mark.parametrize(("model", "X", *names), found, ids=ids)


def models(**which):
    return parametrized(cases(**which))


TRANSFORMERS = [
    case
    for case in cases(named=True, tools=True, others=True)
    if hasattr(case[0], "transform")
]
count_models = pytest.mark.parametrize(
    "model", COUNT_MODELS, ids=lambda m: f"{named(m)}-{getattr(m, 'sampler', 'em')}"
)
text_readers = parametrized(
    [case for case in cases(named=True, tools=True) if isinstance(case[1], list)]
)


def prior_mean(model):
    """What a document without words has of each of three topics."""
    if not hasattr(model, "super_sub_prior_"):
        return 1 / 3
    root, below = model.doc_super_prior_, model.super_sub_prior_
    return root / root.sum() @ (below / below.sum(axis=1, keepdims=True))


def take(X, rows):
    return [X[i] for i in rows] if isinstance(X, list) else X[rows]


def other_than(X):
    """Return other input of the same kind."""
    if any(X is files for _, files in FILE_TOOLS):
        return X[1:]
    if isinstance(X, list):
        return OTHER_TEXTS[: len(X)]
    return OTHER_COUNTS if sp.issparse(X) else OTHER_VECTORS


def setting(model, name):
    """The name of a parameter, also where the model is the last step of a Pipeline."""
    return f"{model.steps[-1][0]}__{name}" if isinstance(model, Pipeline) else name


def has(model, name):
    return setting(model, name) in model.get_params()


_INFRASTRUCTURE = {
    "fit",
    "get_params",
    "set_params",
    "set_output",
    "get_metadata_routing",
    "set_callbacks",
}


def call(model, name, X):
    """Call a method with what its parameters without default are named after."""
    given = {
        "X": X,
        "texts": X,
        "own": LLM_WORDS.fit(FEW_TEXTS).transform(FEW_TEXTS),
        "words": [list(_WORDS[k::3][:4]) for k in range(3)],
        "mixtures": DOC_TOPIC,
        "y": ["abc"[i % 3] for i in range(np.shape(X)[0])],
        "items": [0, 1],
        "user": 0,
        "item": 1,
    }
    if isinstance(model, TopicRecommender):
        # likes of seen items are not evaluated
        others = LIKES[:, np.roll(np.arange(LIKES.shape[1]), 1)]
        given["y"] = others if name == "score" else LIKES
    method = getattr(model, name)
    wanted = [
        parameter.name
        for parameter in signature(method).parameters.values()
        if parameter.default is parameter.empty and parameter.kind.name[:3] != "VAR"
    ]
    return method(*(given[name] for name in wanted))


def public_methods(model):
    """Find all methods by inspection: a new one is tested from its first day."""
    found = [n for n in dir(type(model)) if n[0] != "_" and hasattr(model, n)]
    found = [n for n in found if callable(getattr(type(model), n))]
    return [n for n in found if n not in _INFRASTRUCTURE and not n.endswith("_request")]


def plain(result):
    """Return the numbers or texts of a result as an array, whatever holds them."""
    if sp.issparse(result):
        return result.toarray()
    if isinstance(result, list):  # of texts, or of lists of different lengths
        return np.asarray(result, dtype=object)
    if isinstance(result, RecommendationExplanation):
        return result.to_frame("items").to_numpy()
    return result.to_numpy() if hasattr(result, "to_numpy") else np.asarray(result)


def used(model):
    """Return the name of the method that one calls after ``fit``."""
    return next(
        name
        for name in ("transform", "fit_resample", "recommend", "score")
        if hasattr(model, name)
    )


def outputs(model, X, fitting=True):
    """Return what each public method returns, of one that goes on fitting its mixtures."""
    found = {}
    for name in public_methods(model):
        if not fitting and "fit" in name:
            continue
        twin = copy.deepcopy(model)
        result = call(twin, name, X)
        found[name] = call(twin, used(twin), X) if result is twin else result
    return found


def assert_same_outputs(found, expected):
    assert found.keys() == expected.keys()
    for name in expected:
        assert_array_equal(plain(found[name]), plain(expected[name]), err_msg=name)


_shared = {}


def fitted(model, X):
    """Return a fitted clone that tests share. A test that changes it copies it first."""
    key = id(model), id(X)
    if key not in _shared:
        _shared[key] = clone(model)
        if hasattr(model, "fit"):
            call(_shared[key], "fit", X)
    return _shared[key]


# 1. scikit-learn's own contract ---------------------------------------------------------


@parametrize_with_checks(COUNT_MODELS[:2] + COUNT_MODELS[4:] + VECTOR_MODELS)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@models()
def test_set_params_then_fit_obeys(model, X):
    model = copy.deepcopy(fitted(model, X))
    model.set_params(**{setting(model, "n_components"): 5})
    assert model.fit(X).transform(X).shape[1] == 5
    assert model.get_params()[setting(model, "n_components")] == 5


@models(named=True, tools=True)
def test_refit_forgets_the_old_fit(model, X):
    twice = clone(model).fit(other_than(X)).fit(X)
    assert_array_equal(plain(twice.transform(X)), plain(fitted(model, X).transform(X)))


@models(named=True, tools=True)
def test_refit_leaves_no_attribute_of_the_old_fit(model, X):
    """An attribute that only some settings make must not outlive them."""
    last, twice = last_step(model), clone(model)
    for name, constraints in getattr(last, "_parameter_constraints", {}).items():
        for options in constraints:
            if (
                not isinstance(options, StrOptions)
                or get_tags(last).requires_fit is False
            ):
                continue
            for value in sorted(options.options - {getattr(last, name), "auto"}):
                twice.set_params(**{setting(model, name): value}).fit(X)
        twice.set_params(**{setting(model, name): getattr(last, name)})
    twice.fit(X)
    assert vars(last_step(twice)).keys() <= vars(last_step(fitted(model, X))).keys()


@models(named=True, tools=True, others=True)
def test_fit_changes_neither_its_input_nor_its_parameters(model, X):
    model, before = clone(model), copy.deepcopy(X)
    params = {k: repr(v) for k, v in model.get_params().items()}
    for name in ["fit", "transform", "fit_resample"]:
        if hasattr(model, name):
            call(model, name, X)
    assert params.items() <= {k: repr(v) for k, v in model.get_params().items()}.items()
    assert_array_equal(plain(X), plain(before))


@count_models
def test_counts_in_disorder_are_left_as_they_were(model):
    parts = [np.array(part) for part in ([3, 1, 2, 4], [2, 0, 0, 1], [0, 3, 4])]
    X = sp.csr_array(tuple(parts), shape=(2, 3), copy=True)  # unsorted, one twice
    model = clone(model).fit(X)
    for use in [model.fit, model.transform, model.score]:
        use(X)
        for found, given in zip((X.data, X.indices, X.indptr), parts, strict=True):
            assert_array_equal(found, given)


@models(named=True, tools=True, others=True)
def test_unfitted_says_so(model, X):
    model = clone(model)
    if not get_tags(model).requires_fit or used(model) == "fit_resample":
        call(model, used(model), X)
    else:  # the others have nothing to fit
        with pytest.raises(NotFittedError):
            call(model, used(model), X)


# 2. a document's mixture depends on the document alone ------------------------------------


@models(named=True, tools=True)
def test_mixture_does_not_depend_on_the_batch_or_the_order(model, X):
    """scikit-learn's own check sets n_components=1, where it cannot fail."""
    model = fitted(model, X)
    together = plain(model.transform(X))
    n = len(together)
    one_by_one = [plain(model.transform(take(X, [i]))) for i in range(n)]
    assert_array_equal(together, np.concatenate(one_by_one))
    assert_array_equal(together[::-1], plain(model.transform(take(X, range(n)[::-1]))))


@models(named=True, tools=True)
def test_fit_transform_is_fit_then_transform(model, X):
    apart = fitted(model, X).transform(X)
    assert_array_equal(plain(clone(model).fit_transform(X)), plain(apart))


# 3. mixtures ------------------------------------------------------------------------------


@models(named=True)
def test_rows_are_distributions_and_documents_without_words_get_the_prior(model, X):
    model = fitted(model, X)
    if isinstance(X, list):
        X = [*X[:5], ""]
    else:
        X = take(X, [0, 1, 2, 3, 4, 4]) * np.array([[1], [1], [1], [1], [1], [0]])
    mixtures = model.transform(X)
    assert mixtures.dtype == np.float64
    assert mixtures.shape == (6, 3)
    assert (mixtures >= 0).all()
    assert_allclose(mixtures.sum(axis=1), 1, rtol=1e-12)
    assert_allclose(mixtures[5], prior_mean(last_step(model)))
    assert not np.allclose(mixtures[:5], 1 / 3, atol=0.1)


@models()
@pytest.mark.parametrize("n_components", [1, 2, 40])
def test_topics_asked_are_topics_given(model, X, n_components):
    model = clone(model).set_params(**{setting(model, "n_components"): n_components})
    assert model.fit_transform(X).shape[1] == n_components


# 4. randomness ----------------------------------------------------------------------------


@parametrized([case for case in cases() if has(case[0], "n_jobs")])
def test_same_seed_same_bits_for_every_n_jobs(model, X):
    first = fitted(model, X).transform(X)
    for n_jobs in [1, 2, 3]:
        again = clone(model).set_params(**{setting(model, "n_jobs"): n_jobs}).fit(X)
        assert_array_equal(first, again.transform(X))


@models()
def test_seeds_and_generators_decide_the_result(model, X):
    def seeded(seed):
        return clone(model).set_params(**{setting(model, "random_state"): seed}).fit(X)

    def same(a, b):
        return np.array_equal(a.transform(X), b.transform(X))

    zero = seeded(np.int64(0))
    assert same(zero, fitted(model, X))
    assert not same(zero, seeded(1))
    assert not same(seeded(None), seeded(None))
    for kind in [np.random.default_rng, np.random.RandomState]:
        first, second = seeded(kind(0)), seeded(kind(1))
        assert same(first, seeded(kind(0)))
        assert not same(first, second)
        assert not same(zero, second)


@models()
@pytest.mark.parametrize("seed", [0, None])
def test_global_random_state_is_neither_read_nor_changed(model, X, seed):
    model = clone(model).set_params(**{setting(model, "random_state"): seed})
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    first = model.fit(X).transform(X)
    assert_array_equal(before, np.random.get_state()[1])
    np.random.seed(0)
    second = model.fit(X).transform(X)
    assert np.array_equal(first, second) == (seed is not None)


@parametrized([case for case in cases() if hasattr(case[0], "partial_fit")])
def test_a_continued_fit_goes_on_in_its_random_stream(model, X):
    """Repeated draws would soon lead back to a state that was there before."""
    ambiguous = np.ones((6, 4), int)

    def states(copied):
        one, found = clone(model).set_params(max_iter=1, warm_start=True), []
        for _ in range(30):
            for goes_on in ["fit", "partial_fit"]:
                one = getattr(copied(one), goes_on)(ambiguous)
                found.append(one.components_.tobytes())
        return found

    kept = states(lambda model: model)
    assert kept == states(copy.deepcopy)
    assert kept == states(lambda model: pickle.loads(pickle.dumps(model)))
    assert len(set(kept)) > 55


# 5. names, containers, displays -------------------------------------------------------------


@models()
def test_names_of_the_output(model, X):
    prefix = named(model).lower()
    names = fitted(model, X).get_feature_names_out()
    assert list(names) == [f"{prefix}{k}" for k in range(3)]


CONTAINERS = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


_plain = {}


def plain_outputs(model, X):
    """Return the outputs without any setting; tests share them."""
    if (id(model), id(X)) not in _plain:
        _plain[id(model), id(X)] = outputs(fitted(model, X), X)
    return _plain[id(model), id(X)]


@parametrized(
    [
        (*case, container, everywhere)
        for case in cases(named=True, tools=True, others=True)
        for container in CONTAINERS
        for everywhere in ["set_output", "global"]
    ],
    "container",
    "everywhere",
)
def test_every_public_method_works_under_every_output(model, X, container, everywhere):
    framed = clone(model)
    if everywhere == "set_output":
        for part in [*framed.get_params().values(), framed]:
            if hasattr(part, "set_output") and not isinstance(part, Pipeline):
                part.set_output(transform=container)
    with config_context(
        transform_output=container if everywhere == "global" else "default"
    ):
        if hasattr(framed, "fit"):
            call(framed, "fit", X)
        found = outputs(framed, X)
    assert_same_outputs(found, plain_outputs(model, X))
    if getattr(last_step(framed), "_sklearn_auto_wrap_output_keys", None):
        for name in {"transform", "fit_transform", "transform_super"} & found.keys():
            assert isinstance(found[name], CONTAINERS[container]), name
            if name != "transform_super":
                names = fitted(model, X).get_feature_names_out()
                assert list(found[name].columns) == list(names)


AUTO_ALPHA = FusionTopicModel(3, alpha="auto", embedder=LSA, max_iter=2, random_state=0)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("everywhere", [True, False])
def test_what_reads_models_works_under_every_output(container, everywhere):
    def read(model):
        scores = [topic_scorer(name)(model, TEXTS) for name in ["completion", "npmi"]]
        return [*scores, *explain(model, TEXTS[0], texts=TEXTS[:9]).mixture]

    for model in [TEXT_MODELS[0], AUTO_ALPHA]:
        expected = read(fitted(model, TEXTS))
        framed = clone(model)
        if not everywhere:
            last_step(framed).set_output(transform=container)
        with config_context(transform_output=container if everywhere else "default"):
            assert_array_equal(read(framed.fit(TEXTS)), expected)


@count_models
def test_names_of_the_input_are_kept_and_compared(model):
    X = pd.DataFrame(COUNTS.toarray(), columns=_WORDS)
    model = clone(model).fit(X)
    assert_array_equal(model.feature_names_in_, _WORDS)
    for one in [model, restored(model)]:
        with pytest.raises(ValueError, match="feature names"):
            one.transform(X.rename(columns={_WORDS[0]: "else"}))


@count_models
@pytest.mark.parametrize(
    "container",
    [
        np.asarray,
        np.asfortranarray,
        lambda X: X.astype(np.int8),
        lambda X: X.astype(np.float32),
        lambda X: X.astype(np.float16),
        np.ndarray.tolist,
        sp.csr_matrix,
        sp.csc_array,
        sp.coo_array,
        lambda X: sp.csr_array(X).astype(np.float64),
        pd.DataFrame,
        lambda X: pl.DataFrame(X, schema=list(_WORDS)),
        lambda X: pd.DataFrame.sparse.from_spmatrix(sp.csr_matrix(X)),
    ],
)
def test_every_container_of_counts_gives_the_same_bits(model, container):
    X = container(COUNTS.toarray())
    found = clone(model).fit(X).transform(X)
    assert_array_equal(found, fitted(model, COUNTS).transform(COUNTS))


@count_models
def test_unsorted_and_repeated_entries_are_summed(model):
    rows, columns = COUNTS.nonzero()
    order = np.random.default_rng(0).permutation(COUNTS.data.sum())
    X = sp.csr_array(
        (
            np.ones(order.size, np.int8),
            (
                np.repeat(rows, COUNTS.data)[order],
                np.repeat(columns, COUNTS.data)[order],
            ),
        ),
        shape=COUNTS.shape,
    )
    assert_array_equal(
        clone(model).fit(X).transform(X), clone(model).fit(COUNTS).transform(COUNTS)
    )


@count_models
def test_sums_of_repeated_small_integers_do_not_overflow(model):
    X = sp.csr_array((np.full(3, 100, np.int8), [0, 0, 0], [0, 3]), shape=(1, 2))
    whole = np.array([[300, 0]])
    model = clone(model).fit(np.ones((3, 2), int))
    assert_array_equal(model.transform(X), model.transform(whole))


@text_readers
@pytest.mark.parametrize(
    "container",
    [tuple, np.array, lambda t: np.array(t, object), pd.Series, pl.Series],
    ids=["tuple", "array", "object array", "pandas", "polars"],
)
def test_every_container_of_texts_is_read(model, X, container):
    model = fitted(model, X)
    found = model.transform(container(X))
    assert_array_equal(plain(found), plain(model.transform(X)))


@parametrized(
    [
        case
        for case in cases(named=True, tools=True)
        if isinstance(case[1], list) and not isinstance(case[0], Pipeline)
    ]
)
def test_one_column_is_read(model, X):
    model = fitted(model, X)
    found = plain(model.transform(X))
    for table in (pd.DataFrame({"text": X}), pl.DataFrame({"text": X})):
        assert_array_equal(plain(model.transform(table)), found)
    column = np.array(X, dtype=object).reshape(-1, 1)
    assert_array_equal(plain(model.transform(column)), found)
    with pytest.raises(ValueError, match=r"one column|shape"):
        model.transform(pd.DataFrame({"text": X, "more": X}))


@text_readers
@pytest.mark.parametrize("bad", [None, 3, float("nan")])
def test_what_is_not_a_text_is_refused(model, X, bad):
    # CountVectorizer hands the analyzer one text at a time: it cannot name the row
    with pytest.raises(
        (TypeError, ValueError), match=rf"TextAnalyzer|np\.nan|row {len(X)}"
    ):
        clone(model).fit([*X, bad])


@text_readers
def test_one_bare_string_is_refused(model, X):
    with pytest.raises(ValueError, match=r"string object received|got one str"):
        clone(model).fit("one bare string")


TABLES = {
    "counts": (COUNTS, "GibbsLDA"),
    "vectors": (VECTORS, "EmbeddingTopics"),
    "table of counts": (pd.DataFrame(COUNTS.toarray()), "GibbsLDA"),
    "table of texts": (pd.DataFrame({"text": TEXTS, "more": TEXTS}), "one column"),
}


@parametrized(
    [
        (*case, table)
        for case in cases(named=True, tools=True)
        if isinstance(case[1], list)
        and not isinstance(case[0], Pipeline | ImageDescriber | AudioTranscriber)
        for table in TABLES
    ],
    "table",
)
def test_tables_instead_of_texts_are_refused(model, X, table):
    given, remedy = TABLES[table]
    with pytest.raises(ValueError, match=rf"{named(model)} reads texts.*{remedy}"):
        clone(model).fit(given)


@parametrized(  # scikit-learn's vectorizers take sets
    [
        case
        for case in cases(named=True, tools=True)
        if isinstance(case[1], list) and not isinstance(case[0], Pipeline)
    ]
)
def test_a_set_of_texts_is_refused(model, X):
    with pytest.raises(ValueError, match=r"got a set, whose order .*sorted\(X\)"):
        clone(model).fit({*X})


@models(named=True, tools=True, others=True)
def test_html_representation_shows(model, X):
    assert type(model).__name__ in clone(model)._repr_html_()


# 6. what is fitted stays as it is ---------------------------------------------------------


@models(named=True, tools=True, others=True)
def test_copies_and_files_give_equal_outputs(model, X, tmp_path):
    model = fitted(model, X)
    expected = outputs(model, X, fitting=False)
    joblib.dump(model, tmp_path / "model")
    llmtopics.save(model, tmp_path / "saved")
    servers = [f"http://127.0.0.1:{SERVER.server_port}/v1"]
    for twin in [
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
        joblib.load(tmp_path / "model"),
        *(
            llmtopics.load(tmp_path / "saved", servers=servers, mmap_mode=mode)
            for mode in (None, "r")
        ),
    ]:
        assert_same_outputs(outputs(twin, X, fitting=False), expected)


def restored(model):
    """Return a clone that is given what ``_fitted_state`` lists, and nothing else."""
    if isinstance(model, Pipeline):  # the other steps are scikit-learn's
        return Pipeline([*model.steps[:-1], (model.steps[-1][0], restored(model[-1]))])
    twin = clone(model)
    vars(twin).update(fitted_state(model))
    return twin


@models(named=True, tools=True, others=True)
def test_the_listed_state_is_all_that_a_fitted_model_needs(model, X):
    whole = fitted(model, X)
    twin = restored(whole)
    assert vars(last_step(twin)).keys() <= vars(last_step(whole)).keys()
    assert_same_outputs(outputs(twin, X), plain_outputs(model, X))
    if any(model is one for one in TEXT_MODELS):
        of_twin, expected = (
            vars(explain(one, X[0], texts=X[:9])) for one in [twin, whole]
        )
        assert_same_outputs(of_twin, expected)


@pytest.mark.parametrize("name", llmtopics.__all__)
def test_every_public_estimator_lists_its_state(name):
    found = getattr(llmtopics, name)
    if hasattr(found, "get_params") and not issubclass(found, LanguageModel):
        assert isinstance(found._fitted_state, tuple)
        assert found in {
            type(last_step(case[0])) for case in cases(True, True, True)
        } | {
            TextAnalyzer  # nothing to fit: a parameter of vectorizers
        }


class NotToBeRead:
    """A value that no method of a fitted model may compute with."""

    def _read(self, *_):
        raise AssertionError("a fitted model read a parameter that was set since")

    __bool__ = __call__ = __float__ = __index__ = __len__ = __iter__ = __str__ = _read
    __lt__ = __le__ = __gt__ = __ge__ = __add__ = __mul__ = __rmul__ = _read


# Parameters that change no result act at once
AT_ONCE = {
    "n_jobs": 2,
    "verbose": True,
    "device": "cpu",
    "batch_size": 64,
    "on_error": "keep",
    "cache_dir": None,
}


# The others have nothing fitted: they obey at once, as scikit-learn's Normalizer does
@parametrized(
    [case for case in TRANSFORMERS if get_tags(last_step(case[0])).requires_fit]
)
def test_parameters_set_after_fit_wait_for_the_next_fit(model, X):
    twin, expected = (fitted(model, X), outputs(fitted(model, X), X, fitting=False))
    twin = copy.deepcopy(twin)
    prefix = setting(model, "")  # the other steps of a Pipeline are scikit-learn's
    names = [n.removeprefix(prefix) for n in twin.get_params() if n.startswith(prefix)]
    names = [name for name in names if not name.endswith("steps")]  # each is there, too
    names.sort(key=lambda name: -name.count("__"))
    for inner in [True, False]:  # parameters of parts, then the parts themselves
        for name in [name for name in names if ("__" in name) == inner]:
            value = AT_ONCE.get(name.rpartition("__")[2], NotToBeRead())
            twin.set_params(**{prefix + name: value})
        assert_same_outputs(outputs(twin, X, fitting=False), expected)


@parametrized(TRANSFORMERS)
def test_threads_may_share_a_fitted_model(model, X):
    model = fitted(model, X)
    alone = plain(call(model, "transform", X))
    limits = [library["num_threads"] for library in threadpool_info()]
    with ThreadPoolExecutor(3) as pool:
        together = [pool.submit(call, model, "transform", X) for _ in range(6)]
    for found in together:
        assert_array_equal(plain(found.result()), alone)
    assert [library["num_threads"] for library in threadpool_info()] == limits


# 7. searches ----------------------------------------------------------------------------------


@parametrized(
    [(*case, None) for case in cases()]
    # one of each kind also in other processes
    + [(*case, 2) for case in {named(case[0]): case for case in cases()[:8]}.values()],
    "n_jobs",
)
def test_a_grid_search_really_changes_the_model(model, X, n_jobs):
    grid = {setting(model, "n_components"): [1, 3, 7]}
    split = ShuffleSplit(1, random_state=0)
    search = GridSearchCV(model, grid, cv=split, n_jobs=n_jobs).fit(X)
    scores = search.cv_results_["mean_test_score"]
    assert len(set(scores)) == 3
    assert scores[1] > scores[0]  # three topics were planted
    assert search.transform(X).shape[1] == next(iter(search.best_params_.values()))


# 8. errors --------------------------------------------------------------------------------------


def with_entry(value, dtype=float):
    X = COUNTS.toarray().astype(dtype)
    X[3, 2] = value
    return X


BAD_COUNTS = {
    "NaN": (with_entry(np.nan), "NaN"),
    "infinity": (with_entry(np.inf), "infinity"),
    "negative": (with_entry(-1), "Negative.*row 3, column 2 holds -1"),
    "fraction": (with_entry(0.5), "row 3, column 2 holds 0.5"),
    "sparse fraction": (sp.csr_array(with_entry(0.5)), "row 3, column 2 holds 0.5"),
    "too many": (with_entry(2**40, np.int64), "row 3, column 2 holds 1099511627776"),
    "wrapped below zero": (with_entry(2**64 - 3, np.uint64), "row 3, column 2"),
    "strings": (with_entry("word", object), "row 3 holds 'word'"),
    "texts": (["a secret text", *["another text"] * 9], "row 0 .*count the words"),
    "words": ([["a", "text"], ["another"]], "row 0 holds 'a'"),
    "a text": ("bare", "row 0 holds 'bare'"),
    "bytes": (np.array([[b"a text"], [b"another"]]), "row 0 holds b'a text'"),
    "no words at all": (np.zeros((5, 30)), "no words"),
    "one dimension": (np.ones(30), "1D array"),
    "no documents": (np.ones((0, 30)), "0 sample"),
    "no vocabulary": (np.ones((5, 0)), "0 feature"),
}


@count_models
@pytest.mark.parametrize("case", BAD_COUNTS)
def test_bad_counts_are_refused_and_nothing_half_fitted_is_left(model, case):
    X, message = BAD_COUNTS[case]
    model = clone(model)
    with pytest.raises(ValueError, match=message) as error:
        model.fit(X)
    assert "another" not in str(error.value)  # of a corpus, no more than one text
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    model.fit(OTHER_COUNTS)
    with pytest.raises(ValueError, match=message):
        model.fit(X)
    assert model.transform(OTHER_COUNTS).shape == (50, 3)  # the old fit is whole


@count_models
def test_wrong_number_of_columns_is_refused(model):
    model = clone(model).fit(COUNTS)
    for method in [model.transform, model.score]:
        with pytest.raises(ValueError, match=r"20 features.*expecting 30"):
            method(OTHER_COUNTS)


@parametrized(
    [
        (*case, name, value)
        for case in cases()
        for name, value in [
            ("n_components", 0),
            ("n_components", 2.5),
            ("max_iter", 0),
            ("random_state", "seed"),
            ("random_state", -1),
            ("verbose", "much"),
            ("n_jobs", "all"),
        ]
        if has(case[0], name)
        # none is k-means alone
        if (named(case[0]), name) != ("EmbeddingTopics", "max_iter")
    ],
    "name",
    "value",
)
def test_bad_parameters_are_named(model, X, name, value):
    model = clone(model).set_params(**{setting(model, name): value})
    with pytest.raises(ValueError, match=name):
        model.fit(X)


@parametrized([case for case in cases() if has(case[0], "verbose")])
def test_quiet_by_default_and_progress_on_demand(model, X, no_delay, capfd):
    clone(model).fit(X).transform(X)
    assert capfd.readouterr() == ("", "")
    clone(model).set_params(**{setting(model, "verbose"): True}).fit(X)
    out, err = capfd.readouterr()
    assert out == ""
    assert re.search(r"100%.*sweeps \d+ s", err.split("\r")[-1])
    assert err.count("\n") == 1  # one bar per fit
