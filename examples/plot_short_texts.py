"""
Topics of short texts
=====================

A headline has five words. Word counts alone say little about it. This example compares three ways
to find topics in 445 headlines of BBC news, and checks them against the sections of the paper.
"""

# %%
# Count words, and let a language model add some
# ----------------------------------------------
# :class:`llmtopics.NextWordCounts` adds the words that a language model expects after the headline
# and "Topic:".
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from llmtopics import FusionTopicModel, GibbsLDA, NextWordCounts, TextAnalyzer
from llmtopics.datasets import load_bbc_news

news = load_bbc_news()
headlines = news.titles[::5]
sections = [news.target_names[label] for label in news.target[::5]]

words = CountVectorizer(analyzer=TextAnalyzer(), min_df=2)
models = {
    "words": make_pipeline(words, GibbsLDA(5, random_state=0)),
    "words and next words": make_pipeline(
        NextWordCounts(words), GibbsLDA(5, random_state=0)
    ),
    "words and embeddings": FusionTopicModel(5, vectorizer=words, random_state=0),
}

# %%
# Compare the topics with the sections
# ------------------------------------
# NMI is 1 if topics and sections agree, and 0 if they have nothing in common. The models do not see
# the sections.
import matplotlib.pyplot as plt

from llmtopics.metrics import label_agreement

nmi = {}
for name, model in models.items():
    proportions = model.fit_transform(headlines)
    nmi[name] = label_agreement(sections, proportions)["nmi"]

fig, ax = plt.subplots(figsize=(5.5, 2.2), layout="constrained")
bars = ax.barh(list(nmi), list(nmi.values()), color="#0072b2")
ax.bar_label(bars, [f"{score:.2f}" for score in nmi.values()], padding=3)
ax.set(xlabel="NMI of topics and sections", xlim=(0, 1))
ax.invert_yaxis()
plt.show()

# %%
# Read the topics
# ---------------
for topic in models["words and embeddings"].top_words(7):
    print(*topic)
