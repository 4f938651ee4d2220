"""Recommendation of films: MovieLens ratings, and the overviews of the films.

Appends a JSON line per task to ``results/recommend.jsonl``. Those that the file holds are not
repeated, unless ``--again`` is given. All methods of a task see the same likes and rank the
same films.

warm : the last fifth of the ratings of each user is held out
cold : a fifth of the films is held out with all their ratings, three times
"""

import csv
import io
import itertools
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from benchmarks.corpora import data_file
from benchmarks.runs import peak_mib, run_tasks, task_arguments

PACKAGES = "llmtopics numpy scipy scikit-learn torch transformers implicit"
AT, SHARE, LIKED = 20, 0.2, 4.0
COLD_SEEDS, N_SAMPLES = (10, 11, 12), 2000
ALS_GRID = list(itertools.product((16, 32, 64), (1.0, 10.0, 50.0), (1.0, 5.0, 20.0)))
NEIGHBORS = (20, 50, 100, 200)
TUNED, EASE = "TopicRecommender, ALS as tuned", "TopicRecommender, ease"
REFERENCES = ("tf-idf cosine", "implicit ALS")


class Films(NamedTuple):
    texts: list[str]
    ratings: pd.DataFrame  # user, item (row of texts), rating, time


def films() -> Films:
    """Return the overviews of films with ratings, and the ratings."""
    with zipfile.ZipFile(data_file("movielens/tmdb_5000_movies.csv.zip")) as archive:
        lines = csv.DictReader(
            io.TextIOWrapper(archive.open("tmdb_5000_movies.csv"), "utf-8")
        )
        overviews = {int(line["id"]): line["overview"].strip() for line in lines}
    links = pd.read_csv(data_file("movielens/links.csv")).dropna(subset="tmdbId")
    ratings = pd.read_csv(data_file("movielens/ratings.csv"))
    of_film = {
        film: overviews[int(tmdb)]
        for film, tmdb in zip(links.movieId, links.tmdbId, strict=True)
        if overviews.get(int(tmdb))
    }
    rated = set(ratings.movieId)
    rows = {
        film: row for row, film in enumerate(film for film in of_film if film in rated)
    }
    ratings = ratings[ratings.movieId.isin(rows)]
    table = pd.DataFrame(
        {
            "user": ratings.userId,
            "item": ratings.movieId.map(rows),
            "rating": ratings.rating,
            "time": ratings.timestamp,
        }
    )
    return Films([of_film[film] for film in rows], table.reset_index(drop=True))


class Split(NamedTuple):
    """Ratings to learn from, those to predict, and the films that may be recommended."""

    train: pd.DataFrame
    test: pd.DataFrame
    items: np.ndarray


def last_fifth(ratings: pd.DataFrame) -> Split:
    """Hold out the last fifth of the ratings of each user."""
    ordered = ratings.sort_values(["user", "time", "item"])
    of_user = ordered.groupby("user").user
    place, n = of_user.cumcount(), of_user.transform("size")
    held = place >= np.ceil((1 - SHARE) * n)
    train = ordered[~held]
    return Split(train, ordered[held], np.unique(train.item))


def some_films(ratings: pd.DataFrame, n_items: int, seed: int) -> Split:
    """Hold out a fifth of the films."""
    random = np.random.default_rng(seed)
    items = np.sort(random.permutation(n_items)[: int(SHARE * n_items)])
    held = ratings.item.isin(items)
    return Split(ratings[~held], ratings[held], items)


