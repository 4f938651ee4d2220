"""From texts to the folder of a tuned language model, once for the same texts and settings."""

import json
import logging
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from math import exp
from pathlib import Path
from shutil import rmtree
from typing import Any, NamedTuple

import numpy as np

from llmtopics._language.cache import default_folder, private_folder
from llmtopics._language.checkpoints import held
from llmtopics._language.encode_settings import read_settings
from llmtopics._language.files import SHORT_NAMES, fingerprint
from llmtopics._language.gguf import unpacked
from llmtopics._language.load import check_decoder, load_config, load_tokenizer
from llmtopics._language.objectives import OBJECTIVES
from llmtopics._language.training import (
    Plan,
    train,
    training_device,
    training_dtype,
)
from llmtopics._language.training_models import (
    Size,
    check_encoder,
    check_installed,
    check_memory,
    check_size,
    license_of,
    lora_share,
    of_card,
    pretrained_model,
    random_config,
    random_model,
    save,
    window_of,
    with_lora,
)
from llmtopics._language.training_texts import train_tokenizer
from llmtopics._whole_files import read_json, write_whole

logger = logging.getLogger(__name__)

_RANDOM_WINDOW = 256
_VERSION = 3  # part of the key: change it when the same settings give other weights


class Tuning(NamedTuple):
    """All that decides the weights, besides the texts."""

    objective: str
    model: str
    revision: str | None
    init: str
    adapter: str | None
    rank: int
    size: Size
    max_length: int | None
    validation_fraction: float
    plan: Plan


class Tuned(NamedTuple):
    """A tuned model: its folder, how training went, and the tokens that it reads at once."""

    folder: Path
    history: list[dict[str, float]]
    window: int


def tune(
    texts: Sequence[str],
    topics: np.ndarray | None,
    tuning: Tuning,
    output_dir: Path | None,
) -> Tuned:
    """Tune a model, or return the one that the same call has tuned before.

    Parameters
    ----------
    texts : sequence of str
        None of them blank.
    topics : ndarray of shape (n_texts, n_topics) or None
        Shares of topics, for objectives that train vectors.
    tuning : Tuning
    output_dir : Path or None
        None is a folder in the cache, by texts and settings.

    Raises
    ------
    ValueError
        If there are too few texts, or the folder holds something else.
    """
    base = None
    if tuning.init == "pretrained":
        base = unpacked(tuning.model, tuning.revision, None, default_folder())
    corpus = _digest([*texts, *([] if topics is None else [topics.tobytes().hex()])])
    key = _key(tuning, base, corpus)
    place = (output_dir or default_folder() / "tuned" / key[:32]).absolute()
    if output_dir is None:
        private_folder(place.parent)
    with held(place, key):
        if (place / "model").exists():
            rmtree(place / "checkpoints", ignore_errors=True)  # left by a kill
        else:
            _tune(texts, topics, tuning, base, place, corpus)
        return _finished(place)


def _finished(place: Path) -> Tuned:
    """Return the model that a run has written.

    Raises
    ------
    OSError
        If its files are not as they were written.
    """
    try:
        written = read_json(place / "history.json")
        for name, size in written["weights"].items():
            if (place / "model" / name).stat().st_size != size:
                raise OSError(f"{name} has another size than when it was written")
    except (OSError, ValueError) as error:
        raise OSError(
            f"The tuned model in {str(place)!r} is damaged: {error}. Delete this folder "
            "and call fit again."
        ) from error
    return Tuned(place / "model", written["history"], written["max_length"])


