"""The course of training as a table."""

import numpy as np


def history_table(history: list[dict[str, float]]) -> dict[str, np.ndarray]:
    """Return the course of training by columns, NaN where a row lacks a value."""
    names = [
        "step",
        "loss",
        "held_out_loss",
        "learning_rate",
        "tokens",
        "seconds",
        "memory_mib",
    ]
    table = {
        name: np.array([row.get(name, np.nan) for row in history], float)
        for name in names
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        table["tokens_per_second"] = table["tokens"] / table["seconds"]
    return table
