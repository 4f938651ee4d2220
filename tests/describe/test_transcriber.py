"""Speech to text, with a real model and real files."""

import logging
import os
import pickle
import shutil
import subprocess
import sys
import tracemalloc
import wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

pytest.importorskip("faster_whisper")

from llmtopics import AudioTranscriber, make_describer
from llmtopics.describe import _sound, _whisper
from llmtopics.describe._inputs import Input, Unreadable

SAID = "the striker scored two goals in the final match"
RATE = 16_000


def words(text):
    return "".join(c for c in text.lower() if c.isalpha() or c == " ").split()


def said(text):
    """Return whether most words of the sentence are in the transcript."""
    return len({*words(SAID)} & {*words(text)}) >= 6


@pytest.fixture
def start(samples):
    """The first sentence of the clip, three seconds."""
    return samples[: 3 * RATE]


def test_what_is_said_in_a_clip(sport):
    transcriber = AudioTranscriber(cache_dir=False)
    (text,) = transcriber.transform([sport])
    assert text.lower().startswith(SAID)
    assert transcriber.report_ == {
        "described": 1,
        "empty": 0,
        "missing": 0,
        "failed": 0,
    }


def test_segments_have_times_in_order(sport, samples):
    transcriber = AudioTranscriber()
    (segments,) = transcriber.segments([sport])
    assert " ".join(s.text for s in segments) == transcriber.transform([sport])[0]
    times = [time for s in segments for time in (s.start, s.end)]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= len(samples) / RATE + 0.5
    table = pd.DataFrame(segments)
    assert list(table.columns) == ["start", "end", "text"]


