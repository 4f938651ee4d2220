"""
Merge topics and name them
==========================

It is easier to merge fine topics than to split coarse ones. This example finds 20 topics of BBC news,
merges what is alike, and names the rest.
"""

# %%
# Find fine topics
# ----------------
import matplotlib.pyplot as plt
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from llmtopics import GibbsLDA, TextAnalyzer, read_topics
from llmtopics.datasets import load_bbc_news
from llmtopics.plots import plot_merge_tree, plot_sizes, plot_words

texts = load_bbc_news().data
words = CountVectorizer(analyzer=TextAnalyzer(), min_df=5, max_df=0.5)
model = make_pipeline(words, GibbsLDA(20, random_state=0)).fit(texts)
topics = read_topics(model, texts)
plot_merge_tree(topics)
plt.show()

# %%
# Merge them
# ----------
# The tree joins the topics with the most similar words first. ``merge`` cuts it at a number of topics. A
# list of groups merges what you choose: ``topics.merge([[0, 7], [3, 4, 9]])``.
merged = topics.merge(n_components=8, order="size")
merged.topic_table(n_words=6)[["topic", "words", "share"]].round(2)

# %%
# Name them
# ---------
# A small language model proposes names. A topic without a good name keeps its words. Check each name.
named = merged.label()
plot_sizes(named)
plt.show()

# %%
# Change a name
# -------------
# ``find`` searches the topics, here for music.
music = named.find("music album").topic[0]
named = named.rename({music: "Music"})
plot_words(named, topics_to_show=[0, 1, 2, 3, 4, "Music"], n_words=6)
plt.show()

# %%
# Use the merged topics
# ---------------------
# ``named.model`` is a topic model with the merged topics. It has the same methods.
named.model.transform(["Shares fell in London."]).round(2)
