"""Extract or write the summaries of texts or of groups of texts."""

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np

from llmtopics._checks import shortened
from llmtopics._fitted_model import FittedModel
from llmtopics._language import LanguageModel
from llmtopics._mixtures import check_mixtures
from llmtopics._progress import stage
from llmtopics._words import topic_labels
from llmtopics.apply._summarizer_coverage import (
    Candidates,
    Chosen,
    Weights,
    choose_sentences,
    topic_coverage,
)
from llmtopics.apply._summarizer_sentences import (
    Sentences,
    count_words,
    rows_of_groups,
    with_known_words,
)
from llmtopics.apply._summarizer_writing import (
    SYSTEM,
    Written,
    check_answer,
    prompt_of,
)
from llmtopics.text import split_sentences

_MAIN_TOPIC = 0.2  # least share of a topic that an answer may not leave out
_LEAST_COVERED = 0.5  # of what the sentences cover
_OUTLINE = 2  # times as many sentences for the language model as in an extract
_N_TOPIC_WORDS = 4


class Task(NamedTuple):
    """What to summarize (a topic or all), the limits, and how."""

    topic: int | None
    n_sentences: int | None
    n_words: int | None
    weights: Weights
    language: str
    max_new_tokens: int

    def limits(self, times: int) -> tuple[int | None, int | None]:
        """Return the limits of sentences and words, multiplied."""
        return (
            self.n_sentences and times * self.n_sentences,
            self.n_words and times * self.n_words,
        )


class Summary(NamedTuple):
    """A summary, and the sentences that it is made of or written from.

    chosen : list of Chosen
        In the order of the text. ``sentence`` is a row of Sentences.
    """

    label: Hashable
    rows: np.ndarray
    text: str
    outcome: str
    coverage: float
    candidates: Candidates
    numbers: np.ndarray
    chosen: list[Chosen]
    written: Written | None = None
    left_out: tuple[str, ...] = ()


def topic_names(model: Any, n_topics: int) -> list[str]:
    """Return what people read for the topics: their names, or their first words."""
    fitted = FittedModel(model)
    return fitted.names or topic_labels(fitted.top_words() or [[]] * n_topics)


def topic_number(model: Any, topic: Any, n_topics: int) -> int:
    """Return the number of a topic that is given by number, name or column name."""
    K = n_topics
    if isinstance(topic, str):
        names, columns = topic_names(model, K), [str(k) for k in range(K)]
        if hasattr(model, "get_feature_names_out"):
            columns = [str(name) for name in model.get_feature_names_out()]
        for known in (names, columns):
            if topic in known:
                return known.index(topic)
        raise ValueError(
            f"There is no topic {topic!r}: pass a number below {K}, or one of "
            f"{shortened(names)}."
        )
    if isinstance(topic, bool | np.bool_) or not isinstance(topic, int | np.integer):
        raise ValueError(f"topic must be a number or a name, got {topic!r}.")
    if not 0 <= topic < K:
        raise ValueError(f"There is no topic {topic}: pass a number from 0 to {K - 1}.")
    return int(topic)


def extract(sentences: Sentences, groups: Any, task: Task) -> list[Summary]:
    """Return the extractive summary of each text or group."""
    found = list(rows_of_groups(groups, len(sentences.document_mixtures)))
    summaries = []
    with stage("summaries", len(found), "summaries") as made:
        for label, rows in found:
            summaries.append(_extracted(sentences, label, rows, task))
            made.update()
    return summaries


def _extracted(
    sentences: Sentences, label: Any, rows: np.ndarray, task: Task
) -> Summary:
    """Return the extractive summary of the texts in some rows."""
    numbers, candidates = sentences.of(rows, task.topic)
    chosen = choose_sentences(candidates, task.weights, *task.limits(1))
    if chosen:
        outcome = "extracted"
    elif len(numbers):
        outcome = "too long"
    else:
        outcome = "no such topic" if len(sentences.numbers_of(rows)[0]) else "blank"
    chosen_in_order = sorted(chosen, key=lambda one: one.sentence)
    text = " ".join(sentences.texts[numbers[one.sentence]] for one in chosen_in_order)
    coverage = chosen[-1].coverage if chosen else 0.0
    return Summary(label, rows, text, outcome, coverage, candidates, numbers, chosen)


