"""
Topics of BBC news
==================

2,225 articles of 2004 and 2005, read as word counts, sorted into five topics that nobody
named, and compared with the five sections that the editors filed them under.
"""

# %%
# Texts become counts, counts become topics. ``TextAnalyzer`` decides what a word is;
# words of fewer than five articles are left out.

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import normalized_mutual_info_score
from sklearn.pipeline import make_pipeline

from llmtopics import GibbsLDA, TextAnalyzer, top_words
from llmtopics.datasets import load_bbc_news

corpus = load_bbc_news()
model = make_pipeline(
    CountVectorizer(analyzer=TextAnalyzer(), min_df=5),
    GibbsLDA(n_components=5, random_state=0),
)
mixtures = model.fit_transform(corpus.data)  # one row an article, rows sum to one

# %%
# Every topic has the words that set it apart, a share of the corpus, and a typical
# article: the one that is most about it.

vectorizer, lda = model[0], model[1]
words = top_words(lda.components_, vectorizer.get_feature_names_out(), n_words=8)
topics = mixtures.argmax(axis=1)

table = Table("topic", "words", "share", "a typical headline", "filed under")
for k, topic_words in enumerate(words):
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
