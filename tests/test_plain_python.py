"""The library gives the same numbers when nothing is compiled (``NUMBA_DISABLE_JIT=1``)."""

import os
import pickle
import subprocess
import sys
import warnings
from itertools import pairwise

import numpy as np
import pytest

from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    PachinkoAllocation,
    PrecomputedEmbeddings,
)
from llmtopics.datasets import make_topics
from llmtopics.metrics import coherence, left_to_right


def corpus():
    return make_topics(8, 20, 3, doc_length=6, random_state=0).data


def lda(n_components, sampler):
    X = corpus()
    model = GibbsLDA(n_components, sampler=sampler, max_iter=2, random_state=0).fit(X)
    mixtures = model.transform(X)
    return model.partial_fit(X).components_, mixtures


def pachinko(sampler):
    X = corpus()
    model = PachinkoAllocation(
        4, n_super_components=2, sampler=sampler, max_iter=3, random_state=0
    )
    return model.fit_transform(X), model.components_, model.super_sub_prior_


def texts():
    X = corpus()
    rows = [np.repeat(X.indices[i:j], X.data[i:j]) for i, j in pairwise(X.indptr)]
    return [" ".join(f"w{w}" for w in row) for row in rows]


def fusion():
    vectors = np.random.default_rng(0).normal(size=(8, 3))
    model = FusionTopicModel(
        2, embedder=PrecomputedEmbeddings(texts(), vectors), random_state=0
    )
    model.set_params(topic_model=GibbsLDA(max_iter=4, sampler="blocked"))
    return model.fit_transform(texts()), model.components_


def metrics():
    planted = make_topics(8, 20, 17, doc_length=6, random_state=0)
    prior = np.random.default_rng(0).gamma(1, size=17)
    documents = [text.split() for text in texts()]
    words = sorted(set(documents[0] + documents[1]))
    return (
        left_to_right(planted.data, planted.components, prior, n_particles=9),
        coherence([words], documents, window_size=3),
    )


RESULTS = {  # name -> what computes it
    "LDA, exact": lambda: lda(3, "exact"),
    "LDA, rows": lambda: lda(17, "blocked"),
    "LDA, lists": lambda: lda(257, "blocked"),
    "Pachinko, exact": lambda: pachinko("exact"),
    "Pachinko, in blocks": lambda: pachinko("blocked"),
    "fusion": fusion,
    "metrics": metrics,
}


@pytest.fixture(scope="module")
def uncompiled():
    """All results of a process that compiles nothing and turns warnings into errors."""
    run = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()
    return pickle.loads(run.stdout)


@pytest.mark.slow  # nothing compiled takes its time
@pytest.mark.parametrize("name", RESULTS)
def test_plain_python_gives_the_same_bits(uncompiled, name):
    # NumPy and compiled code have a logarithm each, which may differ in the last digit
    rtol = 1e-14 if name == "metrics" else 0
    for plain, compiled in zip(uncompiled[name], RESULTS[name](), strict=True):
        np.testing.assert_allclose(plain, compiled, rtol=rtol)


if __name__ == "__main__":
    warnings.simplefilter("error")
    results = {name: compute() for name, compute in RESULTS.items()}
    sys.stdout.buffer.write(pickle.dumps(results))
