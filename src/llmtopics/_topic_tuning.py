"""``tune_embedder``: tune the embedder of a topic model on the topics that it found."""

import logging
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_array, check_is_fitted

from llmtopics._checks import check_positive, check_texts
from llmtopics._language.encode_settings import read_settings
from llmtopics._language.files import own_prompt
from llmtopics._progress import reporting
from llmtopics.embed import TransformerEmbedder
from llmtopics.embed._encoder import as_embedder
from llmtopics.finetune import LanguageModelTuner
from llmtopics.fusion._co_training import confident_rows

logger = logging.getLogger(__name__)


@config_context(transform_output="default")
def tune_embedder(
    model: Any,
    texts: Sequence[str],
    *,
    n_rounds: int = 1,
    share: float = 0.6,
    tuner: LanguageModelTuner | None = None,
) -> Any:
    """Tune the embedder of a topic model on the topics that the model found.

    The embedder learns vectors that tell the topics apart, and topics are found again with
    the new vectors. No labels are needed. Errors of the topics are learned, too.

    Parameters
    ----------
    model : estimator
        A fitted model of texts with a parameter ``embedder``, such as
        :class:`FusionTopicModel`, or a Pipeline with a step of this name. The embedder is a
        :class:`TransformerEmbedder` with mean pooling, or None, which stands for
        ``TransformerEmbedder()``. The model is not changed.
    texts : sequence of str
        Texts to tune on, such as those in ``fit``. The new model is fitted to all of them.
    n_rounds : int, default=1
        How often the embedder is tuned and topics are found again. Each round continues with
        the embedder and the topics of the round before.
    share : float, default=0.6
        Share of the texts of each topic that the embedder learns from: those with the largest
        proportion of the topic.
    tuner : LanguageModelTuner or None, default=None
        How to train. Its ``model`` and ``revision`` are replaced by those of the embedder. Its
        ``objective`` is "topics" or "contrastive". If it has an ``output_dir``, each round
        uses a folder in it, "round 1" and so on. None is
        ``LanguageModelTuner(objective="topics", adapter=None)``.

    Returns
    -------
    tuned : estimator
        A clone of ``model`` with the tuned embedder, fitted to ``texts``. The path of the
        tuned model is ``tuned.get_params()["embedder"].model``.

    Raises
    ------
    NotFittedError
        If ``model`` is not fitted.
    ValueError
        If ``model`` has no embedder that can be tuned or does not use it (``alpha=0``), if a
        row of ``texts`` is not a text, if there are fewer texts with words than topics, if all
        texts have the same first topic, if a parameter is wrong, or if all texts have nearly
        the same vector after training. Errors of :class:`LanguageModelTuner` are passed on.

    See Also
    --------
    LanguageModelTuner : Trains the embedder. It needs the extra ``finetune``.

    Notes
    -----
    The label of a text is its first topic. Blank texts are left out, and so are topics
    that are no text's first topic.

    If ``model`` and ``tuner`` have a fixed ``random_state``, the result is always the same.
    An interrupted call then continues from the last checkpoint when it is repeated, and a
    finished round is loaded at once.

    References
    ----------
    J. Xie, R. Girshick and A. Farhadi, "Unsupervised deep embedding for clustering
    analysis", ICML 2016 (an encoder that learns from its own confident clusters).

    Examples
    --------
    >>> from llmtopics import FusionTopicModel, LanguageModelTuner, tune_embedder
    >>> texts = [
    ...     "The cat chased a mouse.",
    ...     "A dog barked at the cat.",
    ...     "My puppy sleeps all day.",
    ...     "Banks raised interest rates.",
    ...     "Shares and bonds fell.",
    ...     "Investors sold their stock.",
    ... ]
    >>> model = FusionTopicModel(2, random_state=0).fit(texts)
    >>> tuner = LanguageModelTuner(
    ...     objective="topics", adapter=None, max_steps=2, validation_fraction=0
    ... )
    >>> tuned = tune_embedder(model, texts, share=1, tuner=tuner)
    >>> bool(tuned.labels_[0] != tuned.labels_[3])
    True
    """
    texts = check_texts(texts, "tune_embedder")
    check_positive(n_rounds=n_rounds)
    if not isinstance(share, Real) or not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, got {share!r}.")
    tuner = _checked_tuner(tuner)
    embedder, prompt = _checked_embedder(model, tuner)
    start = _as_it_was_fitted(model)
    with reporting("tune_embedder", tuner.verbose):
        for number in range(1, n_rounds + 1):
            rows, topics = _confident(np.asarray(model.transform(texts)), texts, share)
            place = tuner.output_dir
            trained = clone(tuner).set_params(
                model=embedder.model,
                revision=embedder.revision,
                output_dir=place and Path(place) / f"round {number}",
            )
            logger.info("round %d: tuning on %d texts", number, len(rows))
            trained.fit([prompt + texts[i] for i in rows], topics)
            embedder = clone(embedder).set_params(
                model=trained.model_path_, revision=None
            )
            model = clone(start).set_params(embedder=embedder).fit(texts)
    return model


