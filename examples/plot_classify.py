"""
Classify texts with few labels
==============================

Labels are expensive, texts are not. Topics need no labels: a topic model learns from all texts, and
a classifier reads the topics of the few texts that have a label. This example plots the accuracy
against the number of labels on BBC news, for words (tf-idf), for topics, and for both.
"""

# %%
# Find topics without labels
# --------------------------
# Half of the articles are held out to measure the accuracy. The topic model sees the texts of the
# other half, and no label. Ten topics are enough for five classes: a class may have several.

import matplotlib.pyplot as plt
import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit, train_test_split
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, Normalizer

from llmtopics import FusionTopicModel, TextAnalyzer, log_ratios
from llmtopics.datasets import load_bbc_news

news = load_bbc_news()
texts = [" ".join(text.split()[:60]) for text in news.data[::2]]  # encoded in less time
train_texts, test_texts, train_labels, test_labels = train_test_split(
    np.array(texts, dtype=object),
    news.target[::2],
    test_size=0.5,
    stratify=news.target[::2],
    random_state=0,
)
counter = CountVectorizer(analyzer=TextAnalyzer(), min_df=3)
topics = FusionTopicModel(10, vectorizer=counter, random_state=0).fit(train_texts)
for words in topics.top_words(6):
    print(*words)

# %%
# Put topics beside words
# -----------------------
# ``FrozenEstimator`` keeps the topics as they are: the Pipeline fits only what comes after them. Topic
# proportions θ sum to one. Their logarithms minus the mean, divided by their length, work better in a
# linear classifier. Rows then have length one, as those of tf-idf have, so both count the same.

ratios = FunctionTransformer(log_ratios, feature_names_out="one-to-one")
classifier = make_pipeline(
    make_union(
        make_pipeline(FrozenEstimator(topics), ratios, Normalizer()),
        TfidfVectorizer(stop_words="english", sublinear_tf=True),
    ),
    LogisticRegression(C=10),
)
labeled = slice(50)  # as if only these had labels
classifier.fit(train_texts[labeled], train_labels[labeled])
print(f"accuracy from 50 labels: {classifier.score(test_texts, test_labels):.2f}")

# %%
# Compare the accuracy by the number of labels
# --------------------------------------------
# Each number of labels has five samples of labeled texts. All classifiers see the same samples. The
# topics of all texts are computed once.

topic_step, word_step = (step for _, step in classifier[0].transformer_list)
train_topics = topic_step.transform(train_texts)
test_topics = topic_step.transform(test_texts)


def features_from(rows):
    """Return features of the texts in these rows, and of the test texts."""
    words = clone(word_step).fit(train_texts[rows])
    train_words, test_words = (
        words.transform(train_texts[rows]),
        words.transform(test_texts),
    )
    return {
        "tf-idf": (train_words, test_words),
        "topics": (train_topics[rows], test_topics),
        "topics and tf-idf": (
            sp.hstack([train_topics[rows], train_words]),
            sp.hstack([test_topics, test_words]),
        ),
    }


sizes = [2, 5, 10, 20, 50]  # labels per class, on average
n_samples = 5
names = ["tf-idf", "topics", "topics and tf-idf"]
accuracy = {name: np.zeros((len(sizes), n_samples)) for name in names}
for i, size in enumerate(sizes):
    samples = StratifiedShuffleSplit(n_samples, train_size=5 * size, random_state=0)
    for j, (rows, _) in enumerate(samples.split(train_texts, train_labels)):
        for name, (X_train, X_test) in features_from(rows).items():
            model = LogisticRegression(C=10).fit(X_train, train_labels[rows])
            accuracy[name][i, j] = model.score(X_test, test_labels)

# %%
# Lines are means over the samples. Bands are their 95% intervals.

figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
for name, found in accuracy.items():
    mean = found.mean(axis=1)
    half = 1.96 * found.std(axis=1, ddof=1) / np.sqrt(n_samples)
    ax.plot(sizes, mean, "o-", label=name)
    ax.fill_between(sizes, mean - half, mean + half, alpha=0.2)
ax.set_xscale("log")
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.set_xlabel("labels per class")
ax.set_ylabel("accuracy on other articles")
ax.grid(alpha=0.3)
ax.legend(loc="lower right")
plt.show()
