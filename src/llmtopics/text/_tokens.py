"""Cleaned text → words: tokens, segmentation, stems."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import regex
import snowballstemmer

from llmtopics.text._segment import MAY_BE_SHORT, runs_of_scripts, segment
from llmtopics.text._special import TOKENS, find_special, may_be_special
from llmtopics.text._spelling import lower, without_accents

# A word has letters, marks and digits. It may have apostrophes, middle dots (Catalan),
# zero-width joiners or Hebrew quotes inside, and hyphens by choice. A number keeps its
# inner points and commas, and the unit after them (1,000 or 3.5bn). Any other sign is one
# token.
_LETTERS = r"[\p{L}\p{N}][\p{L}\p{M}\p{N}]*+"
_JOINER = r"(?:['·\u200c\u200d%s]|(?<=\p{Hebrew})[\"״](?=\p{Hebrew}))"
_WORD = rf"{_LETTERS}(?:{_JOINER}{_LETTERS})*+"
_NUMBER = r"\d++(?:(?:[.,]\d++)++[\p{L}\p{M}]*+|(?![\p{L}\p{M}]%s))"
_SIGN = r"[^\s\p{L}\p{M}\p{N}\p{C}]"
_HYPHENS = {  # whether words may have hyphens -> the pattern of a word, of a number
    False: (_WORD % "", _NUMBER % ""),
    True: (_WORD % "-", _NUMBER % r"|-\p{L}"),
}
_TOKEN = {
    hyphens: regex.compile(f"{number}|{word}|{_SIGN}").findall
    for hyphens, (word, number) in _HYPHENS.items()
}
_IS_WORD = {
    hyphens: regex.compile(word).fullmatch for hyphens, (word, _) in _HYPHENS.items()
}
_IS_NUMBER = regex.compile(_NUMBER % "").fullmatch

# What may stand between the words of an n-gram. Other punctuation ends it.
_ENDS_NGRAM = regex.compile(r"(?V1)[\p{P}--[\-'\"“”„«»/&_@#%*]]").fullmatch
_APOSTROPHE_IS_A_LETTER = {"hebrew", "ukrainian"}
_LONG = 64  # longer pieces hardly occur twice, so they are not stored
_MANY = 2**17  # stored pieces, at most


@dataclass
class Rules:
    """What decides which words a token gives: the checked parameters of the analyzer."""

    special: dict[str, str]  # kind of part that is no word -> "drop", "keep", ...
    languages: tuple[str, ...] = ()
    stop: frozenset[str] = frozenset()
    min_length: int = 1
    stem: bool = False
    strip_accents: bool = False
    lowered: bool = True  # texts come in lower case
    mark_gaps: bool = False  # None stands for what was dropped
    whole: bool = False  # tokens are given: do not cut them further

    @property
    def language(self) -> str:
        """The only language, or an empty str."""
        return self.languages[0] if len(self.languages) == 1 else ""


Words = tuple[str | None, ...]


class KnownWords(dict[str, Words]):
    """Cache of the words of pieces of text without spaces, and of their tokens."""

    def __init__(self, rules: Rules):
        super().__init__()
        self.rules = rules
        self.gap: Words = (None,) if rules.mark_gaps else ()
        hyphens = rules.special["hyphens"] == "keep"
        self._tokens, self._is_word = _TOKEN[hyphens], _IS_WORD[hyphens]
        self._splits = rules.special["apostrophes"] == "split" and not (
            _APOSTROPHE_IS_A_LETTER & {*rules.languages}
        )

    def __missing__(self, piece: str) -> Words:
        words = self._words_of_piece(piece)
        if len(piece) <= _LONG:
            if len(self) >= _MANY:
                self.clear()
            self[piece] = words
        return words

    def _words_of_piece(self, piece: str) -> Words:
        if piece.isascii() and piece.isalpha():  # most are, and need no regex
            return self._forms([piece], ())
        if may_be_special(piece) and (found := list(find_special(piece))):
            return tuple(chain.from_iterable(self._around(piece, found)))
        return self._plain(piece)

    def _plain(self, piece: str) -> Words:
        """Return the words of a piece without special parts."""
        if self.rules.whole:
            return self._words_of_token(piece)
        tokens = [
            token for run in runs_of_scripts(piece) for token in self._tokens(run)
        ]
        if tokens == [piece]:
            return self._words_of_token(piece)
        return tuple(chain.from_iterable(map(self.__getitem__, tokens)))

    def _around(self, piece: str, found: list[Any]) -> Iterator[Words]:
        """Yield the words of the special parts of a piece, and of what is between them."""
        end = 0
        for match in found:
            if match.start() > end:
                yield self._plain(piece[end : match.start()])
            yield self._special(match.lastgroup, match[0])
            end = match.end()
        if end < len(piece):
            yield self._plain(piece[end:])

    def _special(self, kind: str, part: str) -> Words:
        match self.rules.special[kind]:
            case "word":
                return self._plain(part[1:])
            case "split":
                return self._plain(part)
            case "keep":
                return (part,)
            case "token":
                return (TOKENS[kind],)
        return self.gap

    def _words_of_token(self, token: str) -> Words:
        if _IS_NUMBER(token):
            if self._is_stop(token):
                return self.gap
            return self._special("numbers", token)
        if not self._is_word(token) and not (
            self.rules.whole and any(map(str.isalnum, token))
        ):
            kept = token and self.rules.special["punctuation"] == "keep"
            words: Words = (token,) if kept else ()
            return words + self.gap if _ENDS_NGRAM(token) else words
        if self._is_stop(token):
            return self.gap
        parts = [token] if self.rules.whole else segment(token, self.rules.languages)
        inside = self.gap if len(parts) > 1 else ()
        if self._splits:
            parts = [word for part in parts for word in part.split("'")]
        return self._forms(parts, inside)

    def _forms(self, parts: list[str], inside: Words) -> Words:
        """Return the words of the parts of a token, with ``inside`` for dropped ones."""
        rules = self.rules
        words: list[str | None] = []
        for word in parts:
            if self._is_dropped(word):
                words += inside
            elif word[0].isdigit() and _IS_NUMBER(word):
                words += self._special("numbers", word)
            else:
                words.append(word)
        if rules.stem:  # a new stemmer per call: a stemmer is not thread-safe
            stem = snowballstemmer.stemmer(rules.language).stemWord
            # a word that is nothing but an ending has an empty stem
            words = [word and (stem(word) or word) for word in words]
        if rules.strip_accents:
            words = [word and without_accents(word) for word in words]
        return tuple(words) or self.gap

    def unmatched(self, words: Iterable[str]) -> list[str]:
        """Return the words that can equal no token: with spaces, points or other signs."""
        return [
            word
            for word in words
            if not (
                self.rules.whole
                or (
                    runs_of_scripts(word) == self._tokens(word) == [word]
                    and any(map(str.isalnum, word))
                    and not any(find_special(word))
                )
            )
        ]

    def _is_stop(self, word: str) -> bool:
        if not self.rules.lowered:
            word = lower(word, self.rules.language)
        if self.rules.strip_accents:
            word = without_accents(word)
        return word in self.rules.stop

    def _is_dropped(self, word: str) -> bool:
        return (
            not word
            or self._is_stop(word)
            or (len(word) < self.rules.min_length and not MAY_BE_SHORT(word))
        )


def given_tokens(tokenize: Callable[[str], Any], text: str) -> list[str]:
    """Return the tokens that a function of the user cuts a text into.

    It may return strings, spaCy's or MeCab's tokens (with ``text`` or ``surface``), or one
    str with spaces between words (as ``Tagger("-Owakati").parse``).
    """
    # a half of a surrogate pair cannot be encoded, and libraries in C fail
    found = tokenize(text.encode("utf-8", "replace").decode())
    if not isinstance(found, Iterable):
        raise TypeError(
            f"tokenize= must return words (str), got {type(found).__name__}."
        )
    tokens = found.split() if isinstance(found, str) else []
    for token in () if isinstance(found, str) else found:
        word = getattr(token, "text", getattr(token, "surface", token))
        if callable(word):  # a method in SudachiPy
            word = word()
        if not isinstance(word, str):
            raise TypeError(
                f"tokenize= must return words (str), got {type(word).__name__}."
            )
        tokens.append(word.strip())
    return tokens
