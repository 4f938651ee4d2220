"""More texts like those given, written by a language model."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from itertools import cycle, pairwise
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import _safe_indexing, column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions

from llmtopics._checks import as_seed, check_texts, warn_user
from llmtopics._language import LanguageModel, as_llm, used_since
from llmtopics._language._ask import split_template
from llmtopics._language._plain import is_refusal, plain
from llmtopics.text._detect import words_of

PROMPT = """Each text is followed by another on the same subject.

Text: Man City sign striker on loan for the rest of the season
Another: Goalkeeper to miss cup final after training injury

Text: How do I bake bread without yeast?
Another: Why does my cake sink in the middle of the oven?

Text: {text}
Another:"""


class LLMResampler(BaseEstimator):
    """Add texts that a language model writes on the subjects of those given.

    Fills up small classes, or adds to every text. Changes the number of rows, so it is no
    transformer but has imbalanced-learn's ``fit_resample`` and stands in the Pipelines of
    that library, which resample while they are fitted, never while they predict.

    Parameters
    ----------
    llm : str or language model, default="smollm2"
        The model that writes: a name for :class:`LocalLLM`, or a value such as
        ``LocalLLM(...)``.

    sampling_strategy : "auto", int, float, dict or None, default="auto"
        How many texts each class of ``y`` shall have: as many as the largest ("auto"), this
        many at least, this share of the largest, or by class. None makes ``n_per_text`` of
        every text whatever its class, as without ``y``.

    n_per_text : int, default=1
        New texts for each text, where there is no ``y`` or ``sampling_strategy`` is None.

    prompt : str or None, default=None
        A prompt of your own, with the text in the place of ``{text}`` (double braces that
        are to be sent). None shows two examples of a text and another on its subject.

    chat : bool, default=False
        Whether to ask as a chat does; else the model continues the prompt, up to the end of
        a line. Larger models that were tuned to obey, and servers that can only chat, want
        True.

    max_new_tokens : int, default=32
        Tokens of each new text at most: time grows with them.

    temperature : float, default=0.8
        How varied the new texts are.

    max_length : int or None, default=256
        Tokens of each text that are read; None for as many as the model can.

    max_similarity : float, default=0.7
        A new text is left out if, of the pairs of neighbouring words that it and another
        text have, they share this much or more (Jaccard): nearly the same text is there
        already.

    max_rounds : int, default=3
        How often it is asked for what is still missing, with other draws each time.

    on_error : {"raise", "keep"}, default="raise"
        Whether a call that fails stops the work (what was written is in the cache) or is
        counted and asked again.

    random_state : int, RandomState, Generator or None, default=None
        Decides which texts of a class are written about, and what is drawn.

    verbose : bool or int, default=False
        Whether to show progress bars.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_new_texts,)
        For each row that was returned, the row it came from: its own for the first
        ``n_texts``, and that of the text it was made from for new ones.

    report_ : dict
        How many texts were "new", "near_duplicate", "too_short" (no word was written, thinking
        left aside), "refused" (the model says that it cannot) and "failed", and how many are
        "missing" after the last round.

    usage_ : dict
        What the call asked of the language model: ``n_calls``, ``n_cached``,
        ``prompt_tokens``, ``new_tokens``.

    See Also
    --------
    LLMAugmenter : Longer texts, in place of more.

    Notes
    -----
    Resample inside a Pipeline of imbalanced-learn, so that no text in a test fold has a
    relative among the training texts. If you resample before splitting, split by groups:
    ``GroupKFold`` with ``groups=sample_indices_``.

    A Pipeline needs ``y``: without it, texts alone are returned, where a Pipeline expects
    two things.

    New texts carry the class of the text they were made from; nobody checks that they
    belong to it.

    Examples
    --------
    >>> from llmtopics import LLMResampler
    >>> texts = ["Goalkeeper saves two penalties", "Bank raises its rates", "Shares fall"]
    >>> resampler = LLMResampler(max_new_tokens=8, random_state=0)
    >>> more, sections = resampler.fit_resample(texts, ["sport", "money", "money"])
    >>> more[:3] == texts, sections
    (True, ['sport', 'money', 'money', 'sport'])
    >>> resampler.sample_indices_
    array([0, 1, 2, 0])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "llm": [str, LanguageModel],
        "sampling_strategy": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="right"),
            Mapping,
            None,
        ],
        "n_per_text": [Interval(Integral, 1, None, closed="left")],
        "prompt": [str, None],
        "chat": ["boolean"],
        "max_new_tokens": [Interval(Integral, 1, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "max_similarity": [Interval(Real, 0, 1, closed="right")],
        "max_rounds": [Interval(Integral, 1, None, closed="left")],
        "on_error": [StrOptions({"raise", "keep"})],
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        llm: str | LanguageModel = "smollm2",
        *,
        sampling_strategy: str | float | Mapping | None = "auto",
        n_per_text: int = 1,
        prompt: str | None = None,
        chat: bool = False,
        max_new_tokens: int = 32,
        temperature: float = 0.8,
        max_length: int | None = 256,
        max_similarity: float = 0.7,
        max_rounds: int = 3,
        on_error: str = "raise",
        random_state: Any = None,
        verbose: bool | int = False,
    ):
        self.llm = llm
        self.sampling_strategy = sampling_strategy
        self.n_per_text = n_per_text
        self.prompt = prompt
        self.chat = chat
        self.max_new_tokens = max_new_tokens
        self.temperature = temperature
        self.max_length = max_length
        self.max_similarity = max_similarity
        self.max_rounds = max_rounds
        self.on_error = on_error
        self.random_state = random_state
        self.verbose = verbose

    def fit_resample(self, X, y=None):
        """Return the texts and, after them, new ones.

        Parameters
        ----------
        X : sequence of str of length n_texts
            Texts.
        y : array-like of shape (n_texts,) or None, default=None
            Their classes.

        Returns
        -------
        X_resampled : sequence of str of length n_new_texts
            The texts as they are, then the new ones, in a container like that of ``X``
            (array, pandas or polars Series; else a list).
        y_resampled : array-like of shape (n_new_texts,)
            Their classes, in a container like that of ``y``. Only if ``y`` is given.

        Raises
        ------
        ValueError
            For what is not a text (naming its row), classes that are not as many as the
            texts, and bad parameters.
        LLMError
            If the language model does not answer, and ``on_error`` is "raise".
        OSError
            If a local model is not found.

        Warns
        -----
        UserWarning
            If a class, or a text, has fewer new texts than were asked for.
        """
        self._validate_params()
        split_template(PROMPT if self.prompt is None else self.prompt)
        texts = check_texts(X, "LLMResampler")
        labels = None if y is None else _checked_labels(y, len(texts))
        seed = as_seed(self.random_state)
        rng = np.random.default_rng(seed)
        if labels is None or self.sampling_strategy is None:
            groups = {row: [row] for row in range(len(texts))}
            wanted = dict.fromkeys(groups, self.n_per_text)
        else:
            groups = defaultdict(list)
            for row, label in enumerate(labels):
                groups[label].append(row)
            wanted = _missing_of(self.sampling_strategy, Counter(labels))
            for rows in groups.values():
                rng.shuffle(rows)
        llm = as_llm(self.llm)
        before = llm.usage_
        made, sources = self._written(texts, groups, wanted, llm, seed)
        self.usage_ = used_since(before, llm)
        self.sample_indices_ = np.array([*range(len(texts)), *sources])
        more = _like(X, [*texts, *made], self.sample_indices_)
        return more if y is None else (more, _safe_indexing(y, self.sample_indices_))

    def _written(
        self,
        texts: list[str],
        groups: Mapping[Hashable, list[int]],
        wanted: Mapping[Hashable, int],
        llm: LanguageModel,
        seed: int,
    ) -> tuple[list[str], list[int]]:
        """Return new texts and the rows they were made from, group by group."""
        sources = {
            group: cycle([row for row in rows if texts[row].strip()] or [None])
            for group, rows in groups.items()
        }
        missing = {group: n for group, n in wanted.items() if n}
        prompt = PROMPT if self.prompt is None else self.prompt
        known = _Known([*texts, *prompt.splitlines()])  # its examples are not new
        made: list[tuple[Hashable, str, int]] = []
        n_draws: Counter[int] = Counter()  # how often each text was written about
        report = dict.fromkeys(
            ("new", "near_duplicate", "too_short", "refused", "failed"), 0
        )
        for _ in range(self.max_rounds):
            draws = defaultdict(list)
            for group, n in missing.items():
                for _ in range(n):
                    if (row := next(sources[group])) is not None:
                        draws[n_draws[row]].append((group, row))
                        n_draws[row] += 1
            for draw, asked in draws.items():
                found = llm.generate(
                    [texts[row] for _, row in asked],
                    template=prompt,
                    chat=self.chat,
                    stop=() if self.chat else ("\n",),
                    max_length=self.max_length,
                    max_new_tokens=self.max_new_tokens,
                    temperature=self.temperature,
                    seed=seed + draw,
                    on_error=self.on_error,
                    verbose=self.verbose,
                )
                for (group, row), new in zip(asked, found, strict=True):
                    new = new and plain(new, "Another", "Text")
                    outcome = known.outcome_of(new, self.max_similarity)
                    report[outcome] += 1
                    if outcome == "new":
                        known.add(new)
                        made.append((group, new, row))
                        missing[group] -= 1
            missing = {group: n for group, n in missing.items() if n}
            if not missing:
                break
        self.report_ = {**report, "missing": sum(missing.values())}
        if missing:
            warn_user(_shortfall(missing, wanted, self.report_))
        order = {group: i for i, group in enumerate(groups)}
        made.sort(key=lambda one: order[one[0]])
        return [text for _, text, _ in made], [row for *_, row in made]


def _like(X: Any, texts: list[str], rows: np.ndarray) -> Any:
    """Return texts in a container like ``X``, whose rows they were made from."""
    if isinstance(X, np.ndarray):
        return np.array(texts, dtype=type(X.dtype))  # as wide as the longest
    if hasattr(X, "iloc"):
        index, is_category = X.index[rows], hasattr(X, "cat")
        dtype = None if is_category else X.dtype  # new texts are no known categories
        return type(X)(texts, index=index, name=X.name, dtype=dtype)
    if hasattr(X, "__dataframe__") or hasattr(X, "to_arrow"):  # polars
        return type(X)(X.name, texts)
    return texts


class _Known:
    """The texts there are so far, found again by their pairs of neighbouring words."""

    def __init__(self, texts: list[str]):
        self.sizes: list[int] = []
        self.having: dict[Hashable, list[int]] = defaultdict(list)
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        pairs = _pairs(text)
        for pair in pairs:
            self.having[pair].append(len(self.sizes))
        self.sizes.append(len(pairs))

    def outcome_of(self, text: str | None, max_similarity: float) -> str:
        """Return whether a text is new, and if not, why it is left out."""
        if text is None:
            return "failed"
        pairs = _pairs(text)
        if not pairs:
            return "too_short"
        if is_refusal(text):
            return "refused"
        shared = Counter(i for pair in pairs for i in self.having.get(pair, ()))
        alike = (n / (len(pairs) + self.sizes[i] - n) for i, n in shared.items())
        return "near_duplicate" if max(alike, default=0) >= max_similarity else "new"


def _pairs(text: str) -> set[tuple[str, ...]]:
    """Return the pairs of neighbouring words; a single word stands for itself."""
    words = words_of(text)
    return set(pairwise(words)) or {(word,) for word in words}


def _checked_labels(y: Any, n_texts: int) -> list[Hashable]:
    """Return classes as a list, one a text."""
    labels = column_or_1d(y).tolist()
    if len(labels) != n_texts:
        raise ValueError(
            f"y has {len(labels)} classes, but there are {n_texts} texts: one each."
        )
    for row, label in enumerate(labels):
        if label is None or (isinstance(label, float) and np.isnan(label)):
            raise ValueError(f"y has no class in row {row}: it holds {label!r}.")
    return labels


def _missing_of(strategy: Any, sizes: Counter[Hashable]) -> dict[Hashable, int]:
    """Return how many texts each class lacks."""
    if isinstance(strategy, Mapping):
        for label, n in strategy.items():
            if label not in sizes:
                raise ValueError(
                    f"sampling_strategy names the class {label!r}, which y does not "
                    f"have; it has {', '.join(map(repr, sizes))}."
                )
            if not isinstance(n, Integral) or n < sizes[label]:
                raise ValueError(
                    f"sampling_strategy wants {n!r} texts of class {label!r}, which has "
                    f"{sizes[label]}: none are taken away, so give a whole number of at "
                    "least that."
                )
        return {label: n - sizes[label] for label, n in strategy.items()}
    largest = max(sizes.values())
    if strategy == "auto":
        target = largest
    elif isinstance(strategy, Integral):
        target = int(strategy)
    else:
        target = int(np.ceil(strategy * largest))
    return {label: max(target - n, 0) for label, n in sizes.items()}


def _shortfall(
    missing: Mapping[Hashable, int],
    wanted: Mapping[Hashable, int],
    report: Mapping[str, int],
) -> str:
    some = [
        f"{label!r} {wanted[label] - n} of {wanted[label]}"
        for label, n in list(missing.items())[:5]
    ]
    more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
    return (
        f"Too few new texts were written: {', '.join(some)}{more}. "
        f"{report['near_duplicate']} were nearly the same as another, "
        f"{report['too_short']} had no word, {report['refused']} were refused, "
        f"{report['failed']} calls failed; blank texts "
        "are not written about. Raise max_rounds, max_similarity or temperature."
    )
