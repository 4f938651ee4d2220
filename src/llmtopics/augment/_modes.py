"""The prompt of each mode of ``LLMAugmenter``."""

from typing import NamedTuple


class Mode(NamedTuple):
    """A kind of answer: its label and its prompt."""

    label: str
    prompt: str
    chat: bool = False


_EXAMPLES = (
    "Man City sign striker on loan for the rest of the season",
    "How do I bake bread without yeast?",
)


def _by_examples(label: str, what: str, *written: str) -> Mode:
    """Return a mode with a prompt of two example texts and their answers, then the text.

    Small models follow examples better than instructions. The examples are computed once for
    all texts.
    """
    shown = "".join(
        f"Text: {text}\n{label}: {one}\n\n"
        for text, one in zip(_EXAMPLES, written, strict=True)
    )
    return Mode(
        label, f"Each text is followed by {what}.\n\n{shown}Text: {{text}}\n{label}:"
    )


MODES = {
    "keywords": _by_examples(
        "Keywords",
        "keywords that name its subject and what belongs to it",
        "football, transfer, club, striker, player, team",
        "baking, recipe, flour, dough, kitchen, cooking",
    ),
    "paraphrase": _by_examples(
        "In other words",
        "the same in other words",
        "The football club has borrowed a forward from another team until summer.",
        "Is there a way of making a loaf with no raising agent?",
    ),
    # for long texts, an instruction works better than short examples, even in small models
    "summary": Mode(
        "Summary",
        "Write a summary of this text in one sentence.\n\n{text}",
        chat=True,
    ),
    "continuation": _by_examples(
        "Next",
        "what could come next",
        "The forward, who scored nine goals last year, will join the team on Monday.",
        "I have flour, water and baking powder, but all the shops are out of yeast.",
    ),
    "description": _by_examples(
        "Description",
        "a description of its subject",
        "News about football: a club takes a player from another team for a time.",
        "A question about cooking: bread recipes, dough and raising agents.",
    ),
}
