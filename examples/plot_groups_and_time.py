"""
Topics by group and over time
=============================

Who writes about what, and when? ``read_topics`` answers with tables of shares and their
intervals, and ``llmtopics.plots`` draws them. The news are real. Their dates are made up, so
that the truth is known.
"""

# %%
# Find topics
# -----------
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from llmtopics import GibbsLDA, TextAnalyzer, read_topics
from llmtopics.datasets import load_bbc_news
from llmtopics.plots import plot_groups, plot_over_time, plot_quality, plot_sizes

news = load_bbc_news()
sections = np.array(news.target_names)[news.target]
words = CountVectorizer(analyzer=TextAnalyzer(), min_df=5, max_df=0.5)
model = make_pipeline(words, GibbsLDA(8, random_state=0)).fit(news.data)
topics = read_topics(model, news.data, labels=sections)
plot_sizes(topics)
plt.show()

# %%
# Compare the sections
# --------------------
# Each column is a section, with the shares of all topics in it. The line at the end of a bar is
# the 95 % interval over resampled documents.

plot_groups(topics.by())
plt.show()

# %%
# Make up dates
# -------------
# Two years of news. An election in May of the second year brings more news on politics around
# it.

rng = np.random.default_rng(0)
month = rng.integers(0, 24, size=len(sections))
of_election = (sections == "politics") & (rng.random(len(sections)) < 0.4)
month[of_election] = rng.integers(14, 18, size=of_election.sum())
dates = pd.to_datetime("2023-01-15") + pd.to_timedelta(month * 30.4, unit="D")

# %%
# Draw the topics over time
# -------------------------
# A dot is a quarter, and the band is the interval. Where the bands of two quarters overlap, the
# difference may be chance.

politics = topics.find("election").topic[0]
others = [k for k in topics.mixtures.mean(axis=0).argsort()[::-1] if k != politics]
plot_over_time(topics.over(dates, freq="Q"), [politics, *others[:3]])
plt.show()

# %%
# Shorter periods show when it was, and have wider intervals. ``smooth`` takes shares
# and intervals of the documents of neighboring periods.

shares = topics.over(dates, freq="M", smooth=3)
plot_over_time(shares, [politics])
plt.show()

# %%
# Follow the words of a topic
# ---------------------------
# The topics are the same in all months. Their words are counted in each.

of_politics = shares[shares.topic == politics].round({"share": 2})
of_politics[["period", "share", "words"]].iloc[11:19]

# %%
# Check the topics
# ----------------
# Topics at the bottom have words that rarely occur together. Do not read much into them.

plot_quality(topics)
plt.show()
