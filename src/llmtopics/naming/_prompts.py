"""Prompts that ask for names and descriptions of topics."""

from string import Formatter
from typing import NamedTuple

EXAMPLES = [  # from no corpus that people test with
    (
        "Knead the dough for ten minutes, then let it rise before it goes into the oven.",
        "bread, flour, oven, dough, yeast, bake, butter, crust",
        "Baking bread",
        "How to make dough and bake bread at home.",
    ),
    (
        "Astronomers have seen a galaxy whose light set out before there was an Earth.",
        "galaxy, telescope, stars, planet, astronomers, comet, observatory, light",
        "Astronomy with telescopes",
        "What astronomers observe of stars, planets and distant galaxies.",
    ),
    (
        "Passengers face another week of delays as drivers on the northern line strike.",
        "train, station, railway, passengers, delays, line, tickets, carriages",
        "Railway travel",
        "Trains, their passengers, and the delays that they meet.",
    ),
]
_NAMING = "".join(
    f"Text: {text}\nWords: {words}\nTopic: {name}\n\n"
    for text, words, name, _ in EXAMPLES
)
_DESCRIBING = "".join(
    f"Words: {words}\nTopic: {name}\nAbout: {about}\n\n"
    for _, words, name, about in EXAMPLES
)
SCORING = (  # the topic's words are scored after a name
    "".join(f"Topic: {name}\nWords: {words}\n\n" for _, words, name, _ in EXAMPLES)
    + "Topic: {text}\nWords:"
)
CHAT_INSTRUCTION = (
    "Continue the text: write what follows its last line, and nothing else."
)


def check_prompts(
    prompt: str | None, description_prompt: str | None, has_documents: bool
) -> None:
    """Raise a ValueError for a prompt with wrong placeholders."""
    for name, given, known in [
        ("prompt", prompt, {"words", "documents"}),
        ("description_prompt", description_prompt, {"words", "documents", "name"}),
    ]:
        if given is None:
            continue
        try:
            found = {field for _, field, _, _ in Formatter().parse(given)} - {None}
        except ValueError as error:
            raise ValueError(
                f"{name} has a single brace ({error}). Double it."
            ) from None
        if not found or found - known:
            raise ValueError(
                f"{name} must have at least one of the placeholders "
                f"{', '.join(f'{{{each}}}' for each in sorted(known))} and no other, "
                f"got {sorted(map(str, found)) or 'none'}. Double the braces that you want "
                "to send."
            )
        if "documents" in found and not has_documents:
            raise ValueError(
                f"{name} has the placeholder {{documents}}, and there are no documents. Pass "
                "mixtures and texts to fit."
            )


class TopicPrompts(NamedTuple):
    """The prompts for each topic.

    words : list of K str
        Words of a topic, in one line. "" for a topic without words, which is not asked for.
    documents : list of lists of str
        Beginnings of representative documents.
    prompt, description_prompt : str or None
        The user's.
    describe : bool
        Whether to ask for descriptions.
    """

    words: list[str]
    documents: list[list[str]]
    prompt: str | None
    description_prompt: str | None
    describe: bool

    def naming(self) -> list[list[str]]:
        """Return the prompts for names.

        These are the user's, or one with the words alone and one per document.
        """
        return [
            self._naming(words, some) if words else []
            for words, some in zip(self.words, self.documents, strict=True)
        ]

    def _naming(self, words: str, documents: list[str]) -> list[str]:
        if self.prompt is not None:
            return [self.prompt.format(words=words, documents="\n".join(documents))]
        asked = [
            f"Words: {words}",
            *(f"Text: {text}\nWords: {words}" for text in documents),
        ]
        return [f"{_NAMING}{each}\nTopic:" for each in asked]

    def describing(self, names: list[str]) -> list[list[str]]:
        """Return the prompts for descriptions, if these are asked for."""
        found = zip(self.words, self.documents, names, strict=True)
        return [
            [self._describing(*each)] if self.describe and each[0] else []
            for each in found
        ]

    def _describing(self, words: str, documents: list[str], name: str) -> str:
        if self.description_prompt is None:
            # without documents: the model would repeat their details
            return f"{_DESCRIBING}Words: {words}\nTopic: {name}\nAbout:"
        return self.description_prompt.format(
            words=words, documents="\n".join(documents), name=name
        )
