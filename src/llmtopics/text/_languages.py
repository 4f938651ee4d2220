"""Names and ISO codes of languages."""

from collections.abc import Collection

# name -> ISO 639-1 code
LANGUAGES = {
    "arabic": "ar",
    "armenian": "hy",
    "basque": "eu",
    "bulgarian": "bg",
    "burmese": "my",
    "catalan": "ca",
    "chinese": "zh",
    "croatian": "hr",
    "czech": "cs",
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "esperanto": "eo",
    "estonian": "et",
    "finnish": "fi",
    "french": "fr",
    "german": "de",
    "greek": "el",
    "hebrew": "he",
    "hindi": "hi",
    "hungarian": "hu",
    "indonesian": "id",
    "irish": "ga",
    "italian": "it",
    "japanese": "ja",
    "khmer": "km",
    "korean": "ko",
    "lao": "lo",
    "latvian": "lv",
    "lithuanian": "lt",
    "nepali": "ne",
    "norwegian": "no",
    "persian": "fa",
    "polish": "pl",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "serbian": "sr",
    "sesotho": "st",
    "slovak": "sk",
    "slovenian": "sl",
    "spanish": "es",
    "swedish": "sv",
    "tamil": "ta",
    "thai": "th",
    "turkish": "tr",
    "ukrainian": "uk",
    "vietnamese": "vi",
    "yiddish": "yi",
}
NAMES = {code: name for name, code in LANGUAGES.items()} | {
    "nb": "norwegian",
    "nn": "norwegian",
}


def language_name(given: object) -> str:
    """Return the name of a language given as a name or an ISO code, in any case.

    Parameters
    ----------
    given : str
        "German", "de", "de-AT" or "de_AT".

    Raises
    ------
    ValueError
        If the language is not known. The message lists all languages.
    """
    if isinstance(given, str):
        name = given.strip().lower()
        if name in LANGUAGES:
            return name
        code = name.replace("_", "-").split("-")[0]
        if code in NAMES:
            return NAMES[code]
    raise ValueError(
        f"language {given!r} is not known. Pass one of {', '.join(LANGUAGES)}, its ISO "
        "639-1 code, or detect_language(texts) of llmtopics.text."
    )


def language_names(given: object) -> tuple[str, ...]:
    """Return the names of one or several languages, each once, in the given order."""
    if not isinstance(given, Collection) or isinstance(given, str):
        return (language_name(given),)
    if not given:
        raise ValueError("language is an empty list. Pass at least one language.")
    return tuple(dict.fromkeys(map(language_name, given)))
