"""Plain words in the README, the documentation, docstrings, errors and comments.

``make lint`` finds misspelled words. This finds words that readers stumble over: old words,
British spelling, decimals without their zero.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLAIN = {  # what not to write: what to write
    r"dear(er|est|ly)?": "expensive",
    r"fore(tell|tells|told|telling)": "predict",
    r"reckon(s|ed|ing)?": "compute, re-estimate",
    r"dice": "random generator",
    r"named beforehand": "zero-shot topics, topics given by name",
    r"language side": "embedding side",
    r"reads? in (it|them)|what it reads": "embedding",
    r"keeps? company|company of": "occur together",
    r"wants? to be paid": "quota or billing error",
    r"of other make": "other",
    r"than which|what is but|be it|save (that|by|where|in)": "a second sentence, or except",
    r"thrice|twofold|threefold": "three times, two",
    r"whence|thence|hence(forth)?|hither(to)?|thither": "from here, so",
    r"where(in|of|upon|by|fore)|there(in|of|upon|fore|by)|here(in|of|by)": "in which, so",
    r"nought|naught|nay|aught|ere|oft|nigh|amiss|lest|albeit|betwixt": "zero, not, before",
    r"whilst|amongst|towards|learnt|spelt|for ever": "while, among, toward, learned",
    r"anew|asunder|betimes": "again",
    r"(un|dis)?(colour|neighbour|behaviour|favour|honour|flavour)\w*": "color, neighbor",
    r"(normal|general|maxim|minim|optim|initial|organ|recogn|summar|regular|token|lemmat"
    r"|vector|visual|real|serial|categor|character|penal|rational|special|util)"
    r"is(e[sdr]?|ing|ation|ations)": "-ize",
    r"(re)?(centre|centred|centres|centring)|fibre|metre": "center",
    r"grey(s|ed)?|licence|artefacts?|fulfil|judgement|analyse[dr]?": "gray, license, …",
    r"(model|label|cancel|travel|signal)l(ed|ing|er)": "modeling, labeling",
}
WORDS = re.compile(rf"(?<!\w)(?:{'|'.join(PLAIN)})(?!\w)", re.IGNORECASE)
NO_ZERO = re.compile(r"(?<![\w.)\]\"'*`:,])-?\.\d+(?!\d*em)")
QUOTED = {  # words of corpora and of test data, and of this list
    "tests/test_plain_words.py",
}


def texts():
    for pattern in (
        "*.md",
        "docs/*.md",
        "docs/*.ipynb",
        "docs/guide/*.md",
        "examples/*",
    ):
        yield from (path for path in ROOT.glob(pattern) if path.is_file())
    for folder in ("src", "tests", "benchmarks", "examples", "release"):
        yield from (ROOT / folder).rglob("*.py")


FILES = sorted({str(path.relative_to(ROOT)) for path in texts()} - QUOTED)


def odd_words(name):
    """Return the line, the word, and what is plainer, of each odd word of a file."""
    found = []
    for number, line in enumerate((ROOT / name).read_text("utf-8").splitlines(), 1):
        for match in WORDS.finditer(line):
            word = match[0]
            plain = next(
                PLAIN[old] for old in PLAIN if re.fullmatch(old, word, re.IGNORECASE)
            )
            found.append(f"{name}:{number}: {word} → {plain}")
        if line.startswith(("<" * 7 + " ", ">" * 7 + " ")):
            found.append(f"{name}:{number}: a merge was not finished")
        for match in NO_ZERO.finditer(line):
            found.append(f"{name}:{number}: {match[0]} → 0{match[0]}")
    return found


@pytest.mark.parametrize("name", FILES)
def test_words_are_plain(name):
    found = odd_words(name)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("line", ["two times as dear", "α = .5", "Neighbours", "-.2"])
def test_odd_words_are_found(line):
    assert WORDS.search(line) or NO_ZERO.search(line)


@pytest.mark.parametrize("line", ["words, 0.5", "a.b, [1].2", "color", "version 1.2"])
def test_plain_words_are_not(line):
    assert not WORDS.search(line)
    assert not NO_ZERO.search(line)
