"""
Choose the number of topics
===========================

:func:`llmtopics.suggest_n_components` fits LDA with different numbers of topics to 1,113 BBC news
articles. It measures each on articles that the model did not see, and suggests a number.
"""

# %%
# Compare numbers of topics
# -------------------------
# Each number is fitted four times, each time to other articles and with another seed. The words are
# counted once, before. 100 sweeps per fit are enough to compare.
import matplotlib.pyplot as plt
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from llmtopics import GibbsLDA, TextAnalyzer, read_topics, suggest_n_components
from llmtopics.datasets import load_bbc_news
from llmtopics.plots import plot_n_components

texts = load_bbc_news().data[::2]
vectorizer = CountVectorizer(analyzer=TextAnalyzer(), min_df=5, max_df=0.5)
counts = vectorizer.fit_transform(texts)
sizes = [3, 4, 5, 6, 8, 12, 20]
found = suggest_n_components(GibbsLDA(max_iter=100), counts, n_components=sizes)
print(found)

# %%
# Plot the curves
# ---------------
# Dots are means over four fits, and bars are standard errors. The gray area is the plateau: the
# numbers that cannot be told from the best by quality. The orange line is the suggested
# number.
plot_n_components(found)
plt.show()

# %%
# Read the curves
# ---------------
# *Quality* and *coherence* have a peak. With fewer topics, words of several sections are mixed.
# With many more, topics share words, and their words occur together less often. The numbers on
# the plateau are equally good choices.
#
# *Stability* decides between them. It tells how similar the topics are if the articles and the
# seed change. It mostly falls with K, so it decides on the plateau only.
#
# *Held-out likelihood* rises without an elbow for much longer. More topics describe each document
# in more detail. Use it if you need this detail.
#
# A number that is not suggested is not wrong. More topics are finer ones.

# %%
# Read the topics
# ---------------
lda = GibbsLDA(found.n_components, random_state=0)
model = make_pipeline(vectorizer, lda).fit(texts)
titles = [text.partition("\n")[0] for text in texts]
topics = read_topics(model, texts, titles=titles)
topics.topic_table(n_words=6).round(2)
