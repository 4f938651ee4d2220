r"""
Choose the fusion weight
========================

:class:`llmtopics.FusionTopicModel` has topics from two sides, :math:`θ = α f + (1 - α) g`: f comes from
embeddings, and g from word counts. This example shows what the fusion weight α changes in long and in
short texts, and how to choose it without labels.
"""

# %%
# Take long and short texts of the same articles
# ----------------------------------------------
# Long texts are the first 60 words of an article. Short texts are headlines of about five words.
from llmtopics.datasets import load_bbc_news

news = load_bbc_news()
sections = news.target[::4]
corpora = {
    "60 words": [" ".join(text.split()[:60]) for text in news.data[::4]],
    "headlines": news.titles[::4],
}

# %%
# Try weights
# -----------
# 0 is word counts alone, and 1 is embeddings alone. Each weight has three seeds. Two numbers are measured.
# NMI is the agreement with the sections of the paper, which the model does not see. NPMI is the coherence
# of the words: how often the words of a topic occur together in the articles that were not used.
import numpy as np

from llmtopics import FusionTopicModel
from llmtopics.metrics import label_agreement, topic_scorer

others = news.data[1::4]
npmi = topic_scorer("npmi")
weights = [0.0, 0.1, 0.3, 0.5, 0.8, 1.0]
measures = ["agreement (NMI)", "coherence (NPMI)"]
scores = {}
for name, texts in corpora.items():
    for weight in weights:
        for seed in range(3):
            model = FusionTopicModel(5, alpha=weight, max_iter=50, random_state=seed)
            proportions = model.fit_transform(texts)
            nmi = label_agreement(sections, proportions)["nmi"]
            scores[name, weight, seed] = nmi, npmi(model, others)

# %%
# Dots are means over the seeds, and bars are standard errors.
import matplotlib.pyplot as plt

fig, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for i, (ax, measure) in enumerate(zip(axes, measures, strict=True)):
    for name in corpora:
        runs = [[scores[name, w, seed][i] for seed in range(3)] for w in weights]
        error = np.std(runs, axis=1, ddof=1) / np.sqrt(3)
        ax.errorbar(weights, np.mean(runs, axis=1), error, fmt="o-", label=name)
    ax.set(title=measure, xlabel="fusion weight α   (0: word counts, 1: embeddings)")
    ax.grid(axis="y", alpha=0.3)
axes[0].legend()
plt.show()

# %%
# Embeddings help in both corpora, and much more in headlines. With 60 words, weights from 0.5 on are about
# equally good. With headlines, agreement grows up to large weights, and coherence up to 0.5.

# %%
# Choose the weight without labels
# --------------------------------
# ``alpha="auto"`` takes the weight whose topics words and vectors explain best, each alone. Both views
# must agree with the topics, so neither end wins by itself.
from llmtopics.plots import plot_alpha

fig, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for ax, (name, texts) in zip(axes, corpora.items(), strict=True):
    auto = FusionTopicModel(5, alpha="auto", max_iter=50, random_state=0).fit(texts)
    plot_alpha(auto, ax=ax)
    ax.set_title(name)
plt.show()

# %%
# For 60 words this is a good weight. For headlines it is too low: the agreement above is higher with larger
# weights. Five words explain little of good topics. Coherence does not find this either: from 0.5 on it is
# about the same. So without labels, choose a large weight for very short texts.
