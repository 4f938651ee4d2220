r"""
All steps on one page
=====================

Preprocess texts, train a language model on them, take its vectors, find topics by Gibbs sampling, and
fuse both: :math:`y = α f(x) + (1 - α) g(x)`, where f comes from the language model and g from the topic
model. Then search the fusion weight α, evaluate the topics, choose their number, and classify.
"""

# %%
# 1. Preprocess
# -------------
# The analyzer drops stop words, numbers, links and HTML tags. Texts are split once: all models learn from
# one part, and the other part is held out.
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import train_test_split

from llmtopics import TextAnalyzer
from llmtopics.datasets import load_bbc_news

news = load_bbc_news()
texts, sections = news.data[::4], news.target[::4]
train, test, y_train, y_test = train_test_split(
    texts, sections, test_size=0.3, random_state=0
)
words = CountVectorizer(analyzer=TextAnalyzer(), min_df=5, max_df=0.5)
counts = words.fit_transform(train)
print(f"{counts.shape[0]} texts, {counts.shape[1]} words")

# %%
# 2. Train a causal language model on the texts
# ---------------------------------------------
# The model has random weights and the shape of Llama, so that the example needs no download and no GPU.
# To tune a model that exists, name it: ``LanguageModelTuner("gpt2")``.
import tempfile

import matplotlib.pyplot as plt

from llmtopics import LanguageModelTuner
from llmtopics.plots import plot_training

folder = tempfile.TemporaryDirectory()
tuner = LanguageModelTuner(
    init="random",
    n_layers=2,
    hidden_size=64,
    vocab_size=2000,
    max_length=128,
    batch_size=8,
    max_steps=100,
    learning_rate=5e-3,
    random_state=0,
    output_dir=folder.name,
).fit(train)
plot_training(tuner.history_)
plt.show()

# %%
# 3. Take its vectors
# -------------------
# The vector of a text is the mean of the vectors of its tokens. MiniLM, which was trained on a billion pairs
# of sentences, is compared with it. The model reads 128 tokens of a text, and MiniLM 256. Vectors are kept on
# disk, so the next steps do not compute them again.
from llmtopics import TransformerEmbedder

embedders = {
    "trained here": TransformerEmbedder(str(tuner.model_path_), pooling="mean"),
    "MiniLM": TransformerEmbedder(),
}
for name, embedder in embedders.items():
    n_texts, length = embedder.transform(texts).shape
    print(f"{name}: {n_texts} vectors of length {length}")

# %%
# 4. Find topics by Gibbs sampling
# --------------------------------
from sklearn.pipeline import make_pipeline

from llmtopics import GibbsLDA, top_words

lda = make_pipeline(words, GibbsLDA(5, random_state=0)).fit(train)
vocabulary = words.get_feature_names_out()
for topic in top_words(lda[-1].components_, vocabulary, n_words=7):
    print(*topic)

# %%
# 5. Fuse both, and search α
# --------------------------
# ``pooling="linear"`` is the formula above: both models are fitted apart, their topics are matched, and
# their proportions averaged. The score is the coherence (NPMI) of the topics on other texts. It needs no
# labels. α = 0 is LDA alone, α = 1 is the language model alone.
from sklearn.model_selection import GridSearchCV

from llmtopics import FusionTopicModel
from llmtopics.metrics import topic_scorer
from llmtopics.plots import plot_alpha

weights = {"alpha": [0.0, 0.25, 0.5, 0.75, 1.0]}
searches = {}
for name, embedder in embedders.items():
    model = FusionTopicModel(
        5,
        embedder=embedder,
        vectorizer=words,
        pooling="linear",
        max_iter=50,
        random_state=0,
    )
    search = GridSearchCV(model, weights, scoring=topic_scorer("npmi"), cv=3)
    searches[name] = search.fit(train)

fig, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained", sharey=True)
for ax, (name, search) in zip(axes, searches.items(), strict=True):
    plot_alpha(search, ax=ax)
    ax.set_title(f"vectors: {name}")
plt.show()

# %%
# 6. Evaluate
# -----------
# On held-out texts: agreement with the sections of the paper (NMI), and coherence of the words (NPMI). The
# default pooling, ``"prior"``, makes the vectors the prior of the Gibbs sampler.
import pandas as pd

from llmtopics.metrics import label_agreement

models = {"LDA": lda}
for name, embedder in embedders.items():
    models[f"linear, {name}"] = searches[name].best_estimator_
    model = FusionTopicModel(5, embedder=embedder, vectorizer=words, random_state=0)
    models[f"prior, {name}"] = model.fit(train)

npmi = topic_scorer("npmi")
rows = {
    name: {
        "α": getattr(model, "alpha", 0),
        "NMI": label_agreement(y_test, model.transform(test))["nmi"],
        "NPMI": npmi(model, test),
    }
    for name, model in models.items()
}
pd.DataFrame(rows).T.round(2)

# %%
# The small model raises the coherence, and hardly the agreement with the sections. MiniLM raises both, with
# both poolings. All numbers are from 167 texts, so small differences may be chance.

# %%
# 7. Choose the number of topics
# ------------------------------
# :func:`llmtopics.suggest_n_components` compares numbers by quality and stability. Few and coarse topics
# have the most coherent words.
from llmtopics import suggest_n_components
from llmtopics.plots import plot_n_components

model = FusionTopicModel(vectorizer=words, max_iter=20)
found = suggest_n_components(model, train, n_components=[3, 5, 7, 10], n_runs=3)
plot_n_components(found)
plt.show()
print(found)

# %%
# 8. Classify
# -----------
# The topics are features of a classifier in a Pipeline. It needs finer topics, so ``GridSearchCV`` searches
# their number again, by accuracy.
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from llmtopics import log_ratios

model.set_params(random_state=0)
classifier = make_pipeline(model, FunctionTransformer(log_ratios), LogisticRegression())
numbers = {"fusiontopicmodel__n_components": [3, 5, 10, 20]}
search = GridSearchCV(classifier, numbers, cv=3).fit(train, y_train)
print(search.best_params_)
print(f"accuracy on held-out texts: {search.score(test, y_test):.2f}")
