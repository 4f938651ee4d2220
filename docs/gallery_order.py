"""Order of the examples in the gallery: first steps first, then by task."""

from pathlib import Path

_ORDER = [
    "bbc_news",
    "plot_all_steps",
    "plot_study",
    "plot_how_many_topics",
    "plot_fusion_weight",
    "plot_prior",
    "plot_grid_search",
    "plot_topic_map",
    "plot_merge_and_name",
    "plot_groups_and_time",
    "plot_topics_together",
    "plot_explain",
    "plot_short_texts",
    "plot_zero_shot",
    "plot_classify",
    "plot_summarize",
    "plot_recommend",
    "plot_sentiment",
    "plot_pictures_and_sounds",
    "plot_train_a_language_model",
]


def by_task(file):
    """Return the place of a file. New examples come last."""
    name = Path(file).stem
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER)), name
