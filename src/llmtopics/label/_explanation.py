"""What ``explain`` returns, and how it looks."""

from dataclasses import dataclass
from html import escape

import numpy as np

from llmtopics._language.request import without_surrogates

# Tints under text of any colour: legible on white and on black.
_COLOURS = (
    "66,133,244",
    "240,128,20",
    "46,170,80",
    "168,92,224",
    "230,60,90",
    "0,165,175",
)
_OTHER = "140,140,140"
_LONGEST = 20_000  # characters of the text that a notebook shows
_KINDS = ("words", "added words", "language model", "prior")
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
_LINE = "white-space:nowrap;overflow:hidden;text-overflow:ellipsis"
_MUTED = "opacity:.65;font-size:13px"
_BELOW = f"{_MUTED};margin-top:.8em"


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Why a text has its topics; ``explain`` makes it.

    K is the number of topics, n of distinct words of the vocabulary in the text.

    Attributes
    ----------
    text : str
        The text, as the vectorizer read it.

    mixture : ndarray of shape (K,)
        θ, the sum of all parts.

    alpha : float
        Weight that the language side has in this text.

    words, counts : ndarrays of shape (n,)
        Words of the vocabulary that the text has, and what the vectorizer gives them.

    word_contributions : ndarray of shape (n, K)
        What each word adds to each topic.

    added_words : ndarray of shape (n_added,)
        Words that a language model added (:class:`NextWordCounts`).

    added_contributions : ndarray of shape (n_added, K)
        What each of them adds to each topic.

    language_contribution, prior_contribution : ndarrays of shape (K,)
        What the language side, and the prior, add to each topic.

    sentences : tuple of str
        The text's sentences.

    sentence_contributions : ndarray of shape (n_sentences, K)
        What each sentence carries of each topic. Columns sum to ``mixture`` without
        ``prior_contribution``.

    top_sentences : ndarray of shape (K,)
        Which sentence carries most of each topic.

    spans : ndarray of shape (n_spans, 2)
        Start and end, in ``text``, of what was found to be a word of the vocabulary;
        n-grams and words that depend on those around them are not.

    span_contributions : ndarray of shape (n_spans, K)
        What each of these adds to each topic.

    topic_words : list of K lists of str
        Words that say what each topic is.

    neighbors, neighbor_distances : ndarrays of shape (n_neighbors,)
        Rows of the nearest texts, nearest first, and how far they are.

    neighbor_texts : tuple of str
        These texts.

    neighbors_by : "embedding", "mixtures" or None
        What was compared: vectors, by cosine distance, or mixtures, by Hellinger's.

    notes : tuple of str
        What was divided by convention.
    """

    text: str
    mixture: np.ndarray
    alpha: float
    words: np.ndarray
    counts: np.ndarray
    word_contributions: np.ndarray
    added_words: np.ndarray
    added_contributions: np.ndarray
    language_contribution: np.ndarray
    prior_contribution: np.ndarray
    sentences: tuple[str, ...]
    sentence_contributions: np.ndarray
    top_sentences: np.ndarray
    spans: np.ndarray
    span_contributions: np.ndarray
    topic_words: list[list[str]]
    neighbors: np.ndarray
    neighbor_distances: np.ndarray
    neighbor_texts: tuple[str, ...]
    neighbors_by: str | None
    notes: tuple[str, ...]

    def _main_topics(self) -> list[int]:
        """Return the topics worth showing, the largest first."""
        order = np.argsort(-self.mixture, kind="stable")[: len(_COLOURS)]
        least = 0.05 * self.mixture.sum()
        return [int(order[0]), *(int(k) for k in order[1:] if self.mixture[k] > least)]

    def _parts(self, k: int) -> np.ndarray:
        """Return what ``_KINDS`` add to a topic, as shares of the whole."""
        parts = [
            self.word_contributions[:, k].sum(),
            self.added_contributions[:, k].sum(),
            self.language_contribution[k],
            self.prior_contribution[k],
        ]
        return np.array(parts) / (self.mixture.sum() or 1)

    def _shown(self) -> list[int]:
        """Return which of ``_KINDS`` there are: added words where any were."""
        return [i for i in range(len(_KINDS)) if i != 1 or len(self.added_words)]

    def _kinds(self) -> list[str]:
        return [_KINDS[i] for i in self._shown()]

    def _words_for(self, k: int, n: int = 6) -> list[str]:
        """Return the text's words that add most to a topic."""
        return _largest(self.words, self.word_contributions[:, k], n)

    def __repr__(self) -> str:
        name, n = _shortened(self.text, 60), len(self.words)
        lines = [f"Topics of {name!r}: {n} words, language weight {self.alpha:.2f}"]
        for k in self._main_topics():
            parts = self._parts(k)
            sums = " + ".join(
                f"{kind} {part:.0%}"
                for kind, part in zip(self._kinds(), parts[self._shown()], strict=True)
            )
            lines.append(
                f"  topic {k}: {parts.sum():.0%} = {sums}; "
                f"{' '.join(self._words_for(k)) or 'no words'}"
            )
        if self.neighbors_by:
            nearest = ", ".join(
                f"{i} ({d:.2f})"
                for i, d in zip(self.neighbors, self.neighbor_distances, strict=True)
            )
            lines.append(f"  nearest texts by {self.neighbors_by}: {nearest}")
        return without_surrogates("\n".join(lines))

    def _repr_html_(self) -> str:
        main = self._main_topics()
        colours = dict(zip(main, _COLOURS, strict=False))
        shares = sum((self._parts(k) for k in range(len(self.mixture))), np.zeros(4))
        origins = [
            f"{_tag('span', _SWATCH + paint)}{kind} {share:.0%}"
            + (f" (α = {self.alpha:.2f})" if kind == _KINDS[2] else "")
            for paint, kind, share in zip(_paints(_OTHER), _KINDS, shares, strict=True)
            if kind in self._kinds()
        ]
        parts = [
            _tag("div", _MUTED, "Where the topics come from: ", " · ".join(origins)),
            _tag("div", _TEXT, self._coloured(colours)),
            *(self._topic_html(k, colours[k]) for k in main),
        ]
        if self.neighbors_by:
            parts.append(_tag("div", _BELOW, f"Nearest texts by {self.neighbors_by}"))
        for i, distance, text in zip(
            self.neighbors, self.neighbor_distances, self.neighbor_texts, strict=True
        ):
            where = _tag("span", _MUTED, f"row {i}, distance {distance:.2f} ")
            parts.append(_tag("div", _LINE, where, escape(_shortened(text, 160))))
        parts += [_tag("div", _BELOW, escape(note)) for note in self.notes]
        return without_surrogates(_tag("div", _WHOLE, *parts))

    def _coloured(self, colours: dict[int, str]) -> str:
        """Return the text, each word tinted by the topic that it adds most to."""
        topics = self.span_contributions.argmax(axis=1)
        strengths = self.span_contributions.max(axis=1)
        strongest = strengths.max(initial=0)
        parts, done = [], 0
        for (start, end), k, strength in zip(
            self.spans, topics, strengths, strict=True
        ):
            if end > _LONGEST:
                break
            if strength > 0:
                tint = 0.1 + 0.5 * (strength / strongest) ** 2
                style = f"background:rgba({colours.get(k, _OTHER)},{tint:.2f});{_WORD}"
                title = f"topic {k}: {strength / self.mixture.sum():.1%}"
                word = _tag("span", style, escape(self.text[start:end]), title=title)
                parts += [escape(self.text[done:start]), word]
                done = end
        parts.append(escape(self.text[done:_LONGEST]))
        if len(self.text) > _LONGEST:
            parts.append(f"… and {len(self.text) - _LONGEST:,} more characters")
        return "".join(parts)

    def _topic_html(self, k: int, colour: str) -> str:
        """Return a topic's bar, its words, and the sentence that carries most of it."""
        shares = self._parts(k)
        bar = [
            _tag("div", f"width:{share:.2%};{paint}", title=f"{kind}: {share:.1%}")
            for share, paint, kind in zip(shares, _paints(colour), _KINDS, strict=True)
            if kind in self._kinds()
        ]
        name = _tag("b", "min-width:8.5em", f"Topic {k} · {shares.sum():.0%}")
        here = " ".join(self._words_for(k)) or "none of its words"
        words = [
            _tag("span", _MUTED, "about "),
            escape(" ".join(self.topic_words[k][:6])),
            _tag("span", _MUTED, " · here "),
            escape(here),
        ]
        if len(self.added_words):
            said = " ".join(
                _largest(self.added_words, self.added_contributions[:, k], 6)
            )
            words += [_tag("span", _MUTED, " · added "), escape(said)]
        quote = ""
        if self.sentence_contributions[:, k].any():
            sentence = self.sentences[self.top_sentences[k]]
            quote = _tag("i", "", "“", escape(_shortened(sentence, 160)), "”")
        return _tag(
            "div",
            "margin:.55em 0",
            _tag("div", _ROW, name, _tag("div", _BAR, *bar)),
            _tag("div", "", *words),
            quote,
        )


def _largest(words: np.ndarray, weights: np.ndarray, n: int) -> list[str]:
    """Return the words of the largest weights above 0."""
    order = np.argsort(-weights, kind="stable")[:n]
    return [str(words[w]) for w in order if weights[w] > 0]


def _paints(colour: str) -> list[str]:
    """Return the backgrounds that stand for ``_KINDS``."""
    stripes = f"rgba({colour},.75) 0 3px,rgba({colour},.3) 3px 6px"
    return [
        f"background:rgb({colour})",
        f"background:rgba({colour},.55)",
        f"background:repeating-linear-gradient(135deg,{stripes})",
        f"background:rgba({_OTHER},.4)",
    ]


def _tag(name: str, style: str, *inside: str, title: str = "") -> str:
    given = f' title="{title}"' if title else ""
    return f'<{name} style="{style}"{given}>{"".join(inside)}</{name}>'


def _shortened(text: str, length: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[: length - 1]}…"