class Problem:
    """One split: matrices of training, and the evaluation of scores."""

    def __init__(self, texts: list[str], split: Split, users: np.ndarray):
        self.texts, self.split, self.users = texts, split, users
        liked = split.train[split.train.rating >= LIKED]
        self.likes, self.seen = self._matrix(liked), self._matrix(split.train)
        wanted = split.test[split.test.rating >= LIKED]
        wanted = wanted[wanted.item.isin(split.items)]
        self.relevant = wanted.groupby("user").item.apply(set).to_dict()

    def _matrix(self, ratings: pd.DataFrame) -> sp.csr_matrix:
        rows = np.searchsorted(self.users, ratings.user)
        shape = len(self.users), len(self.texts)
        return sp.csr_matrix((np.ones(len(rows)), (rows, ratings.item)), shape=shape)

    def evaluate(self, lists: dict[Any, list[int]]) -> np.ndarray:
        """Return recall and nDCG per user, NaN without a liked film, (n_users, 2)."""
        from llmtopics.metrics import ndcg_at_k, recall_at_k

        ranked = [lists.get(user, []) for user in self.users]
        relevant = [self.relevant.get(user, ()) for user in self.users]
        scores = [measure(ranked, relevant, AT) for measure in (recall_at_k, ndcg_at_k)]
        return np.column_stack(scores)

    def lists(self, scores: np.ndarray) -> dict[Any, list[int]]:
        """Return the best films that a user has not rated."""
        scores = np.where(self.seen.toarray() > 0, -np.inf, scores)[:, self.split.items]
        order = np.argsort(-scores, axis=1, kind="stable")[:, :AT]
        return dict(zip(self.users, self.split.items[order].tolist(), strict=True))


def cosine(problem: Problem, features: Any) -> np.ndarray:
    """Return the cosine of films with the sum over the liked films."""
    features = normalize(features)
    found = normalize(problem.likes @ features) @ features.T
    return found.toarray() if sp.issparse(found) else found


def popularity(problem: Problem) -> np.ndarray:
    counts = np.asarray(problem.likes.sum(axis=0)).ravel()
    return np.tile(counts, (len(problem.users), 1))


