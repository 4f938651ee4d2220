"""
Which topics go together?
=========================

Pachinko allocation finds topics and, above them, super-topics: which topics are met in
the same documents. Here it reads 2,225 articles of BBC news.
"""

# %%
# Twenty sub-topics under five super-topics
# -----------------------------------------
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
# ``super_sub_`` says which sub-topics a super-topic is made of; ``super_sub_ @ components_``
# are its words.
of_supers = top_words(pam.super_sub_ @ pam.components_, words, n_words=6)
for s, share in enumerate(pam.super_counts_ / pam.super_counts_.sum()):
    print(f"{share:4.0%}  {' '.join(of_supers[s])}")
    for t in pam.super_sub_[s].argsort()[::-1][:4]:
        print(f"      {pam.super_sub_[s, t]:4.0%}  {topics[t]}")

# %%
# The same as correlations
# ------------------------
# ``topic_correlations`` of the model are those of mixtures under its priors, the function of
# that name in :mod:`llmtopics.metrics` those of any mixtures. Mixtures sum to one, so that more
# of one topic is less of the others: most correlations are a little below 0.
from llmtopics.plots import plot_correlations

axes = plot_correlations(pam.topic_correlations(), names=topics)
axes.set_title("Topics of BBC news")

# %%
# The observed ones, with what chance alone would do taken out, work with every topic
# model: here NMF of tf-idf.
from sklearn.decomposition import NMF
from sklearn.feature_extraction.text import TfidfTransformer

from llmtopics.metrics import topic_correlations

tfidf = TfidfTransformer().fit_transform(X)
nmf = NMF(20, init="nndsvda", random_state=0).fit(tfidf)
names = [" ".join(topic) for topic in top_words(nmf.components_, words, n_words=3)]
correlations = topic_correlations(nmf.transform(tfidf), names=names, adjusted=True)
axes = plot_correlations(correlations)
axes.set_title("Topics of NMF, beyond chance")
