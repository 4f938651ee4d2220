"""Speech to segments of text, by faster-whisper or by transformers."""

import json
from collections.abc import Collection
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from llmtopics._language import speech
from llmtopics._language.files import fingerprint
from llmtopics.describe._base import LocalPart
from llmtopics.describe._inputs import Input, Unreadable
from llmtopics.describe._sound import RATE, chunks

_VERSION = 1  # part of the cache key: change it when transcripts change
_CHUNK = 120  # seconds of sound in memory at a time; features take 1 MB per second
_WINDOW = 30  # seconds that Whisper reads at once
_loading = Lock()


class Segment(NamedTuple):
    """A piece of a transcript: its text, and when it begins and ends, in seconds."""

    start: float
    end: float
    text: str


class Transcript(LocalPart):
    """The words spoken in a sound.

    Parameters
    ----------
    folder : Path
        The model's files, in the format of CTranslate2 or of transformers.
    language : str or None
        None to detect it in each file.
    vad_filter : bool
        Whether only what sounds like speech is read.
    beam_size : int
    device, dtype : str
    """

    def __init__(
        self,
        folder: Path,
        language: str | None,
        vad_filter: bool,
        beam_size: int,
        device: str,
        dtype: str,
    ):
        engine = CTranslate2 if (folder / "model.bin").exists() else Transformers
        self.engine = engine(folder, language, vad_filter, beam_size, device, dtype)

    def context(self) -> str:
        """Return the model, its settings, and how sound is cut."""
        engine = self.engine
        return json.dumps(
            [
                "transcript",
                _VERSION,
                type(engine).__name__,
                fingerprint(engine.folder),
                engine.language,
                engine.vad_filter,
                engine.beam_size,
                engine.dtype,
            ]
        )

    def describe(self, file: Input) -> bytes:
        """Return the segments, as JSON."""
        self.engine.check_language()  # loads the model: its failure is not the file's
        segments: list[Segment] = []
        language, start = self.engine.language, 0.0
        for chunk in chunks(file, self.engine.chunk):
            try:
                heard, found = self.engine.transcribe(chunk, language)
            except (ValueError, IndexError) as error:
                raise Unreadable(f"the model failed on it: {error}.") from error
            if found:  # without speech, the language is a guess
                language = heard
            segments += [
                Segment(
                    round(start + begin, 2),
                    round(start + end, 2),
                    " ".join(text.split()),
                )
                for begin, end, text in found
                if text.strip()
            ]
            start += chunk.size / RATE
        return json.dumps(segments, ensure_ascii=False).encode()


def segments_of(kept: bytes) -> list[Segment]:
    """Return the segments that the cache holds."""
    return [Segment(*each) for each in json.loads(kept)]


class _Engine:
    """Computes transcripts of chunks."""

    chunk: float = _CHUNK

    def __init__(
        self,
        folder: Path,
        language: str | None,
        vad_filter: bool,
        beam_size: int,
        device: str,
        dtype: str,
    ):
        self.folder = folder
        self.language = language
        self.vad_filter = vad_filter
        self.beam_size = beam_size
        self.device, self.dtype = self.place(device, dtype)

    def place(self, device: str, dtype: str) -> tuple[str, str]:
        """Return the device and the number format, never "auto"."""
        raise NotImplementedError

    def languages(self) -> Collection[str]:
        """Return the codes of the languages that the model knows."""
        raise NotImplementedError

    def check_language(self) -> None:
        """Raise a ValueError if the model does not know the language."""
        known = self.languages()
        if self.language is not None and self.language not in known:
            raise ValueError(
                f"The model in {self.folder} does not know language={self.language!r}. It "
                f"knows: {', '.join(sorted(known))}. Other languages need a multilingual "
                'model, such as "Systran/faster-whisper-tiny".'
            )

    def transcribe(
        self, chunk: np.ndarray, language: str | None
    ) -> tuple[str | None, list[tuple[float, float, str]]]:
        """Return the language, and starts, ends and texts of segments."""
        raise NotImplementedError


class CTranslate2(_Engine):
    """faster-whisper: four times as fast on a processor as PyTorch, in 8-bit integers."""

    def place(self, device: str, dtype: str) -> tuple[str, str]:
        """Return the first GPU that CTranslate2 sees, or else the processor."""
        import ctranslate2

        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        if dtype == "auto":
            dtype = "int8" if device == "cpu" else "float16"
        return device, dtype

    @cached_property
    def model(self) -> Any:
        """Return the model of faster-whisper."""
        with _loading:
            return _faster_whisper(
                self.folder, self.device, self.dtype, fingerprint(self.folder)
            )

    def languages(self) -> Collection[str]:
        """Return what the model says."""
        return self.model.supported_languages

    def transcribe(
        self, chunk: np.ndarray, language: str | None
    ) -> tuple[str | None, list[tuple[float, float, str]]]:
        """Return faster-whisper's result, at temperature 0 so that every run is the same."""
        segments, about = self.model.transcribe(
            chunk,
            language=language,
            beam_size=self.beam_size,
            temperature=0.0,  # higher temperatures sample at random
            condition_on_previous_text=False,  # a repeated phrase would continue in the next window
            vad_filter=self.vad_filter,
        )
        return about.language, [(each.start, each.end, each.text) for each in segments]


@lru_cache(maxsize=2)
def _faster_whisper(folder: Path, device: str, dtype: str, fingerprint: str) -> Any:
    from faster_whisper import WhisperModel

    kind, _, index = device.partition(":")
    try:
        return WhisperModel(
            str(folder),
            device=kind,
            device_index=int(index or 0),
            compute_type=dtype,
            local_files_only=True,
        )
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"The model in {folder} cannot be loaded with device={device!r} and "
            f"dtype={dtype!r}: {error}. Set device='cpu' and dtype='auto', or check the files."
        ) from error


class Transformers(_Engine):
    """Whisper of transformers, in windows of at most 30 seconds."""

    def place(self, device: str, dtype: str) -> tuple[str, str]:
        """Return what PyTorch works on."""
        return speech.place(device, dtype)

    @property
    def chunk(self) -> float:  # type: ignore[override]
        """Return the seconds per chunk: one window, unless silence is removed."""
        return _CHUNK if self.vad_filter else _WINDOW

    def languages(self) -> Collection[str]:
        """Return what the model's settings say."""
        return speech.languages(self.folder, self.device, self.dtype)

    def transcribe(
        self, chunk: np.ndarray, language: str | None
    ) -> tuple[str | None, list[tuple[float, float, str]]]:
        """Return the result of transformers' Whisper for each window."""
        found = []
        for start, end in _speech(chunk) if self.vad_filter else [(0, chunk.size)]:
            segments = speech.transcribe(
                chunk[start:end],
                self.folder,
                self.device,
                self.dtype,
                language,
                self.beam_size,
            )
            offset = start / RATE
            found += [(offset + a, offset + b, text) for a, b, text in segments]
        return language, found


def _speech(chunk: np.ndarray) -> list[tuple[int, int]]:
    """Return windows of at most 30 seconds that hold all speech."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(max_speech_duration_s=_WINDOW)
    windows: list[tuple[int, int]] = []
    for found in get_speech_timestamps(chunk, options, sampling_rate=RATE):
        start, end = found["start"], found["end"]
        if windows and end - windows[-1][0] <= _WINDOW * RATE:
            windows[-1] = windows[-1][0], end
        else:
            windows.append((start, end))
    return windows
