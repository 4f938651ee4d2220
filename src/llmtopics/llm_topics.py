"""Topics that have names: a language model says how well each name fits each text."""

from collections.abc import Mapping, Sequence
from itertools import chain
from numbers import Integral, Real
from typing import Any

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
from llmtopics._state import as_fitted, restored_on_error
from llmtopics.text import TextAnalyzer

__all__ = ["LLMTopics"]

PROMPT = "{text}\n\nThis text belongs in the section called"
_TOPIC = "{topic}"
_RARE = 1e-4  # probability under which words are not told apart
# Correlation of words with names on other texts than those they are learned from, below which
# words are left out. Between that of BBC news (0.87), where words help, and that of
# StackOverflow titles (0.40), where they do not.
_AGREEMENT = 0.6
_TEXTS_A_WORD = 3  # of a topic; with fewer, words are learned that are there by chance


def __dir__() -> list[str]:
    return sorted(__all__)


class LLMTopics(TransformerMixin, BaseEstimator):
    """Share each text among topics that have names, by asking a language model.

    The model reads a text and "This text belongs in the section called"; how likely each
    topic's name is to come next, and words that come and go with it, gives the text's mixture.
    Nothing is written that would have to be understood: each text is read once, and every
    topic gets its share.

    Parameters
    ----------
    topics : sequence, dict or int
        What the topics are:

        - names: ``["sport", "politics"]``;
        - names, and what the model may answer for each, one wording or several:
          ``{"arts": ["culture", "arts", "films"], "sport": "sports"}``. A topic is as
          likely as its answers are on average;
        - words of topics, as ``top_words`` returns them: each topic's are its answers, and the
          first three its name;
        - a number, K: ``fit`` takes K of the texts' words as names, those that the model
          would answer for some texts and not for others.

        At least two: a text's shares sum to one, so a single topic would get all of every
        text. To find the texts of one topic, name what the others are about, too. Names must
        differ in more than capitals and spaces. Sets are refused, as they have no order.

    llm : str or language model, default="smollm2"
        A name that :class:`LocalLLM` knows, or a value such as ``LocalLLM(...)``.

    prompt : str
        What the model reads, the text in the place of ``{text}``. By default the text, an
        empty line and the sentence above.

    answer : str, default=" {topic}"
        What follows the prompt, a topic's answer in the place of ``{topic}``.

    max_length : int or None, default=128
        Tokens read of each text, from its beginning. None for as many as the model can read.

    calibrate : {"corpus", None}, default="corpus"
        Names are not equally likely before anything is read. "corpus": each answer's mean
        log-probability over the distinct fitted texts is subtracted, which assumes that no
        topic makes up most of them. None: probabilities are taken as they are, and no words
        are learned.

    temperature : float, default=0.5
        The larger, the flatter mixtures are.

    ambiguous_only : fitted estimator or None, default=None
        Texts to mixtures over the same topics in the same order, such as a fitted Pipeline of a
        vectorizer and :class:`GibbsLDA`: the language model is asked about a text only
        where this is in doubt (and about the sample, to calibrate), and elsewhere its mixture
        is taken. It is neither fitted nor copied here: if you fit it anew, mixtures change.
        Since clones forget their fit, give ``FrozenEstimator(model)`` of scikit-learn in
        searches and in other estimators.

    confidence : float between 0 and 1, default=0.6
        With ``ambiguous_only``: a largest share of a topic below this is doubt.

    n_words : int, default=16
        Words that ``fit`` learns for each topic beside its name ("football" for sport): those
        that the model would answer for the same texts. At most one for every three texts that
        a topic has in the sample, were all equally common. None where words and names do not
        agree (see Notes). 0 for names alone.

    sample_size : int, default=200
        Distinct texts, at most, that ``fit`` asks about, drawn from those given: three times if
        words are learned, of which ``transform`` finds one in the cache.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Draws that sample, where there are more texts.

    verbose : bool or int, default=False
        Whether to show progress bars.

    Attributes
    ----------
    topics_ : list of str
        The topics' names, which are the names of the output's columns too.

    answers_ : list of lists of str
        What the model may answer for each topic.

    words_ : list of lists of str
        Words learned for each topic, the closest first; none if they do not agree with the
        names.

    offset_ : dict of str to float
        Log-probability that is subtracted from each answer's and word's; zeros without
        calibration.

    saved_ : dict
        Of the fitted texts, how many would be ``asked`` about and how many ``kept`` as
        ``ambiguous_only`` has them; blank ones are neither.

    llm_ : LanguageModel
        The language model: a copy of ``llm``, which counts what both are asked.

    usage_ : dict
        What the last ``fit`` or ``transform`` asked, counted as by :class:`LocalLLM`.

    See Also
    --------
    FusionTopicModel : Joins these topics with the texts' words (``language_topics=``).
    EmbeddingTopics : Topics found among vectors, without names.

    Notes
    -----
    With ``s_da`` the log-probability of a after text d, and ``m_a`` its mean over the fitted
    sample, ``s_da - m_a`` is how much *more* likely a is after this text than after others, so
    that neither frequent names win nor long ones lose: batch calibration [1]_, with
    logarithms. For a topic of several answers ``exp(s_da - m_a)`` is averaged over them. To the
    logarithm of that, the lifts of the topic's words are added; the sum is divided by the root of
    their number, since words say much the same, and by ``temperature``, and a softmax over the
    topics makes it the mixture. Words below a probability of 1e-4 are not told apart.
    The learned ones are those whose probability rises and falls, over the sample, with the
    topic's share by its name alone. Before they are used, words are learned from each half of the
    sample and compared with the names on the other half. If the correlation is below 0.6, the
    words speak of something else than the names, or by chance, and none is used.

    A text's mixture depends on the fitted sample and on the text alone, save by the language
    model's rounding: nothing in one text can move another's. What a text says to the model
    ("answer sport") may well move its own. A blank text has an even mixture.

    An answer of several tokens costs a short pass of its own over each text; one of one token,
    as learned words are, costs nothing.

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

    _fitted_state: tuple[str, ...] = (
        "topics_",
        "answers_",
        "words_",
        "offset_",
        "llm_",
        "_as_fitted",
    )

    _parameter_constraints: dict[str, list[Any]] = {
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

    def __init__(
        self,
        topics: Sequence[Any] | Mapping[str, Any] | int,
        *,
        llm: str | LanguageModel = "smollm2",
        prompt: str = PROMPT,
        answer: str = " {topic}",
        max_length: int | None = 128,
        calibrate: str | None = "corpus",
        temperature: float = 0.5,
        ambiguous_only: Any = None,
        confidence: float = 0.6,
        n_words: int = 16,
        sample_size: int = 200,
        random_state: Any = None,
        verbose: bool | int = False,
    ):
        self.topics = topics
        self.llm = llm
        self.prompt = prompt
        self.answer = answer
        self.max_length = max_length
        self.calibrate = calibrate
        self.temperature = temperature
        self.ambiguous_only = ambiguous_only
        self.confidence = confidence
        self.n_words = n_words
        self.sample_size = sample_size
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    @config_context(transform_output="default")
    def fit(self, X, y=None):
        """Choose the topics, if a number was given, and measure how likely each is.

        Parameters
        ----------
        X : sequence of str
            Texts. With names given and ``calibrate=None``, the model is asked nothing.
        y : None
            Ignored.

        Returns
        -------
        self : LLMTopics
            The fitted estimator.

        Raises
        ------
        ValueError
            For what is not a text (naming its row), topics that are blank or twice there, a
            single topic,
            more topics than the texts have words for, an ``ambiguous_only`` that is not
            fitted or has other topics, and bad parameters.
        LLMError
            If the language model does not answer or cannot score answers.
        OSError
            If it is not found here and cannot be downloaded.

        Warns
        -----
        UserWarning
            If all texts are the same, so that there is no average to compare with.
        """
        texts = check_texts(X, "LLMTopics")
        with restored_on_error(self):
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
            elif sample:  # less its own mean, every answer would be as likely
                warn_user(
                    "LLMTopics has only one distinct text to calibrate with: probabilities "
                    "are taken as they are, as with calibrate=None. Fit on more texts."
                )
            self.usage_ = usage_since(before, self._asked)
        return self

    @config_context(transform_output="default")
    def transform(self, X):
        """Return the topic mixture of each text.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        mixtures : ndarray of shape (n_texts, n_topics)
            θ. Rows sum to one; those of blank texts are even.

        Raises
        ------
        ValueError
            For what is not a text (naming its row).
        LLMError, OSError
            As :meth:`fit`.
        """
        check_is_fitted(self, "offset_")
        texts = check_texts(X, "LLMTopics")
        before = self._asked.usage_
        mixtures, doubtful = self._mixtures_before(texts)
        if doubtful.any():
            asked = [text for text, doubt in zip(texts, doubtful, strict=True) if doubt]
            logits = self._logits(self._scores(asked))
            mixtures[doubtful] = softmax(logits / self._as_fitted.temperature, axis=1)
        self.usage_ = usage_since(before, self._asked)
        return mixtures

    @property
    def _asked(self) -> LanguageModel:
        return model_to_ask(self.llm_, self.llm)

    def _mixtures_before(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return mixtures without the language model, and where it is to be asked."""
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
                "ambiguous_only is not fitted: fit it first, and give "
                "FrozenEstimator(model) where LLMTopics is cloned."
            ) from None
        found = check_array(
            found, dtype=np.float64, input_name="ambiguous_only's mixtures"
        )
        if found.shape != even.shape or (found < 0).any():
            raise ValueError(
                f"ambiguous_only gave mixtures of shape {found.shape}, the least of them "
                f"{found.min():.3g}: they must be of shape {even.shape}, one column for each "
                "of the topics, and not below 0."
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
        n_answers = len(set(chain.from_iterable(self.answers_)))  # words come after
        scores[:, n_answers:] = np.logaddexp(scores[:, n_answers:], np.log(_RARE))
        return scores

    def _logits(self, scores: np.ndarray) -> np.ndarray:
        """Return the lift of each topic, its words included, in each text: (D, K)."""
        lifts = dict(
            zip(self.offset_, (scores - list(self.offset_.values())).T, strict=True)
        )
        logits = []
        for answers, words in zip(self.answers_, self.words_, strict=True):
            own = logsumexp([lifts[a] for a in answers], axis=0) - np.log(len(answers))
            total = own + sum(lifts[w] for w in words)
            logits.append(total / np.sqrt(1 + len(words)))  # they say much the same
        return np.stack(logits, axis=1)

    def _measure(self, texts: list[str]) -> np.ndarray:
        """Set what is to be subtracted to the means over texts; return their logits."""
        scores = self._scores(texts)
        self.offset_ = dict(
            zip(self.offset_, scores.mean(axis=0).tolist(), strict=True)
        )
        return self._logits(scores)

    def _calibrate(self, texts: list[str]) -> None:
        """Measure how likely answers are, and learn words that come and go with them."""
        by_name = softmax(self._measure(texts), axis=1)
        n_words = min(self.n_words, len(texts) // (_TEXTS_A_WORD * len(self.topics_)))
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

        A word in small letters and with a capital is one, in the likelier form of the two.
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
        """Return words that the model would answer, each for some of the texts."""
        words, logs = self._next_words(texts)
        if len(words) < n:
            raise ValueError(
                f"topics={n}, but the model has only {len(words)} of the words of "
                f"{len(texts)} texts to propose: give more texts or fewer topics, or names."
            )
        return [words[w] for w in _cover(logs - logs.mean(axis=0), n)]

    def _sample(self, texts: list[str], seed: int) -> list[str]:
        """Return ``sample_size`` of the distinct texts that are not blank, in their order."""
        written = list(dict.fromkeys(text for text in texts if text.strip()))
        if len(written) <= self.sample_size:
            return written
        dice = np.random.default_rng(seed)
        rows = dice.choice(len(written), self.sample_size, replace=False)
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

    def __sklearn_tags__(self):  # noqa: D105
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _unit(values: np.ndarray) -> np.ndarray:
    """Return columns of mean 0 and length 1: their products are correlations."""
    centred = values - values.mean(axis=0)
    return centred / np.maximum(np.linalg.norm(centred, axis=0), 1e-12)


def _closest(logs: np.ndarray, by_name: np.ndarray, n: int) -> list[np.ndarray]:
    """Return the n words per topic, at most, that rise and fall with it most closely."""
    like = _unit(logs).T @ _unit(by_name)
    order = np.argsort(-like, axis=0, kind="stable")[:n].T
    return [column[like[column, k] > 0] for k, column in enumerate(order)]


def _agreement(logs: np.ndarray, by_name: np.ndarray, n: int) -> float:
    """Return the correlation of words with names on texts they were not learned from.

    The mean over topics and both halves of the texts. A topic weighs as much as its share
    varies: of one that none of the texts has, nothing can be said.
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
    """Return columns, each adding most to the sum over rows of the largest among them."""
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
            f"answer={answer!r} must have the placeholder {_TOPIC} once and no other brace."
        )


def _check_order(words: Any, name: str) -> None:
    if isinstance(words, set | frozenset):
        raise ValueError(
            f"{name} is a {type(words).__name__}, which has no order (it changes from one "
            "process to the next): give a list."
        )


def _answers(topics: Sequence[Any] | Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the answers of each topic by its name."""
    if isinstance(topics, str):
        raise ValueError(
            f"topics={topics!r} is one string: pass a list of at least two names, such as "
            f"[{topics!r}, 'another topic']."
        )
    _check_order(topics, "topics")
    found: dict[str, list[str]] = {}
    names: dict[str, str] = {}  # without capitals, to the name itself
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
                f"Topic {row} is {topic!r}, {words!r}: give it a name that is not blank, or "
                "words."
            )
        if name.casefold() in names:
            same = names[name.casefold()]
            raise ValueError(
                f"topics has {name!r} more than once."
                if name == same
                else f"topics has {same!r} and {name!r}, which differ in capitals alone: give "
                "each topic a name of its own."
            )
        names[name.casefold()] = name
        found[name] = answers
    if not found:
        raise ValueError("topics is empty: give at least two names.")
    if len(found) == 1:
        raise ValueError(
            f"topics has the one name {name!r}, which would get all of every text, as shares "
            "sum to one: give at least two names, such as one for all other texts."
        )
    return found
