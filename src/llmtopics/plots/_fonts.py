"""Fonts for labels in any script."""

import sys
import unicodedata
import warnings
from collections.abc import Iterable
from functools import cache, lru_cache

_EMOJI = frozenset(map(chr, [*range(0x2600, 0x27C0), *range(0x1F000, 0x1FB00)]))
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
_SHAPED = {"ARABIC", "HEBREW", "DEVANAGARI", "SYRIAC", "BENGALI", "TAMIL", "KHMER"}


def drawable(labels: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return labels that can be drawn, and the font families that have their characters.

    The first families are those of matplotlib's settings. If they lack characters, installed
    fonts that have them follow. If there are none, emoji are left out, other characters become
    question marks, and a warning names the scripts, once. A label without any character that can
    be drawn is "?".
    """
    from matplotlib import font_manager, rcParams

    given = list(labels)
    wanted = {c for label in given for c in label if not _is_invisible(c)}
    families = list(rcParams["font.family"])
    missing = _without(
        wanted, font_manager.findfont(font_manager.FontProperties(family=families))
    )
    for family, path in _installed(frozenset(missing)):
        rest = _without(missing, path)
        if rest < missing:
            families.append(family)
            missing = rest
    if missing:
        _warn_of_fonts(_scripts(missing))
        given = [_replaced(label, missing) for label in given]
    elif (unshaped := _scripts(wanted) & _SHAPED) and not _shapes():
        _warn_of_shaping(unshaped)
    return given, families


def _replaced(label: str, missing: set[str]) -> str:
    """Return a label without emoji that no font has, and with "?" for other characters."""
    if missing & set(label) & _EMOJI:  # so what joins them has nothing to join
        label = "".join(c for c in label if c not in _JOINERS)
        label = "".join(c for c in label if c not in missing & _EMOJI)
    return "".join("?" if c in missing else c for c in label).strip() or "?"


def length_of(label: str) -> float:
    """Return how many Latin characters wide a label is, about. Chinese ones are wide."""
    return sum(
        0 if unicodedata.combining(c)
        else 1.7 if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in label
    )  # fmt: skip


def _without(characters: set[str], path: str) -> set[str]:
    """Return the characters that a font lacks."""
    from matplotlib.font_manager import get_font

    font = get_font(path)
    return {c for c in characters if not font.get_char_index(ord(c))}


@lru_cache(maxsize=32)
def _installed(characters: frozenset[str]) -> list[tuple[str, str]]:
    """Return installed fonts with some of the characters, those with most first."""
    from matplotlib.font_manager import fontManager

    if not characters:
        return []
    found = []
    for entry in fontManager.ttflist:
        if entry.name.startswith("Last Resort"):  # has a box for every character
            continue
        if entry.style != "normal" or entry.weight not in (400, "normal", "regular"):
            continue
        try:
            n_lacking = len(_without(set(characters), entry.fname))
        except (OSError, RuntimeError):  # a broken file, or deleted
            continue
        if n_lacking < len(characters):
            found.append((n_lacking, "Sans" not in entry.name, entry.name, entry.fname))
    return [(family, path) for *_, family, path in sorted(found)]


def _scripts(characters: Iterable[str]) -> frozenset[str]:
    """Return the scripts of characters, as Unicode names them: "CJK", "THAI"; or "emoji"."""
    return frozenset(
        "emoji" if c in _EMOJI else unicodedata.name(c, "UNKNOWN").split()[0]
        for c in characters
    )


def _is_invisible(c: str) -> bool:
    """Return whether a character is a space, a control, or chooses a form of an emoji."""
    return unicodedata.category(c)[0] in "ZC" or c in "\ufe0e\ufe0f"


def _shapes() -> bool:
    """Return whether matplotlib joins letters, and orders those from right to left."""
    from matplotlib import ft2font

    return hasattr(ft2font, "__libraqm_version__")


@cache  # once for the same scripts
def _warn_of_fonts(scripts: frozenset[str]) -> None:
    _warn(
        f"No installed font has the characters of these scripts: {_listed(scripts)}. They are "
        "left out (emoji) or drawn as question marks. Install a font that has them, such as Noto "
        "(https://fonts.google.com/noto), and start Python again."
    )


@cache
def _warn_of_shaping(scripts: frozenset[str]) -> None:
    _warn(
        f"This version of matplotlib does not join or order letters of these scripts: "
        f"{_listed(scripts)}. Their words are hard to read. Install matplotlib 3.11 or newer."
    )


def _listed(scripts: frozenset[str]) -> str:
    return ", ".join(sorted(scripts))


def _warn(message: str) -> None:
    """Warn on the line of the user that called a plot."""
    level = 1
    while sys._getframe(level).f_globals["__name__"].startswith("llmtopics."):
        level += 1
    warnings.warn(message, UserWarning, stacklevel=level + 1)
