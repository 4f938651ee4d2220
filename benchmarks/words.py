"""Speed of cutting texts into words: ``TextAnalyzer``, scikit-learn and spaCy.

Five rounds over BBC news, in one thread, in turn. The first pass of ``TextAnalyzer`` reads all
words for the first time. Later ones know them. spaCy is measured if it is installed. Writes one
JSON line per way to ``results/words.jsonl``, which is overwritten.
"""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import process_time

RESULTS = Path(__file__).parent / "results" / "words.jsonl"
N_ROUNDS = 5


def ways() -> dict[str, Callable[[list[str]], object]]:
    from sklearn.feature_extraction.text import CountVectorizer

    from llmtopics import TextAnalyzer
    from llmtopics.text import _analyzer

    plain = CountVectorizer(stop_words="english").build_analyzer()
    known = TextAnalyzer()

    def first(texts: list[str]) -> list:
        _analyzer._known_words.cache_clear()
        return list(map(TextAnalyzer(), texts))

    found: dict[str, Callable[[list[str]], object]] = {
        "CountVectorizer's analyzer": lambda texts: list(map(plain, texts)),
        "TextAnalyzer, first pass": first,
        "TextAnalyzer, later passes": lambda texts: list(map(known, texts)),
    }
    if find_spec("spacy"):
        import spacy

        found["spaCy, blank English"] = lambda texts: list(
            spacy.blank("en").pipe(texts)
        )
    return found


def main() -> None:
    from benchmarks.runs import environment
    from llmtopics.datasets import load_bbc_news

    texts = load_bbc_news().data
    n_words = sum(len(text.split()) for text in texts)
    every = ways()
    seconds: dict[str, list[float]] = {way: [] for way in every}
    for _ in range(N_ROUNDS):
        for way, cut in every.items():
            start = process_time()
            cut(texts)
            seconds[way].append(process_time() - start)
    packages = "llmtopics scikit-learn regex" + " spacy" * bool(find_spec("spacy"))
    lines = ""
    for way in every:
        ratios = zip(seconds["CountVectorizer's analyzer"], seconds[way], strict=True)
        line = {
            "way": way,
            "words_per_second": n_words / median(seconds[way]),
            "ratio": median(other / own for other, own in ratios),
            **environment(packages),
        }
        lines += json.dumps(line) + "\n"
        print(way, line["words_per_second"], line["ratio"], flush=True)
    RESULTS.write_text(lines, "utf-8")


if __name__ == "__main__":
    main()
