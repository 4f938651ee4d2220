"""
Plot which topics occur together
================================

Pachinko allocation finds topics (sub-topics) and super-topics. A super-topic is a group of
sub-topics that occur in the same documents. This example fits it to 2,225 BBC news articles.
"""

# %%
# Fit twenty sub-topics and five super-topics
# -------------------------------------------
import matplotlib.pyplot as plt
from sklearn.feature_extraction.text import CountVectorizer

from llmtopics import PachinkoAllocation, TextAnalyzer, top_words
from llmtopics.datasets import load_bbc_news

corpus = load_bbc_news()
vectorizer = CountVectorizer(analyzer=TextAnalyzer(), min_df=5, max_df=0.5)
X = vectorizer.fit_transform(corpus.data)
words = vectorizer.get_feature_names_out()

pam = PachinkoAllocation(20, n_super_components=5, random_state=0).fit(X)
topics = [" ".join(topic) for topic in top_words(pam.components_, words, n_words=3)]

# %%
# Each row of ``super_sub_`` has the shares of the sub-topics in one super-topic.
# ``super_sub_ @ components_`` has the probability of each word in each super-topic. The output
# shows the share of each super-topic in the corpus, and its four largest sub-topics.
of_supers = top_words(pam.super_sub_ @ pam.components_, words, n_words=6)
for s, share in enumerate(pam.super_counts_ / pam.super_counts_.sum()):
    print(f"{share:4.0%}  {' '.join(of_supers[s])}")
    for t in pam.super_sub_[s].argsort()[::-1][:4]:
        print(f"      {pam.super_sub_[s, t]:4.0%}  {topics[t]}")

# %%
# Plot the correlations of topics
# -------------------------------
# ``topic_correlations`` of the model has the correlations that it expects in new documents.
# Topic proportions sum to one, so more of one topic means less of the others. So most
# correlations are a little below zero.
from llmtopics.plots import plot_correlations

axes = plot_correlations(pam.topic_correlations(), names=topics)
axes.set_title("Topics of BBC news")
plt.show()

# %%
# Plot the correlations of another model
# --------------------------------------
# :func:`llmtopics.metrics.topic_correlations` computes the observed correlations from the topic
# proportions of any model, here NMF of tf-idf. ``adjusted=True`` removes what chance alone
# would cause.
from sklearn.decomposition import NMF
from sklearn.feature_extraction.text import TfidfTransformer

from llmtopics.metrics import topic_correlations

tfidf = TfidfTransformer().fit_transform(X)
nmf = NMF(20, init="nndsvda", random_state=0).fit(tfidf)
names = [" ".join(topic) for topic in top_words(nmf.components_, words, n_words=3)]
correlations = topic_correlations(nmf.transform(tfidf), names=names, adjusted=True)
axes = plot_correlations(correlations)
axes.set_title("Topics of NMF, beyond chance")
plt.show()
