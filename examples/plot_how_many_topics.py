"""
Choose the number of topics
===========================

A real corpus has no true number of topics. Measures of quality prefer one number. Held-out
likelihood prefers another. Stability says which topics come back when the model is fitted
again. This example searches the number of topics, K, of 2,225 BBC news articles. It plots each
measure and explains the curves.
"""

# %%
# Search with a Pipeline and a grid
# ---------------------------------
# Scorers of :func:`llmtopics.metrics.topic_scorer` need no labels. Several can be computed in
# one search. Each is computed on documents that the model did not see.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline, make_pipeline

from llmtopics import GibbsLDA, TextAnalyzer, read_topics
from llmtopics.datasets import load_bbc_news
from llmtopics.metrics import topic_scorer, topic_stability

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
# Measure stability
# -----------------
# Stability says whether the same topics come back with another seed. It refits the model, so
# it is a function and not a scorer. The words are counted once here.

X = pipeline[0].fit_transform(texts)
fits = [
    topic_stability(GibbsLDA(K, max_iter=100, random_state=0), X, n_runs=3, n_jobs=2)
    for K in sizes
]

# %%
# Plot the curves
# ---------------
# Lines are means over three folds, and bands are their range. In the last panel, each dot is
# one topic.

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
# The same in numbers. The plateau contains every K whose quality is within one standard error
# of the best.

quality = np.array([results[f"split{i}_test_quality"] for i in range(3)])
error = quality.std(axis=0, ddof=1) / np.sqrt(3)
best = quality.mean(axis=0).argmax()
plateau = [
    K
    for K, mean in zip(sizes, quality.mean(axis=0), strict=True)
    if mean >= quality.mean(axis=0)[best] - error[best]
]
print(f"best by quality: {sizes[best]}; within one standard error: {plateau}")
for K, q, c, fit in zip(
    sizes, quality.mean(axis=0), results["mean_test_completion"], fits, strict=True
):
    print(f"K={K:2d}  quality {q:.3f}  completion {c:.3f}  stability {fit.overall:.2f}")

# %%
# Read the curves
# ---------------
# *Quality* and *coherence* have a peak. With fewer topics, words of several sections are mixed.
# With many more, topics share words, and their words occur together less often. Quality is
# about the same for five and six topics: this is a plateau, so both are good choices.
#
# *Stability* decides between them. With five topics, every seed finds the same topics. With
# six, one topic hardly comes back, and the others change with it.
#
# *Held-out likelihood* rises up to the largest K, without an elbow. More topics describe each
# document in more detail. Use it if you need this detail.
#
# If people will read the topics, choose the most stable number on the plateau of quality. Ten
# or twenty topics of the same corpus are not wrong: they are finer. Use the stable ones (the
# upper dots), and check the others.

# %%
# Summarize the topics in a table
# -------------------------------
# The table has one row per topic: its words, its size, a representative document and its
# stability. It describes the fit whose stability was measured.

chosen = fits[best]
model = make_pipeline(pipeline[0], chosen.estimator)
titles = [text.partition("\n")[0] for text in texts]
table = read_topics(model, texts, titles=titles).topic_table(n_words=6)
table["stability"] = chosen.per_topic
table.round(2)
