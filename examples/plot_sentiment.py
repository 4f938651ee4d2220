"""
Aspects of reviews: what do people like?
========================================

Reviews of a hotel praise one thing and complain about another. ``TopicSentiment`` finds the
subjects (topics, aspects) of the reviews, and how positive people are about each of them. It
learns what is positive from one label per review: good or bad.

The reviews are made from templates, so the truth is known.
"""

# %%
# Write reviews with a known truth
# --------------------------------
# Each review has one to three of four subjects. People like the food in 85 % of the reviews, and
# the room in 25 %. The label of a review is what most of its sentences say.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from llmtopics import FusionTopicModel, TextAnalyzer, TopicSentiment
from llmtopics.plots import plot_topic_sentiment

LIKED = {"food": 0.85, "staff": 0.65, "pool": 0.45, "room": 0.25}
SUBJECTS = {
    "food": [
        "breakfast",
        "dinner",
        "soup",
        "bread",
        "coffee",
        "dessert",
        "pasta",
        "buffet",
    ],
    "staff": ["receptionist", "porter", "concierge", "waitress", "manager", "desk"],
    "pool": ["pool", "sauna", "spa", "jacuzzi", "sunbeds", "towels", "swimming"],
    "room": ["bed", "mattress", "bathroom", "shower", "carpet", "curtains", "pillow"],
}
PRAISE = ["wonderful", "excellent", "lovely", "great", "perfect", "fantastic", "superb"]
BLAME = ["terrible", "awful", "poor", "disappointing", "horrible", "bad", "dreadful"]
PLAIN = [
    "We stayed for {} nights.",
    "It was our trip number {} to this town.",
    "The bus number {} stops outside.",
]
TEMPLATES = [
    "The {a} and the {b} were {c}.",
    "We found the {a} {c}, and the {b} too.",
    "What a {c} {a}, and the {b} was no different.",
]


def sentence(rng, subject, liked):
    a, b = rng.choice(SUBJECTS[subject], 2, replace=False)
    c = rng.choice(PRAISE if liked else BLAME)
    return str(rng.choice(TEMPLATES)).format(a=a, b=b, c=c)


def reviews(n, seed, truth):
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(n):
        subjects = rng.permutation(list(truth))[: rng.integers(1, 4)]
        likes = [rng.random() < truth[subject] for subject in subjects]
        parts = [sentence(rng, *pair) for pair in zip(subjects, likes, strict=True)]
        if rng.random() < 0.5:
            parts.append(str(rng.choice(PLAIN)).format(rng.integers(2, 9)))
        texts.append(" ".join(rng.permutation(parts)))
        labels.append("good" if np.mean(likes) > 0.5 else "bad")
    return texts, labels


texts, labels = reviews(600, 0, LIKED)
print(texts[0], "->", labels[0])

# %%
# Fit topics and sentiment
# ------------------------
# If words of praise and blame count as words of topics, the topics can become "good" and "bad".
# So they are stop words of the topic model. The classifier of sentiment still reads them.

words = TextAnalyzer(extra_stop_words=[*PRAISE, *BLAME, "stayed", "nights"])
topics = FusionTopicModel(5, vectorizer=CountVectorizer(analyzer=words), random_state=0)
sentiment = TopicSentiment(topics, order=["bad", "good"], random_state=0)
sentiment.fit(texts, labels)
table = sentiment.table_
table[["topic", "share", "mean", "low", "high", "n_documents"]].round(2)

# %%
# Plot the polarity of the topics
# -------------------------------
# A dot is the mean polarity of a topic, and a bar is its 95 % interval over resampled reviews.
# Blue is positive, orange is negative. Gray topics may be neither.

plot_topic_sentiment(table)
plt.show()

# %%
# Compare with the truth
# ----------------------
# The order is right. The values are nearer to 0 than the truth, because the classifier has seen
# labels of reviews only. A sentence that praises can be in a bad review. So compare topics with
# each other, and do not read a value as a share of positive sentences.


def true_polarity(words):
    known = [s for s in SUBJECTS if len({*SUBJECTS[s]} & {*words}) > 3]
    return 2 * LIKED[known[0]] - 1 if known else np.nan


compared = table[["topic", "mean"]].assign(truth=table["words"].map(true_polarity))
compared.sort_values("mean").round(2)

# %%
# Read typical sentences
# ----------------------

for _, row in table.iterrows():
    print(f"{row['topic']}:", *row["positive"][:1], *row["negative"][:1], sep="\n  ")

# %%
# See both sides of one review
# ----------------------------
# A label says whether a review is good as a whole. ``transform`` has a column per topic. It is 0
# if a topic is not in the review.

mixed = [
    "The pasta and the soup were superb. We found the mattress dreadful, and the carpet too."
]
sentiment.set_output(transform="pandas").transform(mixed).round(2)

# %%
# Follow a topic over time
# ------------------------
# The hotel renovates its rooms. ``table`` with ``groups`` has a row per year and topic.

before, _ = reviews(150, 1, LIKED)
after, _ = reviews(150, 2, LIKED | {"room": 0.8})
years = [2025] * len(before) + [2026] * len(after)
by_year = sentiment.table(before + after, groups=years)
by_year.pivot(index="topic", columns="group", values="mean").round(2)
