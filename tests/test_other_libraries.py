"""Models inside the tables of other libraries."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from llmtopics import FusionTopicModel, TransformerEmbedder
from llmtopics.datasets import load_bbc_news

NEWS = load_bbc_news()
ROWS = np.random.default_rng(0).permutation(len(NEWS.data))[:120]
TABLE = pd.DataFrame(
    {"text": [NEWS.data[i] for i in ROWS], "length": [float(i) for i in range(120)]}
)
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
