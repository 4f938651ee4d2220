"""Checkpoints of a training run: which of them are whole, and the one to continue from."""

import json
import logging
from pathlib import Path
from shutil import rmtree

logger = logging.getLogger(__name__)

# written last into a checkpoint: the size of each of its files
_WHOLE = "complete.json"


def checkpoint_of(folder: Path, step: int) -> Path:
    """Return the folder of the checkpoint of a step."""
    return folder / f"checkpoint-{step}"


def mark_whole(checkpoint: Path) -> None:
    """Write the sizes of a checkpoint's files into it."""
    sizes = {path.name: path.stat().st_size for path in checkpoint.iterdir()}
    (checkpoint / _WHOLE).write_text(json.dumps(sizes), "utf-8")


def last_whole_checkpoint(folder: Path) -> Path | None:
    """Return the last checkpoint that is whole, and so is the best one before it.

    Others are deleted.
    """
    by_step = sorted(
        folder.glob("checkpoint-*"), key=lambda path: -int(path.name.split("-")[1])
    )
    for checkpoint in by_step:
        if _is_whole(checkpoint):
            state = json.loads((checkpoint / "trainer_state.json").read_text("utf-8"))
            best = state["best_global_step"]
            if best is None or _is_whole(checkpoint_of(folder, best)):
                return checkpoint
        logger.warning("%s is not whole, or its best is not: deleted", checkpoint)
        rmtree(checkpoint, ignore_errors=True)
    return None


def _is_whole(checkpoint: Path) -> bool:
    try:
        sizes = json.loads((checkpoint / _WHOLE).read_text("utf-8"))
        return all((checkpoint / name).stat().st_size == n for name, n in sizes.items())
    except (OSError, ValueError):
        return False
