"""
See why a text has its topics
=============================

:func:`llmtopics.explain` tells how much each word adds to each topic of a text, and colors the words by
topic. It works with every topic model.
"""

# %%
# Fit a model
# -----------
from llmtopics import FusionTopicModel, explain
from llmtopics.datasets import load_bbc_news

texts = load_bbc_news().data[::5]
model = FusionTopicModel(5, random_state=0).fit(texts)

# %%
# Explain a text
# --------------
# Solid bars are words, striped bars are the embedding, gray bars are the prior. ``texts`` makes the
# explanation show the most similar texts, too.
text = (
    "The chancellor said that online game stores should pay the same tax as the shops "
    "on the high street. Sony and Microsoft called the plan unfair. Shares of both "
    "companies fell in Tokyo and New York."
)
explain(model, text, texts=texts)

# %%
# Read the numbers
# ----------------
# Each row is a word, and each column a topic. All parts add up to the topic proportions.
import pandas as pd

why = explain(model, text)
topics = [" ".join(topic) for topic in model.top_words(2)]
table = pd.DataFrame(why.word_contributions, index=why.words, columns=topics)
table.loc[table.max(axis=1).nlargest(8).index].round(3)

# %%
# Compare the sentences
# ---------------------
# Bars are the parts of the topic proportions that come from each sentence.
from llmtopics.plots import topic_colors

starts = [f"{sentence[:25]} …" for sentence in why.sentences]
sentences = pd.DataFrame(why.sentence_contributions, index=starts, columns=topics)
axes = sentences.plot.barh(
    stacked=True, color=topic_colors(5), figsize=(7, 2.4), xlabel="share of the text"
)
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
axes.invert_yaxis()
axes.figure.set_layout_engine("constrained")
