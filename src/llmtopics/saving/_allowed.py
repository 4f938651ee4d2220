"""The classes and functions that a saved model may contain, by the names in its file.

Nothing else is ever looked up, so a file cannot name code to run. An object is made without
its constructor and then gets its attributes.
"""

import importlib
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit

# Ours: name in the file -> module that defines it. Names are part of the format. If a class
# moves, change its module here. If it is renamed, keep the old name beside the new one.
OURS = {
    "AudioTranscriber": "describe",
    "Classifier": "fusion._co_training",
    "CoTraining": "fusion._co_training",
    "DaskFusionTopicModel": "dask",
    "DaskGibbsLDA": "dask",
    "EmbeddingTopics": "topics",
    "Features": "apply._recommender_features",
    "FittedModel": "_fitted_model",
    "FusionTopicModel": "fusion",
    "FixedUsers": "apply._recommender_collaborative",
    "GibbsLDA": "topics",
    "ImageDescriber": "describe",
    "ItemSimilarity": "apply._recommender_collaborative",
    "ItemWeights": "apply._recommender_collaborative",
    "LLMAugmenter": "augment",
    "LLMResampler": "augment",
    "LLMTopics": "llm_topics",
    "LanguageModelTuner": "finetune",
    "LeastSquares": "apply._recommender_collaborative",
    "LocalLLM": "_language",
    "NextWordCounts": "augment",
    "PachinkoAllocation": "topics",
    "PrecomputedEmbeddings": "embed",
    "PrivateLDA": "topics",
    "RemoteEmbedder": "embed",
    "RemoteLLM": "_language",
    "Scorer": "apply._recommender_scores",
    "Sphere": "topics._sphere",
    "TextAnalyzer": "text",
    "TopicLabeler": "reading",
    "TopicMerger": "reading",
    "TopicRecommender": "apply",
    "TopicScorer": "metrics._scorers",
    "TopicSentiment": "apply",
    "TopicSummarizer": "apply",
    "Topics": "reading._topics",
    "TrainedBackend": "finetune._trained_embedder",
    "TrainedEmbedder": "finetune._trained_embedder",
    "TransformerClassifier": "finetune",
    "TransformerEmbedder": "embed",
    "WordShares": "augment._word_shares",
    "Words": "reading._words",
}
# scikit-learn's public estimators and splitters, except those whose compiled code reads memory
# wherever their arrays point. Trees and neighbor trees are not in this list of types either.
_SKLEARN = {
    *("calibration", "cluster", "compose", "covariance", "cross_decomposition"),
    *("decomposition", "discriminant_analysis", "dummy", "ensemble"),
    *("feature_extraction", "feature_extraction.text", "feature_selection", "frozen"),
    *("impute", "isotonic", "kernel_approximation", "linear_model", "model_selection"),
    *("multiclass", "multioutput", "naive_bayes", "neighbors", "neural_network"),
    *("pipeline", "preprocessing", "random_projection", "svm"),
}
_UNSAFE = {"NuSVC", "NuSVR", "OneClassSVM", "SVC", "SVR"}
_PARTS = {  # what fitted estimators of scikit-learn hold besides
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.compose._column_transformer.make_column_selector",
    "sklearn.metrics._scorer._MultimetricScorer",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils._bunch.Bunch",
}
LOSSES = {  # compiled objects, made by a call with at most one number
    f"sklearn.linear_model._sgd_fast.{name}": most
    for name, most in [
        *(("EpsilonInsensitive", 1), ("Hinge", 1), ("ModifiedHuber", 0)),
        *(("SquaredEpsilonInsensitive", 1), ("SquaredHinge", 1)),
    ]
} | {
    f"sklearn._loss._loss.{name}": 0
    for name in ("CyHalfBinomialLoss", "CyHalfSquaredError")
}
_FUNCTIONS_OF = ("sklearn.metrics", "sklearn.feature_selection")  # arrays -> numbers
_PLAIN_TYPES = {kind.__name__: kind for kind in (bool, float, int, object, str)}


def class_of(name: str) -> type:
    """Return the class of a name in a file.

    Raises
    ------
    KeyError
        If it is not allowed.
    """
    if name == "SimpleNamespace":
        return SimpleNamespace
    package, _, rest = name.partition(".")
    if package == "llmtopics":
        return getattr(importlib.import_module(f"llmtopics.{OURS[rest]}"), rest)
    module, _, short = name.rpartition(".")
    if name in _PARTS or name in LOSSES:
        return getattr(importlib.import_module(module), short)
    if package == "sklearn" and module[8:] in _SKLEARN and short not in _UNSAFE:
        found = getattr(importlib.import_module(module), short, None)
        allowed = (BaseEstimator, BaseCrossValidator, BaseShuffleSplit)
        if isinstance(found, type) and issubclass(found, allowed) and short[0] != "_":
            return found
    raise KeyError(name)


def name_of(kind: type) -> str | None:
    """Return the name of a class in a file, None if it is not allowed."""
    package, *parts = kind.__module__.split(".")
    names = [f"{kind.__module__}.{kind.__name__}", kind.__name__]
    if package == "llmtopics":
        names.append(f"llmtopics.{kind.__name__}")
    if package == "sklearn":  # the shortest public module that has it
        homes = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
        names += [f"sklearn.{home}.{kind.__name__}" for home in homes]
    for name in names:
        try:
            if class_of(name) is kind:
                return name
        except (AttributeError, ImportError, KeyError):
            continue
    return None


def function_of(name: str) -> Any:
    """Return the function or type of a name in a file; a KeyError if it is not allowed."""
    if name == "numpy.asarray":
        return np.asarray
    if name == "llmtopics.log_ratios":
        return importlib.import_module("llmtopics.topics").log_ratios
    if name in _PLAIN_TYPES:
        return _PLAIN_TYPES[name]
    module, _, short = name.rpartition(".")
    if module == "numpy":
        found = getattr(np, short, None)
        plain = isinstance(found, type) and issubclass(found, np.generic)
        if isinstance(found, np.ufunc) or (plain and found is not np.object_):
            return found
    if module in _FUNCTIONS_OF:
        home = importlib.import_module(module)
        found = getattr(home, short, None)
        if short in home.__all__ and isinstance(found, FunctionType):
            return found
    raise KeyError(name)


def function_name(given: Any) -> str | None:
    """Return the name of a function or type in a file, None if it is not allowed."""
    short = getattr(given, "__name__", "")
    for name in (
        short,
        *(f"{m}.{short}" for m in ("llmtopics", "numpy", *_FUNCTIONS_OF)),
    ):
        try:
            if function_of(name) is given:
                return name
        except KeyError:
            continue
    return None
