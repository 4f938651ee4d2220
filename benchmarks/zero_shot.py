"""Accuracy of ``LLMTopics`` with topics given by name (zero-shot topics).

Accuracy is the share of texts whose first topic is their label. A sample has 500 texts (IMDB:
300). The model is fitted to it without labels. Each corpus has two samples that do not overlap.
There are three ways: probabilities "as they are", "calibrated", and with learned words ("and
words", the default). Two more problems use BBC news: the agreement (NMI) of eight proposed
topics with the sections, and samples of 125 articles with 60 % from one section. Appends one
JSON line per problem, sample and way to ``results/zero_shot.jsonl``. Lines in the file are not
repeated, except with ``--again``. ``--trial 20`` uses twenty texts per sample and writes nothing.
"""

import argparse
import json
import logging
import os
import re
import warnings
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from benchmarks.runs import QUIET, RESULTS, environment

PATH = RESULTS / "zero_shot.jsonl"
PACKAGES = "llmtopics numpy scikit-learn torch transformers"
WAYS: dict[str, dict[str, Any]] = {
    "as they are": {"calibrate": None, "n_words": 0},
    "calibrated": {"n_words": 0},
    "and words": {},
}
N_SAMPLES, N_PROPOSED = 2, 8
N_UNEVEN, SHARE = 125, 0.6

SECTIONS = ["business", "entertainment", "politics", "sport", "technology"]
DOMAINS = {
    "business": "business",
    "computers": "computers",
    "culture, arts and entertainment": ["culture", "arts", "entertainment"],
    "education and science": ["education", "science"],
    "engineering": "engineering",
    "health": "health",
    "politics and society": ["politics", "society"],
    "sports": "sports",
}
TAGS = [
    "wordpress", "oracle", "svn", "apache", "excel", "matlab", "visual-studio",
    "cocoa", "osx", "bash", "spring", "hibernate", "scala", "sharepoint", "ajax",
    "qt", "drupal", "linq", "haskell", "magento",
]  # fmt: skip


class Problem(NamedTuple):
    """Texts with labels 0 … K - 1 for evaluation only, and the input of ``LLMTopics``."""

    corpus: str
    topics: Any
    n_texts: int = 500
    parameters: dict[str, Any] = {}
    section: int | None = None  # section of most texts of the sample


PROBLEMS = {
    "BBC news": Problem("BBC news", SECTIONS),
    "BBC news: sports, tech": Problem("BBC news", [*SECTIONS[:3], "sports", "tech"]),
    "SearchSnippets": Problem("SearchSnippets", list(DOMAINS)),
    "SearchSnippets: several wordings": Problem("SearchSnippets", DOMAINS),
    "StackOverflow": Problem("StackOverflow", TAGS),
    "IMDB": Problem("IMDB", ["negative", "positive"], 300),
    "IMDB: prompt about sentiment": Problem(
        "IMDB",
        ["negative", "positive"],
        300,
        {"prompt": "{text}\n\nThe sentiment of this review is"},
    ),
}
PROPOSED = {"BBC news, eight proposed topics": Problem("BBC news", N_PROPOSED)}
UNEVEN = {
    f"60 % {name}": Problem("BBC news", SECTIONS, N_UNEVEN, section=k)
    for k, name in enumerate(SECTIONS)
}


@cache
def read(corpus: str) -> tuple[list[str], np.ndarray]:
    from benchmarks.corpora import CORPORA

    texts, labels, _ = CORPORA[corpus].load()
    return texts, np.unique(labels, return_inverse=True)[1]


def sample(problem: Problem, number: int, n_texts: int) -> tuple[list[str], np.ndarray]:
    """Return the texts of a sample, and their labels; samples do not overlap."""
    texts, labels = read(problem.corpus)
    rows = np.random.default_rng(0).permutation(len(texts))
    if problem.section is None:
        rows = rows[number * n_texts : (number + 1) * n_texts]
    else:
        own = labels[rows] == problem.section
        n_own = round(SHARE * n_texts)
        parts = [(rows[own], n_own), (rows[~own], n_texts - n_own)]
        rows = np.concatenate(
            [some[number * n : (number + 1) * n] for some, n in parts]
        )
    return [texts[i] for i in rows], labels[rows]


def measure(problem: Problem, number: int, way: str, n_texts: int) -> dict:
    from sklearn.metrics import normalized_mutual_info_score

    from llmtopics import LLMTopics

    texts, labels = sample(problem, number, n_texts)
    model = LLMTopics(problem.topics, random_state=0, **problem.parameters, **WAYS[way])
    first = model.fit_transform(texts).argmax(axis=1)
    line = {"n_texts": len(texts), "topics": model.topics_}
    if problem.topics == N_PROPOSED:
        return line | {"nmi": float(normalized_mutual_info_score(labels, first))}
    return line | {"accuracy": float((first == labels).mean())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", default="", help="regex of the problems to run")
    parser.add_argument("--again", action="store_true", help="repeat lines in the file")
    parser.add_argument("--trial", type=int, help="texts per sample; write nothing")
    options = parser.parse_args()
    os.environ |= QUIET
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    done = set()
    if PATH.exists() and not options.again:
        lines = map(json.loads, PATH.read_text("utf-8").splitlines())
        done = {(line["problem"], line["sample"], line["way"]) for line in lines}
    for name, problem in (PROBLEMS | PROPOSED | UNEVEN).items():
        ways = ["and words"] if name in PROPOSED else list(WAYS)
        for number, way in product(range(N_SAMPLES), ways):
            if not re.search(options.problem, name) or (name, number, way) in done:
                continue
            try:
                found = measure(problem, number, way, options.trial or problem.n_texts)
            except FileNotFoundError as error:
                print(f"{name}: left out, {error}", flush=True)
                break
            line = {"problem": name, "sample": number, "way": way} | found
            print(json.dumps(line, ensure_ascii=False), flush=True)
            if options.trial is None:
                line |= environment(PACKAGES)
                with PATH.open("a", encoding="utf-8") as results:
                    results.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