def _checked_tuner(tuner: Any) -> LanguageModelTuner:
    """Return the tuner, or its default.

    Raises
    ------
    ValueError
        If it is something else, or does not train an embedder on topics.
    """
    if tuner is None:
        return LanguageModelTuner(objective="topics", adapter=None)
    if not isinstance(tuner, LanguageModelTuner):
        raise ValueError(f"tuner must be a LanguageModelTuner or None, got {tuner!r}.")
    for name, allowed in {
        "objective": ("topics", "contrastive"),
        "init": ("pretrained",),
    }.items():
        if (given := getattr(tuner, name)) not in allowed:
            raise ValueError(
                f"tune_embedder trains the model's embedder on topics, and tuner has "
                f"{name}={given!r}: set it to {' or '.join(map(repr, allowed))}."
            )
    return tuner


def _checked_embedder(
    model: Any, tuner: LanguageModelTuner
) -> tuple[TransformerEmbedder, str]:
    """Return the embedder of a fitted model, and what it puts before each text.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    ValueError
        If it has no embedder that can be tuned, or does not use it.
    """
    if hasattr(model, "best_estimator_"):
        raise ValueError(
            "tune_embedder needs one model, got a search: pass its best_estimator_."
        )
    if not isinstance(model, BaseEstimator) or "embedder" not in model.get_params():
        raise ValueError(
            "tune_embedder needs a model with a parameter embedder, such as "
            f"FusionTopicModel, got {model!r}."
        )
    check_is_fitted(model)
    parameters = _as_it_was_fitted(model).get_params()
    if parameters.get("language_topics") is not None:
        raise ValueError(
            "model uses language_topics instead of an embedder: pass a model with an embedder."
        )
    if 0 in (parameters.get("alpha"), getattr(model, "alpha_", None)):
        raise ValueError(
            "model has alpha=0 and uses no embeddings: pass a model with a larger alpha."
        )
    embedder = as_embedder(parameters["embedder"], tuner.verbose)
    if not isinstance(embedder, TransformerEmbedder):
        raise ValueError(
            "tune_embedder trains the weights of a TransformerEmbedder, and the embedder of "
            f"model is a {type(embedder).__name__}: fit the model with a TransformerEmbedder."
        )
    settings = read_settings(
        embedder._find()[0],
        embedder.pooling,
        embedder.normalize,
        embedder.max_length,
        embedder.long_texts,
        "float32",
        own_prompt(embedder.model, embedder.prompt),
    )
    if settings.pooling != "mean":
        raise ValueError(
            f"tune_embedder trains means of tokens, and the embedder has pooling="
            f"{settings.pooling!r}: choose one with mean pooling, such as 'minilm'."
        )
    return embedder, settings.prompt


def _as_it_was_fitted(model: Any) -> Any:
    """Return a model with the parameters of its fit, unfitted if it is one of ours."""
    given = getattr(model, "_as_fitted", None)
    return model if given is None else type(model)(**vars(given))


def _confident(
    mixtures: np.ndarray, texts: list[str], share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the most confident texts of each topic, and their topics.

    Raises
    ------
    ValueError
        If there are fewer texts with words than topics, or all have the same first topic.
    """
    mixtures = check_array(mixtures, ensure_non_negative=True, input_name="model")
    written = np.array([bool(text.strip()) for text in texts])
    n_topics = mixtures.shape[1]
    if written.sum() < n_topics:
        raise ValueError(
            f"{written.sum()} of {len(texts)} texts are not blank, and the model has "
            f"{n_topics} topics: pass more texts, or fit fewer topics."
        )
    rows = confident_rows(mixtures, written, share)
    first = mixtures[rows].argmax(axis=1)
    if len(np.unique(first)) < 2:
        raise ValueError(
            f"All texts have the same first topic, {first[0]}: an embedder that learns from "
            "one topic would give all texts the same vector. Fit a model with more topics."
        )
    return rows, first
