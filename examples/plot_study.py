"""
A study, step by step
=====================

From texts to named topics, tables, groups, time, and a classifier: the whole way, on 742 BBC news
articles. Put your own texts in their place. You need a list of strings, and perhaps a label and a
date for each.
"""

# %%
# Load texts
# ----------
# The articles have a section. They have no dates, so this example makes up years from their order.
from llmtopics.datasets import load_bbc_news

news = load_bbc_news()
texts = news.data[::3]
sections = [news.target_names[label] for label in news.target[::3]]
titles = [text.partition("\n")[0] for text in texts]
years = [2001 + 4 * i // len(texts) for i in range(len(texts))]

# %%
# Choose the number of topics
# ---------------------------
# Each number is fitted several times, to other articles and with other seeds.
from llmtopics import FusionTopicModel, suggest_n_components

model = FusionTopicModel(max_iter=50)
found = suggest_n_components(model, texts, n_components=[3, 5, 7, 10, 15], n_runs=3)
print(found)

# %%
# A study often wants finer topics than the best number, which can be merged later. This one takes
# seven.

# %%
# Fit the model and read its topics
# ---------------------------------
from llmtopics import read_topics

model = FusionTopicModel(7, random_state=0).fit(texts)
topics = read_topics(model, texts, titles=titles, labels=sections, times=years)
topics.topic_table(n_words=6).round(2)

# %%
# Read the representative documents
# ---------------------------------
# They have the largest share of a topic. ``diversity`` avoids articles that are alike.
topics.representative(0, 3, diversity=0.3)[["title", "share"]]

# %%
# Name the topics
# ---------------
# A small language model proposes names. Check them: where a name is wrong, rename the topic.
topics = topics.label()
topics.topic_table(n_words=5)[["topic", "name", "words"]]

# %%
football = topics.find("football club").topic[0]
topics = topics.rename({football: "Football"})
print(*topics.names, sep="\n")

# %%
# Merge topics
# ------------
# The topic with the most similar words is a candidate. Here, both are about sport.
other = topics.nearest(football).topic[0]
topics.nearest(football).head(3).round(2)

# %%
topics = topics.merge([[football, other]], order="size")
topics.topic_table(n_words=5)[["topic", "name", "share", "n_documents"]].round(2)

# %%
# Compare groups
# --------------
# The share of each topic in each section, with a bootstrap interval.
shares = topics.by()
shares.pivot(index="name", columns="group", values="share").round(2)

# %%
# Look at time
# ------------
# A dot is a year, and the band is the interval.
import matplotlib.pyplot as plt

from llmtopics.plots import plot_over_time

plot_over_time(topics.over(freq="Y"))
plt.show()

# %%
# Find topics and documents
# -------------------------
topics.find("elections and taxes", 2).round(2)

# %%
topics.find_documents("elections and taxes", 3)[["title", "name", "score"]].round(2)

# %%
# Explain a document
# ------------------
from llmtopics import explain

explain(topics.model, texts[0])

# %%
# Classify with the merged topics
# -------------------------------
# ``topics.model`` is a step of a Pipeline. It is frozen: the classifier learns from these topics.
# It has read all articles, without their sections.
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

classifier = make_pipeline(topics.model, LogisticRegression(C=10))
print(cross_val_score(classifier, texts, sections, cv=3).round(3))

# %%
# Save the results
# ----------------
# Tables go into CSV files, and the model with its names into one file.
from pathlib import Path
from tempfile import mkdtemp

from llmtopics import load, save

folder = Path(mkdtemp())  # put your own folder here
topics.topic_table().to_csv(folder / "topics.csv", index=False)
topics.document_table().to_csv(folder / "documents.csv", index=False)
save(topics.model, folder / "topics.llmtopics")
again = load(folder / "topics.llmtopics")
print(again.transform(["Shares fell in London."]).round(2))
