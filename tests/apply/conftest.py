import numpy as np
import pandas as pd
import pytest

from llmtopics.datasets import load_bbc_news


@pytest.fixture(scope="session")
def planted_tastes():
    """Articles of BBC News, their sections, and users who like one section each.

    Each user likes 12 articles of the section and 2 others.
    """
    corpus = load_bbc_news()
    texts, sections = corpus.data[::8], np.asarray(corpus.target)[::8]
    rng = np.random.default_rng(0)
    rows = []
    for user in range(60):
        own = rng.choice(np.flatnonzero(sections == user % 5), 12, replace=False)
        others = rng.choice(len(texts), 2, replace=False)
        items = rng.permutation(np.unique(np.r_[own, others]))
        rows += [(f"user {user}", int(item), time) for time, item in enumerate(items)]
    return texts, sections, pd.DataFrame(rows, columns=["user", "item", "time"])
