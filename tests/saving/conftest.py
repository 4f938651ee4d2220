import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from llmtopics import GibbsLDA
from llmtopics.datasets import make_topics

COUNTS = make_topics(40, 30, 3, doc_length=30, random_state=0).data
PETS = ["the", "cat", "chases", "mouse", "while", "the", "dog", "sleeps", "near", "cat"]
MONEY = ["the", "bank", "lends", "money", "market", "trades", "shares", "of", "the"]
TEXTS = [
    " ".join([*(PETS if i % 2 else MONEY)[i % 5 :], ["tail", "coin"][i % 2]])
    for i in range(30)
]
LABELS = ["money", "pets"] * 15


@pytest.fixture(scope="session")
def lda():
    return GibbsLDA(3, max_iter=20, random_state=0).fit(COUNTS)


@pytest.fixture(scope="session")
def pipeline():
    steps = CountVectorizer(), GibbsLDA(2, max_iter=20, random_state=0)
    return make_pipeline(*steps).fit(TEXTS)