FORMS = {
    "8 kHz": (1, 8_000, "pcm_s16le", "wav", "s16"),
    "44.1 kHz stereo": (2, 44_100, "pcm_s16le", "wav", "s16"),
    "24 bits": (1, 16_000, "pcm_s24le", "wav", "s32"),
    "flac": (1, 48_000, "flac", "flac", "s16"),
    "a video container": (1, 16_000, "flac", "matroska", "s16"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_file_format_is_read(form, start, encoded, tmp_path, no_open_files):
    n_channels, rate, *codec = FORMS[form]
    data = encoded(np.stack([start] * n_channels, axis=1), rate, *codec)
    path = tmp_path / "clip.wrong-extension"
    path.write_bytes(data)
    texts = AudioTranscriber(cache_dir=False).transform([path])
    assert said(texts[0])


def test_paths_bytes_and_addresses_of_a_file_are_the_same(sport):
    transcriber = AudioTranscriber()
    X = [sport, str(sport), sport.as_uri(), sport.read_bytes()]
    assert len(set(transcriber.transform(X))) == 1


def test_arrays_of_any_rate_and_number_format(start):
    fast = np.repeat(start, 3)
    arrays = [
        (start, RATE),
        {"array": start.astype(np.float64), "sampling_rate": RATE},
        ((start * 32767).astype(np.int16), RATE),
        ((start * 127 + 128).astype(np.uint8), RATE),
        (np.stack([fast, fast], axis=1), 3 * RATE),
    ]
    assert all(map(said, AudioTranscriber(cache_dir=False).transform(arrays)))


def test_integers_span_the_same_range_as_floats():
    def decoded(samples):
        return np.concatenate([*_sound.chunks(Input("", "", (samples, RATE)), 60)])

    wave = np.sin(np.arange(RATE) / 9).astype(np.float32) / 2
    for kind in [np.int16, np.int32]:
        whole = (wave * (np.iinfo(kind).max + 1.0)).astype(kind)
        np.testing.assert_allclose(decoded(whole), decoded(wave), atol=1e-4)
    whole = (wave * 128 + 128).astype(np.uint8)
    np.testing.assert_allclose(decoded(whole), decoded(wave), atol=0.01)


@pytest.mark.parametrize("seconds", [0.001, 0.1, 2])
def test_silence_is_an_empty_text(seconds):
    silence = np.zeros(int(seconds * RATE), np.float32)
    transcriber = AudioTranscriber(cache_dir=False)
    assert transcriber.transform([(silence, RATE)]) == [""]
    assert transcriber.report_["empty"] == 1


def test_a_long_file_is_read_in_chunks_cut_where_it_is_quiet(samples, monkeypatch):
    pause = np.zeros(RATE // 2, np.float32)
    long = np.concatenate([samples, pause] * 3)  # 28 seconds
    whole = AudioTranscriber(cache_dir=False)
    (expected,) = whole.segments([(long, RATE)])
    monkeypatch.setattr(_whisper.CTranslate2, "chunk", 12)
    (found,) = AudioTranscriber(cache_dir=False).segments([(long, RATE)])
    text = " ".join(s.text for s in found)
    assert words(text).count("striker") == 3
    assert abs(found[-1].end - expected[-1].end) < 1.5
    assert [s.start for s in found] == sorted(s.start for s in found)


def test_chunks_hold_every_sample_and_end_in_silence():
    rng = np.random.default_rng(0)
    sound = rng.normal(size=10 * RATE).astype(np.float32) / 4
    sound[int(3.4 * RATE) : int(3.8 * RATE)] = 0
    found = [*_sound.chunks(Input("", "", (sound, RATE)), 4)]
    np.testing.assert_array_equal(np.concatenate(found), sound)
    assert 3.4 < found[0].size / RATE < 3.8
    assert max(chunk.size for chunk in found) <= 4 * RATE


def write_silence(path, n_minutes, rate=8_000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(rate)
        for _ in range(n_minutes):
            file.writeframes(bytes([128]) * 8_000 * 60)
    return path


def test_a_long_file_takes_little_memory(tmp_path):
    path = write_silence(tmp_path / "long.wav", 15)
    tracemalloc.start()
    n = sum(chunk.size for chunk in _sound.chunks(Input("", "", path), 20))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert abs(n / RATE - 900) < 1
    assert peak < 12e6  # the whole file has 58 MB


# each file is transcribed once -------------------------------------------------------------


@pytest.fixture
def loads(monkeypatch):
    """The models that are loaded."""
    found = []
    real = _whisper._faster_whisper

    def counted(*arguments):
        found.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(_whisper, "_faster_whisper", counted)
    return found


def test_cached_files_load_no_model(sport, tmp_path, loads):
    copy = tmp_path / "same bytes.ogg"
    shutil.copy(sport, copy)
    first = AudioTranscriber(cache_dir=tmp_path).transform([sport, copy, sport])
    assert len(loads) == 1
    again = AudioTranscriber(cache_dir=tmp_path, verbose=True, on_error="keep")
    assert again.transform([copy]) == first[:1]
    assert len(loads) == 1
    AudioTranscriber(cache_dir=tmp_path, beam_size=1).transform([copy])
    assert len(loads) == 2


def test_pickles_hold_no_weights_and_transcribe_the_same(sport):
    transcriber = AudioTranscriber()
    text = transcriber.transform([sport])
    data = pickle.dumps(transcriber)
    assert len(data) < 5_000
    assert pickle.loads(data).transform([sport]) == text
    assert clone(transcriber).transform([sport]) == text


def test_transcripts_before_a_failure_are_cached(sport, tmp_path, loads):
    bad = tmp_path / "bad.wav"
    bad.write_text("This is a text and no sound. " * 100)
    with pytest.raises(ValueError, match=r"row 1 \(.*bad\.wav\).*not a sound or video"):
        AudioTranscriber(cache_dir=tmp_path).transform([sport, bad])
    assert len(loads) == 1
    AudioTranscriber(cache_dir=tmp_path).transform([sport])
    assert len(loads) == 1


# bad input -----------------------------------------------------------------------------------


@pytest.fixture
def bad_files(tmp_path, start, encoded):
    """Files without a readable sound, by a part of the error message."""
    flac = encoded(start, RATE, "flac", "flac")
    contents = {
        "not a sound or video format": b"This is a text. " * 100,
        "zero bytes": b"",
        "damaged or cut short": flac[: len(flac) // 2],
    }
    found = {}
    for i, (reason, data) in enumerate(contents.items()):
        found[reason] = tmp_path / f"{i}.wav"
        found[reason].write_bytes(data)
    found["sampling rate 1 "] = write_silence(tmp_path / "slow.wav", 1, rate=1)
    found["holds no sound"] = write_silence(tmp_path / "none.wav", 0)
    found["is a folder"] = tmp_path
    found["check the path"] = tmp_path / "missing.wav"
    return found


def test_bad_files_raise_with_row_and_path(bad_files, no_open_files):
    for reason, path in bad_files.items():
        with pytest.raises(ValueError, match=f"row 0.*{path.name}.*({reason})"):
            AudioTranscriber(cache_dir=False).transform([path])


def test_bad_files_can_be_kept_as_empty_texts(sport, bad_files, caplog):
    transcriber = AudioTranscriber(on_error="keep")
    with caplog.at_level(logging.WARNING):
        texts = transcriber.transform([sport, *bad_files.values(), None, sport])
    assert texts[0] == texts[-1] != ""
    assert set(texts[1:-1]) == {""}
    n = len(bad_files) + 1
    assert transcriber.report_ == {
        "described": 2,
        "empty": 0,
        "missing": 0,
        "failed": n,
    }
    assert list(transcriber.errors_) == list(range(1, n + 1))
    assert f"{n} of {n + 2} rows failed" in caplog.text
    assert transcriber.outcomes_.tolist() == ["described", *["failed"] * n, "described"]


CUT = {
    "wav": (RATE, "pcm_s16le", "wav", "s16"),
    "aiff": (RATE, "pcm_s16be", "aiff", "s16"),
    "avi": (RATE, "pcm_s16le", "avi", "s16"),
    "flac": (RATE, "flac", "flac", "s16"),
    "mp3": (RATE, "libmp3lame", "mp3", "fltp"),
    "mp4": (RATE, "aac", "mp4", "fltp"),
    "mkv": (RATE, "flac", "matroska", "s16"),
    "webm": (48_000, "libopus", "webm", "flt"),
}


def seconds_of(content):
    return sum(c.size for c in _sound.chunks(Input("", "", content), 60)) / RATE


@pytest.mark.parametrize("form", CUT)
def test_a_cut_off_file_is_refused(form, start, encoded):
    data = encoded(start, *CUT[form])
    assert abs(seconds_of(data) - 3) < 0.1
    for share in (0.5, 0.8):
        with pytest.raises(Unreadable, match=r"cut short|not a sound"):
            seconds_of(data[: int(share * len(data))])


@pytest.mark.parametrize("form", ["flac", "ogg"])
def test_a_lost_part_is_refused(form, samples, encoded):
    forms = {**CUT, "ogg": (48_000, "libopus", "ogg", "flt")}
    data = bytearray(encoded(samples, *forms[form]))
    middle, n = len(data) // 2, len(data) // 10
    data[middle : middle + n] = bytes(n)
    with pytest.raises(Unreadable, match=r"only \d\.\d of 7[.]8 seconds"):
        seconds_of(bytes(data))


def test_streamed_files_of_unknown_size_are_read(start, encoded):
    data = bytearray(encoded(start, RATE))
    place = data.index(b"data") + 4
    data[4:8] = data[place : place + 4] = b"\xff" * 4
    assert seconds_of(bytes(data)) == 3
    mp3 = encoded(start, *CUT["mp3"])
    frames = mp3[mp3.index(b"\xff", mp3.index(b"Info")) :]  # without the header
    assert abs(seconds_of(frames) - 3) < 0.2


BAD_VALUES = {
    "channels first": ((np.zeros((2, 99)), RATE), r"\(2, 99\).*transpose it"),
    "integers of 64 bits": (([0, 99], RATE), "int64 .*int16"),
    "floats of integers": ((np.full(9, 2e4), RATE), "reach 20000.*by 32768"),
    "a huge float": ((np.full(9, -1e300), RATE), r"reach 1e\+300"),
    "the rate first": ((RATE, np.zeros(9)), r"pass \(samples, sampling_rate\)"),
    "a pair that is no sound": ((np.array(["a"]), RATE), "not a sound"),
    "a rate": ((np.zeros(9), 0), "sampling rate 0"),
    "NaN": ((np.full(9, np.nan), RATE), "NaN or infinity"),
    "an empty array": ((np.zeros(0), RATE), "not a sound"),
    "an array without its rate": (np.zeros(9), "of type ndarray"),
    "None": (None, "holds None"),
    "a missing cell": (float("nan"), "holds nan"),
    "an empty path": (" ", "empty path"),
    "no bytes": (b"", "zero bytes"),
    "a null character": ("a\0b.wav", "null"),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_bad_values_raise_with_their_row(case):
    value, message = BAD_VALUES[case]
    with pytest.raises(ValueError, match=f"row 1: .*{message}"):
        AudioTranscriber().fit([(np.zeros(99), RATE), value])


# nothing is fetched -----------------------------------------------------------------------------


@pytest.fixture
def server():
    """A server on loopback, and the paths of its requests."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{found.server_port}/clip.wav", asked
    found.shutdown()
    thread.join()
    found.server_close()


def test_addresses_are_refused_with_the_remedy(server):
    url, asked = server
    addresses = [url, url.upper(), "ftp://host/a.wav", "s3://bucket/a.wav"]
    addresses += ["data:audio/wav;base64,AAAA", "file://host/share/a.wav"]
    for address in addresses:
        with pytest.raises(ValueError, match=r"row 0: .*address.*download the file"):
            AudioTranscriber().fit([address])
    assert not asked


def test_playlists_open_nothing(server, tmp_path, sport):
    url, asked = server
    lists = [
        f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{url}'\n",
        f"ffconcat version 1.0\nfile '{sport}'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    ]
    for text in lists:
        path = tmp_path / "list.m3u8"
        path.write_text(text)
        with pytest.raises(ValueError, match=r"row 0 .*not a sound or video"):
            AudioTranscriber(cache_dir=False).transform([path])
    assert not asked


# Whisper of transformers -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def whisper(tmp_path_factory):
    """The folder of a Whisper of random weights, in the format of transformers."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizerFast,
    )

    place = tmp_path_factory.mktemp("whisper")
    marks = ["<|startoftranscript|>", "<|en|>", "<|de|>", "<|transcribe|>"]
    marks += ["<|translate|>", "<|notimestamps|>"]
    marks += [f"<|{i / 50:.2f}|>" for i in range(1501)]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = [*letters, "<|endoftext|>", *marks]
    ids = {token: i for i, token in enumerate(vocabulary)}
    base = Tokenizer(models.BPE(vocab=ids, merges=[]))
    base.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    base.decoder = decoders.ByteLevel()
    tokenizer = WhisperTokenizerFast(
        tokenizer_object=base, additional_special_tokens=marks[:6]
    )
    WhisperProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(place)
    end = ids["<|endoftext|>"]
    torch.manual_seed(0)
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_target_positions=32,
        decoder_start_token_id=ids[marks[0]],
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        init_std=0.5,
    )
    model = WhisperForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        decoder_start_token_id=ids[marks[0]],
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        is_multilingual=True,
        lang_to_id={mark: ids[mark] for mark in ("<|en|>", "<|de|>")},
        task_to_id={"transcribe": ids["<|transcribe|>"]},
        no_timestamps_token_id=ids["<|notimestamps|>"],
        max_length=16,
    )
    model.save_pretrained(place)
    return str(place)


@pytest.mark.parametrize("vad_filter", [True, False])
def test_whisper_of_transformers_writes_segments(whisper, samples, vad_filter):
    """Random weights write nonsense. This tests that the code runs and repeats."""
    transcriber = AudioTranscriber(
        whisper, vad_filter=vad_filter, beam_size=1, cache_dir=False, language="en"
    )
    long = np.concatenate([samples] * 4)
    (segments,) = transcriber.segments([(long, RATE)])
    assert segments == transcriber.segments([(long, RATE)])[0]
    assert len(segments) > 1
    assert segments[-1].start > 20
    assert all(s.text for s in segments)


def test_eight_bit_integers_of_transformers_are_refused(whisper, sport):
    with pytest.raises(ValueError, match=r"dtype='int8' is for .*CTranslate2"):
        AudioTranscriber(whisper, dtype="int8").transform([sport])


@pytest.mark.parametrize(
    ("name", "value"),
    [("beam_size", 0), ("dtype", "int4"), ("on_error", "skip"), ("vad_filter", "no")],
)
def test_bad_parameters_are_named(name, value, sport):
    with pytest.raises(ValueError, match=name):
        AudioTranscriber(**{name: value}).fit([sport])


@pytest.mark.parametrize(
    "parameters",
    [{"device": "tpu"}, {"device": "cuda:x"}, {"device": "cpu", "dtype": "float16"}],
)
def test_a_model_that_cannot_be_loaded_is_no_bad_file(parameters, sport):
    transcriber = AudioTranscriber(cache_dir=False, on_error="keep", **parameters)
    with pytest.raises(ValueError, match=r"cannot be loaded with device="):
        transcriber.transform([sport])


@pytest.mark.parametrize("language", ["xx", "de"])
def test_unknown_languages_are_refused(language, start):
    transcriber = AudioTranscriber(language=language, cache_dir=False, on_error="keep")
    with pytest.raises(ValueError, match=f"{language}.*knows: en\\..*multilingual"):
        transcriber.transform([(start, RATE)])


def test_languages_of_transformers_are_checked(whisper, start):
    transcriber = AudioTranscriber(whisper, language="xx", cache_dir=False)
    with pytest.raises(ValueError, match=r"'xx'.*knows: de, en\."):
        transcriber.transform([(start, RATE)])


def test_the_language_of_silence_is_not_kept(monkeypatch):
    given = []

    def transcribe(self, chunk, language):  # a fake: no multilingual model is offline
        given.append(language)
        return ("de", [(0.0, 1.0, "Ja")]) if chunk.any() else ("la", [])

    monkeypatch.setattr(_whisper.CTranslate2, "transcribe", transcribe)
    monkeypatch.setattr(_whisper.CTranslate2, "chunk", 1)
    sound = np.repeat(np.float32([0, 0.5, 0.5]), RATE)
    AudioTranscriber(cache_dir=False).transform([(sound, RATE)])
    assert given[:2] == [None, None]
    assert given[-1] == "de"


def test_a_model_without_its_organization_gets_a_suggestion(
    sport, monkeypatch, connections
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(
        OSError, match=r"'small'.*Systran/faster-whisper-small"
    ) as error:
        AudioTranscriber("small").transform([sport])
    assert "minilm" not in str(error.value)


def test_a_column_of_missing_cells_needs_no_model():
    table = pd.DataFrame({"audio": [None, None]})
    describer = make_describer({"audio": AudioTranscriber("no/such-model")})
    assert list(describer.fit_transform(table)) == ["", ""]


def test_arrays_are_not_copied_to_be_hashed():
    sound = np.zeros(10**7, np.float32)  # 40 MB
    tracemalloc.start()
    AudioTranscriber().fit([(sound, RATE)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5e6


def test_a_missing_package_is_named(sport, monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(ImportError, match=r"faster_whisper: pip install .*\[audio\]"):
        AudioTranscriber().fit([sport])


def test_telemetry_of_onnxruntime_is_off(tmp_path):
    """It keeps a file in the home folder as soon as it is on."""
    program = (
        "import numpy as np; from llmtopics import AudioTranscriber\n"
        "AudioTranscriber(cache_dir=False).transform([(np.zeros(16_000), 16_000)])"
    )
    variables = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    variables |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], check=True, env=variables)
    assert not [*tmp_path.rglob("*onnxruntime*")]