def random_order(problem: Problem, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(problem.likes.shape)


def words(texts: list[str]) -> sp.csr_matrix:
    return TfidfVectorizer(stop_words="english", sublinear_tf=True).fit_transform(texts)


def make_als(factors: int, regularization: float, alpha: float) -> Any:
    from implicit.als import AlternatingLeastSquares

    return AlternatingLeastSquares(
        factors=factors,
        regularization=regularization,
        alpha=alpha,
        random_state=0,
        num_threads=1,
    )


def als_scores(problem: Problem, setting: tuple) -> np.ndarray:
    model = make_als(*setting)
    model.fit(problem.likes.astype(np.float32), show_progress=False)
    return model.user_factors @ model.item_factors.T


def knn_scores(problem: Problem, n_neighbors: int) -> np.ndarray:
    from implicit.nearest_neighbours import CosineRecommender

    model = CosineRecommender(K=n_neighbors, num_threads=1)
    model.fit(problem.likes, show_progress=False)
    return (problem.likes @ model.similarity).toarray()


def tuned(
    scores: Callable[[Problem, Any], np.ndarray], grid: Any, validation: Problem
) -> Any:
    """Return the setting with the best nDCG on a validation part of the training data."""

    def value(setting: Any) -> float:
        lists = validation.lists(scores(validation, setting))
        return float(np.nanmean(validation.evaluate(lists)[:, 1]))

    return max(grid, key=value)


def ours(problem: Problem, name: str, **settings: Any) -> tuple[dict, dict]:
    """Return the lists of ``TopicRecommender`` by method, and what was chosen in ``fit``.

    The model reads films with training ratings. The others are added by their texts. "Texts
    alone" is the same model with the weight 0, and "topics, cosine" has its topics.
    """
    from llmtopics import TopicRecommender

    train = problem.split.train
    known = np.unique(train.item)
    new = np.setdiff1d(problem.split.items, known)
    texts = pd.Series(problem.texts)
    model = TopicRecommender(threshold=LIKED, random_state=0, **settings)
    start = perf_counter()
    model.fit(texts[known], train)
    seconds = perf_counter() - start
    if len(new):
        model.add_items(texts[new])
    extra = {"weight": model.weight_, "new_item_weight": model.new_item_weight_}
    extra |= {"seconds": seconds, "topics": model.mixtures_.shape[1]}
    users = [user for user in problem.users if user in set(model.user_ids_)]

    def lists() -> dict:
        found = model.recommend(users, AT, items=problem.split.items)
        return {user: rows.tolist() for user, rows in found.groupby("user").item}

    found = {name: lists()}
    model.weight_ = model.new_item_weight_ = 0.0
    found[f"{name}, texts alone"] = lists()
    topics = np.zeros((len(texts), model.mixtures_.shape[1]))
    topics[model.item_ids_] = np.sqrt(model.mixtures_)
    found["topics, cosine"] = problem.lists(cosine(problem, topics))
    return found, {name: extra}


def interval(values: np.ndarray) -> list[float]:
    """Return the mean over users, and the 95 % interval of a bootstrap over users."""
    values = values[np.isfinite(values)]
    random = np.random.default_rng(0)
    draws = random.integers(len(values), size=(N_SAMPLES, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return [round(float(each), 4) for each in (values.mean(), low, high)]


def summary(by_method: dict[str, np.ndarray], extra: dict[str, dict]) -> dict:
    """Return means, intervals, and differences from the references, paired by user."""
    found = {}
    for method, values in by_method.items():
        line: dict[str, Any] = {
            name: interval(values[:, i]) for i, name in enumerate(("recall", "ndcg"))
        }
        for reference in REFERENCES:
            if reference in by_method and reference != method:
                minus = values[:, 1] - by_method[reference][:, 1]
                line[f"ndcg minus {reference}"] = interval(minus)
        found[method] = line | extra.get(method, {})
    n_users = int(np.isfinite(next(iter(by_method.values()))[:, 0]).sum())
    return {"methods": found, "n_users": n_users, "peak_mib": peak_mib()}


def content_scores(problem: Problem) -> dict[str, np.ndarray]:
    """Return the scores of methods that read texts alone, without learning from users."""
    from llmtopics import TransformerEmbedder

    return {
        "tf-idf cosine": cosine(problem, words(problem.texts)),
        "vectors, cosine": cosine(
            problem, TransformerEmbedder().transform(problem.texts)
        ),
    }


def warm() -> dict:
    texts, ratings = films()
    users = np.unique(ratings.user)
    split = last_fifth(ratings)
    problem = Problem(texts, split, users)
    validation = Problem(texts, last_fifth(split.train), users)
    als = tuned(als_scores, ALS_GRID, validation)
    neighbors = tuned(knn_scores, NEIGHBORS, validation)
    scores = {
        "popularity": popularity(problem),
        **content_scores(problem),
        "implicit item-kNN": knn_scores(problem, neighbors),
        "implicit ALS": als_scores(problem, als),
    }
    lists = {name: problem.lists(each) for name, each in scores.items()}
    found, extra = ours(problem, "TopicRecommender")
    with_tuned, more = ours(problem, TUNED, collaborative=make_als(*als))
    with_ease, of_ease = ours(problem, EASE, collaborative="ease")
    lists |= found | {TUNED: with_tuned[TUNED], EASE: with_ease[EASE]}
    extra |= (
        more
        | of_ease
        | {
            "implicit ALS": {"setting": als},
            "implicit item-kNN": {"K": neighbors},
        }
    )
    return summary({k: problem.evaluate(each) for k, each in lists.items()}, extra)


def cold() -> dict:
    texts, ratings = films()
    users = np.unique(ratings.user)
    by_seed: dict[str, list[np.ndarray]] = {}
    extra: dict[str, dict] = {}
    for seed in COLD_SEEDS:
        problem = Problem(texts, some_films(ratings, len(texts), seed), users)
        scores = {
            "random order": random_order(problem, seed),
            **content_scores(problem),
        }
        lists = {name: problem.lists(each) for name, each in scores.items()}
        found, more = ours(problem, "TopicRecommender")
        for name, each in (lists | found).items():
            by_seed.setdefault(name, []).append(problem.evaluate(each))
        extra.setdefault("TopicRecommender", {})[f"seed {seed}"] = more[
            "TopicRecommender"
        ]
    # a user's mean over the seeds in which a film that they like is held out
    means = {name: np.nanmean(np.stack(each), axis=0) for name, each in by_seed.items()}
    return summary(means, extra)


def tasks() -> Iterator[tuple[str, str, int, partial]]:
    """Yield task, setting, seed and what measures it."""
    for task, work in {"warm": warm, "cold": cold}.items():
        yield task, "all methods", 0, partial(work)


def main() -> None:
    options = task_arguments(__doc__).parse_args()
    run_tasks("recommend", tasks(), PACKAGES, options)


if __name__ == "__main__":
    main()
