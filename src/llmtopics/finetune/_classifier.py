"""A classifier of texts on a language model, whose weights may be trained, too."""

from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from llmtopics._checks import as_seed, check_texts
from llmtopics._language.classify import Examples, train_encoder
from llmtopics._language.training import Plan, training_dtype
from llmtopics._progress import fitting
from llmtopics._state import as_fitted, restored_on_error
from llmtopics._text_readers import TextReader
from llmtopics.finetune._history import history_table
from llmtopics.finetune._inputs import classes_of
from llmtopics.finetune._trained_embedder import TrainedBackend, TrainedEmbedder

_WHOLE = Interval(Integral, 1, None, closed="left")
_POSITIVE = Interval(Real, 0, None, closed="neither")
_LEARNING_RATES = {"lora": 1e-4, "full": 2e-5}


@dataclass(eq=False, repr=False)
class TransformerClassifier(TextReader, ClassifierMixin, BaseEstimator):
    """Classify texts with a transformer language model and a linear head.

    By default only the head is trained, on vectors that are computed once. With
    ``training="lora"`` or "full" the model is trained, too. This takes many times longer, so
    compare both on texts that were held out.

    Parameters
    ----------
    model : str, default="minilm"
        A short name, the path of a folder with a model, or a hub id, as in
        :class:`TransformerEmbedder`.

    revision : str or None, default=None
        Branch, tag or commit on the hub.

    training : {"head", "lora", "full"}, default="head"
        What is trained: the head alone, on the vectors of :class:`TransformerEmbedder` and
        with its cache ("head"), small matrices beside the model's weights, too ("lora"), or
        all weights ("full"). The last two need the extra ``finetune``.

    C : float, default=10.0
        Inverse strength of the regularization of the head, as in
        :class:`sklearn.linear_model.LogisticRegression`. Its default of 1 is too strong for
        vectors of length one and few texts.

    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, at least 0. "balanced" gives all classes the same total
        weight.

    max_length : int or None, default=None
        Maximum number of tokens. Of longer texts the first tokens are read, and a logged
        warning says how many there were. None is the setting in the model's files.

    batch_size : int, default=16
        Texts per update of the weights. Unused by "head", as are the parameters below up to
        ``patience``.

    n_epochs : float, default=5
        How often the texts are read.

    max_steps : int or None, default=None
        Most updates of the weights.

    max_minutes : float or None, default=None
        Minutes after which training stops. Checks count. The last one comes on top.

    learning_rate : float or "auto", default="auto"
        "auto" is 1e-4 for "lora" and 2e-5 for "full". It falls to zero linearly.

    validation_fraction : float, default=0.1
        Share of the texts that is held out. The weights with the least loss on them are
        kept, be they those before training. Of many or long texts, a check reads about 8,192
        tokens. With 0 the last weights are kept. Each class keeps a text to train on.

    patience : int or None, default=3
        Training stops after so many checks, ten in a run, without a lower held-out loss.
        None never stops.

    device : str, default="auto"
        "cpu", "cuda", "mps", or "auto" for the GPUs or else the processor. Training uses the
        first one.

    dtype : {"auto", "float32", "bfloat16", "float16"}, default="auto"
        Number format of the computations. "auto" is bfloat16 where the processor or GPU
        computes in it natively, float32 elsewhere.

    cache_dir : str, Path, False or None, default=None
        Folder of the vectors, as in :class:`TransformerEmbedder`. False stores none.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    random_state : int, RandomState, Generator or None, default=0
        Seed of batches, dropout and the held-out texts. Unused by "head".

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.

    head_ : LogisticRegression
        The head. It reads vectors.

    history_ : dict of str to ndarray of shape (n_rows,)
        The course of training, as in :class:`LanguageModelTuner`, without ``perplexity``.
        Without rows for "head".

    See Also
    --------
    LanguageModelTuner : Tune a model without labels.
    TransformerEmbedder : Vectors for any other classifier, in a Pipeline.

    Notes
    -----
    "lora" and "full" start with the head that "head" would fit to the texts that are not
    held out. So training cannot first distort vectors to fit a random head. Vectors are the
    means of the tokens' vectors, divided by their lengths. A blank text has the zero vector
    and teaches them nothing.

    Pickles contain the head and what was trained: nothing of the model's weights for "head",
    2.7 MB for "lora" with MiniLM, all weights for "full". "head" and "lora" find the other
    weights by the model's name, and all need its tokenizer. The model must have the weights
    that it had in ``fit``.

    A text whose weight, or that of its class, is zero is left out.

    References
    ----------
    A. Kumar et al., "Fine-tuning can distort pretrained features and underperform
    out-of-distribution", ICLR 2022 (first the head, then all weights).

    E. J. Hu et al., "LoRA: low-rank adaptation of large language models", ICLR 2022.

    Examples
    --------
    >>> from llmtopics import TransformerClassifier
    >>> texts = ["The striker scored.", "The bank raised rates.", "They won the cup.",
    ...     "Shares fell again."]
    >>> classifier = TransformerClassifier().fit(texts, ["sport", "money", "sport", "money"])
    >>> classifier.predict(["The goalkeeper was injured.", "Profits rose."]).tolist()
    ['sport', 'money']
    """

    model: str = "minilm"
    _: KW_ONLY
    revision: str | None = None
    training: str = "head"
    C: float = 10.0
    class_weight: dict[Any, float] | str | None = None
    max_length: int | None = None
    batch_size: int = 16
    n_epochs: float = 5
    max_steps: int | None = None
    max_minutes: float | None = None
    learning_rate: float | str = "auto"
    validation_fraction: float = 0.1
    patience: int | None = 3
    device: str = "auto"
    dtype: str = "auto"
    cache_dir: str | Path | bool | None = None
    verbose: bool | int = False
    random_state: Any = 0

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "classes_",
        "head_",
        "history_",
        "_fingerprint",
        "_trained",
        "_as_fitted",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "model": [str],
        "revision": [str, None],
        "training": [StrOptions({"head", "lora", "full"})],
        "C": [_POSITIVE],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "max_length": [Interval(Integral, 8, None, closed="left"), None],
        "batch_size": [_WHOLE],
        "n_epochs": [_POSITIVE],
        "max_steps": [_WHOLE, None],
        "max_minutes": [_POSITIVE, None],
        "learning_rate": [_POSITIVE, StrOptions({"auto"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "patience": [_WHOLE, None],
        "device": [str],
        "dtype": [StrOptions({"auto", "float32", "bfloat16", "float16"})],
        "cache_dir": [str, Path, Options(bool, {False}), None],
        "verbose": ["verbose"],
        "random_state": ["random_state", np.random.Generator],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Train the classifier.

        Parameters
        ----------
        X : sequence of str
            Texts.
        y : array-like of shape (n_texts,)
            A label of each text: str, int or bool.
        sample_weight : array-like of shape (n_texts,) or None, default=None
            Weights of the texts, at least 0.

        Returns
        -------
        self : TransformerClassifier
            Fitted.

        Raises
        ------
        ValueError
            For what is not a text or label (naming its row), fewer than two classes, texts
            that are all blank, and bad weights or parameters.
        FloatingPointError
            If the loss or a weight becomes NaN or infinite.
        MemoryError
            Before training, if the device has less memory free than is needed.
        OSError
            If the model is not found.
        ImportError
            If "lora" or "full" is asked without the extra ``finetune``.
        """
        texts = check_texts(X, "TransformerClassifier")
        y = classes_of(y, len(texts), "TransformerClassifier")
        weights = _check_sample_weight(
            sample_weight, texts, dtype=np.float64, ensure_non_negative=True
        )
        above = weights > 0
        weights[above] *= _class_weights(self.class_weight, y[above])
        kept = np.flatnonzero(weights)
        texts, y, weights = [texts[i] for i in kept], y[kept], weights[kept]
        if not any(text.strip() for text in texts):
            raise ValueError(
                "TransformerClassifier needs texts with words"
                + (
                    f", and all {len(texts)} are blank."
                    if texts
                    else " and a weight above 0."
                )
            )
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError(
                "TransformerClassifier needs at least two classes, and y has one class, "
                f"{classes.tolist()[0]!r}."
            )
        with fitting(self), restored_on_error(self):
            self._as_fitted, self._trained = as_fitted(self), None
            self._fingerprint = self._fingerprint_now()
            self.history_ = history_table([])
            self.classes_ = classes
            if self.training == "head":
                self.head_ = self._fit_head(texts, y, weights)
            else:
                self._train(texts, y, weights)
        return self

    def _fit_head(self, texts: list[str], y: Any, weights: Any) -> LogisticRegression:
        head = LogisticRegression(C=self.C, max_iter=1000)
        return head.fit(self._vectors(texts), y, sample_weight=weights)

    def _train(self, texts: list[str], y: np.ndarray, weights: np.ndarray) -> None:
        """Fit the head, then train it together with the encoder."""
        seed = as_seed(self.random_state)
        plan = self._plan(seed)
        training_dtype(plan)  # refused before the head is fitted
        classes = np.searchsorted(self.classes_, y)
        written = np.flatnonzero([bool(text.strip()) for text in texts])
        held = written[_held_out(classes[written], self.validation_fraction, seed)]
        rows = np.setdiff1d(np.arange(len(texts)), held)
        head = self._fit_head([texts[i] for i in rows], y[rows], weights[rows])
        coef, intercept = head.coef_, head.intercept_
        if len(self.classes_) == 2:  # of one row: the second class against the first
            coef, intercept = (
                np.array([-each[0], each[0]]) / 2 for each in (coef, intercept)
            )

        def examples(chosen: np.ndarray) -> Examples:
            return Examples(
                [texts[i] for i in chosen], classes[chosen], weights[chosen]
            )

        trained = train_encoder(
            examples(np.intersect1d(rows, written)),
            examples(held),
            coef,
            intercept,
            self._embedder()._settings()[0],
            self.training == "lora",
            plan,
        )
        coef, intercept = trained.coef, trained.intercept
        if len(self.classes_) == 2:
            coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
        head.coef_, head.intercept_ = coef, intercept
        self.head_ = head
        self.history_ = history_table(trained.history)
        self._trained = TrainedBackend(trained.weights, self.training == "lora")
        self._fingerprint = self._fingerprint_now()

    def _plan(self, seed: int) -> Plan:
        rate = self.learning_rate
        return Plan(
            batch_size=int(self.batch_size),
            gradient_accumulation_steps=1,
            gradient_checkpointing=False,
            n_epochs=self.n_epochs,
            max_steps=self.max_steps,
            max_minutes=self.max_minutes,
            learning_rate=_LEARNING_RATES[self.training]
            if rate == "auto"
            else float(rate),
            schedule="linear",
            warmup=0.05,
            eval_steps="auto",
            patience=self.patience,
            seed=seed,
            device=self.device,
            dtype=self.dtype,
        )

    def predict(self, X):
        """Return the most probable class of each text.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        labels : ndarray of shape (n_texts,)
            Of ``classes_``.

        Raises
        ------
        ValueError
            For what is not a text, naming its row.
        OSError
            If the model is not found, or has other weights than in ``fit``.
        """
        return self._asked("predict", X)

    def predict_proba(self, X):
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        probabilities : ndarray of shape (n_texts, n_classes)
            Rows sum to one. Columns are in the order of ``classes_``.

        Raises
        ------
        ValueError, OSError
            As :meth:`predict`.
        """
        return self._asked("predict_proba", X)

    def decision_function(self, X):
        """Return the scores of the classes, whose softmax is ``predict_proba``.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        scores : ndarray of shape (n_texts, n_classes) or (n_texts,)
            One column per class. Of two classes, the log-odds of the second.

        Raises
        ------
        ValueError, OSError
            As :meth:`predict`.
        """
        return self._asked("decision_function", X)

    def _asked(self, method: str, X: Any) -> np.ndarray:
        """Return what a method of the head says of texts."""
        check_is_fitted(self)
        texts = check_texts(X, "TransformerClassifier")
        if self._fingerprint_now() != self._fingerprint:
            raise OSError(
                f"The weights of model {self._as_fitted.model!r} are others than in fit. "
                "Install the model of that time, or fit the classifier again."
            )
        return getattr(self.head_, method)(self._vectors(texts))

    @config_context(transform_output="default")
    def _vectors(self, texts: list[str]) -> np.ndarray:
        return self._embedder().transform(texts).astype(np.float64)

    def _embedder(self) -> TrainedEmbedder:
        """Return what computes vectors now: parameters that change results are of the fit."""
        fitted = self._as_fitted
        embedder = TrainedEmbedder(
            fitted.model,
            revision=fitted.revision,
            max_length=fitted.max_length,
            dtype=fitted.dtype,
            device=self.device,
            cache_dir=self.cache_dir,
            verbose=self.verbose,
        )
        if fitted.training != "head":
            embedder.set_params(pooling="mean", prompt="")
        embedder._trained = self._trained
        return embedder

    def _fingerprint_now(self) -> str:
        folder, backend = self._embedder()._find()
        return backend.fingerprint(folder)


def _class_weights(class_weight: Any, y: np.ndarray) -> np.ndarray:
    """Return the weight of each text's class.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, naming its class.
    """
    given = class_weight if isinstance(class_weight, dict) else {}
    for name, weight in given.items():
        if not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
            raise ValueError(
                f"class_weight has the weight {weight!r} for class {name!r}: set it to a "
                "number of at least 0."
            )
    return compute_sample_weight(class_weight, y)


def _held_out(classes: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return the rows to check on. Each class keeps a row to train on."""
    if not share:
        return np.empty(0, int)
    order = np.random.default_rng(seed).permutation(len(classes))
    _, firsts = np.unique(classes[order], return_index=True)
    return np.sort(np.delete(order, firsts)[: max(1, round(share * len(classes)))])
