"""Extract usable names and descriptions from a model's answers."""

import re

from llmtopics._language.clean_answer import clean_answer
from llmtopics._words import topic_labels
from llmtopics.naming._prompts import CHAT_INSTRUCTION, EXAMPLES
from llmtopics.text._segment import MAY_BE_SHORT, RANGES, WORD

OUTCOMES = ("named", "rejected", "empty", "failed", "no_words")
DESCRIBED = ("described", *OUTCOMES[1:])
_NAME_WORDS = 6
_ABOUT_WORDS = 40
_MOST_SEARCHED = 200  # characters: time grows with their square

_WITHOUT_SPACES = re.compile(f"[{RANGES}]")
_ENDS = (".", "!", "?", "。", "！", "？", "।")
_PROMPT_WORDS = {
    word.casefold()
    for word in WORD.findall(f"{CHAT_INSTRUCTION} text words topic about")
}
_PREFIX = re.compile(
    r"""^\W*(?:\d+\s*[.):]\s*)?[\s"'*_`#]*
        (?:(?:the\s+)?(?:topic|title|name|label|theme|category|about|description|answer)
        (?:\s+name)?\b[\s"'*_`]*+(?:(?<=\s)is\b|[:–—-])\s*)?""",
    re.VERBOSE | re.IGNORECASE,
)
_AROUND = " \t\"'“”‘’«»*_`#.,;:!?-–—()[]{}<>|&/"
_REFUSAL = re.compile(
    r"\b(sorry|as an ai|language model|i['’]m\b|i am|i can ?not|i can['’]?t|i could ?n"
    r"|unable to|not able to|please provide|here (is|are)|ignore (the|all))",
    re.IGNORECASE,
)


def _stem(word: str) -> str:
    return word.casefold()[:4]


def shares_a_word(name: str, word: str) -> bool:
    """Return whether a name has a word, or a word with the same beginning."""
    if word.casefold() in name.casefold():
        return True
    return any(_stem(part) == _stem(word) for part in WORD.findall(name))


def _first_line(answer: str, *names: str) -> str:
    """Return the first line of an answer, cleaned, or "" if it is a refusal."""
    answer = clean_answer(answer, *names)
    line = next((line for line in answer.splitlines() if line.strip(_AROUND)), "")
    return "" if _REFUSAL.search(line) else _PREFIX.sub("", line)


def as_name(answer: str) -> str:
    """Return the name in an answer, "" if there is none."""
    line = _first_line(answer, "Topic", "Title", "Name", "Label", "Theme", "Category")
    name = " ".join(line.strip(_AROUND).split())
    if name.count(",") > 1:  # a list of the topic's words
        return ""
    if len(name.split()) > _NAME_WORDS:
        name = re.split(r"[,;:(.]|\s[–—-]\s", name)[0].strip(_AROUND)
    if len(name) > _MOST_SEARCHED:
        return ""
    name = re.sub(r"^(.+) \w+ \1$", r"\1", name, flags=re.IGNORECASE)  # wine and wine
    parts = [part.casefold() for part in WORD.findall(name)]
    of_use = 0 < len(parts) <= _NAME_WORDS and len(set(parts)) == len(parts)
    if not of_use or len(name) > 60:
        return ""
    if len(max(parts, key=len)) < 2 and not MAY_BE_SHORT(name):
        return ""
    return name[0].upper() + name[1:]


def best_outcome(outcome: str, answer: str | None) -> str:
    """Return the better one of a topic's outcome so far and a new answer's outcome."""
    if answer is None:
        own = "failed"
    else:
        own = "rejected" if WORD.search(clean_answer(answer)) else "empty"
    return min(outcome, own, key=OUTCOMES.index)


def is_copy(name: str, words: str) -> bool:
    """Return whether a name is copied from the prompt's examples or instruction.

    A name that shares a word with the topic is never a copy.
    """
    copied = any(name.casefold() == example[2].casefold() for example in EXAMPLES)
    copied |= {word.casefold() for word in WORD.findall(name)} <= _PROMPT_WORDS
    return copied and not any(shares_a_word(name, word) for word in words.split(", "))


def distinct_names(chosen: list[str | None], topics: list[list[str]]) -> list[str]:
    """Return a distinct name per topic. A topic without a name is named by its words."""
    names = [
        name or label for name, label in zip(chosen, topic_labels(topics), strict=True)
    ]
    folded = [name.casefold() for name in names]
    taken = {name for name in folded if folded.count(name) == 1}
    for k, name in enumerate(names):
        if folded.count(folded[k]) == 1:
            continue
        rivals = [topics[j] for j, other in enumerate(folded) if other == folded[k]]
        words = [word for word in topics[k] if not shares_a_word(name, word)]
        words.sort(key=lambda word: sum(word in some for some in rivals))  # stable
        tries = [f"{name} ({word})" for word in words]
        tries += [f"{name} ({k})"]
        names[k] = next(each for each in tries if each.casefold() not in taken)
        taken.add(names[k].casefold())
    return names


def captions(names: list[str], topics: list[list[str]]) -> list[str]:
    """Return each name with the first three words of its topic that it lacks.

    A name that consists of the topic's first words stays alone.
    """
    shown = []
    for name, words in zip(names, topics, strict=True):
        others = [word for word in words if not shares_a_word(name, word)][:3]
        is_words = all(word in name for word in words[:3])
        shown.append(name if is_words or not others else f"{name}: {', '.join(others)}")
    return shown


def as_sentence(answer: str, words: list[str]) -> str:
    """Return the first sentence of an answer, "" if it is not about the topic."""
    line = _first_line(answer, "About", "Description")
    line = " ".join(line.strip(" \t\"'“”*_`#").split())
    sentence = re.split(r"(?<=[^\W\d][a-z\d)][.!?])\s|(?<=[。！？।])", line)[0]
    parts = [part.casefold() for part in WORD.findall(sentence)]
    n_words = sum(map(_length_in_words, parts))
    if not 3 <= n_words <= _ABOUT_WORDS or len(set(parts)) < len(parts) / 2:
        return ""
    if not sentence.endswith(_ENDS):  # cut off by max_new_tokens
        return ""
    related = any(shares_a_word(sentence, word) for word in words)
    return sentence[0].upper() + sentence[1:] if related else ""


def _length_in_words(part: str) -> int:
    """Return 1, or about how many words a part has whose script has no spaces."""
    return max(1, len(_WITHOUT_SPACES.findall(part)) // 2)


def listing_of(words: list[str], name: str) -> str:
    """Return a description that lists the topic's words."""
    return f"Texts with words such as {', '.join(words[:5])}." if words else f"{name}."
