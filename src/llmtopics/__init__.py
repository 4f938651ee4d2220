"""Language models and topic models, joined as scikit-learn estimators.

Public names are looked up on first use, so ``import llmtopics`` stays light.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmtopics import (
        apply,
        augment,
        cache,
        datasets,
        describe,
        embed,
        explanation,
        finetune,
        fusion,
        llm_topics,
        metrics,
        naming,
        plots,
        reading,
        redaction,
        report,
        saving,
        text,
        topics,
    )
    from llmtopics._language import LLMError, LocalLLM, RemoteLLM
    from llmtopics._stored_counts import StoredCounts, store_counts
    from llmtopics._topic_tuning import tune_embedder
    from llmtopics._words import top_words
    from llmtopics.apply import TopicRecommender, TopicSentiment, TopicSummarizer
    from llmtopics.augment import LLMAugmenter, LLMResampler, NextWordCounts
    from llmtopics.describe import AudioTranscriber, ImageDescriber, make_describer
    from llmtopics.embed import (
        PrecomputedEmbeddings,
        RemoteEmbedder,
        TransformerEmbedder,
    )
    from llmtopics.explanation import explain
    from llmtopics.finetune import LanguageModelTuner, TransformerClassifier
    from llmtopics.fusion import FusionTopicModel
    from llmtopics.llm_topics import LLMTopics
    from llmtopics.metrics import suggest_n_components
    from llmtopics.reading import TopicLabeler, TopicMerger, read_topics
    from llmtopics.saving import load, save
    from llmtopics.text import TextAnalyzer
    from llmtopics.topics import (
        EmbeddingTopics,
        GibbsLDA,
        PachinkoAllocation,
        PrivateLDA,
        log_ratios,
        private_vocabulary,
    )

__version__ = "0.1.0"

_HOME = {  # public name -> module that defines it
    "AudioTranscriber": "describe",
    "EmbeddingTopics": "topics",
    "FusionTopicModel": "fusion",
    "GibbsLDA": "topics",
    "ImageDescriber": "describe",
    "LLMAugmenter": "augment",
    "LLMError": "_language",
    "LLMResampler": "augment",
    "LLMTopics": "llm_topics",
    "LanguageModelTuner": "finetune",
    "LocalLLM": "_language",
    "NextWordCounts": "augment",
    "PachinkoAllocation": "topics",
    "PrecomputedEmbeddings": "embed",
    "PrivateLDA": "topics",
    "RemoteEmbedder": "embed",
    "RemoteLLM": "_language",
    "StoredCounts": "_stored_counts",
    "SweepCallback": "_sweep_callback",
    "TextAnalyzer": "text",
    "TopicLabeler": "reading",
    "TopicMerger": "reading",
    "TopicRecommender": "apply",
    "TopicSentiment": "apply",
    "TopicSummarizer": "apply",
    "TransformerClassifier": "finetune",
    "TransformerEmbedder": "embed",
    "explain": "explanation",
    "load": "saving",
    "log_ratios": "topics",
    "make_describer": "describe",
    "private_vocabulary": "topics",
    "read_topics": "reading",
    "save": "saving",
    "store_counts": "_stored_counts",
    "suggest_n_components": "metrics",
    "top_words": "_words",
    "tune_embedder": "_topic_tuning",
}

__all__ = [
    "AudioTranscriber",
    "EmbeddingTopics",
    "FusionTopicModel",
    "GibbsLDA",
    "ImageDescriber",
    "LLMAugmenter",
    "LLMError",
    "LLMResampler",
    "LLMTopics",
    "LanguageModelTuner",
    "LocalLLM",
    "NextWordCounts",
    "PachinkoAllocation",
    "PrecomputedEmbeddings",
    "PrivateLDA",
    "RemoteEmbedder",
    "RemoteLLM",
    "StoredCounts",
    "SweepCallback",
    "TextAnalyzer",
    "TopicLabeler",
    "TopicMerger",
    "TopicRecommender",
    "TopicSentiment",
    "TopicSummarizer",
    "TransformerClassifier",
    "TransformerEmbedder",
    "__version__",
    "apply",
    "augment",
    "cache",
    "datasets",
    "describe",
    "embed",
    "explain",
    "explanation",
    "finetune",
    "fusion",
    "llm_topics",
    "load",
    "log_ratios",
    "make_describer",
    "metrics",
    "naming",
    "plots",
    "private_vocabulary",
    "read_topics",
    "reading",
    "redaction",
    "report",
    "save",
    "saving",
    "store_counts",
    "suggest_n_components",
    "text",
    "top_words",
    "topics",
    "tune_embedder",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
