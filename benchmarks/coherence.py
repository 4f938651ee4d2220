"""Coherence compared with gensim: the values are equal; how long does each take?

Fifty topics of ten words on 20 Newsgroups. Both run five times, in turn. Writes one JSON line
per measure to ``results/coherence.jsonl``, which is overwritten.
"""

import json
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from gensim.corpora import Dictionary
from gensim.models import CoherenceModel
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.corpora import CORPORA
from benchmarks.counts import ANALYZER, count
from benchmarks.runs import environment
from llmtopics import GibbsLDA, top_words
from llmtopics.metrics import coherence

RESULTS = Path(__file__).parent / "results" / "coherence.jsonl"
MEASURES = {"npmi": "c_npmi", "c_v": "c_v", "uci": "c_uci", "u_mass": "u_mass"}
PACKAGES = "llmtopics numpy scipy scikit-learn numba gensim"
N_RUNS = 5


def timed(function):
    start = perf_counter()
    value = function()
    return value, perf_counter() - start


def main() -> None:
    raw = CORPORA["20 Newsgroups"].load().texts
    X, names = count(raw)
    topics = top_words(
        GibbsLDA(50, max_iter=50, random_state=0).fit(X).components_, names
    )
    words = set().union(*topics)
    # gensim leaves out documents without words of the topics, so they are left out here
    texts = [text for text in map(ANALYZER, raw) if words & set(text)]
    dictionary = Dictionary(texts)
    corpus = [dictionary.doc2bow(text) for text in texts]
    vectorizer = CountVectorizer(analyzer=list)
    bags = vectorizer.fit_transform(texts), vectorizer.get_feature_names_out()
    lines = []
    for ours, theirs in MEASURES.items():

        def gensim(theirs=theirs):
            return CoherenceModel(
                topics=topics,
                texts=texts,
                corpus=corpus,
                dictionary=dictionary,
                coherence=theirs,
                processes=1,
            ).get_coherence_per_topic()

        def llmtopics(ours=ours):
            if ours == "u_mass":  # both libraries get counts of documents
                return coherence(topics, *bags, measure=ours)
            return coherence(topics, texts, measure=ours)

        llmtopics()  # compile
        pairs = [(timed(llmtopics), timed(gensim)) for _ in range(N_RUNS)]
        difference = np.abs(pairs[0][0][0] - np.array(pairs[0][1][0])).max()
        lines.append(
            {
                "measure": ours,
                "n_documents": len(texts),
                "n_tokens": sum(map(len, texts)),
                "difference": float(difference),
                "seconds": median(a for (_, a), _ in pairs),
                "gensim_seconds": median(b for _, (_, b) in pairs),
                "times_faster": median(b / a for (_, a), (_, b) in pairs),
                **environment(PACKAGES),
            }
        )
        print(lines[-1], flush=True)
    RESULTS.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


if __name__ == "__main__":
    main()
