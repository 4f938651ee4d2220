"""An explanation as HTML, for notebooks.

It uses plain functions, because a jinja2 template would be as long and one more dependency:
the color of every word is computed. Each text is escaped where it enters. A test passes
markup in texts and words.
"""

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from llmtopics.explanation._summary import (
    EMBEDDING,
    SOURCES,
    is_shown,
    largest_words,
    main_topics,
    shortened,
    source_shares,
)

if TYPE_CHECKING:
    from llmtopics.explanation._explanation import Explanation

# Colors of the main topics. Text on their tints is legible on white and on black pages.
_COLORS = (
    "66,133,244",
    "240,128,20",
    "46,170,80",
    "168,92,224",
    "230,60,90",
    "0,165,175",
)
_OTHER = "140,140,140"
_LONGEST = 20_000  # characters of the text that are shown
_WHOLE = "font:14px/1.55 system-ui,sans-serif;max-width:60em;padding:.6em 0"
_TEXT = (
    "white-space:pre-wrap;max-height:20em;overflow:auto;margin:.5em 0 .9em;"
    "font-size:15px;line-height:1.75"
)
_WORD = "border-radius:3px;padding:1px 2px"
_ROW = "display:flex;gap:.7em;align-items:center"
_BAR = (
    "flex:1;display:flex;height:11px;border-radius:3px;overflow:hidden;"
    f"background:rgba({_OTHER},.15)"
)
_SWATCH = (
    "display:inline-block;width:1.6em;height:.7em;margin:0 .4em 0 .2em;"
    "border-radius:2px;"
)
_LINE = "flex:1;white-space:nowrap;overflow:hidden;text-overflow:ellipsis"
_MUTED = "opacity:.65;font-size:13px"
_BELOW = f"{_MUTED};margin-top:.8em"


def as_html(why: "Explanation") -> str:
    """Return the legend, the colored text, a bar per topic, and the nearest texts."""
    main = main_topics(why)
    colors = dict(zip(main, _COLORS, strict=False))
    parts = [
        _tag("div", _MUTED, "Where the topics come from: ", _sources(why)),
        _tag("div", _TEXT, _colored_text(why, colors), direction="auto"),
        *(_topic(why, k, colors[k]) for k in main),
    ]
    if why.neighbors_by:
        parts.append(_tag("div", _BELOW, f"Nearest texts by {why.neighbors_by}"))
    for i, distance, text in zip(
        why.neighbors, why.neighbor_distances, why.neighbor_texts, strict=True
    ):
        where = _tag(
            "span", f"{_MUTED};white-space:nowrap", f"row {i}, distance {distance:.2f} "
        )
        line = _tag("div", _LINE, escape(shortened(text, 160)), direction="auto")
        parts.append(_tag("div", _ROW, where, line))
    parts += [_tag("div", _BELOW, escape(note)) for note in why.notes]
    return _tag("div", _WHOLE, *parts)


def _sources(why: "Explanation") -> str:
    """Return the legend: each source's share in all topics."""
    shares = sum((source_shares(why, k) for k in range(len(why.mixture))), np.zeros(4))
    return " · ".join(
        f"{_tag('span', _SWATCH + background)}{source} {share:.0%}"
        + (f" (α = {why.alpha:.2f})" if source == EMBEDDING else "")
        for background, source, share in zip(
            _backgrounds(_OTHER), SOURCES, shares, strict=True
        )
        if is_shown(why, source)
    )


def _colored_text(why: "Explanation", colors: dict[int, str]) -> str:
    """Return the text, each word tinted by the topic that it adds most to."""
    topics = why.span_contributions.argmax(axis=1)
    strengths = why.span_contributions.max(axis=1)
    strongest = strengths.max(initial=0)
    parts, done = [], 0
    for (start, end), k, strength in zip(why.spans, topics, strengths, strict=True):
        if end > _LONGEST:
            break
        if strength > 0:
            tint = 0.1 + 0.5 * (strength / strongest) ** 2
            style = f"background:rgba({colors.get(k, _OTHER)},{tint:.2f});{_WORD}"
            topic = escape(why.topic_names[k])
            title = f"{topic}: {strength / why.mixture.sum():.1%}"
            word = _tag("span", style, escape(why.text[start:end]), title=title)
            parts += [escape(why.text[done:start]), word]
            done = end
    parts.append(escape(why.text[done:_LONGEST]))
    if len(why.text) > _LONGEST:
        parts.append(f"… and {len(why.text) - _LONGEST:,} more characters")
    return "".join(parts)


def _topic(why: "Explanation", k: int, color: str) -> str:
    """Return a topic's bar, its words, and the sentence that adds most to it."""
    shares = source_shares(why, k)
    bar = [
        _tag("div", f"width:{share:.2%};{background}", title=f"{source}: {share:.1%}")
        for share, background, source in zip(
            shares, _backgrounds(color), SOURCES, strict=True
        )
        if is_shown(why, source)
    ]
    topic = escape(shortened(why.topic_names[k], 40))
    name = _tag("b", "min-width:8.5em", f"{topic} · {shares.sum():.0%}")
    here = largest_words(why.words, why.word_contributions[:, k])
    words = [
        _tag("span", _MUTED, "about "),
        _tag("bdi", "", escape(" ".join(why.topic_words[k][:6]))),
        _tag("span", _MUTED, " · here "),
        _tag("bdi", "", escape(here or "none of its words")),
    ]
    if len(why.added_words):
        added = largest_words(why.added_words, why.added_contributions[:, k])
        words += [_tag("span", _MUTED, " · added "), _tag("bdi", "", escape(added))]
    quote = ""
    if why.sentence_contributions[:, k].any():
        sentence = why.sentences[why.top_sentences[k]]
        quote = _tag(
            "i", "", "“", escape(shortened(sentence, 160)), "”", direction="auto"
        )
    return _tag(
        "div",
        "margin:.55em 0",
        _tag("div", _ROW, name, _tag("div", _BAR, *bar)),
        _tag("div", "", *words),
        quote,
    )


def _backgrounds(color: str) -> list[str]:
    """Return the backgrounds that stand for ``SOURCES``."""
    stripes = f"rgba({color},.75) 0 3px,rgba({color},.3) 3px 6px"
    return [
        f"background:rgb({color})",
        f"background:rgba({color},.55)",
        f"background:repeating-linear-gradient(135deg,{stripes})",
        f"background:rgba({_OTHER},.4)",
    ]


def _tag(
    name: str, style: str, *inside: str, title: str = "", direction: str = ""
) -> str:
    """Return an element.

    With ``direction="auto"``, or as ``bdi``, its first letter decides where it begins.
    """
    given = f' style="{style}"' if style else ""
    given += f' title="{title}"' if title else ""
    given += f' dir="{direction}"' if direction else ""
    return f"<{name}{given}>{''.join(inside)}</{name}>"
