"""
Recommend articles
==================

:class:`llmtopics.TopicRecommender` recommends items by their topics and by what similar users
like. Here the users are planted: each reads mostly one or two sections of BBC news. The
recommender sees neither the sections nor the tastes.
"""

# %%
# Plant users
# -----------
# Each user likes eight articles. Users of "business and sports" read both sections.

import numpy as np
import pandas as pd

from llmtopics.datasets import load_bbc_news

news = load_bbc_news()
texts, names = news.data[::8], np.asarray(news.target_names)
sections = names[np.asarray(news.target)[::8]]
tastes = [*([name] for name in names), ["business", "sports"]]
rng = np.random.default_rng(0)
rows = []
for user in range(60):
    taste = tastes[user % len(tastes)]
    read = rng.choice(np.flatnonzero(np.isin(sections, taste)), 8, replace=False)
    rows += [(f"{' and '.join(taste)} {user}", item) for item in read]
likes = pd.DataFrame(rows, columns=["user", "item"])

# %%
# Recommend
# ---------
# The weight of the collaborative side is chosen on held-out likes. With few users and clear
# topics, texts are enough.

from llmtopics import TopicRecommender

recommender = TopicRecommender(random_state=0).fit(texts, likes)
found = recommender.recommend(n_items=10)
print(f"weight of the collaborative side: {recommender.weight_}")
found.head()

# %%
# Look at the lists
# -----------------
# Each row of the picture is one group of users, and each column a section. The color is the
# share of the section in the ten recommendations.

import matplotlib.pyplot as plt


def shares_of_sections(frame):
    """Return the share of each section in what each group of users gets."""
    group = frame["user"].str.rsplit(n=1).str[0].rename("users")
    section = pd.Series(sections[frame["item"]], frame.index, name="section")
    return pd.crosstab(group, section, normalize="index")


def draw(ax, shares, title):
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ax.set_xticks(range(shares.shape[1]), shares.columns, rotation=35, ha="right")
    ax.set_yticks(range(len(shares)), shares.index)
    for i, row in enumerate(shares.to_numpy()):
        for j, share in enumerate(row):
            color = "white" if share > 0.6 else "black"
            ax.text(j, i, f"{share:.0%}", ha="center", va="center", color=color, size=8)
    ax.set_title(title, fontsize=10)
    return image


diverse = recommender.recommend(n_items=10, diversity=0.5)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
draw(axes[0], shares_of_sections(found), "recommended articles")
image = draw(axes[1], shares_of_sections(diverse), "with diversity=0.5")
figure.colorbar(image, ax=axes, label="share of the section", shrink=0.8)
plt.show()

# %%
# The same in numbers. Almost all articles are of the section that a user reads. Users of two
# sections get both. With ``diversity``, lists reach other topics, and so other sections.

shares_of_sections(found).round(2)

# %%
# Explain one recommendation
# --------------------------
# The topics that the user and the article share, with what each adds to the score. Below them
# are the liked articles behind it.

user = "business and sports 5"
item = found[found["user"] == user]["item"].iloc[0]
why = recommender.explain(user, item)
why.to_frame("topics").head(3).round(2)

# %%
title = texts[item].partition("\n")[0]
print(f"{user}: {title!r}, score {why.score:.2f}")
for liked, adds in why.to_frame("items")[["item", "contribution"]].head(3).to_numpy():
    print(f"  liked {texts[int(liked)].partition(chr(10))[0]!r}: {adds:.2f}")

# %%
# A new article
# -------------
# Nobody has read it. The text alone tells for whom it is.

recommender.add_items(["The striker scored twice in the cup final."])
new = len(texts)
scores = recommender.recommend(n_items=1, items=[new]).sort_values("score")
scores["user"].str.rsplit(n=1).str[0].tail(15).value_counts()
