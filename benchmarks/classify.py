"""Classifiers of texts with topics as features, from few labels and from many.

Appends a JSON line per corpus, number of labels and sample to ``results/classify.jsonl``. A line
has all models, fitted to the same labeled texts and evaluated on the same test texts. Topics
are fitted to all training texts without labels, never to test texts. They are cached on disk.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, normalize
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import LinearSVC

from benchmarks.corpora import CORPORA, read_records
from benchmarks.counts import CACHE
from benchmarks.runs import run_tasks, task_arguments
from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    PrecomputedEmbeddings,
    TextAnalyzer,
    TransformerEmbedder,
    log_ratios,
)

PACKAGES = "llmtopics numpy scipy scikit-learn torch transformers"
UNLABELED_SAMPLES = {  # of 10 labels: self-training, topics of labeled texts
    "StackOverflow": 5,
    "20 Newsgroups": 0,  # self-training takes minutes on long texts
}
SAMPLES = {"10": 5, "100": 3, "all": 1}  # labels per class: samples
K, SEVERAL = 50, (20, 50, 100)  # numbers of topics
N_TOPIC_SEEDS = 2  # a fit takes minutes: samples share the topics of two seeds
N_BOOTSTRAP, N_BINS = 2000, 15
REFERENCE = "tf-idf + vectors"  # the best features without topics

Logistic = partial(LogisticRegression, C=10, max_iter=1000)
tfidf = partial(TfidfVectorizer, stop_words="english", sublinear_tf=True)


class Texts(NamedTuple):
    """A corpus. ``labels`` count from 0. ``train`` and ``test`` are rows of ``texts``."""

    texts: list[str]
    labels: np.ndarray
    train: np.ndarray
    test: np.ndarray


def codes(labels: Any) -> np.ndarray:
    """Return labels as integers from 0, as scikit-learn's temperature scaling needs them."""
    return np.unique(labels, return_inverse=True)[1]


@cache
def newsgroups() -> Texts:
    """Return the posts, with the split by date that comes with them."""
    texts, labels, _ = CORPORA["20 Newsgroups"].load()
    splits = np.array([line["split"] for line in read_records("20newsgroups.jsonl.xz")])
    rows = (np.flatnonzero(splits == split) for split in ("train", "test"))
    return Texts(texts, codes(labels), *rows)


@cache
def titles() -> Texts:
    """Return the titles. Half of them, always the same ones, are test texts."""
    texts, labels, _ = CORPORA["StackOverflow"].load()
    order = np.random.default_rng(0).permutation(len(texts))
    half = len(texts) // 2
    return Texts(texts, codes(labels), np.sort(order[:half]), np.sort(order[half:]))


READ = {"StackOverflow": titles, "20 Newsgroups": newsgroups}


def topic_features(mixtures: np.ndarray) -> np.ndarray:
    """Return log-ratios of topic proportions, as rows of length one."""
    return normalize(log_ratios(mixtures))


def topic_counter(texts: list[str], min_df: int = 5) -> CountVectorizer:
    """Return a vectorizer that knows the words of the texts: each is cut once."""
    words = dict(zip(texts, map(TextAnalyzer(), texts), strict=True))
    return CountVectorizer(analyzer=words.__getitem__, min_df=min_df, max_df=0.5)


def fusion(fitted_to: list[str], texts: list[str], K: int, seed: int, **counting: int):
    """Return topic proportions of texts, from a model of some of them."""
    embedder = PrecomputedEmbeddings(texts, TransformerEmbedder().transform(texts))
    counter = topic_counter(texts, **counting)
    model = FusionTopicModel(
        K, vectorizer=counter, embedder=embedder, random_state=seed
    )
    return model.fit(fitted_to).transform(texts)


def lda(fitted_to: list[str], texts: list[str], K: int, seed: int) -> np.ndarray:
    model = make_pipeline(topic_counter(texts), GibbsLDA(K, random_state=seed))
    return model.fit(fitted_to).transform(texts)


def vectors(texts: list[str]) -> np.ndarray:
    return TransformerEmbedder().transform(texts).astype(float)


