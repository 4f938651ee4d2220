"""
Map of topics and documents
===========================

A map shows all documents as dots, and the topics that a model found in them. It answers three
questions at a glance: which topics are near each other, which are large, and which documents
are between two topics.
"""

# %%
# Find topics in BBC news
# -----------------------
import matplotlib.pyplot as plt

from llmtopics import FusionTopicModel, read_topics
from llmtopics.datasets import load_bbc_news
from llmtopics.plots import plot_map, plot_merge_tree, plot_similarity, plot_words

news = load_bbc_news()
texts = news.data[::3]
titles = [text.partition("\n")[0] for text in texts]
model = FusionTopicModel(n_components=10, random_state=0).fit(texts)
topics = read_topics(model, texts, titles=titles)
topics.topic_table(n_words=5)[["name", "words", "share", "representative"]].round(2)

# %%
# Draw the map
# ------------
# Near topics have similar documents. Directions have no meaning.

plot_map(topics)
plt.show()

# %%
# Read what is between the topics
# -------------------------------
# ``topics.map()`` has the numbers. A document between two topics has shares of both. These are
# the documents whose first topic is the least clear.

documents = topics.map().documents
unclear = documents.nsmallest(5, "share")
table = topics.document_table().loc[unclear.index]
table[["title", "name", "share", "second_name", "second_share"]].round(2)

# %%
# Compare with PCA
# ----------------
# The map depends on the topics, so it cannot prove that they are separate. Principal component
# analysis does not know them. It shows what two directions of the vectors can show, and topics
# overlap.

plot_map(topics, method="pca")
plt.show()

# %%
# See the words
# -------------
# A topic has the same color in all plots.

plot_words(topics, topics_to_show=6, n_words=6)
plt.show()

# %%
# Find topics to merge
# --------------------
# The map compares documents. Words are compared by the Jensen-Shannon distance. The tree says
# which topics ``topics.merge`` puts together first.

plot_similarity(topics)
plt.show()

# %%

plot_merge_tree(topics)
plt.show()

# %%

merged = topics.merge(n_components=6, order="size")
plot_map(merged)
plt.show()