def _tune(
    texts: Sequence[str],
    topics: np.ndarray | None,
    tuning: Tuning,
    base: Path | None,
    place: Path,
    corpus: str,
) -> None:
    """Write the tuned model, its card and its history into a folder."""
    check_installed()
    held_rows, rows = _split(len(texts), tuning)
    kind = OBJECTIVES[tuning.objective]
    make, config, tokenizer, window = _start(
        tuning, base, kind, [texts[i] for i in rows]
    )
    objective = kind(tokenizer, window)  # refuses a tokenizer that it cannot use
    lora = tuning.adapter == "lora" and base is not None
    needed = check_memory(
        config,
        kind.kind,
        lora_share(tuning.rank) if lora else 1.0,
        tuning.plan.batch_size * window * kind.n_passes,
        tuning.plan.gradient_checkpointing,
        training_device(tuning.plan.device),
    )
    logger.info("training needs about %s GiB", round(needed / 2**30, 1))

    def items(chosen: np.ndarray, held_out: bool) -> list[dict[str, Any]]:
        if not len(chosen):
            return []
        some = None if topics is None else topics[chosen]
        return objective.items([texts[i] for i in chosen], some, held_out)

    model = make()
    vectors = isinstance(objective, OBJECTIVES["contrastive"])
    if vectors:
        _check_vectors(model, base, topics, tuning.objective)
    if kind.head:
        model.to(training_device(tuning.plan.device))
        objective.add_head(model, items(rows, True))
    if lora:
        also = kind.head and [kind.head]
        model = with_lora(model, tuning.rank, tuning.plan.seed, also)
    history = train(
        model,
        items(rows, False),
        items(held_rows, True),
        objective.collate,
        objective.loss,
        tuning.plan,
        place / "checkpoints",
        "Free space on this disk and call fit again: it continues from the last whole "
        "checkpoint. Or name a folder on another disk in output_dir.",
    )
    if vectors:
        objective.check(model, [texts[i] for i in rows])
    card = _card(tuning, base, corpus, len(texts), history)
    made = place / "unfinished"
    rmtree(made, ignore_errors=True)
    save(model, tokenizer, base, made, kind.head)
    _finish(place, made, card, history, window)


def _finish(
    place: Path, made: Path, card: str, history: list[dict[str, float]], window: int
) -> None:
    """Write what belongs to a saved model, and move it to where a finished one is."""
    (made / "README.md").write_text(card, "utf-8")
    files = {file.name: file.stat().st_size for file in made.glob("*.safetensors")}
    about = {"history": history, "max_length": window, "weights": files}
    write_whole(place / "history.json", json.dumps(about))
    made.rename(place / "model")  # now it is whole
    rmtree(place / "checkpoints", ignore_errors=True)


def _start(
    tuning: Tuning, base: Path | None, kind: Any, texts: list[str]
) -> tuple[Callable[[], Any], Any, Any, int]:
    """Return what makes the model, its configuration, its tokenizer and its window."""
    seed = tuning.plan.seed
    if base is not None:
        tokenizer, config = load_tokenizer(base), load_config(base)
        if kind.kind == "AutoModelForCausalLM":
            check_decoder(config, tuning.model, "objective='causal'")
        elif kind.kind == "AutoModelForMaskedLM":
            check_encoder(config, tuning.model)
        window = window_of(config, tokenizer, tuning.max_length, kind.window)
        return (
            partial(pretrained_model, kind.kind, base, seed),
            config,
            tokenizer,
            window,
        )
    window = tuning.max_length or min(kind.window, _RANDOM_WINDOW)
    check_size(tuning.size)
    tokenizer = train_tokenizer(texts, tuning.size.vocab_size, window)
    config = random_config(kind.kind, tuning.size, tokenizer, window)
    return partial(random_model, kind.kind, config, seed), config, tokenizer, window


def _check_vectors(model: Any, base: Path | None, topics: Any, objective: str) -> None:
    """Raise a ValueError for a model whose vectors cannot be trained as they are read."""
    if base is not None:
        pooling = read_settings(
            base, "auto", True, None, "truncate", "float32", None
        ).pooling
        if pooling != "mean":
            raise ValueError(
                f"objective={objective!r} trains means of tokens, and the model in {base} "
                f"uses pooling={pooling!r}. Choose a model with mean pooling, such as "
                "'minilm'."
            )
    rates = [part.p for part in model.modules() if type(part).__name__ == "Dropout"]
    if topics is None and not any(rates):
        raise ValueError(
            "objective='contrastive' without y compares two draws of dropout, and the "
            "model has none: pass y, or choose a model with dropout, such as 'minilm'."
        )