def lsa(fitted_to: list[str], texts: list[str]) -> np.ndarray:
    """Return latent semantic analysis."""
    steps = tfidf(min_df=2), TruncatedSVD(100, random_state=0), Normalizer()
    return make_pipeline(*steps).fit(fitted_to).transform(texts)


def kept(corpus: str, how: Callable[..., np.ndarray], *settings: int) -> np.ndarray:
    """Return a feature of all texts, fitted to the training texts. It is kept on disk."""
    name = "-".join(["classify", corpus, how.__name__, *map(str, settings)])
    path = CACHE / f"{name.replace(' ', '-')}.npy"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        texts, _, train, _ = READ[corpus]()
        fitted_to = [] if how is vectors else [[texts[i] for i in train]]
        np.save(path, how(*fitted_to, texts, *settings))
    return np.load(path)


class Sample:
    """Features that belong to a sample of labels. Each has rows of length one."""

    def __init__(self, corpus: str, n_labels: str, seed: int):
        self.corpus, self.seed = corpus, seed
        self.texts, self.y, train, test = READ[corpus]()
        rng = np.random.default_rng(seed)
        labeled = train
        if n_labels != "all":
            y = self.y
            some = [rng.permutation(train[y[train] == label]) for label in np.unique(y)]
            labeled = np.concatenate([rows[: int(n_labels)] for rows in some])
        self.rows = {"labeled": labeled, "test": test, "train": train}
        self.words = tfidf().fit(self.part("labeled"))
        self.feature = cache(self._feature)

    def part(self, part: str) -> list[str]:
        return [self.texts[i] for i in self.rows[part]]

    def labels(self, part: str) -> np.ndarray:
        return self.y[self.rows[part]]

    def _feature(self, name: str, part: str) -> Any:
        """Return a feature of some texts."""
        topic_seed = self.seed % N_TOPIC_SEEDS
        if name == "words":
            return self.words.transform(self.part(part))
        if name == "own":  # topics of the labeled texts alone
            texts = self.part("labeled"), [*self.part("labeled"), *self.part("test")]
            found = topic_features(fusion(*texts, K, self.seed, min_df=2))
            return np.split(found, [len(texts[0])])[part == "test"]
        if name == "several":
            fits = [kept(self.corpus, fusion, each, topic_seed) for each in SEVERAL]
            found = normalize(
                np.hstack([topic_features(mixtures) for mixtures in fits])
            )
        elif name in ("topics", "lda"):
            of_topics = fusion if name == "topics" else lda
            found = topic_features(kept(self.corpus, of_topics, K, topic_seed))
        else:
            how: Callable[..., np.ndarray] = lsa if name == "lsa" else vectors
            found = kept(self.corpus, how)
        return found[self.rows[part]]

    def inputs(self, names: tuple[str, ...], part: str) -> Any:
        """Return some features of some texts, side by side, as a ``FeatureUnion`` does."""
        blocks = [self.feature(name, part) for name in names]
        return (
            sp.hstack(blocks, format="csr") if "words" in names else np.hstack(blocks)
        )


BEST = "topics, three K, + tf-idf + vectors"
ALL_FEATURES = ("words", "vectors", "several")
MODELS: dict[str, tuple[tuple[str, ...], Callable[[], Any]]] = {
    "tf-idf": (("words",), Logistic),
    "tf-idf, LinearSVC": (("words",), LinearSVC),
    "vectors (`TransformerClassifier`)": (("vectors",), Logistic),
    REFERENCE: (("words", "vectors"), Logistic),
    "LSA": (("lsa",), Logistic),
    "LDA topics": (("lda",), Logistic),
    "topics": (("topics",), Logistic),
    "topics, three K": (("several",), Logistic),
    "topics + tf-idf": (("topics", "words"), Logistic),
    "topics + tf-idf + vectors": (("topics", "words", "vectors"), Logistic),
    "topics, three K, + tf-idf": (("several", "words"), Logistic),
    BEST: (ALL_FEATURES, Logistic),
}
LABELED_ONLY = {  # at 10 labels: what do unlabeled texts add?
    "topics of labeled texts": (("own",), Logistic),
    "topics of labeled texts + tf-idf + vectors": (
        ("own", "words", "vectors"),
        Logistic,
    ),
}


