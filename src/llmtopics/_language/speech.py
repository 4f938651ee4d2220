"""Speech to text by Whisper of transformers, a window of at most 30 seconds at a time."""

from pathlib import Path

import numpy as np

from llmtopics._language.devices import devices_of, dtype_on
from llmtopics._language.load import load_model, load_processor, quiet

_RATE = 16_000


def place(device: str, dtype: str) -> tuple[str, str]:
    """Return the first device, and the number format on it."""
    device = devices_of(device)[0]
    if dtype == "int8":
        raise ValueError(
            "dtype='int8' is for models in the format of CTranslate2: leave dtype at 'auto'."
        )
    return device, dtype_on(device, dtype)


def languages(folder: Path, device: str, dtype: str) -> set[str]:
    """Return the codes of the languages that a model knows."""
    settings = load_model(
        folder, device, dtype, "AutoModelForSpeechSeq2Seq"
    ).generation_config
    if not getattr(settings, "is_multilingual", False):
        return {"en"}
    return {mark.strip("<|>") for mark in settings.lang_to_id}


def transcribe(
    sound: np.ndarray,
    folder: Path,
    device: str,
    dtype: str,
    language: str | None,
    beam_size: int,
) -> list[tuple[float, float, str]]:
    """Return starts and ends in seconds, and texts, of segments.

    Parameters
    ----------
    sound : ndarray of shape (n_samples,), float32
        16,000 samples per second.
    folder : Path
    device, dtype : str
    language : str or None
        None to detect it, where the model knows several.
    beam_size : int
    """
    import torch

    processor = load_processor(folder)
    model = load_model(folder, device, dtype, "AutoModelForSpeechSeq2Seq")
    features = processor(
        sound, sampling_rate=_RATE, return_tensors="pt", return_attention_mask=True
    ).to(device)
    features["input_features"] = features["input_features"].to(model.dtype)
    multilingual = getattr(model.generation_config, "is_multilingual", False)
    options = {"language": language, "task": "transcribe"} if multilingual else {}
    with torch.inference_mode(), quiet():
        found = model.generate(
            **features,
            num_beams=beam_size,
            do_sample=False,
            return_timestamps=True,
            return_segments=True,
            **options,
        )
    return [
        (
            float(segment["start"]),
            float(segment["end"]),
            processor.decode(segment["tokens"], skip_special_tokens=True),
        )
        for segment in found["segments"][0]
    ]
