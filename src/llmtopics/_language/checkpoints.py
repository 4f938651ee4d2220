"""The folder of a training run: who may use it, and the checkpoint to continue from."""

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import disk_usage, rmtree

from llmtopics._locks import locked
from llmtopics._whole_files import FULL_DISK, read_json, write_whole

logger = logging.getLogger(__name__)

# written last into a checkpoint: the size of each of its files
_WHOLE = "complete.json"
_MARGIN = 1024**2


def checkpoint_of(folder: Path, step: int) -> Path:
    """Return the folder of the checkpoint of a step."""
    return folder / f"checkpoint-{step}"


def mark_whole(checkpoint: Path) -> None:
    """Write the sizes of a checkpoint's files into it."""
    sizes = {path.name: path.stat().st_size for path in checkpoint.iterdir()}
    write_whole(checkpoint / _WHOLE, json.dumps(sizes))


def last_whole_checkpoint(folder: Path) -> Path | None:
    """Return the last checkpoint that is whole, and so is the best one before it.

    Others are deleted.
    """
    by_step = sorted(
        folder.glob("checkpoint-*"), key=lambda path: -int(path.name.split("-")[1])
    )
    for checkpoint in by_step:
        if _is_whole(checkpoint):
            state = read_json(checkpoint / "trainer_state.json")
            best = state["best_global_step"]
            if best is None or _is_whole(checkpoint_of(folder, best)):
                return checkpoint
        logger.warning("%s is not whole, or its best is not: deleted", checkpoint)
        rmtree(checkpoint, ignore_errors=True)
    return None


def _is_whole(checkpoint: Path) -> bool:
    try:
        sizes = read_json(checkpoint / _WHOLE)
        return all((checkpoint / name).stat().st_size == n for name, n in sizes.items())
    except (OSError, ValueError):
        return False


@contextmanager
def held(place: Path, key: str) -> Iterator[None]:
    """Keep other processes from a folder; make sure that it holds this run or nothing.

    Raises
    ------
    ValueError
        If it holds something else.
    """
    with _locked_folder(place) as ours:
        file = place / "run.json"
        others = {
            path.name
            for path in place.iterdir()
            if path.name != ".lock" and not path.name.startswith(file.name)
        }
        if file.exists():
            if file.read_text("utf-8") != key:
                finished = (place / "model").exists()
                raise ValueError(
                    f"output_dir={str(place)!r} holds "
                    f"{'a model' if finished else 'an unfinished run'} with other texts or "
                    "parameters. Name another folder, or delete this one. For a search "
                    "(GridSearchCV), leave output_dir=None."
                )
        elif others:
            raise ValueError(
                f"output_dir={str(place)!r} holds other files, such as {min(others)!r}. "
                "Name an empty folder."
            )
        else:
            write_whole(file, key)
        try:
            yield
        except BaseException as error:  # also an interrupt by the user
            fails_again = isinstance(error, FloatingPointError | ValueError)
            checkpoints = place / "checkpoints"
            if (place / "model").exists():
                raise
            checkpoint = last_whole_checkpoint(checkpoints)
            if fails_again or checkpoint is None:
                file.unlink()  # nothing to continue: other parameters may use the folder
                rmtree(checkpoints, ignore_errors=True)
                if ours and [path.name for path in place.iterdir()] == [".lock"]:
                    rmtree(place, ignore_errors=True)
            elif isinstance(error, KeyboardInterrupt):
                logger.warning(
                    "Interrupted. Call fit again with the same texts and parameters to "
                    "continue from step %s.",
                    checkpoint.name.rpartition("-")[2],
                )
            raise


@contextmanager
def _locked_folder(place: Path) -> Iterator[bool]:
    """Make a folder and keep other processes from it; yield whether it is new."""
    place = place.resolve()  # so a link to nothing becomes a folder
    with ExitStack() as stack:
        while True:
            ours = not place.exists()
            try:
                with suppress(FileExistsError):
                    place.mkdir(parents=True)
                # a run that failed may delete the folder at any time: then again
                with suppress(FileNotFoundError, FileExistsError):
                    any(place.iterdir())  # an error if it is a file
                    stack.enter_context(locked(place / ".lock", wait=True))
                    break
            except NotADirectoryError:
                raise ValueError(
                    f"output_dir={str(place)!r} is a file, or is inside of one. "
                    "Name a folder."
                ) from None
        yield ours


def disk_is_full(error: Exception, folder: Path) -> bool:
    """Tell whether an error of a checkpoint is about the disk (libraries rename it)."""
    for each in (error, error.__cause__):
        if isinstance(each, OSError) and each.errno in FULL_DISK:
            return True
        if any(f"os error {n})" in str(each) for n in FULL_DISK):  # of Rust
            return True
        if "file write failed" in str(each):  # of PyTorch
            return True
    return "No space left" in str(error) or (
        (isinstance(error, OSError) or "write" in str(error))
        and disk_usage(folder).free < _MARGIN
    )
