r"""
Learn how many topics a document has
====================================

LDA has a prior of topics, ``doc_topic_prior``: the Dirichlet concentration α of the topic proportions.
With small values a document has few topics, with large ones many. Unequal values make some topics more
common. The corpora of this example are planted, so the true values are known.
"""

# %%
# See what the prior means
# ------------------------
# Each bar is a document, and each color a topic.
import matplotlib.pyplot as plt
import numpy as np

from llmtopics.datasets import make_topics
from llmtopics.plots import topic_colors

fig, axes = plt.subplots(1, 3, figsize=(8, 2.2), sharey=True, layout="constrained")
for ax, alpha in zip(axes, [0.05, 0.5, 5], strict=True):
    shares = make_topics(15, 200, 5, doc_topic_prior=alpha, random_state=0).doc_topic
    starts = shares.cumsum(axis=1) - shares
    for k, color in enumerate(topic_colors(5)):
        ax.bar(range(15), shares[:, k], 0.9, starts[:, k], color=color)
    ax.set(title=f"α = {alpha:g}", xlabel="documents", xticks=[])
axes[0].set_ylabel("topic proportions")
plt.show()

# %%
# Learn it from word counts
# -------------------------
# ``doc_topic_prior="auto"`` learns one value per topic. Here, one topic is common, and half of the topics
# are rare. The topics of a model have no order, so each is matched with the true topic whose words are most
# similar.
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.pairwise import cosine_similarity

from llmtopics import GibbsLDA

true = [1.0, 0.5, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1]
priors = {"default": None, "learned": "auto"}  # the default is 1 / K for all topics


def fit(prior, corpus, seed):
    """Return a model of the first 700 documents, and its topics in the true order."""
    model = GibbsLDA(8, doc_topic_prior=prior, random_state=seed)
    model.fit(corpus.data[:700])
    similar = cosine_similarity(corpus.components, model.components_)
    return model, linear_sum_assignment(similar, maximize=True)[1]


corpus = make_topics(1000, 500, 8, doc_length=150, doc_topic_prior=true, random_state=0)
fig, ax = plt.subplots(figsize=(6, 2.6), layout="constrained")
places = np.arange(8)
ax.bar(places - 0.3, true, 0.28, label="true", color="0.6")
for shift, (name, prior) in zip([0, 0.3], priors.items(), strict=True):
    model, order = fit(prior, corpus, 0)
    ax.bar(places + shift, model.doc_topic_prior_[order], 0.28, label=name)
ax.set(xlabel="true topic", ylabel="prior α", xticks=places)
ax.legend()
plt.show()

# %%
# Compare on other documents
# --------------------------
# A model with a lower perplexity predicts words better. The error of a document is half the sum of the
# absolute differences between found and true topic proportions: 0 is the truth, 1 the worst. Both are means
# over three corpora. In short documents, rare topics are missed with both priors.
import pandas as pd

rows = []
for length in [60, 150]:
    for seed in range(3):
        corpus = make_topics(
            1000, 500, 8, doc_length=length, doc_topic_prior=true, random_state=seed
        )
        test, truth = corpus.data[700:], corpus.doc_topic[700:]
        for name, prior in priors.items():
            model, order = fit(prior, corpus, seed)
            error = np.abs(model.transform(test)[:, order] - truth).sum(axis=1) / 2
            rows.append((length, name, model.perplexity(test), error.mean()))
columns = ["words per document", "prior", "perplexity", "error"]
found = pd.DataFrame(rows, columns=columns)
found.groupby(columns[:2]).mean().round(2)
