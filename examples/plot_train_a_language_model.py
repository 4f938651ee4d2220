"""
Train a small language model
============================

:class:`llmtopics.LanguageModelTuner` trains language models on your texts. Here it trains a
small one from random weights, which takes less than a minute without a GPU. Tuning a model
that exists already works in the same way. The training curve says when to stop.
"""

# %%
# Train
# -----
# The model learns to predict the next token of BBC news articles. It has two layers, and a
# tokenizer that is trained on the same articles. A share of them is held out.

import tempfile

from llmtopics import LanguageModelTuner
from llmtopics.datasets import load_bbc_news

articles = load_bbc_news().data[::8]
folder = tempfile.TemporaryDirectory()
tuner = LanguageModelTuner(
    init="random",
    n_layers=2,
    hidden_size=96,
    vocab_size=2000,
    max_length=128,
    batch_size=8,
    max_steps=120,
    learning_rate=3e-3,
    output_dir=folder.name,
).fit(articles)

# %%
# Look at the curve
# -----------------
# The loss on held-out texts decides. The weights with the least are kept.

import matplotlib.pyplot as plt

from llmtopics.plots import plot_training

plot_training(tuner.history_).set_title("A small language model learns BBC news")
plt.show()

# %%
# The perplexity is the exponential of the held-out loss: among how many equally probable
# tokens the model chooses, on average. The first value is that of random weights.

import numpy as np

perplexity = tuner.history_["perplexity"]
perplexity[~np.isnan(perplexity)].round().astype(int).tolist()

# %%
# Use the model
# -------------
# The result is a folder. ``LocalLLM(tuner.model_path_)`` reads it, and the score of texts is
# the mean log-likelihood of their tokens. Articles are more probable than shuffled words.

article = load_bbc_news().data[1][:500]
shuffled = " ".join(sorted(article.split()))
[round(tuner.score([text]), 2) for text in (article, shuffled)]
