"""
Summarize each topic
====================

A topic is easier to understand from a few sentences than from ten words. This example finds
five topics of BBC news and summarizes the articles of each topic in three sentences. It then
writes digests of ten articles, and plots how many topics they cover.
"""

# %%
# Find the topics
# ---------------
# Every sixteenth article is enough here. Summaries are made without the headline, which is one.

import textwrap

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator

from llmtopics import FusionTopicModel, TextAnalyzer, TopicSummarizer
from llmtopics.datasets import load_bbc_news

articles = load_bbc_news().data[::16]
texts = [article.partition("\n")[2].strip() for article in articles]
words = CountVectorizer(analyzer=TextAnalyzer(), min_df=3)
model = FusionTopicModel(5, vectorizer=words, random_state=0).fit(articles)

# %%
# Summarize the articles of each topic
# ------------------------------------
# Each group of articles gets one summary. Its sentences are near to many others of the group, and
# differ from each other. In news, early sentences are easier to understand alone, so they are
# preferred.

summarizer = TopicSummarizer(
    FrozenEstimator(model), n_sentences=3, position_weight=1
).fit(texts)
table = summarizer.summarize(texts, groups=model.labels_)
names = [", ".join(some) for some in model.top_words(3)]
for group, summary in zip(table["group"], table["summary"], strict=True):
    print(f"{names[group]}:", textwrap.fill(summary, 88), "", sep="\n")

# %%
# Cover the topics of a digest
# ----------------------------
# Take ten articles at a time, as the news of a day, and write a digest of each ten.
# ``select_sentences`` has one row per chosen sentence, with its first topic. The plot counts the
# topics among the first sentences that were chosen.

n_sentences = 10
days = np.random.default_rng(0).permutation(len(texts)) // 10
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for weight in [0, 0.5, 3]:
    made = TopicSummarizer(
        FrozenEstimator(model), n_sentences=n_sentences, topic_weight=weight
    ).fit(texts)
    chosen = made.select_sentences(texts, groups=days)
    n_topics = [
        chosen[chosen["rank"] < n].groupby("group")["topic"].nunique().mean()
        for n in range(1, n_sentences + 1)
    ]
    ax.plot(range(1, n_sentences + 1), n_topics, "o-", label=f"topic_weight={weight}")
ax.set(xlabel="sentences", ylabel="topics in the digest", ylim=(0, 5))
ax.legend(loc="lower right")
ax.grid(alpha=0.3)
plt.show()

# %%
# Read the curves
# ---------------
# Each curve is the mean over the digests. With ``topic_weight=0``, sentences cover the words and the
# vectors of the articles, and large topics take most of the room. With a larger weight, small
# topics get their sentence earlier. Raise the weight for groups of texts with several topics.
