"""Sound files and arrays → chunks of 16 kHz mono, a chunk in memory at a time."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from llmtopics.describe._inputs import Input, Unreadable, opened

RATE = 16_000  # samples per second that Whisper reads
_BLOCK = 10 * RATE  # samples of an array that are resampled at once
_QUIET = RATE // 5  # a chunk ends in the middle of the quietest 0.2 seconds


def array_of(value: Any) -> tuple[np.ndarray, int] | None:
    """Return the samples and sampling rate of ``(array, rate)`` or a row of ``datasets``."""
    if isinstance(value, dict) and {"array", "sampling_rate"} <= value.keys():
        value = value["array"], value["sampling_rate"]
    if not isinstance(value, tuple) or len(value) != 2:
        return None
    samples, rate = np.asarray(value[0]), value[1]
    if (
        samples.ndim not in (1, 2)
        or samples.dtype.kind not in "fiu"
        or not samples.size
    ):
        raise Unreadable(
            f"an array of shape {samples.shape} and dtype {samples.dtype} is not a sound: pass "
            "numbers of shape (n_samples,) or (n_samples, n_channels)."
        )
    if not isinstance(rate, int | np.integer) or not 1000 <= rate <= 768_000:
        raise Unreadable(
            f"the sampling rate {rate!r} is not a whole number from 1000 to 768000 (samples "
            "per second)."
        )
    if samples.dtype.kind == "f" and not np.isfinite(samples).all():
        raise Unreadable("the array holds NaN or infinity.")
    return samples, int(rate)


def chunks(file: Input, seconds: float) -> Iterator[np.ndarray]:
    """Yield the sound in chunks of at most ``seconds``, which end where it is quiet.

    Yields
    ------
    chunk : ndarray of shape (n_samples,), float32
        16,000 samples per second, mono, between -1 and 1.

    Raises
    ------
    Unreadable
        If there is no sound, or it cannot be decoded.
    """
    most = int(seconds * RATE)
    waiting, n_waiting, n_all = [], 0, 0
    for block in _resampled(file):
        waiting.append(block)
        n_waiting += block.size
        n_all += block.size
        while n_waiting > most:
            sound = np.concatenate(waiting)
            end = _quiet_place(sound, most)
            yield sound[:end]
            waiting, n_waiting = [sound[end:]], n_waiting - end
    if not n_all:
        raise Unreadable("it holds no sound.")
    if n_waiting:
        yield np.concatenate(waiting)


def _quiet_place(sound: np.ndarray, most: int) -> int:
    """Return the middle of the quietest moment in the last third before ``most``."""
    start = most - most // 3
    power = np.concatenate([[0], np.cumsum(np.square(sound[start:most], dtype=float))])
    quiet = min(_QUIET, most - start)
    return start + int(np.argmin(power[quiet:] - power[:-quiet])) + quiet // 2


def _resampled(file: Input) -> Iterator[np.ndarray]:
    """Yield blocks of a sound at 16 kHz, mono."""
    import av

    # as floats, so that 24-bit samples keep their precision
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    in_memory = array_of(file.content)
    frames = _frames_of_array(*in_memory) if in_memory else _frames_of_file(file)
    try:
        for frame in frames:
            for made in resampler.resample(frame):
                yield made.to_ndarray()[0]
        for made in resampler.resample(None):
            yield made.to_ndarray()[0]
    except (av.FFmpegError, ValueError) as error:
        raise Unreadable(
            f"its sound cannot be decoded ({error}): it may be damaged or cut short. Convert "
            "it to WAV or FLAC, or remove it."
        ) from None


def _frames_of_file(file: Input) -> Iterator[Any]:
    """Yield the frames of the first sound track of a file."""
    import av

    with opened(file) as stream:
        try:
            # no protocol: a playlist must not make FFmpeg open other files or addresses
            container: Any = av.open(
                stream,
                metadata_errors="ignore",
                options={"protocol_whitelist": "none"},
            )
        except (av.FFmpegError, ValueError):
            raise Unreadable(
                "its bytes are not a sound or video format that FFmpeg knows: pass WAV, FLAC, "
                "MP3, OGG, MP4 or a similar format."
            ) from None
        with container:
            if not container.streams.audio:
                raise Unreadable("it has no sound track.")
            yield from container.decode(audio=0)


def _frames_of_array(samples: np.ndarray, rate: int) -> Iterable[Any]:
    """Yield an array as frames of one channel."""
    import av

    scale = 1.0
    if samples.dtype.kind in "iu":
        scale = float(np.iinfo(samples.dtype).max // 2 + 1)
        scale *= 1 if samples.dtype.kind == "u" else 2
    for start in range(0, len(samples), _BLOCK):
        block = samples[start : start + _BLOCK].astype(np.float32)
        if samples.dtype.kind == "u":
            block -= scale
        block /= np.float32(scale)
        if block.ndim == 2:
            block = block.mean(axis=1)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(block[None]), format="flt", layout="mono"
        )
        frame.sample_rate = rate
        yield frame
