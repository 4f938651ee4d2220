"""The section on sentiment of documents, sentences and topics."""

import numpy as np

from benchmarks.report.markdown import lines_of, table

SENTIMENT = """\
## Sentiment of texts and topics

`TopicSentiment` on film reviews (*IMDB*: 2,500 reviews of its training part, 2,500 of its test part) and on Chinese
reviews of a shop (2,000 to train and 1,000 others to test, from ten categories of goods). Brackets are 95 % intervals from
resampling test documents, or pairs of documents. Vectors are those of MiniLM, and of multilingual-e5-small with 4 bits
for Chinese. Chinese words are cut by `TextAnalyzer("chinese")`. Words of sentiment keep stop words. `C` of the default
classifier (30 for words, 3 for vectors) and the share of texts that seed words label were chosen on training parts. That a
sentence belongs to its first topic alone was chosen on 1,000 other Chinese reviews. `make bench TABLE=sentiment` runs it.

- **Ahead**: sentiment of Chinese reviews, against tf-idf. Vectors alone are as good there. Categories: 30 topics of words
  and vectors are as good as tf-idf of the words.
- **Not ahead**: film reviews, where tf-idf is as good. Seed words are worse than labels in English. Where each review has
  one subject, the polarity of topics is no better than that of whole reviews.
"""
DOCUMENTS = """\
### Sentiment of documents

Share of documents with the right sign. *Minus tf-idf* is the paired difference to logistic regression on tf-idf.
*Vectors* is logistic regression on vectors. `TopicSentiment` averages the probabilities of both. *Seed words* has no
labels: six English or five Chinese words per side. *Axis* cuts the direction between the vectors of both sides at the
median of the training documents.
"""
CATEGORIES = """\
### Categories of Chinese reviews

Share of reviews with the right category of ten. Topics are found without labels. Logistic regression on the logarithm of
the topic proportions then learns the categories. Three seeds: the interval is of the first one, the mean of all.
"""
SENTENCES = """\
### Sentences

A classifier that learned from labels of documents reads the sentences of others (1,000 test documents). The label of
its document stands for a sentence's own, which nobody knows. *Log loss* is that of predicting it from one sentence,
*accuracy* is that of the sign, both averaged per document. Without knowledge, log loss is 0.693.
"""
TOPICS = """\
### Topics

Ten topics of Chinese reviews. *Category*: correlation of the polarity of a topic with the share of positive reviews in its
category, for categories that have a topic. *Own reviews*: the same with the share among the reviews of
the topic. These shares were made to range from 0.1 to 0.9, by 200 random choices among the test reviews: mean, and in
brackets the middle 95 % of the choices. *Whole reviews* gives each review one topic and the polarity of the whole.
"""
MIXED = """\
### Two reviews joined

A positive and a negative test review of different categories are joined. The topics of both categories have a polarity each.
*Found* is the share of these topics that are found in the text. *Right if found* is the share of found ones with the right
sign. The polarity of the whole text would be right for half of them.
"""
NAMES = {"english": "IMDB", "chinese": "Chinese reviews"}


def interval(values: list[float] | np.ndarray, digits: int = 3) -> str:
    """Return the mean and its interval by resampling."""
    found = np.asarray(values, float)
    rng = np.random.default_rng(0)
    means = [
        found[rng.integers(len(found), size=len(found))].mean() for _ in range(999)
    ]
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{found.mean():.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def ratio(some: list[float], of: list[float]) -> str:
    """Return the ratio of two sums and its interval by resampling pairs."""
    pairs = np.array([some, of])
    rng, n = np.random.default_rng(0), pairs.shape[1]
    sums = [pairs[:, rng.integers(n, size=n)].sum(axis=1) for _ in range(999)]
    low, high = np.quantile([a / b for a, b in sums], [0.025, 0.975])
    whole = pairs[0].sum() / pairs[1].sum()
    return f"{whole:.2f} [{low:.2f}, {high:.2f}]"


def middle(values: list[float]) -> str:
    low, high = np.quantile(values, [0.025, 0.975])
    return f"{np.mean(values):.2f} [{low:.2f}, {high:.2f}]"


def rights(line: dict) -> np.ndarray:
    return np.array([*line["right"]], float)


def section() -> list[str]:
    tasks: dict[str, list[dict]] = {}
    for line in lines_of("sentiment"):
        tasks.setdefault(line["task"], []).append(line)
    parts = [SENTIMENT, DOCUMENTS]
    for language, name in NAMES.items():
        lines = tasks.get(f"documents, {language}", [])
        rows = [
            [
                line["setting"],
                interval(rights(line)),
                ""
                if line["setting"] == "tf-idf"
                else interval(rights(line) - rights(lines[0])),
            ]
            for line in lines
        ]
        parts.append(table([name, "accuracy", "minus tf-idf"], rows))
    categories: dict[str, list[dict]] = {}
    for line in tasks.get("categories, chinese", []):
        categories.setdefault(line["setting"], []).append(line)
    rows = [
        [
            setting,
            interval(rights(lines[0])),
            f"{np.mean([rights(line).mean() for line in lines]):.3f}",
            str(len(lines)),
        ]
        for setting, lines in categories.items()
    ]
    parts += [
        CATEGORIES,
        table(["features", "accuracy", "mean", "seeds"], rows),
        SENTENCES,
    ]
    for language, name in NAMES.items():
        rows = [
            [
                line["setting"],
                interval(line["losses"]),
                interval(line["accuracies"]),
            ]
            for line in tasks.get(f"sentences, {language}", [])
        ]
        parts.append(table([name, "log loss", "accuracy"], rows))
    topics = tasks.get("topics, chinese", [])
    rows = [
        [
            line["setting"],
            middle(line["of_categories"]),
            middle(line["of_topics"]),
            str(line["n_categories"]),
        ]
        for line in topics
    ]
    head = ["polarity of topics", "category", "own reviews", "categories"]
    parts += [TOPICS, table(head, rows), MIXED]
    rows = [
        [
            line["setting"],
            interval(line["told"], 2),
            ratio(line["rights"], line["told"]),
        ]
        for line in tasks.get("mixed, chinese", [])
    ]
    head = ["polarity of topics", "found", "right if found"]
    return [*parts, table(head, rows)]
