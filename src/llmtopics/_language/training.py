"""Training by gradient descent: the loop, checkpoints, and continuing after an interrupt.

The loop is the ``Trainer`` of transformers. This file gives it a plan, keeps its checkpoints
whole, and restores the random states of the process.
"""

import logging
import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import numpy as np

from llmtopics._language.checkpoints import (
    checkpoint_of,
    disk_is_full,
    last_whole_checkpoint,
    mark_whole,
)
from llmtopics._language.devices import devices_of, dtype_on
from llmtopics._language.load import quiet
from llmtopics._language.training_texts import spread_rows
from llmtopics._progress import Stage, stage

logger = logging.getLogger(__name__)

_training = (
    RLock()
)  # random states and the settings of accelerate belong to the process
_CHECKED = 8192  # tokens of a check, about


class Plan(NamedTuple):
    """How long, how fast and on what a model is trained."""

    batch_size: int
    gradient_accumulation_steps: int
    gradient_checkpointing: bool
    n_epochs: float
    max_steps: int | None
    max_minutes: float | None
    learning_rate: float
    schedule: str
    warmup: float
    eval_steps: int | str
    patience: int | None
    seed: int
    device: str
    dtype: str

    def n_steps(self, n_items: int) -> int:
        """Return the number of updates of the weights, if nothing stops them before."""
        batches = math.ceil(n_items / self.batch_size)
        per_epoch = math.ceil(batches / self.gradient_accumulation_steps)
        n_steps = max(1, math.ceil(per_epoch * self.n_epochs))
        return n_steps if self.max_steps is None else min(n_steps, self.max_steps)


def training_device(device: str) -> str:
    """Return the one device to train on.

    Raises
    ------
    ValueError
        If it is a GPU other than the first, which the Trainer cannot be given.
    """
    if device.partition(":")[2] not in ("", "0"):
        raise ValueError(
            f"device={device!r}: training uses the first GPU that it sees. Set the "
            "environment variable CUDA_VISIBLE_DEVICES to choose another."
        )
    return devices_of(device)[0]


def training_dtype(plan: Plan) -> str:
    """Return the number format to train in.

    Raises
    ------
    ValueError
        If the device does not train in it.
    """
    device = training_device(plan.device)
    if plan.dtype == "float16" and device == "cpu":
        raise ValueError(
            "dtype='float16' needs a GPU for training, and the device is the CPU. Use "
            "'bfloat16' or 'float32'."
        )
    return dtype_on(device, plan.dtype)


def train(
    model: Any,
    items: list[dict[str, Any]],
    held_out: list[dict[str, Any]],
    collate: Callable,
    loss: Callable | None,
    plan: Plan,
    folder: Path,
    advice: str,
) -> list[dict[str, float]]:
    """Train ``model`` in place and return its history; continue from the last checkpoint.

    Parameters
    ----------
    model : torch.nn.Module
    items, held_out : list of dict
        What ``collate`` makes batches of, to train on and to check on. Of ``held_out``
        about 8,192 tokens are read. Without it the last weights are kept. Else those with
        the least loss on it are kept, be they those before training.
    collate : callable
    loss : callable or None
        From the model and a batch to the loss; None for the model's own.
    plan : Plan
    folder : Path
        Where checkpoints are kept, by step.
    advice : str
        What to do if the disk is full.

    Returns
    -------
    history : list of dict
        ``step``, ``seconds``, ``tokens`` so far, ``memory_mib``, and ``loss`` or
        ``held_out_loss``.

    Raises
    ------
    FloatingPointError
        If the loss or a weight is not finite.
    OSError
        If a checkpoint cannot be written.
    """
    from transformers import Trainer
    from transformers.trainer_callback import PrinterCallback, ProgressCallback

    class _Trainer(Trainer):
        def compute_loss(self, model, inputs, return_outputs=False, **options):
            if loss is None:
                return super().compute_loss(model, inputs, return_outputs, **options)
            value = loss(model, inputs)
            return (value, {}) if return_outputs else value

        def _save_checkpoint(self, model, trial):
            _check_finite(model, self.state.global_step)
            super()._save_checkpoint(model, trial)

    n_steps = plan.n_steps(len(items))
    held_out = spread_rows(held_out, _CHECKED)
    counted = stage("training", n_steps, "steps")
    with _training, _random_states_kept(), quiet(), counted as steps:
        checkpoint = last_whole_checkpoint(folder)
        before = _trained_weights(model) if held_out else {}
        arguments = _arguments(plan, n_steps, bool(held_out), folder)
        arguments.eval_on_start = bool(held_out) and checkpoint is None
        trainer = _Trainer(
            model=model,
            args=arguments,
            train_dataset=items,
            eval_dataset=held_out or None,
            data_collator=collate,
            callbacks=_callbacks(plan, steps, bool(held_out)),
        )
        # a loss of ours is a mean of its batch, whatever a model's forward takes
        trainer.model_accepts_loss_kwargs &= loss is None
        trainer.remove_callback(PrinterCallback)
        trainer.remove_callback(ProgressCallback)
        if checkpoint:
            logger.info("continuing from %s", checkpoint)
        _run(trainer, checkpoint, advice)
        if trainer.state.best_global_step is None:  # no check was lower than the first
            _restore(model, before)
        _check_finite(model, trainer.state.global_step)
    return _history(trainer.state.log_history)


