"""
Topics of BBC news
==================

2,225 articles of 2004 and 2005, sorted into five topics that nobody named by their words and
by what a language model reads in them, and compared with the five sections that the editors
filed them under.
"""

# %%
# The words are counted by a vectorizer, where ``TextAnalyzer`` decides what a word is;
# words of fewer than five articles are left out. The language model is MiniLM. Its vectors
# are kept on disk, so only the first run encodes the articles.

import logging

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import normalized_mutual_info_score

from llmtopics import FusionTopicModel, TextAnalyzer
from llmtopics.datasets import load_bbc_news

logging.basicConfig(level=logging.WARNING, format="%(message)s")
corpus = load_bbc_news()
model = FusionTopicModel(
    5,
    vectorizer=CountVectorizer(analyzer=TextAnalyzer(), min_df=5),
    random_state=0,
    verbose=True,
)
mixtures = model.fit_transform(corpus.data)  # one row an article, rows sum to one

# %%
# Every topic has the words that set it apart, a share of the corpus, and a typical
# article: the one that is most about it.

topics = mixtures.argmax(axis=1)

table = Table("topic", "words", "share", "a typical headline", "filed under")
for k, topic_words in enumerate(model.top_words(8)):
    typical = corpus.titles[mixtures[:, k].argmax()]
    section, count = max(
        zip(corpus.target_names, np.bincount(corpus.target[topics == k]), strict=False),
        key=lambda pair: pair[1],
    )
    filed = f"{section} ({count / (topics == k).sum():.0%})"
    share = f"{mixtures[:, k].mean():.0%}"
    table.add_row(str(k), " ".join(topic_words), share, typical, filed)
Console(width=100).print(table)

# %%
# How far topics and sections agree: 0 for chance, 1 for the same partition. The labels
# were not used above.

agreement = normalized_mutual_info_score(corpus.target, topics)
print(f"agreement with the editors (normalised mutual information): {agreement:.2f}")

# %%
# The model takes texts, so new ones need no preparation.

headlines = [
    "Striker signs for Chelsea",
    "Chancellor plans tax cut",
    "New phone has 3G",
]
for text, mixture in zip(headlines, model.transform(headlines), strict=True):
    k = mixture.argmax()
    print(f"{text}: topic {k} ({mixture[k]:.0%})")
