"""Texts → sentences."""

import re
from itertools import accumulate, pairwise

from sentencex import segment

from llmtopics.text._languages import LANGUAGES, language_name

_NEAR = 8  # characters before the end of a sentence
_OPENING = re.compile(r"\s(\"\s*)\Z")
_CLOSING = re.compile(r"\"(?=\s)")
_SURROGATE = re.compile("[\ud800-\udfff]")


def split_sentences(text: str, language: str = "english") -> list[str]:
    """Return the sentences of a text.

    Full stops of Chinese and Japanese are known in every language. A blank line ends a
    sentence, too, and a single end of line does not.

    Parameters
    ----------
    text : str
        One text.
    language : str, default="english"
        Its language, as a name or an ISO 639-1 code. It decides which abbreviations do not
        end a sentence.

    Returns
    -------
    sentences : list of str
        The sentences in order, without white space around them. A blank text has none.

    Raises
    ------
    TypeError
        If ``text`` is no str.
    ValueError
        If the language is not known.

    Examples
    --------
    >>> from llmtopics.text import split_sentences
    >>> split_sentences("Dr. Smith paid $3.50 in the U.S. Army. He left!")
    ['Dr. Smith paid $3.50 in the U.S. Army.', 'He left!']
    >>> split_sentences("天气很好。我们走吧！")
    ['天气很好。', '我们走吧！']
    """
    if not isinstance(text, str):
        raise TypeError(
            f"split_sentences reads one text (str), got {type(text).__name__}: call it once "
            "per text."
        )
    # sentencex refuses lone surrogates, which broken files have
    pieces = segment(LANGUAGES[language_name(language)], _SURROGATE.sub("?", text))
    lengths = accumulate(map(len, pieces), initial=0)
    ends = [_beside_quote(text, end) for end in lengths]
    found = [text[start:end].strip() for start, end in pairwise(ends)]
    return [sentence for sentence in found if sentence]


def _beside_quote(text: str, end: int) -> int:
    """Return an end of a sentence, moved to the other side of a quotation mark if need be.

    sentencex pairs the marks of a text, so one mark without a partner spoils all that follow. A
    mark after a space opens a quote, and one before a space closes it.
    """
    if opening := _OPENING.search(text, max(0, end - _NEAR), end):
        return opening.start(1)
    if closing := _CLOSING.match(text, end):
        return closing.end()
    return end
