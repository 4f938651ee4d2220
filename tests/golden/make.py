"""Save small models as this release does: ``make golden`` before a release.

Files of earlier releases are never written again. ``tests/saving/test_golden.py`` loads all of
them and compares what they give with what was noted when they were saved.
"""

import json
import sys
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from sklearn.decomposition import NMF, TruncatedSVD
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

import llmtopics
from llmtopics import (
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    PachinkoAllocation,
    TextAnalyzer,
    TopicMerger,
    TopicRecommender,
    TopicSentiment,
    read_topics,
    save,
)

FOLDER = Path(__file__).parent
WORDS = {
    "pets": ["cat", "dog", "mouse", "tail", "fur", "paw", "whisker", "bark"],
    "money": ["bank", "loan", "market", "share", "coin", "price", "trade", "fund"],
    "sea": ["ship", "wave", "harbor", "sail", "fish", "island", "storm", "anchor"],
}


def made_up():
    """Return texts of three topics and their labels."""
    rng = np.random.default_rng(0)
    labels = [name for name in WORDS for _ in range(12)]
    return [" ".join(rng.choice(WORDS[name], 12)) for name in labels], labels


TEXTS, LABELS = made_up()
VECTORS = np.random.default_rng(1).normal(size=(36, 6)) + 4 * np.repeat(
    np.eye(6)[:3], 12, axis=0
)


def models():
    """Return fitted models by name."""
    lsa = make_pipeline(TfidfVectorizer(), TruncatedSVD(4, random_state=0))
    counts = CountVectorizer(analyzer=TextAnalyzer(), min_df=2)
    lda = make_pipeline(counts, GibbsLDA(3, max_iter=30, random_state=0)).fit(TEXTS)
    fusion = FusionTopicModel(3, embedder=lsa, max_iter=10, random_state=0)
    pachinko = PachinkoAllocation(3, n_super_components=2, max_iter=20, random_state=0)
    votes = VotingClassifier(
        [("lr", LogisticRegression()), ("nb", MultinomialNB())], voting="soft"
    )
    likes = csr_array(np.repeat(np.eye(3), 12, axis=1)[np.arange(9) % 3])
    topics = read_topics(lda, TEXTS, labels=LABELS)
    return {
        "gibbs_lda": lda,
        "pachinko": make_pipeline(CountVectorizer(), pachinko).fit(TEXTS),
        "embedding_topics": EmbeddingTopics(3, random_state=0).fit(VECTORS),
        "nmf": make_pipeline(TfidfVectorizer(), NMF(3, random_state=0)).fit(TEXTS),
        "fusion": fusion.fit(TEXTS),
        "merger": TopicMerger(lda, 2).fit(TEXTS),
        "classifier": make_pipeline(lda, votes).fit(TEXTS, LABELS),
        "recommender": TopicRecommender(lda, random_state=0).fit(TEXTS, likes),
        "sentiment": TopicSentiment(
            lda, embedder=lsa, positive=["fur"], negative=["storm"], random_state=0
        ).fit(TEXTS),
        "topics": topics.rename({0: "First"}).merge([["First", 1]]),
    }


def output_of(model):
    """Return numbers that a model gives for its documents."""
    if isinstance(model, llmtopics.reading.Topics):
        return np.column_stack([model.mixtures, model.model.transform(TEXTS)])
    X = VECTORS if isinstance(model, EmbeddingTopics) else TEXTS
    if isinstance(model, TopicRecommender):
        return model.recommend()["score"].to_numpy()
    name = "transform" if hasattr(model, "transform") else "predict_proba"
    return np.asarray(getattr(model, name)(X))


def main():
    """Write the files of this release."""
    folder = FOLDER / llmtopics.__version__
    if folder.exists() and "--again" not in sys.argv:
        sys.exit(f"{folder} exists: files of a release are written once.")
    folder.mkdir(exist_ok=True)
    outputs = {}
    for name, model in models().items():
        save(model, folder / f"{name}.llmtopics")
        outputs[name] = output_of(model).tolist()
    (folder / "outputs.json").write_text(json.dumps(outputs) + "\n", "utf-8")


if __name__ == "__main__":
    main()
