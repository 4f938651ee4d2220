"""Text as it comes → plain text: HTML, words broken at line ends."""

import re
from html import unescape

import regex

# A lone "<" or "List<String>" is no HTML. A closing tag, a line break or an attribute is.
_IS_HTML = regex.compile(
    r"</[a-z][a-z0-9]*+\s*+>|<(?:br|hr|p)\s*+/?>|<[a-z][a-z0-9]*+\s++[a-z-]++\s*+=[^<>]*+>"
    r"|<!doctype",
    regex.IGNORECASE,
).search
_NO_TEXT = regex.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*+>|\Z)",
    regex.IGNORECASE | regex.DOTALL,
)
# Names of one letter may be variables ("a<b and c>d"): an attribute or ">" must follow
_ATTRIBUTE = r"\s++[a-z][a-z0-9:_-]*+\s*+=[^<>]*+>"
_END = rf"(?:\s*+/?>|{_ATTRIBUTE})"
# Tags that may stand inside a word, and those between words of one sentence
_IN_WORDS = regex.compile(
    rf"</?(?:(?:big|em|font|mark|small|strong|wbr)\b[^<>]*+>|[bisu]{_END})",
    regex.IGNORECASE,
)
_IN_SENTENCES = regex.compile(
    rf"</?(?:(?:abbr|br|cite|code|img|span|sub|sup|time)\b[^<>]*+>|[aq]{_END})",
    regex.IGNORECASE,
)
# With a semicolon: without one, "dollars&cents" and a link with "&region=" would be entities.
# html.unescape raises an error for numbers of thousands of digits.
_ENTITIES = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]*);")
# Directly after a word, "<String>" is a type: only these names are tags without attributes
_BLOCKS = (
    "article|aside|blockquote|body|caption|center|dd|div|dl|dt|figcaption|figure|footer|form"
    "|h[1-6]|head|header|hr|html|li|nav|noscript|ol|pre|section|table|tbody|td|tfoot|th|thead"
    "|title|tr|ul"
)
_OTHER_TAGS = regex.compile(
    rf"<[/!?][^<>]*+>|(?<![\p{{L}}\p{{N}}])<[a-z][^<>]*+>|<(?:{_BLOCKS})\b[^<>]*+>|<p{_END}"
    rf"|<[a-z][a-z0-9:_-]*+{_ATTRIBUTE}",
    regex.IGNORECASE,
)
# A pattern that begins with one sign is found several times as fast
_MAY_BE_BROKEN = re.compile(r"-[ \t]*\r?\n").search
_RARE_HYPHEN = re.compile(r"[\u2010\u00ad][ \t]*\r?\n").search
_BROKEN = regex.compile(r"(?<=\p{L})[-\u2010\u00ad][ \t]*+\r?\n[^\S\r\n]*+(?=\p{Ll})")


def without_html(text: str) -> str:
    """Return a text without HTML: tags dropped, entities as the signs that they mean.

    Tags that are written with entities (as in feeds) count if the text has no other tags.
    """
    if "&" in text and not _IS_HTML(text):
        text = _unescape(text)
    if "<" in text and _IS_HTML(text):
        text = _IN_WORDS.sub("", _NO_TEXT.sub(" ", text))
        text = _OTHER_TAGS.sub("\n\n", _IN_SENTENCES.sub(" ", text))
        if "&" in text:
            text = _unescape(text)
    return text


def _unescape(text: str) -> str:
    return _ENTITIES.sub(lambda entity: unescape(entity[0]), text)


def join_lines(text: str) -> str:
    """Return a text with the halves of words joined that a line break parts."""
    if _MAY_BE_BROKEN(text) or (not text.isascii() and _RARE_HYPHEN(text)):
        return _BROKEN.sub("", text)
    return text
