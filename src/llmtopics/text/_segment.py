"""Words of scripts that write no spaces between words."""

import re
import warnings
from collections.abc import Callable
from itertools import chain
from reprlib import repr as shortened

import regex

_MOST = 10_000  # characters cut at a time: segmenters bound the length of their input


class Segmenter:
    """A library that cuts the text of one language into words."""

    def __init__(
        self, language: str, script: str, needs: tuple[str, str], load: Callable
    ):
        self.language = language
        self.is_for = regex.compile(script).search
        self.package, self.extra = needs
        self._load = load

    def __call__(self, text: str) -> list[str]:
        try:
            cut = self._load()
        except ImportError as error:
            raise ImportError(
                f"language={self.language!r} needs {self.package}: "
                f"pip install 'llmtopics[{self.extra}]'"
            ) from error
        pieces = (text[i : i + _MOST] for i in range(0, len(text), _MOST))
        return list(chain.from_iterable(map(cut, pieces)))


def _chinese() -> Callable[[str], list[str]]:
    import rjieba

    return rjieba.cut


# The first whose language is asked for and whose script is in a word cuts it
SEGMENTERS = (Segmenter("chinese", r"\p{Han}", ("rjieba", "zh"), _chinese),)
# Scripts that write a word in one character or without spaces between words.
MAY_BE_SHORT = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
).search
# Ranges, because they are found ten times as fast as scripts: Thai and Lao, Burmese, Khmer,
# kana, Han
_NO_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]"
)
# Longer than all but rare words: this is several words, or a sentence
_TOO_LONG = regex.compile(
    r"(?P<Japanese>\p{Han}*+[\p{Hiragana}\p{Katakana}ー]++"
    r"(?:(?<=\p{Hiragana})|\p{Han})[\p{Han}\p{Hiragana}\p{Katakana}ー]{2,})"
    r"|(?P<Chinese>\p{Han}{4,})|(?P<Thai>\p{Thai}{16,})|(?P<Lao>\p{Lao}{16,})"
    r"|(?P<Khmer>\p{Khmer}{16,})|(?P<Burmese>\p{Myanmar}{16,})"
).search
_FEW = 0.2  # of the characters of a text: names and quotes in a text of another script


def segment(token: str, languages: tuple[str, ...]) -> list[str]:
    """Return the words of a token, or the token alone if its language is not asked for."""
    if MAY_BE_SHORT(token):
        for segmenter in SEGMENTERS:
            if segmenter.language in languages and segmenter.is_for(token):
                return segmenter(token)
    return [token]


def warn_if_not_segmented(text: str, languages: tuple[str, ...]) -> None:
    """Warn of a text that has no spaces between words and that nothing segments."""
    if (first := _NO_SPACES.search(text)) is None:
        return
    found = _TOO_LONG(text, first.start())
    if found is None or len(_NO_SPACES.findall(text)) < _FEW * len(text):
        return
    if any(each.language in languages and each.is_for(found[0]) for each in SEGMENTERS):
        return
    script = found.lastgroup
    name = script.lower()
    remedy = (
        f"language={name!r}, or a list of languages with {name!r}"
        if any(each.language == name for each in SEGMENTERS)
        else f"tokenize=, a function that cuts {script} text into words"
    )
    warnings.warn(
        f"TextAnalyzer: the text {shortened(found[0])} is {script}, which has no spaces "
        f"between words. It is not cut into words. Pass {remedy}.",
        UserWarning,
        stacklevel=3,
    )
