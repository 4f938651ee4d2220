"""Sound files and arrays → chunks of 16 kHz mono, a chunk in memory at a time."""

from collections.abc import Iterable, Iterator
from os import SEEK_END
from typing import Any, BinaryIO

import numpy as np

from llmtopics.describe._inputs import Input, Unreadable, opened

RATE = 16_000  # samples per second that Whisper reads
_BLOCK = 10 * RATE  # samples of an array that are resampled at once
_QUIET = RATE // 5  # a chunk ends in the middle of the quietest 0.2 seconds
_LOUDEST = 8  # mixing exceeds 1 a little; integers that nobody divided exceed it a lot
_UNKNOWN = 0x7FFFF000  # the least size that means: the writer did not know the size
_MOST_CHANNELS = 64  # of a sound
_SLACK = 0.5  # seconds by which a sound may be shorter than its file declares
_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"  # FFmpeg's name
_INTEGERS = (np.int16, np.int32, np.uint8)


def array_of(value: Any) -> tuple[np.ndarray, int] | None:
    """Return the samples and sampling rate of ``(array, rate)`` or a row of ``datasets``."""
    if isinstance(value, dict) and {"array", "sampling_rate"} <= value.keys():
        value = value["array"], value["sampling_rate"]
    if not isinstance(value, tuple) or len(value) != 2:
        return None
    samples, rate = np.asarray(value[0]), value[1]
    if not samples.ndim and np.ndim(rate):
        raise Unreadable("pass (samples, sampling_rate), in this order.")
    if (
        samples.ndim not in (1, 2)
        or (samples.dtype.kind != "f" and samples.dtype not in _INTEGERS)
        or not samples.size
    ):
        raise Unreadable(
            f"an array of shape {samples.shape} and dtype {samples.dtype} is not a sound: pass "
            "an array of floats, int16, int32 or uint8 of shape (n_samples,) or (n_samples, "
            "n_channels)."
        )
    if samples.ndim == 2 and samples.shape[1] > samples.shape[0]:
        raise Unreadable(
            f"an array of shape {samples.shape} has more channels than samples: transpose it."
        )
    _check_rate(rate)
    if samples.dtype.kind == "f":
        _check_loudness(samples)
    return samples, int(rate)


def _check_rate(rate: Any) -> None:
    if not isinstance(rate, int | np.integer) or not 1000 <= rate <= 768_000:
        raise Unreadable(
            f"the sampling rate {rate!r} is not a whole number from 1000 to 768000 (samples "
            "per second)."
        )


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

    # as floats, so that 24-bit samples keep their precision. FFmpeg would add up the channels
    # of floats, to more than 1: so it keeps them
    resampler = av.AudioResampler(format="flt", rate=RATE)
    in_memory = array_of(file.content)
    frames = _frames_of_array(*in_memory) if in_memory else _frames_of_file(file)
    try:
        for frame in frames:
            if frame.layout.nb_channels > _MOST_CHANNELS:  # FFmpeg may crash
                raise ValueError(f"{frame.layout.nb_channels} channels")
            for made in resampler.resample(frame):
                yield _mono(made)
        for made in resampler.resample(None):
            yield _mono(made)
    except (av.FFmpegError, ValueError) as error:
        raise Unreadable(
            f"its sound cannot be decoded ({error}): it may be damaged or cut short. Convert "
            "it to WAV or FLAC, or remove it."
        ) from None


def _mono(frame: Any) -> np.ndarray:
    """Return the mean of channels. Raise an error for floats in a file that are no sound."""
    samples = frame.to_ndarray()
    _check_loudness(samples)
    return samples.reshape(-1, frame.layout.nb_channels).mean(axis=1)


def _check_loudness(samples: np.ndarray) -> None:
    largest = max(float(samples.max(initial=0)), -float(samples.min(initial=0)))
    if not np.isfinite(largest):
        raise Unreadable("its samples hold NaN or infinity.")
    if largest > _LOUDEST:
        raise Unreadable(
            f"its floats reach {largest:.6g} and must be from -1 to 1: divide samples of "
            "16 bits by 32768."
        )


def _frames_of_file(file: Input) -> Iterator[Any]:
    """Yield the frames of the first sound track of a file."""
    import av

    with opened(file) as stream:
        _check_size(stream)
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
            track = container.streams.audio[0]
            if track.codec_context is None:
                raise Unreadable(
                    "FFmpeg cannot decode its kind of sound: convert it to WAV or FLAC."
                )
            _check_rate(track.rate)
            decoded = end = 0.0
            for frame in container.decode(track):
                yield frame
                decoded += frame.samples / frame.rate
                end = max(decoded, (frame.time or 0) + frame.samples / frame.rate)
            declared = _declared_seconds(container, track)
            # videos may pause their sound, so only its end can be compared
            found = end if container.format.name in ("matroska,webm", _MP4) else decoded
            if found < declared - _SLACK:
                raise Unreadable(
                    f"only {found:.1f} of {declared:.1f} seconds of sound can be decoded: it "
                    "is damaged or cut short. Replace it, or convert what is left to WAV."
                )


def _check_size(stream: BinaryIO) -> None:
    """Raise an error if a WAV, AVI or AIFF file is shorter than its header says."""
    head = stream.read(8)
    size = int.from_bytes(head[4:], "little" if head[:4] == b"RIFF" else "big")
    there = stream.seek(0, SEEK_END)
    stream.seek(0)
    # some programs write a size that is a few bytes too large
    if head[:4] in (b"RIFF", b"FORM") and there + 64 < size + 8 < _UNKNOWN:
        raise Unreadable(
            f"it has {there} of {size + 8} bytes: it is damaged or cut short. Replace it, or "
            "convert what is left to FLAC."
        )


def _declared_seconds(container: Any, track: Any) -> float:
    """Return how long a track is by the file's headers, 0 if FFmpeg would only guess it."""
    kind = container.format.name
    # an MP3 file has a start time if its first frame declares the length
    if kind in ("flac", "ogg", _MP4) or (kind == "mp3" and track.start_time):
        return float((track.duration or 0) * track.time_base)
    if kind == "matroska,webm" and len(container.streams) == 1:
        return (container.duration or 0) / 1e6
    return 0.0


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
