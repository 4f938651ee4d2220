"""Correlation of measures of topics with people's ratings and intrusion answers, 300 topics.

Data of A. Hoyle et al., "Is automated topic model evaluation broken? The incoherence of
coherence", NeurIPS 2021: 50 topics of three models on each of two corpora. For each topic, 15
people gave a rating (1 to 3) and 26 people searched for the intruder. Writes one JSON line per
measure, corpus and task to ``results/ratings.jsonl``, which is overwritten.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.stats import bootstrap, spearmanr

from llmtopics import TransformerEmbedder
from llmtopics.metrics import embedding_coherence, word_intrusion

RESULTS = Path(__file__).parent / "results" / "ratings.jsonl"
TASKS = {"rating": "ratings_scores_avg", "intrusion": "intrusion_scores_avg"}


def stored(name: str) -> Callable:
    """Return a measure with values that the authors computed on the models' own corpus."""
    return lambda topics, metrics: metrics[name]


def embedded(topics: list[list[str]], metrics: dict) -> np.ndarray:
    """Mean cosine of the vectors (MiniLM) of the first ten words."""
    words = [topic[:10] for topic in topics]
    return embedding_coherence(words, TransformerEmbedder().transform)


def intruded(topics: list[list[str]], metrics: dict) -> np.ndarray:
    """Share of trials in which MiniLM finds the word of another topic.

    The weights of words are made from their ranks, because the true ones are not published.
    """
    vocabulary = sorted({word for topic in topics for word in topic})
    columns = {word: i for i, word in enumerate(vocabulary)}
    weights = np.zeros((len(topics), len(vocabulary)))
    for row, topic in zip(weights, topics, strict=True):
        row[[columns[word] for word in topic]] = np.arange(len(topic), 0, -1)
    embed = TransformerEmbedder().transform
    return word_intrusion(weights, vocabulary, vectors=embed, n_trials=50)


# name → function of the topics' words (lists) and the stored values; one value per topic
MEASURES: dict[str, Callable] = {
    "NPMI, windows of 10": stored("c_npmi_10_full"),
    "C_v": stored("c_v_full"),
    "UCI": stored("c_uci_full"),
    "UMass": stored("u_mass_full"),
    "embedding coherence": embedded,
    "word intrusion": intruded,
}


def main() -> None:
    folder = os.environ.get("LLMTOPICS_DATA")
    if not folder:
        print("human ratings: left out, set LLMTOPICS_DATA to their folder")
        return
    path = Path(folder) / "human_ratings" / "all_data.json"
    corpora = json.loads(path.read_text("utf-8"))
    lines = []
    for corpus, models in corpora.items():
        for task, answers in TASKS.items():
            people = np.concatenate(
                [model["metrics"][answers] for model in models.values()]
            )
            for name, measure in MEASURES.items():
                values = np.concatenate(
                    [
                        measure(model["topics"], model["metrics"])
                        for model in models.values()
                    ]
                )
                interval = bootstrap(
                    (people, values),
                    lambda a, b: spearmanr(a, b).statistic,
                    paired=True,
                    vectorized=False,
                    n_resamples=1000,
                    rng=np.random.default_rng(0),
                ).confidence_interval
                lines.append(
                    {
                        "corpus": corpus,
                        "task": task,
                        "measure": name,
                        "n_topics": len(people),
                        "spearman": float(spearmanr(people, values).statistic),
                        "low": float(interval.low),
                        "high": float(interval.high),
                    }
                )
    RESULTS.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    print(f"wrote {RESULTS}")


if __name__ == "__main__":
    main()
