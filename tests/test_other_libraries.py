"""Models inside the tools of other libraries: tables, stores, searches, pipelines."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import StackingClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline, make_union

from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    PachinkoAllocation,
    TransformerEmbedder,
    top_words,
)
from llmtopics.datasets import load_bbc_news
from llmtopics.metrics import coherence, topic_scorer

NEWS = load_bbc_news()
ROWS = np.random.default_rng(0).permutation(len(NEWS.data))[:120]
TABLE = pd.DataFrame(
    {"text": [NEWS.data[i] for i in ROWS], "length": [float(i) for i in range(120)]}
)
TEXTS = list(TABLE.text)
SECTIONS = NEWS.target[ROWS]


def test_columns_of_a_table_become_topics():
    model = FusionTopicModel(5, random_state=0)
    columns = make_column_transformer((model, ["text"]), ("passthrough", ["length"]))
    theta = FusionTopicModel(5, random_state=0).fit_transform(list(TABLE.text))
    assert_allclose(columns.fit_transform(TABLE)[:, :5], theta)
    pipeline = make_pipeline(columns, LogisticRegression(max_iter=5000))
    assert pipeline.fit(TABLE, SECTIONS).score(TABLE, SECTIONS) > 0.6


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", [TransformerEmbedder(), FusionTopicModel(5, random_state=0)]
)
def test_table_vectorizer_of_skrub(model):
    from skrub import TableVectorizer

    found = TableVectorizer(high_cardinality=model).fit_transform(TABLE)
    plain = model.fit(TABLE.text).transform(TABLE.text)
    assert_allclose(found.iloc[:, : plain.shape[1]], plain, atol=1e-6)


@pytest.fixture(scope="module")
def fitted():
    return make_pipeline(
        CountVectorizer(min_df=2, stop_words="english"),
        GibbsLDA(5, max_iter=30, random_state=0),
    ).fit(TEXTS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pipeline", "Pachinko", "fusion"])
def test_skops_keeps_fitted_models(kind, fitted):
    """skops loads types of other libraries only if they are named."""
    from skops import io
    from skops.io.exceptions import UntrustedTypesFoundException

    model = {
        "pipeline": lambda: fitted,
        "Pachinko": lambda: make_pipeline(
            CountVectorizer(min_df=2),
            PachinkoAllocation(4, n_super_components=2, max_iter=30, random_state=0),
        ).fit(TEXTS),
        "fusion": lambda: FusionTopicModel(5, random_state=0).fit(TEXTS),
    }[kind]()
    data = io.dumps(model)
    unknown = io.get_untrusted_types(data=data)
    own = [name for name in unknown if name != "types.SimpleNamespace"]
    assert own
    assert all(name.startswith("llmtopics.") for name in own)
    with pytest.raises(UntrustedTypesFoundException):
        io.loads(data)
    twin = io.loads(data, trusted=unknown)
    assert_array_equal(twin.transform(TEXTS), model.transform(TEXTS))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of MLflow's own parts
@pytest.mark.parametrize(
    "options",
    [
        {"serialization_format": "cloudpickle"},
        {
            "serialization_format": "skops",
            "skops_trusted_types": ["llmtopics.topics._gibbs_lda.GibbsLDA"],
        },
    ],
    ids=lambda options: options["serialization_format"],
)
def test_mlflow_logs_and_loads_models(fitted, options, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    import mlflow

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    try:
        with mlflow.start_run():
            mlflow.log_params(fitted[-1].get_params())
            info = mlflow.sklearn.log_model(
                fitted, name="topics", pip_requirements=[], **options
            )
        twin = mlflow.sklearn.load_model(info.model_uri)
    finally:
        mlflow.set_tracking_uri(before)
    assert_array_equal(twin.transform(TEXTS), fitted.transform(TEXTS))


@pytest.mark.slow
def test_optuna_searches_number_of_topics_and_alpha():
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    model = FusionTopicModel(max_iter=20, random_state=0)
    scorer, rows = topic_scorer("npmi"), KFold(2)

    def objective(trial):
        params = {
            "n_components": trial.suggest_int("n_components", 2, 6),
            "alpha": trial.suggest_float("alpha", 0.0, 1.0),
        }
        tried = clone(model).set_params(**params)
        return cross_val_score(tried, TEXTS, scoring=scorer, cv=rows).mean()

    sampler = optuna.samplers.TPESampler(seed=0)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(objective, n_trials=4)
    values = [trial.value for trial in study.trials]
    assert len(set(values)) > 1  # the parameters reach the model
    best = clone(model).set_params(**study.best_params).fit(TEXTS)
    assert best.transform(TEXTS).shape == (120, study.best_params["n_components"])
    again = cross_val_score(
        clone(model).set_params(**study.best_params), TEXTS, scoring=scorer, cv=rows
    )
    assert again.mean() == study.best_value


@pytest.mark.slow
def test_topics_between_the_parts_of_imbalanced_learn(fitted):
    from imblearn.over_sampling import SMOTE
    from imblearn.pipeline import make_pipeline as resampling_pipeline

    rare = np.flatnonzero(SECTIONS == 0)[6:]  # six texts of one section are left
    rows = np.setdiff1d(np.arange(len(TEXTS)), rare)
    texts, labels = [TEXTS[i] for i in rows], SECTIONS[rows]
    steps = [clone(step) for step in fitted]
    model = resampling_pipeline(
        *steps, SMOTE(k_neighbors=3, random_state=0), LogisticRegression(C=10)
    ).fit(texts, labels)
    assert_array_equal(model[:-2].transform(texts), fit_on(fitted, texts))
    assert (model.predict(texts) == 0).sum() >= 3
    assert model.predict_proba(TEXTS).shape == (120, 5)


def fit_on(model, texts):
    return clone(model).fit(texts).transform(texts)


@pytest.mark.slow
def test_topics_beside_words_and_in_stacks(fitted):
    words = TfidfVectorizer(min_df=2)
    union = make_union(words, clone(fitted)).fit(TEXTS)
    assert_allclose(union.transform(TEXTS)[:, -5:].toarray(), fitted.transform(TEXTS))
    topics = make_pipeline(clone(fitted), LogisticRegression(C=10))
    stack = StackingClassifier(
        [("topics", topics), ("words", make_pipeline(words, LogisticRegression()))],
        cv=3,
    ).fit(TEXTS, SECTIONS)
    assert stack.score(TEXTS, SECTIONS) > 0.7
    assert_array_equal(
        clone(stack).fit(TEXTS, SECTIONS).predict_proba(TEXTS),
        stack.predict_proba(TEXTS),
    )


@pytest.mark.slow
def test_corpora_and_coherence_of_gensim(fitted):
    from gensim.corpora import Dictionary
    from gensim.matutils import Sparse2Corpus, corpus2csc
    from gensim.models import CoherenceModel

    vectorizer, model = fitted
    tokens = [vectorizer.build_analyzer()(text) for text in TEXTS]
    dictionary = Dictionary(tokens)
    bags = [dictionary.doc2bow(text) for text in tokens]
    X = corpus2csc(bags, num_terms=len(dictionary)).T
    ours = clone(model).fit(X)
    assert_allclose(ours.transform(X).sum(axis=1), 1)
    back = Sparse2Corpus(X.T.tocsc())  # and to gensim again
    assert [sorted(bag) for bag in back] == [sorted(bag) for bag in bags]
    vocabulary = [dictionary[i] for i in range(len(dictionary))]
    topics = top_words(ours.components_, vocabulary)
    theirs = CoherenceModel(
        topics=topics, texts=tokens, dictionary=dictionary, coherence="c_npmi"
    )
    found = coherence(topics, tokens, measure="npmi", window_size="auto")
    assert_allclose(found, theirs.get_coherence_per_topic(), atol=1e-6)
