"""Summaries: ROUGE and coverage of topics, beside TextRank, LexRank, LSA and others.

Appends a JSON line per task and setting to ``results/summarize.jsonl``, with one value per
summary, for intervals. Every method gets the same sentences and the same limit. The defaults of
``TopicSummarizer`` were set on the other half of the subjects and on other articles.
"""

import re
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from time import perf_counter
from typing import NamedTuple

import numpy as np

from benchmarks.corpora import data_file
from benchmarks.runs import run_tasks, task_arguments

PACKAGES = "llmtopics torch transformers scikit-learn numpy sumy rouge-score"
N_WORDS, N_ARTICLES, N_WRITTEN, N_TOPICS = 25, 300, 20, 20
ROUGES = ("rouge1", "rouge2", "rougeL")


class Problem(NamedTuple):
    """What to summarize.

    corpus : texts to fit on
    documents : texts of each summary
    sentences : sentences of each summary
    references : people's summaries of each, or the headline
    limit : n_sentences and n_words
    """

    corpus: list[str]
    documents: list[list[str]]
    sentences: list[list[str]]
    references: list[list[str]]
    limit: dict[str, int | None]


def opinosis(rest: int) -> Problem:
    """Return review sentences on every second subject, and people's summaries."""
    path = data_file("opinosis/OpinosisDataset1.0_0.zip")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        texts = {
            name: archive.read(name).decode("latin-1")
            for name in names
            if name.endswith((".data", ".gold"))
        }
    sources, references = [], []
    for name in sorted(name for name in texts if name.endswith(".data")):
        subject = name.removeprefix("topics/").removesuffix(".txt.data")
        lines = [" ".join(line.split()) for line in texts[name].splitlines()]
        sources.append([line for line in lines if line])
        own = [each for each in texts if each.startswith(f"summaries-gold/{subject}/")]
        references.append([" ".join(texts[each].split()) for each in own])
    corpus = [line for lines in sources for line in lines]
    limit = {"n_sentences": None, "n_words": N_WORDS}
    some = sources[rest::2]
    return Problem(corpus, some, some, references[rest::2], limit)


def bbc(rest: int) -> Problem:
    """Return articles without their headlines, and the headlines."""
    from llmtopics.datasets import load_bbc_news
    from llmtopics.text import split_sentences

    corpus = load_bbc_news()
    bodies = [text.partition("\n")[2].strip() for text in corpus.data]
    order = np.random.default_rng(0).permutation(len(bodies))
    some = order[rest * N_ARTICLES : (rest + 1) * N_ARTICLES]
    return Problem(
        bodies,
        [[bodies[i]] for i in some],
        [split_sentences(bodies[i]) for i in some],
        [[corpus.titles[i]] for i in some],
        {"n_sentences": 1, "n_words": None},
    )


def digests(rest: int) -> Problem:
    """Return ten articles at a time, and all ten headlines."""
    single = bbc(rest)

    def joined(parts: list[list[str]]) -> list[list[str]]:
        return [
            [*chain.from_iterable(parts[i : i + 10])] for i in range(0, len(parts), 10)
        ]

    return Problem(
        single.corpus,
        joined(single.documents),
        joined(single.sentences),
        [[" ".join(titles)] for titles in joined(single.references)],
        {"n_sentences": 5, "n_words": None},
    )


PROBLEMS: dict[str, Callable[[int], Problem]] = {
    "reviews": opinosis,
    "headlines": bbc,
    "digests": digests,
}


def with_topics(problem: Problem, **parameters) -> list[str]:
    return table_of(problem, **parameters)["summary"].tolist()


def table_of(problem: Problem, **parameters):
    """Return the table of ``TopicSummarizer``."""
    from llmtopics import FusionTopicModel, TopicSummarizer

    texts = [text for texts in problem.documents for text in texts]
    groups = np.repeat(
        np.arange(len(problem.documents)), [*map(len, problem.documents)]
    )
    model = FusionTopicModel(N_TOPICS, random_state=0)
    summarizer = TopicSummarizer(model, **problem.limit, **parameters)
    return summarizer.fit(problem.corpus).summarize(texts, groups=groups)


def within(
    ranked: list, length: Callable, n_sentences: int | None, n_words: int | None
):
    """Return the first of ranked sentences that are within the limit."""
    left, chosen = n_words or float("inf"), []
    for one in ranked:
        if len(chosen) != n_sentences and length(one) <= left:
            chosen.append(one)
            left -= length(one)
    return chosen


def by_order(problem: Problem, order: Callable[[list[str]], np.ndarray]) -> list[str]:
    """Take the sentences in an order, up to the limit."""
    found = []
    for sentences in problem.sentences:
        ranked = order(sentences).tolist()
        chosen = within(ranked, lambda i, s=sentences: n_words(s[i]), **problem.limit)
        found.append(" ".join(sentences[i] for i in sorted(chosen)))
    return found


def by_sumy(problem: Problem, name: str) -> list[str]:
    from importlib import import_module

    from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
    from sumy.nlp.stemmers import Stemmer
    from sumy.utils import get_stop_words

    module = import_module(f"sumy.summarizers.{name}")
    kind = f"{name.title().replace('_', '')}Summarizer"
    summarizer = getattr(module, kind)(Stemmer("english"))
    summarizer.stop_words = get_stop_words("english")
    found = []
    for sentences in problem.sentences:
        nodes = [Sentence(sentence, Words()) for sentence in sentences]
        chosen = summarizer(
            ObjectDocumentModel([Paragraph(nodes)]),
            lambda ranked: within(
                ranked, lambda one: n_words(str(one.sentence)), **problem.limit
            ),
        )
        found.append(" ".join(map(str, chosen)))
    return found