def _run(trainer: Any, checkpoint: Path | None, advice: str) -> None:
    """Run a Trainer from a checkpoint on.

    Raises
    ------
    OSError
        If a checkpoint cannot be written.
    """
    import torch

    if trainer.args.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    folder = Path(trainer.args.output_dir)
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except Exception as error:
        if isinstance(error, FloatingPointError) or not disk_is_full(error, folder):
            raise
        raise OSError(
            f"A checkpoint could not be written to {folder}: {error}. {advice}"
        ) from error


def _trained_weights(model: Any) -> dict[str, Any]:
    """Return copies of the weights that are trained, on the CPU."""
    return {
        name: weight.detach().to("cpu", copy=True)
        for name, weight in model.named_parameters()
        if weight.requires_grad
    }


def _restore(model: Any, weights: dict[str, Any]) -> None:
    """Put copies of weights back."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name in weights:
                weight.copy_(weights[name])


def _check_finite(model: Any, step: int) -> None:
    """Raise a FloatingPointError if a weight that is trained is NaN or infinite."""
    for name, weight in model.named_parameters():
        if weight.requires_grad and not weight.isfinite().all():
            raise FloatingPointError(
                f"A weight of {name} at step {step} is not finite: training stopped. Set a "
                "lower learning_rate."
            )


def _arguments(plan: Plan, n_steps: int, checks: bool, folder: Path) -> Any:
    from transformers import TrainingArguments

    device = training_device(plan.device)
    every = max(1, n_steps // 10) if plan.eval_steps == "auto" else int(plan.eval_steps)
    every = min(every, n_steps)
    log_every = max(n for n in range(1, max(1, every // 10) + 1) if every % n == 0)
    dtype = training_dtype(plan)
    taken = signature(TrainingArguments).parameters
    # releases of transformers differ in the name, and newer ones warn about the other
    name = "activation_checkpointing"
    name = name if name in taken else "gradient_checkpointing"
    checkpointing: dict[str, Any] = {name: plan.gradient_checkpointing}
    return TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=plan.batch_size,
        per_device_eval_batch_size=plan.batch_size,
        gradient_accumulation_steps=plan.gradient_accumulation_steps,
        **checkpointing,
        max_steps=n_steps,
        learning_rate=plan.learning_rate,
        lr_scheduler_type=plan.schedule,
        warmup_steps=round(plan.warmup * n_steps),
        seed=plan.seed % 2**32,
        use_cpu=device == "cpu",
        bf16=dtype == "bfloat16",
        fp16=dtype == "float16",
        logging_steps=log_every,
        logging_nan_inf_filter=False,
        include_num_input_tokens_seen="non_padding",
        eval_strategy="steps" if checks else "no",
        eval_steps=every,
        prediction_loss_only=True,
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=checks,
        metric_for_best_model="eval_loss" if checks else None,
        greater_is_better=False if checks else None,
        restore_callback_states_from_checkpoint=True,
        dataloader_pin_memory=device.startswith("cuda"),
        remove_unused_columns=False,
        label_names=["labels"],
        report_to="none",
        disable_tqdm=True,
    )


def _callbacks(plan: Plan, steps: Stage, checks: bool) -> list[Any]:
    """Return what watches the loop: time, memory, the loss, early stopping, checkpoints."""
    from transformers import EarlyStoppingCallback, TrainerCallback
    from transformers.trainer_callback import ExportableState

    class Watch(TrainerCallback, ExportableState):
        """Stop in time, and at a loss that is not finite; mark whole checkpoints."""

        def __init__(self):
            self.seconds = 0.0  # of the runs before
            self.began = time.monotonic()

        def state(self):
            return {"args": {}, "attributes": {"seconds": self.elapsed()}}

        def elapsed(self):
            return self.seconds + time.monotonic() - self.began

        def on_train_begin(self, args, state, control, **_):
            if state.best_global_step:  # its path may be of before the folder was moved
                best = checkpoint_of(Path(args.output_dir), state.best_global_step)
                state.best_model_checkpoint = str(best)
            if state.global_step:  # made before this run
                steps.update(state.global_step)

        def on_evaluate(self, args, state, control, metrics, **_):
            if (
                state.best_metric is None
            ):  # before training: what later checks must beat
                state.best_metric = metrics["eval_loss"]
                _warn_of_slow_checks(self.elapsed(), plan.max_minutes)

        def on_step_end(self, args, state, control, **_):
            control.should_training_stop |= steps.update()
            limit = plan.max_minutes
            if limit is not None and self.elapsed() > 60 * limit:
                control.should_training_stop = control.should_log = True
                control.should_save = True
                control.should_evaluate = checks

        def on_log(self, args, state, control, logs, **_):
            for name in ("loss", "eval_loss"):
                if not math.isfinite(logs.get(name, 0.0)):
                    raise FloatingPointError(
                        f"The {name.replace('eval_', 'held-out ')} at step "
                        f"{state.global_step} is {logs[name]}: training stopped. Set a "
                        "lower learning_rate."
                    )
            entry = state.log_history[-1]  # what is kept of this log
            entry["seconds"] = self.elapsed()
            entry["memory_mib"] = _memory_mib(args.device.type)

        def on_save(self, args, state, control, **_):
            mark_whole(checkpoint_of(Path(args.output_dir), state.global_step))

    found: list[Any] = []
    if checks and plan.patience is not None:
        found.append(EarlyStoppingCallback(plan.patience))
    # in this order: the first check is not one without progress
    return [*found, Watch()]


def _warn_of_slow_checks(seconds: float, max_minutes: float | None) -> None:
    """Warn if the first check took more than half of the time."""
    if max_minutes is not None and seconds > 30 * max_minutes:
        logger.warning(
            "The first check on held-out texts took %d seconds of max_minutes=%g, and one "
            "comes after the last step. Set a larger max_minutes, or validation_fraction=0 "
            "for no checks.",
            seconds,
            max_minutes,
        )


def _memory_mib(kind: str) -> float:
    """Return the memory of a GPU at its peak in this run, or that of the process now."""
    import psutil
    import torch

    if kind == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return psutil.Process().memory_info().rss / 2**20


def _history(logs: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Return the log of the Trainer under our names."""
    names = {
        "step": "step",
        "loss": "loss",
        "eval_loss": "held_out_loss",
        "learning_rate": "learning_rate",
        "num_input_tokens_seen": "tokens",
        "seconds": "seconds",
        "memory_mib": "memory_mib",
    }
    return [
        {ours: entry[theirs] for theirs, ours in names.items() if theirs in entry}
        for entry in logs
        if "loss" in entry or "eval_loss" in entry
    ]


@contextmanager
def _random_states_kept() -> Iterator[None]:
    """Restore the global random states, which the Trainer seeds."""
    import torch

    numpy_state = np.random.get_state()  # noqa: NPY002 - the global one is meant
    python_state = random.getstate()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        try:
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)
