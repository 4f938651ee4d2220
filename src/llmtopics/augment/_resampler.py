"""Add new texts that a language model writes on the subjects of given texts."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import KW_ONLY, dataclass
from itertools import cycle
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import Interval, StrOptions

from llmtopics._checks import as_seed, check_texts, warn_user
from llmtopics._language import LanguageModel, as_llm, usage_since
from llmtopics._language.clean_answer import clean_answer
from llmtopics._language.request import split_template
from llmtopics._progress import reporting
from llmtopics.augment._class_sizes import check_labels, n_missing
from llmtopics.augment._near_duplicates import KnownTexts

PROMPT = """Each text is followed by another on the same subject.

Text: Man City sign striker on loan for the rest of the season
Another: Goalkeeper to miss cup final after training injury

Text: How do I bake bread without yeast?
Another: Why does my cake sink in the middle of the oven?

Text: {text}
Another:"""


@dataclass(eq=False, repr=False)
class LLMResampler(BaseEstimator):
    """Add new texts that a language model writes on the subjects of given texts.

    Use it to fill up small classes, or to add new texts for each text. It changes the number
    of rows, so it is not a transformer. It has imbalanced-learn's ``fit_resample``, and works
    in imbalanced-learn's Pipelines. These resample in ``fit`` and never in ``predict``.

    Parameters
    ----------
    llm : str or language model, default="smollm2"
        The language model. A name is that of a :class:`LocalLLM`.

    sampling_strategy : "auto", int, float, dict or None, default="auto"
        Least number of texts in each class of ``y``. "auto" is the size of the largest class.
        An int is the number itself. A float is a share of the largest class, for any number
        of classes. A dict has one number per class. "auto" and dicts mean the same in
        imbalanced-learn. None ignores the classes and adds ``n_per_text`` new texts for each
        text, as without ``y``.

    n_per_text : int, default=1
        Number of new texts per text, used without ``y`` or if ``sampling_strategy`` is None.

    prompt : str or None, default=None
        Your own prompt, with ``{text}`` replaced by the text. Write double braces where you
        want to send a brace. None shows two examples: a text, and another on its subject.

    chat : bool, default=False
        Whether to send the prompt as a chat message. Otherwise the model continues the
        prompt, up to the end of a line. Use True for larger instruction-tuned models, and for
        servers without a completions endpoint.

    max_new_tokens : int, default=32
        Maximum number of tokens per new text. Time grows with it.

    temperature : float, default=0.8
        Higher values give more varied texts.

    max_length : int or None, default=256
        Maximum number of tokens that are read per text. None is as many as the model can
        read.

    max_similarity : float, default=0.7
        A new text is left out as a near-duplicate if its similarity to another text is at
        least this. It is the Jaccard similarity of their pairs of neighboring words.

    max_rounds : int, default=3
        How often the model is asked for missing texts. Each round has other draws.

    on_error : {"raise", "keep"}, default="raise"
        "raise" stops at a failed call, and earlier answers stay in the cache. "keep" counts
        the failure and asks again in the next round.

    random_state : int, RandomState, Generator or None, default=None
        Seed for the choice of texts in a class, and for the draws.

    verbose : bool or int, default=False
        Whether to show progress bars.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_new_texts,)
        For each returned row, the row in ``X`` that it comes from. A new text comes from the
        text in its prompt.

    report_ : dict
        Number of answers with each outcome: "new", "near_duplicate", "too_short" (no word
        besides thinking), "refused" (the model says that it cannot answer) and "failed".
        "missing" is the number of texts that are missing after the last round.

    usage_ : dict
        Use of the language model in the call: ``n_calls``, ``n_cached``, ``prompt_tokens``,
        ``new_tokens``.

    See Also
    --------
    LLMAugmenter : Longer texts instead of more texts.

    Notes
    -----
    Resample inside a Pipeline of imbalanced-learn. Otherwise a new text may be in the training
    set while the text it was made from is in the test set. If you resample before you split,
    split by groups: ``GroupKFold`` with ``groups=sample_indices_``.

    A Pipeline needs ``y``. Without ``y`` only the texts are returned, and a Pipeline expects
    two values.

    A new text gets the class of the text it was made from. Its class is not checked.

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

    llm: str | LanguageModel = "smollm2"
    _: KW_ONLY
    sampling_strategy: str | float | Mapping | None = "auto"
    n_per_text: int = 1
    prompt: str | None = None
    chat: bool = False
    max_new_tokens: int = 32
    temperature: float = 0.8
    max_length: int | None = 256
    max_similarity: float = 0.7
    max_rounds: int = 3
    on_error: str = "raise"
    random_state: Any = None
    verbose: bool | int = False

    _fitted_state: ClassVar[tuple[str, ...]] = ()

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
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

    def fit_resample(self, X, y=None):
        """Return the texts, followed by new texts.

        Parameters
        ----------
        X : sequence of str of length n_texts
            Texts.
        y : array-like of shape (n_texts,) or None, default=None
            Their classes.

        Returns
        -------
        X_resampled : sequence of str of length n_new_texts
            The unchanged texts, then the new ones. An array or a pandas or polars Series if
            ``X`` is one, else a list.
        y_resampled : array-like of shape (n_new_texts,)
            Their classes, of the same type as ``y``. Only returned if ``y`` is given.

        Raises
        ------
        ValueError
            If an entry is not a text (the error names its row), ``y`` does not have one class
            per text, or a parameter is wrong.
        LLMError
            If the language model does not answer, and ``on_error`` is "raise".
        OSError
            If a local model is not found.

        Warns
        -----
        UserWarning
            If a class, or a text, gets fewer new texts than asked for.
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
        with reporting("LLMResampler", self.verbose, self):
            made, sources = self._written(texts, groups, wanted, llm, seed)
        self.usage_ = usage_since(before, llm)
        self.sample_indices_ = np.array([*range(len(texts)), *sources])
        more = _like(X, [*texts, *made], self.sample_indices_)
        return more if y is None else (more, _safe_indexing(y, self.sample_indices_))

    def _template(self) -> str:
        return PROMPT if self.prompt is None else self.prompt

    def _generate(self, llm: LanguageModel, texts: list[str], seed: int) -> list[Any]:
        """Return a new text for each text, None for a failed call."""
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
        """Return new texts and the rows that they were made from, group by group."""
        sources = {
            group: cycle([row for row in rows if texts[row].strip()] or [None])
            for group, rows in groups.items()
        }
        missing = {group: n for group, n in wanted.items() if n}
        examples = self._template().splitlines()
        known = KnownTexts([*texts, *examples])
        made: list[tuple[Hashable, str, int]] = []
        n_draws: Counter[int] = Counter()  # calls per text so far
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
    """Return texts in a container of the type of ``X``. They come from its ``rows``."""
    if isinstance(X, np.ndarray):
        return np.array(texts, dtype=type(X.dtype))  # as wide as the longest
    if hasattr(X, "iloc"):
        index, is_category = X.index[rows], hasattr(X, "cat")
        dtype = None if is_category else X.dtype  # new texts are not in the categories
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
        f"{report['near_duplicate']} were near-duplicates of others, "
        f"{report['too_short']} had no word, {report['refused']} were refused, "
        f"{report['failed']} calls failed. There are no new texts for blank texts. Raise "
        "max_rounds, max_similarity or temperature."
    )
