"""
Topics of BBC news
==================

This example finds five topics in 2,225 news articles of 2004 and 2005, from their words and
from embeddings. It prints the topics and compares them with the five sections of the editors.
The model does not see the sections.
"""

# %%
# Fit the model
# -------------
# ``TextAnalyzer`` splits the articles into words. Words in fewer than five articles are left
# out (``min_df=5``). The default language model, MiniLM, turns each article into an embedding.
# Embeddings are kept on disk, so only the first run encodes the articles. MiniLM reads the first
# 256 tokens of an article, about 200 words.

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import normalized_mutual_info_score

from llmtopics import FusionTopicModel, TextAnalyzer
from llmtopics.datasets import load_bbc_news

corpus = load_bbc_news()
model = FusionTopicModel(
    5,
    vectorizer=CountVectorizer(analyzer=TextAnalyzer(), min_df=5),
    random_state=0,
)
print("Finding topics. The first run takes about two minutes.", flush=True)
mixtures = model.fit_transform(corpus.data)  # one row per article, rows sum to one

# %%
# Print the topics
# ----------------
# Each topic has its most typical words, its share of the corpus, and its representative
# (typical) headline: that of the article with the largest share of the topic. The last columns
# have the most common section of the articles whose first topic this is, and its share of them.

topics = mixtures.argmax(axis=1)

table = Table("topic", "words", "share", "typical headline", "section", "its share")
for k, topic_words in enumerate(model.top_words(8)):
    headline = corpus.titles[mixtures[:, k].argmax()]
    counts = np.bincount(corpus.target[topics == k], minlength=len(corpus.target_names))
    section = corpus.target_names[counts.argmax()]
    share_of_section = f"{counts.max() / counts.sum():.0%}"
    share = f"{mixtures[:, k].mean():.0%}"
    row = [str(k), " ".join(topic_words), share, headline, section, share_of_section]
    table.add_row(*row)
Console(width=90).print(table)

# %%
# Compare the topics with the sections
# ------------------------------------
# Normalized mutual information is 0 for chance and 1 for the same partition.

agreement = normalized_mutual_info_score(corpus.target, topics)
print(f"agreement with the sections (normalized mutual information): {agreement:.2f}")

# %%
# Find the topics of new texts
# ----------------------------
# The model takes texts, so new ones need no preparation.

headlines = [
    "Striker signs for Chelsea",
    "Chancellor plans tax cut",
    "New phone has 3G",
]
for text, mixture in zip(headlines, model.transform(headlines), strict=True):
    k = mixture.argmax()
    print(f"{text}: topic {k} ({mixture[k]:.0%})")
