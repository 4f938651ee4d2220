"""How measures of topics follow people: 300 topics with ratings and intrusion answers.

Data of A. Hoyle et al., "Is automated topic model evaluation broken? The incoherence of
coherence", NeurIPS 2021: 50 topics of three models on each of two corpora, 15 people rating
(1 to 3) and 26 looking for the intruder of each. Writes one JSON line a measure, corpus and
task to ``results/ratings.jsonl``, anew.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.stats import bootstrap, spearmanr

RESULTS = Path(__file__).parent / "results" / "ratings.jsonl"
TASKS = {"rating": "ratings_scores_avg", "intrusion": "intrusion_scores_avg"}


def stored(name: str) -> Callable:
    """Return a measure that the authors computed, on the models' own corpus."""
    return lambda topics, metrics: metrics[name]


# name → function of the topics' words (lists) and the stored values, one value a topic
MEASURES: dict[str, Callable] = {
    "NPMI, windows of 10": stored("c_npmi_10_full"),
    "C_v": stored("c_v_full"),
    "UCI": stored("c_uci_full"),
    "UMass": stored("u_mass_full"),
}


def main() -> None:
    folder = os.environ.get("LLMTOPICS_DATA")
    if not folder:
        print("human ratings: left out, name their folder in LLMTOPICS_DATA")
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
