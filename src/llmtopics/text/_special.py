"""Parts of a text that are no words: links, e-mail addresses, @names, #tags, emoji."""

import re
from collections.abc import Mapping

import regex

from llmtopics.text._segment import RANGES

_PARTS = ("drop", "keep", "token")
_TAGS = ("word", *_PARTS)
_LINKS = (*_PARTS, "split")
# kind -> what can become of it, the default first
CHOICES = {
    "urls": _LINKS,
    "emails": _LINKS,
    "mentions": _TAGS,
    "hashtags": _TAGS,
    "emoji": _PARTS,
    "numbers": _PARTS,
    "punctuation": ("drop", "keep"),
    "hyphens": ("split", "keep"),
    "apostrophes": ("split", "keep"),
    "broken_words": ("join", "split"),
}
TOKENS = {  # what stands for such a part
    "urls": "<url>",
    "emails": "<email>",
    "mentions": "<mention>",
    "hashtags": "<hashtag>",
    "emoji": "<emoji>",
    "numbers": "<number>",
}
# Each pattern begins at a border, so that a long text without spaces is searched once.
# A link, an address or a name in Latin letters ends where letters of East Asia touch it:
# "请联系a@b.com谢谢".
_ASIAN = rf"\p{{Hangul}}{RANGES}"
_IN_URL = rf"[^\s\p{{C}}<>\"—{_ASIAN}]"
_OTHERS = rf"(?:(?![{_ASIAN}])[\p{{L}}\p{{M}}\p{{N}}%s])++"  # with some signs
_PATH = rf"{_IN_URL}*(?<=[^\p{{P}}]|/)"  # the sign after a URL is not in it
_DOMAINS = "com|org|net|edu|gov|info|io|co|ly|gl|gd|eu|uk|de|fr|es|ru|jp|cn"
# "said.it/she" has no space after its point. The path of a link looks like one.
_WORD_DOMAINS = r"(?:it|me|be|in)/(?=\S*?[0-9/_?=-])"
# After ".com", a longer word is the next sentence: "a@b.com.Thanks"
_NOT_AFTER_COM = r"(?<!\.(?i:com|org|net|edu|gov)\.)"
_MODIFIED = r"(?:\p{EMod}|\ufe0f)?(?:[\U000e0020-\U000e007e]++\U000e007f)?"
_PICTURE = rf"(?:(?![©®])(?:\p{{Emoji_Presentation}}|\p{{Extended_Pictographic}})|[©®]\ufe0f){_MODIFIED}"
find_special = regex.compile(
    rf"(?P<urls>(?i:(?:https?|ftp)://|mailto:){_PATH}|(?<![\p{{L}}\p{{N}}.@-])"
    rf"(?i:www\.(?=\w)|(?:t\.me|youtu\.be)/"
    rf"|(?:[a-z0-9-]++\.){{1,8}}(?:(?:{_DOMAINS})/|{_WORD_DOMAINS})){_PATH})"
    rf"|(?P<emails>(?:(?<=[{_ASIAN}])|(?<![\p{{L}}\p{{M}}\p{{N}}._%+-]))"
    rf"{_OTHERS % '._%+-'}@{_OTHERS % '-'}"
    rf"(?:\.(?:{_NOT_AFTER_COM}{_OTHERS % '-'}|[a-z]{{2}}(?![\p{{L}}\p{{N}}])))++)"
    rf"|(?P<mentions>(?<![\p{{L}}\p{{M}}\p{{N}}_])@"
    rf"(?:{_OTHERS % '_'}|[\p{{L}}\p{{M}}\p{{N}}_]++)"
    r"(?:@[\p{L}\p{N}.-]+\p{L})?)"
    r"|(?P<hashtags>(?<![\p{L}\p{M}\p{N}_&/])\#(?=[\p{N}_]*+\p{L})[\p{L}\p{M}\p{N}_]++)"
    rf"|(?P<emoji>\p{{RI}}\p{{RI}}|[0-9\#*]\ufe0f?\u20e3|{_PICTURE}(?:\u200d{_PICTURE})*+)"
).finditer
# An ASCII text without one of these has no such part
_MAY_BE_SPECIAL = re.compile(r"[@#/]|www\.", re.IGNORECASE).search


def may_be_special(piece: str) -> bool:
    """Tell quickly whether ``find_special`` can find anything."""
    return not piece.isascii() or _MAY_BE_SPECIAL(piece) is not None


def special_choices(given: Mapping[str, str] | None) -> dict[str, str]:
    """Check the parameter ``special``; return a choice for every kind."""
    choices = {kind: values[0] for kind, values in CHOICES.items()}
    for kind, choice in (given or {}).items():
        if kind not in CHOICES:
            raise ValueError(
                f"special has the key {kind!r}. Its keys are {', '.join(CHOICES)}."
            )
        if choice not in CHOICES[kind]:
            raise ValueError(
                f"special[{kind!r}] must be one of {', '.join(map(repr, CHOICES[kind]))}, "
                f"got {choice!r}."
            )
        choices[kind] = choice
    return choices
