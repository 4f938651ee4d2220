"""
Sort texts into topics given by name
====================================

:class:`llmtopics.LLMTopics` needs the names of the topics, and no labels (zero-shot topics). A small
language model scores each name after each text.
"""

# %%
# Name the topics
# ---------------
from llmtopics import LLMTopics
from llmtopics.datasets import load_bbc_news

news = load_bbc_news()
headlines = news.titles[::8]
sections = [news.target_names[label] for label in news.target[::8]]

names = ["business", "entertainment", "politics", "sports", "technology"]
model = LLMTopics(names, random_state=0).set_output(transform="pandas")
proportions = model.fit_transform(headlines)
proportions.set_index([headlines]).head(5).round(2)

# %%
# Compare with the sections of the paper
# --------------------------------------
# Rows are the sections in which the headlines appeared.
import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay

first = [names[k] for k in proportions.to_numpy().argmax(axis=1)]
true = ["technology" if section == "tech" else section for section in sections]
fig, ax = plt.subplots(figsize=(5, 4), layout="constrained")
ConfusionMatrixDisplay.from_predictions(
    true, first, cmap="Blues", colorbar=False, ax=ax
)
ax.tick_params("x", rotation=30)
plt.setp(ax.get_xticklabels(), ha="right", rotation_mode="anchor")
ax.set(xlabel="topic by the language model", ylabel="section")
plt.show()

# %%
# Words that the model learned
# ----------------------------
# ``fit`` finds words that the language model predicts for the same texts as a name. It scores them,
# too.
for name, words in zip(names, model.words_, strict=True):
    print(f"{name}:", *words[:6])
