"""Pictures for local models: captions by any image-text model, vectors by CLIP and its kin."""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from llmtopics._language.devices import devices_of, dtype_on
from llmtopics._language.load import load_model, load_processor, quiet
from llmtopics._whole_files import read_json

PROMPT = "Describe this picture in one or two sentences. Name what is in it."


def place(device: str, dtype: str) -> tuple[str, str]:
    """Return the first device, and the number format on it."""
    device = devices_of(device)[0]
    return device, dtype_on(device, dtype)


def load(folder: Path, device: str, dtype: str, kind: str) -> tuple[Any, Any]:
    """Return the processor and the model in a folder."""
    return load_processor(folder), load_model(folder, device, dtype, kind)


def caption(
    picture: Any, processor: Any, model: Any, prompt: str | None, max_new_tokens: int
) -> str:
    """Return what a model writes about a picture, always the likeliest tokens.

    Parameters
    ----------
    picture : PIL image
    processor, model : from :func:`load`
    prompt : str or None
        None is ``PROMPT`` for models that chat and nothing for others.
    max_new_tokens : int
    """
    import torch

    if getattr(processor, "chat_template", None):
        content = [{"type": "image"}, {"type": "text", "text": prompt or PROMPT}]
        text = processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True
        )
        inputs = processor(images=[picture], text=[text], return_tensors="pt")
    elif prompt:
        inputs = processor(images=picture, text=prompt, return_tensors="pt")
    else:
        inputs = processor(images=picture, return_tensors="pt")
    settings = copy.deepcopy(model.generation_config)
    settings.update(
        do_sample=False,
        temperature=None,
        top_p=None,
        top_k=None,
        max_length=None,
        max_new_tokens=max_new_tokens,
    )
    inputs = _on_device(inputs, model)
    with torch.inference_mode(), quiet():
        tokens = model.generate(**inputs, generation_config=settings)[0]
    given = inputs.get("input_ids")
    if given is not None and torch.equal(tokens[: given.shape[1]], given[0]):
        tokens = tokens[given.shape[1] :]  # models without a decoder of their own go on
    return processor.decode(tokens, skip_special_tokens=True).strip()


def picture_vector(picture: Any, processor: Any, model: Any) -> np.ndarray:
    """Return the vector of a picture, with a last entry of 1 for the offset of words.

    Returns
    -------
    vector : ndarray of shape (E + 1,), float32
        Its product with a word's vector is the logit of the word.
    """
    import torch

    inputs = _on_device(processor(images=picture, return_tensors="pt"), model)
    with torch.inference_mode():
        found = _unit(model.get_image_features(pixel_values=inputs["pixel_values"]))
    return np.append(found[0], np.float32(1))


def text_vectors(texts: Sequence[str], processor: Any, model: Any) -> np.ndarray:
    """Return the vectors of texts, times the model's scale, with its offset as last entry.

    Returns
    -------
    vectors : ndarray of shape (n_texts, E + 1), float32
    """
    import torch

    rows = []
    for start in range(0, len(texts), 64):
        inputs = processor(
            text=list(texts[start : start + 64]),
            padding="max_length",  # as SigLIP was trained
            truncation=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            rows.append(_unit(model.get_text_features(**_on_device(inputs, model))))
    scale = np.exp(model.logit_scale.item())
    bias = getattr(model, "logit_bias", None)
    found = np.concatenate(rows) * np.float32(scale)
    offset = 0.0 if bias is None else bias.item()
    return np.pad(found, ((0, 0), (0, 1)), constant_values=offset)


def chances_of(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    """Return what makes logits probabilities: of each word (SigLIP) or that sum to one."""
    kind = read_json(folder / "config.json").get("model_type", "")
    return expit if "siglip" in kind else softmax


def _unit(features: Any) -> np.ndarray:
    """Return rows of length one; releases of transformers wrap the vectors, or do not."""
    features = getattr(features, "pooler_output", features).float()
    return (features / features.norm(dim=-1, keepdim=True)).cpu().numpy()


def _on_device(inputs: Any, model: Any) -> dict[str, Any]:
    """Return inputs on the model's device, numbers in its format."""
    return {
        name: value.to(model.device, model.dtype if value.is_floating_point() else None)
        for name, value in inputs.items()
        if hasattr(value, "to")
    }