class Words:
    """Splits sentences into words for sumy, whose own splitter needs a download."""

    def to_words(self, sentence: str) -> list[str]:
        return re.findall(r"[^\W_]+(?:'\w+)?", sentence.lower())


def n_words(sentence: str) -> int:
    return len(sentence.split())


def nearest_to_mean(problem: Problem) -> list[str]:
    from llmtopics import TransformerEmbedder

    embedder = TransformerEmbedder()

    def order(sentences: list[str]) -> np.ndarray:
        vectors = embedder.transform(sentences)
        return np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable")

    return by_order(problem, order)


def first_sentences(problem: Problem) -> list[str]:
    """Take the first sentence of each document, then the second ones, and so on."""
    from llmtopics.text import split_sentences

    places = []
    for documents, sentences in zip(problem.documents, problem.sentences, strict=True):
        lengths = [len(split_sentences(text)) for text in documents]
        if len(documents) == len(sentences):  # each is one sentence
            lengths = [1] * len(documents)
        places.append(np.concatenate([*map(np.arange, lengths)]))
    orders = iter(places)
    return by_order(problem, lambda _: np.argsort(next(orders), kind="stable"))


def random_order(problem: Problem) -> list[str]:
    rng = np.random.default_rng(0)
    return by_order(problem, lambda sentences: rng.permutation(len(sentences)))


METHODS: dict[str, Callable[[Problem], list[str]]] = {
    "TopicSummarizer": with_topics,
    "TopicSummarizer, no topics": partial(with_topics, topic_weight=0),
    "TopicSummarizer, topics alone": partial(
        with_topics, word_weight=0, vector_weight=0
    ),
    "TopicSummarizer, position_weight=1": partial(with_topics, position_weight=1),
    "LexRank": partial(by_sumy, name="lex_rank"),
    "TextRank": partial(by_sumy, name="text_rank"),
    "LSA": partial(by_sumy, name="lsa"),
    "nearest to the mean vector": nearest_to_mean,
    "first sentences": first_sentences,
    "random sentences": random_order,
}
ONLY_NEWS = {"TopicSummarizer, position_weight=1"}


def rouge(summaries: list[str], references: list[list[str]]) -> dict[str, list[float]]:
    """Return F1 of each summary, the mean over people's summaries."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(list(ROUGES), use_stemmer=True)
    found: dict[str, list[float]] = {name: [] for name in ROUGES}
    for summary, some in zip(summaries, references, strict=True):
        scores = [scorer.score(reference, summary) for reference in some]
        for name in ROUGES:
            mean = np.mean([score[name].fmeasure for score in scores])
            found[name].append(round(float(mean), 4))
    return found


def topics_kept(summaries: list[str], problem: Problem) -> list[float]:
    """Return what the topic proportions of summaries and sources share, 0 to 1.

    The topics are those of an LDA that no method knows.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.pipeline import make_pipeline

    from llmtopics import GibbsLDA, TextAnalyzer

    words = CountVectorizer(analyzer=TextAnalyzer(), min_df=3)
    judge = make_pipeline(words, GibbsLDA(N_TOPICS, random_state=1))
    judge.fit(problem.corpus)
    sources = judge.transform(["\n".join(texts) for texts in problem.documents])
    shared = np.minimum(sources, judge.transform(summaries)).sum(axis=1)
    return shared.round(4).tolist()


def summarize(name: str, setting: str) -> dict:
    problem = PROBLEMS[name](1)
    start = perf_counter()
    summaries = METHODS[setting](problem)
    seconds = perf_counter() - start
    scores = rouge(summaries, problem.references)
    return {
        "rouge1": scores["rouge1"],
        **{name: float(np.mean(scores[name])) for name in ("rouge2", "rougeL")},
        "topics": topics_kept(summaries, problem),
        "n_words": float(np.mean([*map(n_words, summaries)])),
        "seconds": seconds,
    }


def write(name: str) -> dict:
    """Let SmolLM2 write summaries of two sentences, and count why they were not used."""
    problem = PROBLEMS[name](1)
    problem = Problem(
        problem.corpus,
        *(part[:N_WRITTEN] for part in problem[1:4]),
        {"n_sentences": 2, "n_words": None},
    )
    start = perf_counter()
    table = table_of(problem, llm="smollm2")
    seconds = perf_counter() - start
    extracted = with_topics(problem)
    written = rouge(table["answer"].tolist(), problem.references)
    return {
        "n": len(table),
        "outcomes": table["outcome"].value_counts().to_dict(),
        "rouge1_answers": written["rouge1"],
        "rouge1_extracted": rouge(extracted, problem.references)["rouge1"],
        "seconds": seconds,
    }


def tasks() -> Iterator[tuple[str, str, int, partial]]:
    for name in PROBLEMS:
        for setting in METHODS:
            if name != "reviews" or setting not in ONLY_NEWS:
                yield name, setting, 0, partial(summarize, name, setting)
    for name in ("reviews", "headlines"):
        yield "written", name, 0, partial(write, name)


def main() -> None:
    run_tasks("summarize", tasks(), PACKAGES, task_arguments(__doc__).parse_args())


if __name__ == "__main__":
    main()
