"""``LLMTopics``: zero-shot topics, given by name and scored by a language model."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import chain
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_array
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import as_seed, check_texts, warn_user
from llmtopics._language import LanguageModel, as_llm, model_to_ask, usage_since
from llmtopics._language.request import split_template
from llmtopics._progress import fitting, reporting
from llmtopics._state import as_fitted, restored_on_error
from llmtopics._text_readers import TextReader
from llmtopics.text import TextAnalyzer

__all__ = ["LLMTopics"]

PROMPT = "{text}\n\nThis text belongs in the section called"
_TOPIC = "{topic}"
_RARE = 1e-4  # added to the probabilities of words; below it they hardly differ
# Words are used if their correlation with names, on texts they were not learned from, is at
# least this. It lies between the values of BBC news (0.87), where words help, and of
# StackOverflow titles (0.40), where they do not.
_AGREEMENT = 0.6
_TEXTS_PER_WORD = 3  # in a topic; with fewer, words are learned by chance


def __dir__() -> list[str]:
    return sorted(__all__)


@dataclass(eq=False, repr=False)
class LLMTopics(TextReader, TransformerMixin, BaseEstimator):
    """Zero-shot topics: a language model scores how well topic names fit each text.

    The model reads a text, then "This text belongs in the section called". Topic proportions
    come from the probabilities that each topic's name comes next. ``fit`` also learns words
    that are likely for the same texts as the name. The model generates nothing, so no answer
    has to be parsed: it reads each text once, and every topic gets its share.

    Parameters
    ----------
    topics : sequence, dict or int
        The topics:

        - names: ``["sport", "politics"]``;
        - names, and one or several answers of the model for each:
          ``{"arts": ["culture", "arts", "films"], "sport": "sports"}``. The probability of a
          topic is the mean over its answers;
        - words of topics, as ``top_words`` returns them: each word is an answer, and the first
          three are the topic's name;
        - a number, K: ``fit`` takes K words of the texts as names. It chooses words that the
          model would answer for some texts and not for others.

        Give at least two: shares sum to one, so a single topic would get all of every text.
        To find the texts of one topic, also name what the other texts are about. Names that
        differ only in capitals or spaces are refused. Sets are refused, as they have no order.

    llm : str or language model, default="smollm2"
        A name that :class:`LocalLLM` knows, or a value such as ``LocalLLM(...)``.

    prompt : str
        What the model reads, with ``{text}`` in place of the text. The default is the text, an
        empty line and the sentence above.

    answer : str, default=" {topic}"
        What follows the prompt, with ``{topic}`` in place of a topic's answer.

    max_length : int or None, default=128
        Number of tokens read per text, from its beginning. None reads as many as the model
        can.

    calibrate : {"corpus", None}, default="corpus"
        How to correct for answers that are likely after any text. "corpus" subtracts the mean
        log-probability of each answer over the distinct fitted texts. It assumes that no topic
        makes up most of them. None takes probabilities as they are and learns no words.

    temperature : float, default=0.5
        Temperature of the softmax over topics. Larger values give more even proportions.

    ambiguous_only : fitted estimator or None, default=None
        A cheaper model that goes first. It maps texts to proportions of the same topics in the
        same order, such as a fitted Pipeline of a vectorizer and :class:`GibbsLDA`. The
        language model is asked only about texts where this model is in doubt (and about the
        sample, to calibrate). Other texts keep its proportions. It is neither fitted nor copied
        here: if you fit it again, results change. Clones forget their fit, so pass
        scikit-learn's ``FrozenEstimator(model)`` in searches and in other estimators.

    confidence : float between 0 and 1, default=0.6
        With ``ambiguous_only``: a text is in doubt if its largest topic share is below this.

    n_words : int, default=16
        Number of words that ``fit`` learns per topic beside its name ("football" for sport).
        The model would answer them for the same texts as the name. If all topics were equally
        common in the sample, a topic learns at most one word per three of its texts. None are
        learned if words and names do not agree (see Notes). 0 uses names alone.

    sample_size : int, default=200
        Largest number of distinct texts that ``fit`` asks about, drawn from those given. If
        words are learned, ``fit`` asks three times about each. ``transform`` then finds one of
        the three in the cache.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Draws the sample if there are more than ``sample_size`` distinct texts.

    verbose : bool or int, default=False
        Whether to show progress bars.

    Attributes
    ----------
    topics_ : list of str
        The topics' names. They are also the names of the output's columns.

    answers_ : list of lists of str
        What the model may answer for each topic.

    words_ : list of lists of str
        Words learned for each topic, the closest first. Empty if words and names do not agree.

    offset_ : dict of str to float
        What is subtracted from the log-probability of each answer and word. Zeros without
        calibration.

    saved_ : dict
        How many of the fitted texts the language model would be ``asked`` about, and how many
        would be ``kept`` as ``ambiguous_only`` gives them. Blank texts are in neither.

    llm_ : LanguageModel
        The language model: a copy of ``llm``. Both share their count of calls.

    usage_ : dict
        What the last ``fit`` or ``transform`` asked, counted as by :class:`LocalLLM`.

    See Also
    --------
    FusionTopicModel : Combines these topics with word counts (``language_topics=``).
    EmbeddingTopics : Finds topics in embeddings, without names.

    Notes
    -----
    Let ``s_da`` be the log-probability of answer a after text d, and ``m_a`` its mean over the
    fitted sample. The lift ``s_da - m_a`` says how much *more* likely a is after this text than
    after others. So frequent names gain nothing and long names lose nothing. This is batch
    calibration [1]_ with logarithms. If a topic has several answers, ``exp(s_da - m_a)`` is
    averaged over them, and the logarithm of the mean is the lift.

    The lifts of the topic's learned words are added. The sum is divided by the root of the
    number of its terms, since words say much the same, and by ``temperature``. A softmax over
    topics gives the proportions. 1e-4 is added to the probabilities of words, so that very
    rare words hardly differ.

    ``fit`` learns the words whose log-probabilities over the sample correlate best with the
    topic's share by its name alone. First it tests them: it learns words from each half of the
    sample and compares them with the names on the other half. If the correlation is below 0.6,
    no words are used. They then mean something else than the names, or agree by chance.

    The proportions of a text depend on the text and the fitted sample alone, except for the
    language model's rounding. No text affects the proportions of another. Instructions
    inside a text ("answer sport") can change its own. A blank text has uniform proportions.

    Each answer of several tokens costs a short forward pass per text. An answer of one token,
    as learned words are, costs nothing extra.

    References
    ----------
    .. [1] H. Zhou et al., "Batch calibration: rethinking calibration for in-context learning
       and prompt engineering", ICLR 2024.

    Examples
    --------
    >>> from llmtopics import LLMTopics
    >>> texts = [
    ...     "The striker scored twice and the champions won the match.",
    ...     "Parliament votes on the new law after the election.",
    ... ]
    >>> model = LLMTopics(["sport", "politics"]).fit(texts)
    >>> model.transform(texts).argmax(axis=1)
    array([0, 1])
    >>> list(model.get_feature_names_out())
    ['sport', 'politics']
    """

    topics: Sequence[Any] | Mapping[str, Any] | int
    _: KW_ONLY
    llm: str | LanguageModel = "smollm2"
    prompt: str = PROMPT
    answer: str = " {topic}"
    max_length: int | None = 128
    calibrate: str | None = "corpus"
    temperature: float = 0.5
    ambiguous_only: Any = None
    confidence: float = 0.6
    n_words: int = 16
    sample_size: int = 200
    random_state: Any = None
    verbose: bool | int = False

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "topics_",
        "answers_",
        "words_",
        "offset_",
        "llm_",
        "_as_fitted",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "topics": ["array-like", dict, str, Interval(Integral, 2, None, closed="left")],
        "llm": [str, LanguageModel],
        "prompt": [str],
        "answer": [str],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "calibrate": [StrOptions({"corpus"}), None],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "ambiguous_only": [HasMethods(["fit", "transform"]), None],
        "confidence": [Interval(Real, 0, 1, closed="both")],
        "n_words": [Interval(Integral, 0, None, closed="left")],
        "sample_size": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    @config_context(transform_output="default")
    def fit(self, X, y=None):
        """Choose names if ``topics`` is a number, calibrate the answers, and learn words.

        Parameters
        ----------
        X : sequence of str
            Texts. If ``topics`` gives names and ``calibrate=None``, the model is not called.
        y : None
            Ignored.

        Returns
        -------
        self : LLMTopics
            The fitted estimator.

        Raises
        ------
        ValueError
            If a row is not a text, if topics are blank, repeated or only one, or if K is
            larger than the number of words to choose from. Also if ``ambiguous_only`` is not
            fitted or has another number of topics, and for bad parameters.
        LLMError
            If the language model does not answer or cannot score answers.
        OSError
            If the language model is not on this machine and cannot be downloaded.

        Warns
        -----
        UserWarning
            If all texts are the same, so there is no mean to compare with.
        """
        texts = check_texts(X, "LLMTopics")
        with fitting(self), restored_on_error(self):
            self._as_fitted = as_fitted(self)
            self.llm_ = clone(as_llm(self.llm))
            before = self._asked.usage_
            split_template(self.prompt)
            _check_answer(self.answer)
            seed, given = as_seed(self.random_state), self.topics
            if isinstance(given, Integral):
                given = self._propose(self._sample(texts, seed), int(given))
            answers = _answers(given)
            self.topics_, self.answers_ = list(answers), list(answers.values())
            self.words_ = [[] for _ in self.topics_]
            self.offset_ = dict.fromkeys(chain.from_iterable(self.answers_), 0.0)
            _, doubtful = self._mixtures_before(texts)
            n_asked, n_blank = int(doubtful.sum()), sum(not t.strip() for t in texts)
            self.saved_ = {"asked": n_asked, "kept": len(texts) - n_blank - n_asked}
            may_ask = self.ambiguous_only is None or self.confidence > 0
            sample = self._sample(texts, seed) if self.calibrate and may_ask else []
            if len(sample) > 1:
                self._calibrate(sample)
            elif sample:  # minus its own mean, every answer would be equally likely
                warn_user(
                    "LLMTopics has only one distinct text to calibrate with: probabilities "
                    "are taken as they are, as with calibrate=None. Fit on more texts."
                )
            self.usage_ = usage_since(before, self._asked)
        return self

    @config_context(transform_output="default")
    def transform(self, X):
        """Return the topic proportions of each text.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        mixtures : ndarray of shape (n_texts, n_topics)
            θ. Rows sum to one. Those of blank texts are uniform.

        Raises
        ------
        ValueError
            If a row is not a text.
        LLMError, OSError
            As :meth:`fit`.
        """
        check_is_fitted(self, "offset_")
        texts = check_texts(X, "LLMTopics")
        before = self._asked.usage_
        mixtures, doubtful = self._mixtures_before(texts)
        if doubtful.any():
            asked = [text for text, doubt in zip(texts, doubtful, strict=True) if doubt]
            with reporting("LLMTopics", self.verbose, self):
                logits = self._logits(self._scores(asked))
            mixtures[doubtful] = softmax(logits / self._as_fitted.temperature, axis=1)
        self.usage_ = usage_since(before, self._asked)
        return mixtures

    @property
    def _asked(self) -> LanguageModel:
        return model_to_ask(self.llm_, self.llm)

    def _mixtures_before(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return mixtures without the language model, and a mask of the texts to ask about."""
        K = len(self.topics_)
        written = np.array([bool(text.strip()) for text in texts])
        even = np.full((len(texts), K), 1 / K)
        fitted = self._as_fitted
        if fitted.ambiguous_only is None:
            return even, written
        try:
            found = fitted.ambiguous_only.transform(texts)
        except NotFittedError:
            raise ValueError(
                "ambiguous_only is not fitted: fit it first. If LLMTopics is cloned, pass "
                "ambiguous_only=FrozenEstimator(model), which keeps its fit."
            ) from None
        found = check_array(
            found, dtype=np.float64, input_name="ambiguous_only's mixtures"
        )
        if found.shape != even.shape or (found < 0).any():
            raise ValueError(
                f"ambiguous_only returned shape {found.shape} with minimum "
                f"{found.min():.3g}: pass a model that returns shape {even.shape}, one column "
                "per topic, and no negative values."
            )
        known = written & (found.sum(axis=1) > 0)
        even[known] = found[known] / found[known].sum(axis=1, keepdims=True)
        return even, written & (even.max(axis=1) < fitted.confidence)

    def _scores(self, texts: list[str]) -> np.ndarray:
        """Return the log-probability of each answer and word after each text."""
        fitted = self._as_fitted
        scores = self._asked.score(
            texts,
            [fitted.answer.replace(_TOPIC, answer) for answer in self.offset_],
            template=fitted.prompt,
            max_length=fitted.max_length,
            verbose=self.verbose,
        )
        n_answers = len(set(chain.from_iterable(self.answers_)))  # words follow them
        scores[:, n_answers:] = np.logaddexp(scores[:, n_answers:], np.log(_RARE))
        return scores

    def _logits(self, scores: np.ndarray) -> np.ndarray:
        """Return the lift of each topic in each text, (D, K), from its answers and words."""
        lifts = dict(
            zip(self.offset_, (scores - list(self.offset_.values())).T, strict=True)
        )
        logits = []
        for answers, words in zip(self.answers_, self.words_, strict=True):
            own = logsumexp([lifts[a] for a in answers], axis=0) - np.log(len(answers))
            total = own + sum(lifts[w] for w in words)
            logits.append(total / np.sqrt(1 + len(words)))  # words are correlated
        return np.stack(logits, axis=1)

    def _measure(self, texts: list[str]) -> np.ndarray:
        """Set ``offset_`` to the mean scores over texts; return the logits of the texts."""
        scores = self._scores(texts)
        self.offset_ = dict(
            zip(self.offset_, scores.mean(axis=0).tolist(), strict=True)
        )
        return self._logits(scores)

    def _calibrate(self, texts: list[str]) -> None:
        """Measure the mean score of each answer, and learn words that agree with names."""
        by_name = softmax(self._measure(texts), axis=1)
        n_words = min(self.n_words, len(texts) // (_TEXTS_PER_WORD * len(self.topics_)))
        if not n_words:
            return
        words, logs = self._next_words(texts)
        answers = set(map(str.lower, self.offset_))
        free = np.array([word.lower() not in answers for word in words], bool)
        words, logs = np.array(words, object)[free], logs[:, free]
        if _agreement(logs, by_name, n_words) < _AGREEMENT:
            return
        for k, closest in enumerate(_closest(logs, by_name, n_words)):
            self.words_[k] = words[closest].tolist()
        self.offset_ |= dict.fromkeys(chain.from_iterable(self.words_), 0.0)
        self._measure(texts)

    def _next_words(self, texts: list[str]) -> tuple[list[str], np.ndarray]:
        """Return words of the texts that the model may answer, and their log-probabilities.

        Forms that differ only in capitals are one word. It is returned in its likeliest form.
        """
        found = self._asked.next_word_distribution(
            texts,
            template=self.prompt,
            max_length=self.max_length,
            verbose=self.verbose,
        )
        analyzer = TextAnalyzer()
        whole = {word for text in texts for word in analyzer(text)}  # no half words
        totals: dict[str, dict[str, float]] = {}  # of each word's forms
        for word, chance in chain.from_iterable(row.items() for row in found):
            if word.lower() in whole:
                forms = totals.setdefault(word.lower(), {})
                forms[word] = forms.get(word, 0.0) + chance
        column = {word: i for i, word in enumerate(totals)}
        P = np.full((len(texts), len(column)), _RARE)
        for chances, row in zip(found, P, strict=True):
            for word, chance in chances.items():
                if word.lower() in column:
                    row[column[word.lower()]] += chance
        return [max(forms, key=forms.__getitem__) for forms in totals.values()], np.log(
            P
        )

    def _propose(self, texts: list[str], n: int) -> list[str]:
        """Return n words that the model would answer, each for some of the texts."""
        words, logs = self._next_words(texts)
        if len(words) < n:
            raise ValueError(
                f"topics={n}, and the model proposes only {len(words)} words of "
                f"{len(texts)} texts as names: give more texts, fewer topics, or names."
            )
        return [words[w] for w in _cover(logs - logs.mean(axis=0), n)]

    def _sample(self, texts: list[str], seed: int) -> list[str]:
        """Return at most ``sample_size`` of the distinct nonblank texts, in their order."""
        written = list(dict.fromkeys(text for text in texts if text.strip()))
        if len(written) <= self.sample_size:
            return written
        rng = np.random.default_rng(seed)
        rows = rng.choice(len(written), self.sample_size, replace=False)
        return [written[row] for row in sorted(rows)]

    def get_feature_names_out(self, input_features=None):
        """Return the topics' names.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of shape (n_topics,)
            ``topics_``, as objects of type str.
        """
        check_is_fitted(self, "topics_")
        return np.array(self.topics_, dtype=object)


def _unit(values: np.ndarray) -> np.ndarray:
    """Scale columns to mean 0 and length 1, so that their dot products are correlations."""
    centered = values - values.mean(axis=0)
    return centered / np.maximum(np.linalg.norm(centered, axis=0), 1e-12)


def _closest(logs: np.ndarray, by_name: np.ndarray, n: int) -> list[np.ndarray]:
    """Return at most n words per topic, those that correlate best with it."""
    like = _unit(logs).T @ _unit(by_name)
    order = np.argsort(-like, axis=0, kind="stable")[:n].T
    return [column[like[column, k] > 0] for k, column in enumerate(order)]


def _agreement(logs: np.ndarray, by_name: np.ndarray, n: int) -> float:
    """Return the correlation of words with names, on texts they were not learned from.

    It is the mean over topics and both halves of the texts. The weight of a topic is the
    standard deviation of its share, because a topic that no text has shows nothing.
    """
    rows = np.random.default_rng(0).permutation(len(logs))
    halves = rows[::2], rows[1::2]
    found, weights = [], []
    for learned, others in [halves, halves[::-1]]:
        for k, words in enumerate(_closest(logs[learned], by_name[learned], n)):
            sums = logs[others][:, words].sum(axis=1)
            found.append(_unit(sums) @ _unit(by_name[others, k]))
            weights.append(by_name[others, k].std() + 1e-12)
    return float(np.average(found, weights=weights))


def _cover(lift: np.ndarray, n: int) -> list[int]:
    """Choose n columns greedily, to make the sum of the rows' maxima over them large."""
    best = np.zeros(len(lift))
    chosen: list[int] = []
    for _ in range(n):
        gain = np.maximum(lift - best[:, np.newaxis], 0).sum(axis=0)
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
        best = np.maximum(best, lift[:, chosen[-1]])
    return chosen


def _check_answer(answer: str) -> None:
    rest = answer.replace(_TOPIC, "", 1)
    if rest == answer or "{" in rest or "}" in rest:
        raise ValueError(
            f"answer={answer!r} must have the placeholder {_TOPIC} once and no other braces."
        )


def _check_order(words: Any, name: str) -> None:
    if isinstance(words, set | frozenset):
        raise ValueError(
            f"{name} is a {type(words).__name__}, which has no order of its own: pass a "
            "list."
        )


def _answers(topics: Sequence[Any] | Mapping[str, Any]) -> dict[str, list[str]]:
    """Return a dict from the name of each topic to its answers."""
    if isinstance(topics, str):
        raise ValueError(
            f"topics={topics!r} is one string: pass a list of at least two names, such as "
            f"[{topics!r}, 'another topic']."
        )
    _check_order(topics, "topics")
    found: dict[str, list[str]] = {}
    names: dict[str, str] = {}  # from the name without capitals to the name
    for row, topic in enumerate(topics):
        words = topics[topic] if isinstance(topics, Mapping) else topic
        _check_order(words, f"Topic {row}")
        try:
            answers = [words] if isinstance(words, str) else list(words)
            answers = list(dict.fromkeys(" ".join(one.split()) for one in answers))
            name = topic if isinstance(topic, str) else ", ".join(answers[:3])
            name = " ".join(name.split())
            blank = not answers or not all([name, *answers])
        except (TypeError, AttributeError):
            blank = True
        if blank:
            raise ValueError(
                f"Topic {row} is {topic!r} with answers {words!r}: give it a name and answers "
                "that are texts and not blank."
            )
        if name.casefold() in names:
            same = names[name.casefold()]
            raise ValueError(
                f"topics has {name!r} more than once: give each topic another name."
                if name == same
                else f"topics has {same!r} and {name!r}, which differ in capitals alone: give "
                "each topic another name."
            )
        names[name.casefold()] = name
        found[name] = answers
    if not found:
        raise ValueError("topics is empty: give at least two names.")
    if len(found) == 1:
        raise ValueError(
            f"topics has only the one name {name!r}, which would get all of every text: give "
            f"at least two names, such as [{name!r}, 'other']."
        )
    return found
