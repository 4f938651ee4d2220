"""
How many topics?
================

There is no true number of topics in a real corpus. There are numbers at which the words of
topics make sense together, numbers at which held-out text is foretold best, numbers that
come back when the model is fitted again, and they differ. This page searches the number of
topics of 2,225 BBC news articles, draws what each measure says, and reads the curves.
"""

# %%
# A pipeline and a grid
# ---------------------
# Scorers of :func:`llmtopics.metrics.topic_scorer` need no labels, and several can be asked
# at once. Each is computed on documents that the model did not see.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline

from llmtopics import GibbsLDA, TextAnalyzer
from llmtopics.datasets import load_bbc_news
from llmtopics.metrics import topic_scorer, topic_stability, topic_summary

texts = load_bbc_news().data
pipeline = Pipeline(
    [
        ("counts", CountVectorizer(analyzer=TextAnalyzer(), min_df=5, max_df=0.5)),
        ("topics", GibbsLDA(max_iter=100, random_state=0)),
    ]
)
sizes = [2, 3, 4, 5, 6, 8, 10, 15, 20, 30]
measures = ["quality", "npmi", "diversity", "completion"]
search = GridSearchCV(
    pipeline,
    {"topics__n_components": sizes},
    scoring={measure: topic_scorer(measure) for measure in measures},
    refit=False,
    cv=KFold(3, shuffle=True, random_state=0),
    n_jobs=2,
).fit(texts)

# %%
# Stability beside it
# -------------------
# A score says how good topics are; stability says whether the same ones come back from
# another seed. It refits the model, so it is a function and not a scorer. The counts are made
# once here.

X = pipeline[0].fit_transform(texts)
fits = [
    topic_stability(GibbsLDA(K, max_iter=100, random_state=0), X, n_runs=3, n_jobs=2)
    for K in sizes
]

# %%
# The curves
# ----------
# Lines are means over three folds, bands their range. In the last picture every dot is a
# topic.

results = search.cv_results_
figure, axes = plt.subplots(2, 2, figsize=(9, 6.5), sharex=True, layout="constrained")
panels = [
    ("quality", "quality: coherence and diversity"),
    ("npmi", "coherence (NPMI) of the topics' words"),
    ("completion", "held-out log-likelihood per token"),
]
for ax, (measure, title) in zip(axes.flat, panels, strict=False):
    folds = np.array([results[f"split{i}_test_{measure}"] for i in range(3)])
    ax.plot(sizes, folds.mean(axis=0), "o-", color="C0")
    ax.fill_between(sizes, folds.min(axis=0), folds.max(axis=0), color="C0", alpha=0.2)
    ax.set_title(title, fontsize=10)
ax = axes.flat[3]
ax.plot(sizes, [fit.overall for fit in fits], "o-", color="C1")
for K, fit in zip(sizes, fits, strict=True):
    ax.plot([K] * K, fit.per_topic, ".", color="C1", alpha=0.3)
ax.set_title("stability over seeds (1: the same topics)", fontsize=10)
for ax in axes.flat:
    ax.set_xscale("log")
    ax.set_xticks(sizes, sizes)
    ax.minorticks_off()
    ax.grid(alpha=0.3)
for ax in axes[1]:
    ax.set_xlabel("number of topics, K")
plt.show()

# %%
# The same in numbers. A plateau is every K whose quality lies within the folds' standard
# error of the best.

quality = np.array([results[f"split{i}_test_quality"] for i in range(3)])
error = quality.std(axis=0, ddof=1) / np.sqrt(3)
best = quality.mean(axis=0).argmax()
plateau = [
    K
    for K, mean in zip(sizes, quality.mean(axis=0), strict=True)
    if mean >= quality.mean(axis=0)[best] - error[best]
]
print(f"best by quality: {sizes[best]}; as good within a standard error: {plateau}")
for K, q, c, fit in zip(
    sizes, quality.mean(axis=0), results["mean_test_completion"], fits, strict=True
):
    print(f"K={K:2d}  quality {q:.3f}  completion {c:.3f}  stability {fit.overall:.2f}")

# %%
# Reading them
# ------------
# *Quality* and *coherence* have a peak, not an elbow: with fewer topics, words of several
# sections are thrown together; with many more, topics share words and keep less company.
# Five and six cannot be told apart by quality: a plateau, and the honest answer is
# *several*. *Stability* separates them: the same five topics come back from every seed; of
# six, one hardly does, and the others shift with it.
#
# *Held-out likelihood* says something else: it rises to the end of the grid, because thirty
# topics describe a document in more detail than five, and there is no elbow to stop at. It is
# the measure for who wants detail, and not for who wants topics to read: they follow
# quality, take the most stable number on its plateau, and know that a finer reading of the
# same corpus, at ten or twenty topics, is not wrong. Its stable topics (the upper dots) can be
# trusted, the others looked at twice.

# %%
# One row a topic
# ---------------
# Before settling, look. The summary of the model that stability was measured of says what each
# topic is and how far to trust it.

chosen = fits[best]
lda = chosen.estimator
summary = topic_summary(
    lda.components_,
    pipeline[0].get_feature_names_out(),
    lda.transform(X),
    X,
    titles=[text.partition("\n")[0] for text in texts],
    stability=chosen.per_topic,
    n_words=6,
    n_documents=1,
)
summary.round(2)
