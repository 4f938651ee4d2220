"""
Search the number of topics and the fusion weight
=================================================

Topic models are estimators of scikit-learn, so ``GridSearchCV`` searches their parameters: alone with a
measure of the topics, or in a Pipeline with a classifier.
"""

# %%
# Search with a measure of the topics
# -----------------------------------
# :func:`llmtopics.metrics.topic_scorer` scores topics on texts that the model has not seen. It needs no
# labels. α = 0 is word counts alone, α = 1 is embeddings alone. The articles are sorted by section, so the
# folds are shuffled.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, KFold

from llmtopics import FusionTopicModel
from llmtopics.datasets import load_bbc_news
from llmtopics.metrics import topic_scorer
from llmtopics.plots import plot_alpha

news = load_bbc_news()
texts, sections = news.data[::5], news.target[::5]
grid = {"n_components": [3, 5, 8, 12], "alpha": [0.2, 0.5, 0.8]}
model = FusionTopicModel(max_iter=20, random_state=0)
folds = KFold(3, shuffle=True, random_state=0)
search = GridSearchCV(model, grid, scoring=topic_scorer("npmi"), cv=folds).fit(texts)
print(search.best_params_)

# %%
# Draw the scores
# ---------------
import pandas as pd

found = pd.DataFrame(search.cv_results_)
table = found.pivot(
    index="param_alpha", columns="param_n_components", values="mean_test_score"
)
fig, ax = plt.subplots(figsize=(5, 2.6), layout="constrained")
image = ax.imshow(table, cmap="Blues", aspect="auto")
ax.set_xticks(range(len(table.columns)), table.columns)
ax.set_yticks(range(len(table.index)), table.index)
ax.set(xlabel="number of topics", ylabel="fusion weight α")
middle = np.mean(image.get_clim())
for (i, j), score in np.ndenumerate(table):
    color = "white" if score > middle else "black"
    ax.text(j, i, f"{score:.2f}", ha="center", va="center", color=color)
fig.colorbar(image, label="NPMI of held-out texts")
plt.show()

# %%
# Search in a Pipeline with a classifier
# --------------------------------------
# Here the score is the accuracy for the sections. ``log_ratios`` makes proportions fit for a linear
# classifier.
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from llmtopics import log_ratios

pipeline = make_pipeline(model, FunctionTransformer(log_ratios), LogisticRegression())
weights = {"fusiontopicmodel__alpha": [0.0, 0.2, 0.5, 0.8, 1.0]}
pipeline.set_params(fusiontopicmodel__n_components=10)
search = GridSearchCV(pipeline, weights, cv=3).fit(texts, sections)
plot_alpha(search)
plt.show()