def write(
    summaries: list[Summary],
    sentences: Sentences,
    model: Any,
    llm: LanguageModel,
    task: Task,
    *,
    on_error: str,
) -> list[Summary]:
    """Let a language model write the summaries; keep the extracts where a check fails."""
    asked = [i for i, one in enumerate(summaries) if one.outcome == "extracted"]
    if not asked:
        return summaries
    n_topics = sentences.mixtures.shape[1]
    described = _described_topics(model, n_topics)
    names = topic_names(model, n_topics)
    prompts = [
        prompt_of(
            _outline(summaries[i], sentences, described, task),
            task.n_sentences,
            task.n_words,
        )
        for i in asked
    ]
    answers = llm.generate(
        prompts,
        system=SYSTEM,
        max_new_tokens=task.max_new_tokens,
        on_error=on_error,
    )
    found = list(summaries)
    for i, answer in zip(asked, answers, strict=True):
        source = [sentences.texts[j] for j in summaries[i].numbers]
        limits = task.n_sentences, task.n_words
        written = check_answer(answer, source, *limits, task.language)
        found[i] = _checked(summaries[i], written, model, names, task.language)
    return found


def _checked(
    extracted: Summary, written: Written, model: Any, names: list[str], language: str
) -> Summary:
    """Return the written summary, or the extract if the answer is bad or leaves topics out."""
    if written.outcome != "generated":
        return extracted._replace(outcome=written.outcome, written=written)
    own = with_known_words(model, split_sentences(written.text, language))
    if not own:
        outcome = "extracted: the topic model knows no word of the answer"
        return extracted._replace(outcome=outcome, written=written)
    mixtures = check_mixtures(model.transform(own), "model.transform(texts)")
    covered = topic_coverage(mixtures)
    given = extracted.candidates
    expected = topic_coverage(
        given.mixtures[[one.sentence for one in extracted.chosen]]
    )
    missing = (given.target >= _MAIN_TOPIC) & (covered < _LEAST_COVERED * expected)
    if missing.any():
        left_out = tuple(names[k] for k in np.flatnonzero(missing))
        outcome = "extracted: topics were left out"
        return extracted._replace(outcome=outcome, written=written, left_out=left_out)
    return extracted._replace(
        text=written.text,
        outcome="generated",
        coverage=float(covered @ given.target),
        written=written,
    )


def _outline(
    summary: Summary, sentences: Sentences, names: list[str], task: Task
) -> list[tuple[str, list[str]]]:
    """Return the topics of a summary with their sentences, more than in the extract."""
    given = summary.candidates
    chosen = choose_sentences(given, task.weights, *task.limits(_OUTLINE))
    outline: dict[int, list[str]] = {}
    for index in sorted(one.sentence for one in chosen):
        first = int(given.mixtures[index].argmax())
        outline.setdefault(first, []).append(sentences.texts[summary.numbers[index]])
    return [(names[k], some) for k, some in outline.items()]


def _described_topics(model: Any, n_topics: int) -> list[str]:
    """Return what a language model reads for each topic: first words, or its name."""
    words = FittedModel(model).top_words(_N_TOPIC_WORDS)
    if words is None:
        return topic_names(model, n_topics)
    return [" ".join(some) or str(k) for k, some in enumerate(words)]


def summary_rows(summaries: list[Summary]) -> dict[str, list[Any]]:
    """Return the columns of the table of summaries."""
    written = [one.written or Written("") for one in summaries]
    return {
        "group": [one.label for one in summaries],
        "summary": [one.text for one in summaries],
        "outcome": [one.outcome for one in summaries],
        "n_words": [count_words(one.text) for one in summaries],
        "coverage": [one.coverage for one in summaries],
        "left_out": [", ".join(one.left_out) for one in summaries],
        "not_in_source": [", ".join(one.not_in_source) for one in written],
        "answer": [one.text for one in written],
    }


def sentence_rows(summaries: list[Summary], sentences: Sentences) -> dict[str, Any]:
    """Return the columns of the table of sentences."""
    found = sorted(
        (g, one.sentence, rank)
        for g, summary in enumerate(summaries)
        for rank, one in enumerate(summary.chosen)
    )
    ranks = [rank for _, _, rank in found]
    chosen = [summaries[g].chosen[rank] for g, _, rank in found]
    numbers = np.array([summaries[g].numbers[i] for g, i, _ in found], int)
    mixtures = sentences.mixtures[numbers]
    return {
        "group": [summaries[g].label for g, _, _ in found],
        "row": sentences.rows[numbers],
        "position": sentences.positions[numbers],
        "sentence": [sentences.texts[i] for i in numbers],
        "n_words": sentences.n_words[numbers],
        "topic": mixtures.argmax(axis=1),
        "topic_share": mixtures.max(axis=1),
        "rank": ranks,
        "score": [one.score for one in chosen],
        "coverage": [one.coverage for one in chosen],
    }