def calibrated(method: str, seed: int) -> CalibratedClassifierCV:
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    return CalibratedClassifierCV(Logistic(), method=method, cv=folds, ensemble=False)


def calibration_error(chances: np.ndarray, correct: np.ndarray) -> float:
    """Return the expected calibration error: |confidence - accuracy|, mean over bins."""
    confidence = chances.max(axis=1)
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gaps = np.bincount(bins, confidence - correct, minlength=N_BINS)
    return float(np.abs(gaps).sum() / len(correct))


def evaluated(model: Any, X: Any, y: np.ndarray) -> tuple[dict, np.ndarray]:
    """Return measures of a classifier, and which texts it gets right."""
    found = model.predict(X)
    right = found == y
    line = {"accuracy": right.mean(), "macro_f1": f1_score(y, found, average="macro")}
    if hasattr(model, "predict_proba"):
        chances = model.predict_proba(X)
        line["log_loss"] = log_loss(y, chances, labels=model.classes_)
        line["calibration_error"] = calibration_error(chances, right)
    return line, right


def self_trained(sample: Sample) -> Iterator[tuple[str, dict, np.ndarray]]:
    """Evaluate scikit-learn's classifier that learns from unlabeled texts, too."""
    labeled = np.isin(sample.rows["train"], sample.rows["labeled"])
    known = np.where(labeled, sample.labels("train"), -1)
    self_training = SelfTrainingClassifier(Logistic(), threshold=0.5, max_iter=5)
    for name in (REFERENCE, BEST):
        features = MODELS[name][0]
        model = self_training.fit(sample.inputs(features, "train"), known)
        X = sample.inputs(features, "test")
        yield f"{name}, self-training", *evaluated(model, X, sample.labels("test"))


def intervals(right: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Return 95% intervals of the accuracy minus the reference's, over test texts."""
    n = len(right[REFERENCE])
    draws = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), N_BOOTSTRAP)
    return {
        name: np.quantile(
            draws @ (found.astype(float) - right[REFERENCE]) / n, [0.025, 0.975]
        ).tolist()
        for name, found in right.items()
    }


def measure(corpus: str, n_labels: str, seed: int) -> dict:
    """Fit all models to the same labeled texts."""
    sample = Sample(corpus, n_labels, seed)
    y, y_test = sample.labels("labeled"), sample.labels("test")
    found, right = {}, {}
    models = MODELS.copy()
    few = n_labels == "10"
    with_unlabeled = few and seed < UNLABELED_SAMPLES[corpus]
    if with_unlabeled:
        models |= LABELED_ONLY
    for method in ("temperature", "sigmoid") if few else ():
        calibrate = partial(calibrated, method, seed)
        for name in (REFERENCE, BEST):
            models[f"{name}, {method}"] = (MODELS[name][0], calibrate)
    for name, (features, make) in models.items():
        X = sample.inputs(features, "labeled")
        start = perf_counter()
        model = make().fit(X, y)
        seconds = perf_counter() - start
        found[name], right[name] = evaluated(
            model, sample.inputs(features, "test"), y_test
        )
        found[name]["seconds"] = seconds
    if with_unlabeled:
        for name, line, correct in self_trained(sample):
            found[name], right[name] = line, correct
    if n_labels == "all":
        for name, interval in intervals(right).items():
            found[name]["interval"] = interval
    return {"n_labeled": len(y), "n_test": len(y_test), "models": found}


def tasks() -> Iterator[tuple[str, str, int, partial]]:
    """Yield corpus, number of labels, sample and what measures it."""
    for n_labels, n_samples in SAMPLES.items():
        for corpus in READ:
            for seed in range(n_samples):
                work = partial(measure, corpus, n_labels, seed)
                yield corpus, f"{n_labels} labels", seed, work


def main() -> None:
    options = task_arguments(__doc__).parse_args()
    run_tasks("classify", tasks(), PACKAGES, options)


if __name__ == "__main__":
    main()