def score(
    folder: Path,
    texts: Sequence[str],
    topics: np.ndarray | None,
    objective: str,
    max_length: int,
    device: str,
) -> float:
    """Return how well the model in a folder does what ``objective`` asks; larger is better."""
    kind = OBJECTIVES[objective]
    # not a model that others use: a score may draw dropout
    model = pretrained_model(kind.kind, folder, 0).to(training_device(device)).eval()
    return kind(load_tokenizer(folder), max_length).score(model, texts, topics)


def default_of(objective: str, name: str, trained: str = "") -> Any:
    """Return the default of an objective's setting, such as its learning rate."""
    found = getattr(OBJECTIVES[objective], name)
    return found[trained] if trained else found


def _split(n: int, tuning: Tuning) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that are held out, and those that are trained on.

    Raises
    ------
    ValueError
        If there are too few texts.
    """
    share = tuning.validation_fraction
    n_held = max(1, round(share * n)) if share else 0
    if n - n_held < 1:
        raise ValueError(
            f"LanguageModelTuner got {n} text(s) with words, too few to hold some out. "
            "Pass more texts, or validation_fraction=0 to hold out none."
        )
    order = np.random.default_rng(tuning.plan.seed).permutation(n)
    return np.sort(order[:n_held]), np.sort(order[n_held:])


def _key(tuning: Tuning, base: Path | None, corpus: str) -> str:
    plan = tuning.plan
    decides = tuning._replace(
        model="" if base is None else fingerprint(base),
        plan=plan._replace(device="", dtype=training_dtype(plan)),
    )
    return _digest([json.dumps([_VERSION, decides, corpus])])


def _digest(texts: Sequence[str]) -> str:
    digest = sha256()
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(f"{len(data)} ".encode() + data)
    return digest.hexdigest()


def _card(
    tuning: Tuning,
    base: Path | None,
    corpus: str,
    n_texts: int,
    history: list[dict[str, float]],
) -> str:
    """Return the card of a model: what it was made of, and how well it does."""
    origin, license_ = "random weights", "none"
    if base is not None:
        packaged = SHORT_NAMES.get(tuning.model)
        origin = packaged.hub_id if packaged else tuning.model
        if first := of_card(base, "- Base model:"):
            origin += f", tuned from {first.rpartition(', tuned from ')[2]}"
        license_ = license_of(base)
        if license_ == "unknown" and packaged:
            license_ = packaged.license
    # where other programs look; they know no license "none"
    front = ["---", f"license: {license_}", "---"] if license_ != "none" else []
    checks = [row["held_out_loss"] for row in history if "held_out_loss" in row]
    figures = f"{checks[0]:.4f} before, {min(checks):.4f} after" if checks else "none"
    if checks and min(checks) == checks[0]:
        figures += ": no check was lower, and the weights of before are kept"
    if checks and tuning.objective in ("causal", "masked"):
        figures += f" (perplexity {exp(checks[0]):.1f} → {exp(min(checks)):.1f})"
    settings = tuning._asdict() | {"plan": tuning.plan._asdict()}
    return "\n".join(
        [
            *front,
            "# A language model tuned by llmtopics",
            "",
            f"- Base model: {origin}",
            f"- License of the base model: {license_}",
            f"- Objective: {tuning.objective}",
            f"- Texts: {n_texts} (SHA-256 {corpus})",
            f"- Held-out loss: {figures}",
            f"- Steps: {max(row['step'] for row in history)}",
            "",
            "```json",
            json.dumps(settings, indent=1, default=str),
            "```",
            "",
        ]
    )
