"""Extract the requested text from a chat model's answer."""

import json
import re
from collections.abc import Iterator

# Answers may be long and may be made to take long: "*+" tries each blank once, and bounds stop
# searches for an end that is not there.
_THINKING = r"[\w:-]*(?:think(?:ing)?|thoughts?|reasoning|reflection|analysis)"
_CLOSE = rf"[<\[◁]/{_THINKING}[>\]▷]"
_THOUGHT = re.compile(  # a block, which may have lost its beginning or its end
    rf"""\A\s*+(?:
        (?:(?:<\|start\|>)?assistant)?<\|channel\|>(?:
            final<\|message\|>
            |(?:analysis|commentary).*?(?:<\|channel\|>final<\|message\|>|\Z))
        |(?-i:analysis(?=[A-Z])).*?(?:assistantfinal|\Z)   # the same without marks
        |[<\[◁](?P<name>{_THINKING})[>\]▷].*?(?:[<\[◁]/(?P=name)[>\]▷]|\Z)
        |<\|START_THINKING\|>.*?(?:<\|END_THINKING\|>|\Z)
        |(?:(?![<\[◁]{_THINKING}[>\]▷]).)*?(?:\n[ \t]*{_CLOSE}|{_CLOSE}(?=[ \t]*\n))
    )""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
# Thinking without tags. It mentions the user; an answer does not.
_UNTAGGED_THOUGHT = re.compile(
    r"\A\W*+(?:okay|ok|alright|hmm|so|first|let me|let's|we|the user)\b[^\n]{0,80}"
    r"\b(?:the )?user(?:'s)? (?:wants?|asks?|asked|is asking|needs|gave|has|provided)\b"
    r"|\A\W*+the user\b",
    re.IGNORECASE,
)
_TURN_ENDS = re.compile(
    r"<\|(?:im_end|im_start|eot_id|end|endoftext|end_of_text|return|user|start_header_id)\|>"
    r"|</s>|<end_of_turn>|\[/?INST\]"
)
_MARK = re.compile(r"<\|[^|<>\n]{1,40}\|>|<s>|<start_of_turn>\w*")
_WRAPPED = re.compile(
    r"\A\s*<(?P<name>answer|response|output|result|final)>(?P<rest>.*?)(?:</(?P=name)>.*)?\Z",
    re.IGNORECASE | re.DOTALL,
)
_FENCED = re.compile(
    r"^[ \t]*(?:```|~~~)[^\n]*\n(.*?)(?:^[ \t]*(?:```|~~~)|\Z)",
    re.MULTILINE | re.DOTALL,
)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*$|```", re.MULTILINE)
_POLITE = (
    r"\A\W*+(?:sure|sure thing|certainly|of course|absolutely|okay|ok|great|no problem|gladly"
    r"|understood|yes)\b(?:!|[.,]?[ \t]*\n|[.,]?(?=[ \t]+{announced}))\s*"
)
_ANNOUNCED = (
    r"(?:here(?:['’]s| is| are| you go)\b|below (?:is|are)\b|these are\b"
    r"|the following (?:is|are)\b"
    r"|i(?:['’]ve| have)? (?:\w+ )?(?:rewritten|wrote|written|summari|extract|creat|generat|made)"
    r"|voici\b|hier (?:ist|sind|folg)|aqu[ií] (?:est|tienes)|ecco\b|вот\b|以下是|这是)"
)
_BEFORE = [  # "Sure!", "Here are the keywords:", but not "Here is my code:"
    re.compile(_POLITE.format(announced=_ANNOUNCED), re.IGNORECASE),
    re.compile(
        rf"\A\W*+{_ANNOUNCED}(?![^\n:]*\bmy\b)[^\n:：]{{0,120}}(?:[:：](?:[*_]+(?=\s)|(?=\s))|：)\s*",
        re.IGNORECASE,
    ),
]
_AFTER = re.compile(  # a last paragraph that addresses the user
    r"""\n[^\S\n]*+\n\W{0,40}+(?:let\ me\ know|i\ hope\ (?:this|that|these|it)|hope\ this\ helps
        |(?:please\ )?feel\ free|would\ you\ like|do\ you\ (?:want|need)|if\ you(?:['’]d)?\ (?:like|need|want|have)
        |is\ there\ anything|please\ let\ me\ know|note(?:\ that)?\b|explanation\b|(?:these|the)\ keywords)\b.*\Z
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_REFUSED = re.compile(
    r"""\A\W*+(?:
        (?:i['’]?m|i\ am|i|we['’]?re|my)?\s*(?:very\ |really\ )?(?:sorry|apologi[sz]e|unfortunately)\b[^\n]{0,60}
            \b(?:can(?:no|['’])t|can\ not|unable|not\ able|could\ ?n['’]t|don['’]t\ have)\b
        |as\ an?\ (?:ai|large\ language|language)\b
        |i\ (?:can(?:no|['’])t|can\ not|am\ (?:unable|not\ able)\ to)\ (?:assist|help|fulfill?|comply|
            provide|create|generate|write|answer|process|do\ that|summari[sz]e|continue)
        |(?:please\ provide|could\ you\ (?:please\ )?provide|you\ (?:have\ not|haven['’]t|did\ not|didn['’]t)\ provide)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^[ \t]*(?:[-*•·–]|\d{1,2}[.)])[ \t]+", re.MULTILINE)
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.{1,300}?)(?<=\S)\1")
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t]+", re.MULTILINE)
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "'": "'", "`": "`", "‘": "’"}
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)("|\Z)(\s*:)?', re.DOTALL)
_PYTHON_STRING = re.compile(r"'((?:[^'\\]|\\.|'(?=\w))*)('|\Z)(\s*:)?", re.DOTALL)
_ASIDE = re.compile(  # JSON fields other than the requested one
    r"reason|thought|thinking|explanation|analysis|confidence|score|language|input|error",
    re.IGNORECASE,
)


def without_thinking(answer: str) -> str:
    """Return an answer without the thinking at its beginning.

    If the token limit cut off the thinking, nothing is left. If the beginning of the thinking
    is missing, its end tag must be beside a line break: an answer may mention the tag.
    """
    found = None
    while found != answer:
        found, answer = answer, _THOUGHT.sub("", answer, count=1)
    return answer


def clean_answer(answer: str, *names: str) -> str:
    """Return the requested text from a chat model's answer, "" if there is none.

    Removes thinking, polite phrases, labels such as "Keywords:", code fences, JSON, list
    markers and turn markers. If the token limit cut off the thinking, there is no answer.

    Parameters
    ----------
    answer : str
    names : str
        Labels of the text: "Keywords" finds ``{"keywords": [...]}`` and "Keywords: ...".

    Returns
    -------
    text : str
    """
    text = without_thinking(answer).strip()
    if _UNTAGGED_THOUGHT.search(text):
        return ""
    if end := _TURN_ENDS.search(text, 1):
        text = text[: end.start()]
    text = _MARK.sub("", text)
    if wrapped := _WRAPPED.match(text):
        text = wrapped["rest"]
    text = _without_polite_phrases(text)
    fenced = _FENCED.search(text)
    if fenced and not text[: fenced.start()].strip():
        text = fenced[1]
    text = _FENCE.sub("", text).strip()
    if text[:1] in ("{", "["):
        text = _fields(text, names) or text
    text = _HEADING.sub("", _EMPHASIS.sub(r"\2", text))
    text = _LIST_MARK.sub("", _without_label(text, names)).strip()
    return _unquoted(_without_label(text, names))


def is_refusal(text: str) -> bool:
    """Return whether a cleaned answer is a refusal."""
    return bool(_REFUSED.search(text))


def _without_polite_phrases(text: str) -> str:
    for before in _BEFORE:
        text = before.sub("", text.strip())
    return _AFTER.sub("", text).strip()


def _without_label(text: str, names: tuple[str, ...]) -> str:
    """Return a text without the label before it ("Keywords: ...")."""
    for name in names:
        label = rf"\A[\s*_#]*+(?:the\s++)?{re.escape(name)}s?[\s*_]*+(?:[:：]|(?<=\s)(?:is|are)[:\s])[\s*_]*"
        if found := re.match(label, text, re.IGNORECASE):
            return text[found.end() :]
    return text


def _unquoted(text: str) -> str:
    text = text.strip()
    inside = text[1:-1]
    end = _QUOTES.get(text[:1])
    if (
        len(text) > 1
        and text[-1] == end
        and end not in inside
        and text[0] not in inside
    ):
        return inside.strip()
    return text


def _fields(text: str, names: tuple[str, ...]) -> str:
    """Return the strings in JSON, which may be cut off.

    These are the strings of the fields ``names`` if there are any, else all except asides.
    """
    found = list(_pairs(text))
    wanted = [name.casefold().replace(" ", "").rstrip("s") for name in names]

    def is_named(key: str) -> bool:
        key = re.sub(r"[\W_]", "", key).casefold()
        return any(name in key for name in wanted)

    named = [value for key, value in found if is_named(key)]
    values = named or [value for key, value in found if not _ASIDE.search(key)]
    return ", ".join(value for value in values if value.strip())


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield the strings in JSON or a Python list, each after the last key before it."""
    pattern = _STRING if '"' in text else _PYTHON_STRING
    key = ""
    for found in pattern.finditer(text):
        value = found[1]
        try:
            value = json.loads(f'"{value}"', strict=False)
        except ValueError:  # cut off within an escape, or not JSON
            value = value.replace("\\'", "'").rstrip("\\")
        if found[3]:
            key = value
        else:
            yield key, value
