"""Cleaned text → words: tokens, segmentation, stems."""

from functools import lru_cache
from itertools import chain
from typing import Any

import regex
import snowballstemmer

from llmtopics.text._spelling import lower

# A number keeps its inner points and commas, and the unit after them (1,000 or 3.5bn). A
# word has letters, marks and digits. It may have apostrophes, middle dots (Catalan),
# zero-width joiners or Hebrew quotes inside. Any other sign is one token.
_NUMBER = r"\d++(?:(?:[.,]\d++)++[\p{L}\p{M}]*+|(?![\p{L}\p{M}]))"
_LETTERS = r"[\p{L}\p{N}][\p{L}\p{M}\p{N}]*+"
_JOINER = r"(?:['·\u200c\u200d]|(?<=\p{Hebrew})[\"״](?=\p{Hebrew}))"
_WORD = rf"{_LETTERS}(?:{_JOINER}{_LETTERS})*+"
_SIGN = r"[^\s\p{L}\p{M}\p{N}\p{C}]"
_TOKEN = regex.compile(f"{_NUMBER}|{_WORD}|{_SIGN}")
_IS_NUMBER = regex.compile(_NUMBER).fullmatch
_IS_WORD = regex.compile(_WORD).fullmatch
_APOSTROPHE_IS_A_LETTER = {"hebrew", "ukrainian"}
_LONG = 64  # longer pieces hardly occur twice, so they are not stored
_MANY = 2**17  # stored pieces, at most
# Scripts that write a word in one character or without spaces between words.
_MAY_BE_SHORT = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
).search


class _Words(dict[str, tuple[str, ...]]):
    """Cache of the words of pieces of text without spaces, and of their tokens."""

    def __init__(self, settings: tuple[Any, ...]):
        super().__init__()
        self._settings = settings

    def __missing__(self, piece: str) -> tuple[str, ...]:
        tokens = _TOKEN.findall(piece)
        words = (
            _words_of(piece, *self._settings)
            if tokens == [piece]
            else tuple(chain.from_iterable(map(self.__getitem__, tokens)))
        )
        if len(piece) <= _LONG:
            if len(self) >= _MANY:
                self.clear()
            self[piece] = words
        return words


@lru_cache(maxsize=4)
def known_words(*settings: Any) -> _Words:
    """Return the cache for these settings."""
    return _Words(settings)


def _words_of(
    token: str,
    language: str,
    stop: frozenset[str],
    min_length: int,
    stem: bool,
    numbers: bool,
    punctuation: bool,
) -> tuple[str, ...]:
    """Return the words of a token."""
    if _IS_NUMBER(token):
        return (token,) if numbers else ()
    if not _IS_WORD(token):
        return (token,) if punctuation else ()
    if lower(token, language) in stop:
        return ()
    words = [
        part
        for part in _parts(token, language)
        if lower(part, language) not in stop
        and (len(part) >= min_length or _MAY_BE_SHORT(part))
        and (numbers or not _IS_NUMBER(part))
    ]
    if stem:  # a new stemmer per call: a stemmer is not thread-safe
        words = snowballstemmer.stemmer(language).stemWords(words)
    return tuple(words)


def _parts(word: str, language: str) -> list[str]:
    if language == "chinese" and _MAY_BE_SHORT(word):
        try:
            import rjieba
        except ImportError as error:
            raise ImportError(
                "language='chinese' needs rjieba: pip install 'llmtopics[zh]'"
            ) from error
        return rjieba.cut(word)
    return [word] if language in _APOSTROPHE_IS_A_LETTER else word.split("'")
