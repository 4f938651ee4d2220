"""More texts like those given, written by a language model."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from itertools import cycle
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import Interval, StrOptions

from llmtopics._checks import as_seed, check_texts, warn_user
from llmtopics._language import LanguageModel, as_llm, usage_since
from llmtopics._language.clean_answer import clean_answer
from llmtopics._language.request import split_template
from llmtopics.augment._class_sizes import check_labels, n_missing
from llmtopics.augment._near_duplicates import KnownTexts

PROMPT = """Each text is followed by another on the same subject.

Text: Man City sign striker on loan for the rest of the season
Another: Goalkeeper to miss cup final after training injury

Text: How do I bake bread without yeast?
Another: Why does my cake sink in the middle of the oven?

Text: {text}
Another:"""


class LLMResampler(BaseEstimator):
    """Add texts that a language model writes on the subjects of those given.

    Fills up small classes, or adds to every text. It changes the number of rows, so it is no
    transformer. It has imbalanced-learn's ``fit_resample`` and works in the Pipelines of that
    library. These resample when they are fitted, and never when they predict.

    Parameters
    ----------
    llm : str or language model, default="smollm2"
        The model that writes: a name for :class:`LocalLLM`, or a value such as
        ``LocalLLM(...)``.

    sampling_strategy : "auto", int, float, dict or None, default="auto"
        How many texts each class of ``y`` shall have, at least: as many as the largest
        ("auto"), this number (int), this share of the largest (float, for any number of
        classes), or a number by class (dict). None makes ``n_per_text`` of every text whatever
        its class, as without ``y``. "auto" and dicts mean the same in imbalanced-learn.

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
        A new text is left out if, of the pairs of neighboring words that it and another
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
        split_template(self._template())
        texts = check_texts(X, "LLMResampler")
        labels = None if y is None else check_labels(y, len(texts))
        seed = as_seed(self.random_state)
        rng = np.random.default_rng(seed)
        if labels is None or self.sampling_strategy is None:
            groups = {row: [row] for row in range(len(texts))}
            wanted = dict.fromkeys(groups, self.n_per_text)
        else:
            groups = defaultdict(list)
            for row, label in enumerate(labels):
                groups[label].append(row)
            wanted = n_missing(self.sampling_strategy, Counter(labels))
            for rows in groups.values():
                rng.shuffle(rows)
        llm = as_llm(self.llm)
        before = llm.usage_
        made, sources = self._written(texts, groups, wanted, llm, seed)
        self.usage_ = usage_since(before, llm)
        self.sample_indices_ = np.array([*range(len(texts)), *sources])
        more = _like(X, [*texts, *made], self.sample_indices_)
        return more if y is None else (more, _safe_indexing(y, self.sample_indices_))

    def _template(self) -> str:
        return PROMPT if self.prompt is None else self.prompt

    def _generate(self, llm: LanguageModel, texts: list[str], seed: int) -> list[Any]:
        """Return a new text for each text, None where a call failed."""
        found = llm.generate(
            texts,
            template=self._template(),
            chat=self.chat,
            stop=() if self.chat else ("\n",),
            max_length=self.max_length,
            max_new_tokens=self.max_new_tokens,
            temperature=self.temperature,
            seed=seed,
            on_error=self.on_error,
            verbose=self.verbose,
        )
        return [new and clean_answer(new, "Another", "Text") for new in found]

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
        examples = self._template().splitlines()
        known = KnownTexts([*texts, *examples])
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
                found = self._generate(
                    llm, [texts[row] for _, row in asked], seed + draw
                )
                for (group, row), new in zip(asked, found, strict=True):
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
