"""Detect the language of texts, and texts that are clearly not in a language."""

from collections import Counter
from typing import Any
from unicodedata import name

from llmtopics._checks import check_texts
from llmtopics.text._languages import LANGUAGES, NAMES, language_name
from llmtopics.text._special import special_choices
from llmtopics.text._spelling import clean, lower
from llmtopics.text._stop_words import stop_words
from llmtopics.text._tokens import KnownWords, Rules

_MORE = 2  # more stop words of another language; smaller differences may be chance

_SAMPLE = 500  # texts to look at
_SCRIPTS = {"japanese": {"HIRAGANA", "KATAKANA", "CJK"}}
_KNOWN = KnownWords(Rules(special_choices(None)))


def detect_language(texts: Any) -> str:
    """Return the language of most texts, for ``TextAnalyzer(detect_language(texts))``.

    Parameters
    ----------
    texts : sequence of str
        The corpus. At most 500 texts are read, evenly spread over it.

    Returns
    -------
    language : str
        A language that :class:`~llmtopics.TextAnalyzer` knows, such as "german".

    Raises
    ------
    ValueError
        If ``texts`` are not a sequence of texts, or none has a letter.
    ImportError
        If the extra ``detect`` is missing.

    Notes
    -----
    Each text is classified by py3langid [1]_, among the languages of ``TextAnalyzer``. Texts
    of a few words are often taken for another language. The majority of a corpus is right
    more often than each of its texts. Only the first language of a mixed corpus is returned.
    To see all, count the texts: ``Counter(detect_language([text]) for text in texts)``. Then
    name them: ``TextAnalyzer(["english", "german"])``.

    References
    ----------
    .. [1] M. Lui and T. Baldwin, "langid.py: An off-the-shelf language identification
       tool", ACL system demonstrations, 2012.

    Examples
    --------
    >>> from llmtopics.text import detect_language
    >>> detect_language(["Der Hund schläft im Garten.", "Die Katze trinkt ihre Milch."])
    'german'
    """
    texts = check_texts(texts, "detect_language")
    try:
        from py3langid import rank
    except ImportError as error:
        raise ImportError(
            "detect_language needs py3langid: pip install 'llmtopics[detect]'"
        ) from error
    texts = [text for text in map(clean, texts) if any(map(str.isalpha, text))]
    if not texts:
        raise ValueError(
            "detect_language: no text has a letter. Name the language yourself."
        )
    found = Counter(
        next(NAMES[code] for code, _ in rank(text) if code in NAMES)
        for text in texts[:: -(-len(texts) // _SAMPLE)]
    )
    return found.most_common(1)[0][0]


def words_of(text: str) -> list[str]:
    """Return the words of a text in any language: those between spaces and signs."""
    pieces = lower(clean(text), "").split()
    return [word for piece in pieces for word in _KNOWN[piece] if word is not None]


def is_foreign(text: str, language: str) -> bool:
    """Tell whether a text is clearly not in ``language``.

    It is foreign in two cases. Most of its letters are not in the script of the language. Or
    it has at least two more distinct stop words of another language. A list of keywords has
    no stop words, so only the script decides.

    Parameters
    ----------
    text : str
    language : str
        A language of :class:`TextAnalyzer` that has stop words: its name or code.

    Raises
    ------
    ValueError
        If the language is not known or has no stop words.
    """
    language = language_name(language)
    own = stop_words(language)
    if not own:
        known = ", ".join(each for each in LANGUAGES if stop_words(each))
        raise ValueError(f"language must be None or one of {known}, got {language!r}.")
    script = _script(text)
    if script and script not in _SCRIPTS.get(language, {_script("".join(own))}):
        return True
    words = set(words_of(text))
    most = max(len(words & stop_words(each)) for each in LANGUAGES)
    return most >= len(words & own) + _MORE


def _script(text: str) -> str | None:
    """Return the script of most letters: the first word of their names ("LATIN")."""
    scripts = Counter(name(sign, "?").split()[0] for sign in text if sign.isalpha())
    return max(scripts, key=scripts.__getitem__, default=None)
