"""Words of scripts that write no spaces between words."""

import re
import warnings
from itertools import pairwise

import regex

# Languages without spaces between words. ICU's dictionaries cut all six, whichever of them
# is asked for.
SEGMENTED = frozenset({"burmese", "chinese", "japanese", "khmer", "lao", "thai"})
# Ranges, because they are found ten times as fast as scripts: Thai and Lao, Burmese, Khmer,
# kana, Han
RANGES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3007\u3040-\u30ff\u3400-\u9fff"
    "\U00020000-\U0003ffff"
)
_NO_SPACES = re.compile(f"[{RANGES}]")
_RUNS = re.compile(f"[{RANGES}]+|[^{RANGES}]+").findall
_CLUSTERS = regex.compile(
    r".\p{M}*+"
).findall  # a letter with its vowel signs and tones
# A word that begins with a letter. \w of the standard library has no vowel signs.
WORD = regex.compile(r"\p{L}[\p{L}\p{M}\p{N}_'’-]*")
# The same, or a number. Runs of scripts without spaces are in the group "run".
WORD_OR_NUMBER = regex.compile(
    rf"(?P<run>[{RANGES}]+)|(?:(?![{RANGES}])[\p{{L}}\p{{M}}\p{{N}}])+"
)
# Chinese characters and Korean syllables, which may be words alone
MAY_BE_SHORT = regex.compile(r"[\p{Han}\p{Hangul}]").search
# Longer than all but rare words: this is several words, or a sentence. A Japanese run is
# searched from its begin only, so that the time grows with its length and not its square.
_TOO_LONG = regex.compile(
    r"(?P<Japanese>(?<![\p{Han}\p{Hiragana}\p{Katakana}ー])"
    r"\p{Han}*+[\p{Hiragana}\p{Katakana}ー]++"
    r"(?:(?<=\p{Hiragana})|\p{Han})[\p{Han}\p{Hiragana}\p{Katakana}ー]{2,}"
    r"|\p{Hiragana}{12,})"
    r"|(?P<Chinese>\p{Han}{4,})|(?P<Thai>\p{Thai}{16,})|(?P<Lao>\p{Lao}{16,})"
    r"|(?P<Khmer>\p{Khmer}{16,})|(?P<Burmese>\p{Myanmar}{16,})"
).search
_warned: set[str] = set()  # scripts
_FEW = 0.2  # of the characters of a text: names and quotes in a text of another script


def runs_of_scripts(piece: str) -> list[str]:
    """Cut a piece where scripts without spaces meet other signs: numbers, Latin letters."""
    return _RUNS(piece) if _NO_SPACES.search(piece) else [piece]


def segment(token: str, languages: tuple[str, ...]) -> list[str]:
    """Return the words of a token in a script without spaces, or the token alone.

    If no language without spaces is asked for, a token of several words is cut into pairs
    of characters.
    """
    if not _NO_SPACES.search(token):
        return [token]
    if SEGMENTED.isdisjoint(languages):
        return _pairs(token) if _TOO_LONG(token) else [token]
    try:
        from icu4py.breakers import WordBreaker
    except ImportError as error:
        raise ImportError(
            f"language={languages!r} needs icu4py to cut texts without spaces into words: "
            "pip install 'llmtopics[segmentation]'"
        ) from error
    return list(WordBreaker(token, "en"))  # the language is seen by the script


def _pairs(token: str) -> list[str]:
    """Return all pairs of neighboring characters of a token."""
    signs = _CLUSTERS(token)
    return list(map("".join, pairwise(signs))) if signs[1:] else [token]


def warn_if_not_segmented(text: str, languages: tuple[str, ...]) -> None:
    """Warn of a text without spaces between words if no such language is asked for.

    Each script is warned of once. Python's own record of warnings is cleared by each
    task of joblib, which would print one warning per task.
    """
    if not SEGMENTED.isdisjoint(languages):
        return
    if (first := _NO_SPACES.search(text)) is None:
        return
    found = _TOO_LONG(text, first.start())
    if found is None or len(_NO_SPACES.findall(text)) < _FEW * len(text):
        return
    script = found.lastgroup
    if script in _warned:
        return
    warnings.warn(
        f"TextAnalyzer: a text is {script}, which has no spaces between words, and "
        f"language={languages!r} does not cut it into words. Pairs of characters are "
        f"counted instead. Pass language={script.lower()!r}, a list of languages with "
        f"{script.lower()!r}, or a function as tokenize=.",
        UserWarning,
        stacklevel=3,
    )
    _warned.add(script)  # not if the warning is an error: the next text fails, too
