"""``RecommendationExplanation``: why an item is recommended to a user."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from llmtopics._checks import pandas_for

_SHOWN = 3  # topics and items in the summary


@dataclass(frozen=True, eq=False, repr=False)
class RecommendationExplanation:
    """The result of ``TopicRecommender.explain``: what adds to a score.

    K is the number of topics. n is the number of items in the user's history.

    Attributes
    ----------
    user, item : object
        Their ids.

    score : float
        The score of the item, as in ``recommend``. It is the sum of ``sources``.

    sources : dict of str to float
        What "topics", "vectors", "words" and "collaborative" add to the score.

    topic_contributions : ndarray of shape (K,)
        What each topic adds to the score. They sum to ``sources["topics"]``.

    item_mixture, user_mixture : ndarrays of shape (K,)
        Topic proportions of the item, and the mean of those of the items that the user
        likes. Both sum to one.

    topic_words : list of K lists of str
        Words that describe each topic.

    topic_names : list of K str
        Name of each topic: that of the model, or else its first words.

    history : list of n ids
        Items that the user liked (or disliked, with a negative weight).

    history_weights : ndarray of shape (n,)
        How much each counts.

    history_contributions : ndarray of shape (n,)
        What each adds to the score. They sum to ``score``, except for collaborative models
        that cannot be divided among items. Then they sum to the score without
        ``sources["collaborative"]``.
    """

    user: Any
    item: Any
    score: float
    sources: dict[str, float]
    topic_contributions: np.ndarray
    item_mixture: np.ndarray
    user_mixture: np.ndarray
    topic_words: list[list[str]]
    topic_names: list[str]
    history: list[Any]
    history_weights: np.ndarray
    history_contributions: np.ndarray

    def to_frame(self, part: str = "topics") -> Any:
        """Return a part as a table, largest contribution first.

        Parameters
        ----------
        part : {"topics", "items", "sources"}, default="topics"
            "topics": topic, name, words, item_share, user_share, contribution. "items": item,
            weight, contribution. "sources": source, contribution.

        Returns
        -------
        frame : pandas.DataFrame
            One row per topic, item of the history, or source.

        Raises
        ------
        ImportError
            If pandas is not installed.
        ValueError
            If there is no such part.
        """
        parts = {
            "topics": {
                "topic": range(len(self.item_mixture)),
                "name": self.topic_names,
                "words": [", ".join(words[:6]) for words in self.topic_words],
                "item_share": self.item_mixture,
                "user_share": self.user_mixture,
                "contribution": self.topic_contributions,
            },
            "items": {
                "item": self.history,
                "weight": self.history_weights,
                "contribution": self.history_contributions,
            },
            "sources": {
                "source": list(self.sources),
                "contribution": list(self.sources.values()),
            },
        }
        if part not in parts:
            raise ValueError(f"part must be one of {sorted(parts)}, got {part!r}.")
        frame = pandas_for("RecommendationExplanation.to_frame").DataFrame(parts[part])
        return frame.sort_values(
            "contribution", ascending=False, kind="stable", ignore_index=True
        )

    def __repr__(self) -> str:
        sums = " + ".join(f"{name} {value:.2f}" for name, value in self.sources.items())
        lines = [
            f"Item {self.item!r} for user {self.user!r}: {self.score:.2f} = {sums}"
        ]
        for k in np.argsort(-self.topic_contributions, kind="stable")[:_SHOWN]:
            lines.append(
                f"  {self.topic_names[k]}: {self.topic_contributions[k]:.2f}, share in the "
                f"item {self.item_mixture[k]:.0%}, in the user's likes "
                f"{self.user_mixture[k]:.0%}"
            )
        for j in np.argsort(-self.history_contributions, kind="stable")[:_SHOWN]:
            lines.append(
                f"  liked {self.history[j]!r}: {self.history_contributions[j]:.2f}"
            )
        return "\n".join(lines)
