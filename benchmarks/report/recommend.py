"""The section on recommendation."""

from benchmarks.report.markdown import lines_of, table

RECOMMEND = """\
## Recommendation

Films of MovieLens (ml-latest-small) with an overview of the plot: 3,536 films, 610 users, 70,194 ratings.
`TopicRecommender` reads overviews and ratings. A film is *liked* if its rating is at least 4. All methods learn from the
same liked films. Films that a user has rated in the training data are not recommended. `make bench TABLE=recommend`
runs it.

- **Ahead**: new films. `TopicRecommender` is better there than the cosines of tf-idf and of vectors.
- **Not ahead**: films with ratings. There it is as good as implicit's ALS, within chance, with each collaborative side.
  Texts alone are far worse.
- *Recall@20* is the share of the held-out liked films among the first 20. *nDCG@20* also counts their ranks. In
  brackets: 95 % intervals of a bootstrap over users.
- The cosines compare a film with the sum over the films that a user liked. Topics are those of `TopicRecommender`
  (100, or 94 without the held-out films), vectors those of MiniLM.
- The settings of implicit's ALS (27) and item-kNN (4) were chosen on the last fifth of each user's training ratings.
  *ALS as tuned* is `TopicRecommender` with the same ALS, *ease* with `collaborative="ease"`. The weight of both sides was chosen in `fit`.
- The defaults of `TopicRecommender` (number of topics, regularization, ALS) were chosen on the same validation part, and
  for new films on another random fifth of the films. These films overlap with those held out here.
"""
CONTENTS = {
    "warm": (
        "### Films with ratings\n",
        "The last fifth of the ratings of each user is held out. Recommended are films with training ratings.\n",
        "implicit ALS",
    ),
    "cold": (
        "### New films\n",
        (
            "A fifth of the films is held out with all their ratings, and only these are recommended. A user's figures are\n"
            "means over three random fifths. ALS and item-kNN know no new films.\n"
        ),
        "tf-idf cosine",
    ),
}


def interval(values: list[float], digits: int = 3) -> str:
    mean, low, high = (f"{value:.{digits}f}" for value in values)
    return f"{mean} ({low} to {high})"


def section() -> list[str]:
    lines = {line["task"]: line for line in lines_of("recommend")}
    parts = [RECOMMEND] if lines else []
    for task, (head, text, reference) in CONTENTS.items():
        if task not in lines:
            continue
        minus = f"ndcg minus {reference}"
        rows = [
            [
                method,
                interval(found["recall"]),
                interval(found["ndcg"]),
                interval(found[minus], 4) if minus in found else "",
            ]
            for method, found in lines[task]["methods"].items()
        ]
        n_users = lines[task]["n_users"]
        columns = ["method", "recall@20", "nDCG@20", f"nDCG@20 minus {reference}"]
        parts += [head, f"{text}{n_users} users.\n", table(columns, rows)]
    return parts
