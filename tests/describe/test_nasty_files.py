"""Pictures and sounds that have broken programs elsewhere: read, or an error that says why."""

import struct
import zlib
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from hypothesis import strategies as st

pytest.importorskip("rapidocr")
pytest.importorskip("faster_whisper")

from PIL import Image

from llmtopics import AudioTranscriber, ImageDescriber
from llmtopics.describe import _ocr, _whisper
from llmtopics.describe._inputs import Input, Unreadable
from llmtopics.describe._picture import MOST_SIDE, read_picture
from llmtopics.describe._sound import chunks
from tests.fuzzing import run

# pictures ------------------------------------------------------------------------------------


def saved(image, form="PNG", **options):
    file = BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def png(width, height, pixels, *, bits=8, kind=0, more=b""):
    """Return a PNG that claims a size, whatever its pixels are."""

    def part(name, data):
        crc = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + crc

    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + part(b"IHDR", head)
        + b"".join(part(*each) for each in more or ())
        + part(b"IDAT", zlib.compress(pixels))
        + part(b"IEND", b"")
    )


def gif(width, height):
    sizes = struct.pack("<HH", width, height)
    return b"GIF89a%s\0\0\0,\0\0\0\0%s\0\x08\x01\0\0;" % (sizes, sizes)


PIXELS = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
SCENE = Image.fromarray(PIXELS)
GRAY = b"\0\0\0\0\0" * 4  # of 4 × 4 pixels
BOMB = zlib.compress(bytes(10**8))  # 97 KB


def oriented(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def commented(n):
    exif = Image.Exif()
    exif[0x9286] = "x" * n
    return exif


READ = {  # content, size
    "1 pixel": (saved(Image.new("RGB", (1, 1))), (1, 1)),
    "1 pixel, GIF": (saved(Image.new("P", (1, 1)), "GIF"), (1, 1)),
    "16 bits per color": (
        png(4, 4, b"\0\x80\0".ljust(25) * 4, bits=16, kind=2),
        (4, 4),
    ),
    "gray with alpha": (saved(Image.new("LA", (9, 9))), (9, 9)),
    "CMYK": (saved(SCENE.convert("CMYK"), "TIFF"), (60, 40)),
    "LAB": (saved(Image.new("LAB", (9, 9)), "TIFF"), (9, 9)),
    "YCbCr": (saved(SCENE.convert("YCbCr"), "TIFF"), (60, 40)),
    "half transparent palette": (
        saved(SCENE.quantize(8), transparency=b"\0\x80"),
        (60, 40),
    ),
    "animated WebP": (
        saved(SCENE, "WEBP", save_all=True, append_images=[SCENE.rotate(90)]),
        (60, 40),
    ),
    "turned": (saved(SCENE, "JPEG", exif=oriented(6)), (40, 60)),
    "unknown orientation": (saved(SCENE, "JPEG", exif=oriented(65535)), (60, 40)),
    "huge EXIF": (saved(SCENE, "JPEG", exif=commented(60_000)), (60, 40)),
    "broken EXIF": (saved(SCENE, "JPEG", exif=b"Exif\0\0" + b"\xff" * 999), (60, 40)),
    "broken EXIF of a PNG": (
        saved(SCENE, exif=b"Exif\0\0II*\0" + b"\xff" * 4),
        (60, 40),
    ),
    "also a ZIP": (saved(SCENE) + b"PK\x05\x06" + bytes(18), (60, 40)),
    "100 MB of pixels for 16": (png(4, 4, bytes(10**8)), (4, 4)),
}
REFUSED = {
    "900 million pixels": (png(30_000, 30_000, bytes(9)), "too large"),
    "2**62 pixels": (png(2**31 - 1, 2**31 - 1, bytes(9)), "too large"),
    "no pixels": (png(0, 5, b""), "not a known picture"),
    "huge GIF": (gif(65_535, 65_535), "too large"),
    "GIF without its pixels": (gif(9000, 9000), "damaged or cut short"),
    "huge PPM": (b"P6 99999 99999 255\n", "too large"),
    "PPM without its pixels": (b"P6 9000 9000 255\n", "damaged or cut short"),
    "BMP of negative height": (
        b"BM"
        + struct.pack("<IHHI", 54, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, -9000, -9000, 1, 24, *[0] * 6),
        "too large",
    ),
    "bomb in a comment": (
        png(4, 4, GRAY, more=[(b"zTXt", b"k\0\0" + BOMB)]),
        "damaged or cut short",
    ),
    "bomb in a color profile": (
        png(4, 4, GRAY, more=[(b"iCCP", b"k\0\0" + BOMB)]),
        "damaged or cut short",
    ),
    "bomb in a text": (
        png(4, 4, GRAY, more=[(b"iTXt", b"k\0\1\0\0\0" + BOMB)]),
        "damaged or cut short",
    ),
    "TIFF of 65,535 tags": (
        b"II*\0\x08\0\0\0\xff\xff" + b"\0\1\3\0\xff\xff\xff\xff\0\0\0\0" * 2000,
        "not a known picture",
    ),
    "ICO of 65,535 pictures": (
        b"\0\0\1\0\xff\xff" + bytes(1600),
        "not a known picture",
    ),
    "a text": (b"This is a text.", "not a known picture"),
    "a ZIP": (b"PK\x03\x04" + bytes(99), "not a known picture"),
    "a PDF before a JPEG": (
        b"%PDF-1.4\n" + saved(SCENE, "JPEG"),
        "not a known picture",
    ),
    "a script that begins as a GIF": (
        b"GIF89a=1;alert(1)//" * 9,
        "not a known|cut short",
    ),
}


@pytest.fixture
def described(monkeypatch):
    """The pictures that reach the model, which is left out."""
    found = []

    def describe(self, file):
        found.append(read_picture(file))
        return b"text"

    monkeypatch.setattr(_ocr.PrintedText, "describe", describe)
    return found


def test_nasty_pictures_are_read(described):
    contents, sizes = zip(*READ.values(), strict=True)
    texts = ImageDescriber(cache_dir=False).transform(contents)
    assert texts == ["text"] * len(READ)
    assert {*READ} == {
        name
        for name, image, size in zip(READ, described, sizes, strict=True)
        if (image.mode, image.size) == ("RGB", size)
    }


@pytest.mark.parametrize("name", REFUSED)
def test_nasty_pictures_are_refused_with_their_row(name, described):
    content, message = REFUSED[name]
    with pytest.raises(ValueError, match=rf"row 1: .*({message})"):
        ImageDescriber(cache_dir=False).transform([PIXELS, content])


FORMS = ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "TGA", "ICO", "JPEG2000"]


@st.composite
def damage(draw, contents):
    """A file with bytes changed, cut, doubled, or moved."""
    data = bytearray(draw(st.sampled_from(contents)))
    place = st.integers(0, len(data) - 1) | st.integers(0, min(99, len(data) - 1))
    for _ in range(draw(st.integers(1, 6))):
        at, n = draw(place), draw(st.sampled_from([1, 1, 2, 4, 50]))
        kind = draw(st.sampled_from(["set", "set", "set", "cut", "double", "end"]))
        value = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
        if kind == "set":
            data[at : at + n] = bytes([value]) * len(data[at : at + n])
        elif kind == "double":
            data[at:at] = data[at : at + n]
        else:
            del data[at : at + n if kind == "cut" else len(data)]
        if len(data) < 100:
            break
    return bytes(data)


@pytest.fixture(scope="module")
def pictures():
    return [saved(SCENE, form) for form in FORMS] + [each for each, _ in READ.values()][
        :12
    ]


def check_pictures(pictures):
    def check(data):
        try:
            image = read_picture(Input("", "", data.draw(damage(pictures))))
        except Unreadable:
            return
        assert image.mode == "RGB"
        assert max(image.size) <= MOST_SIDE

    return check


def test_any_damage_to_a_picture_is_read_or_refused(pictures):
    run(check_pictures(pictures), 300)


@pytest.mark.soak
def test_much_more_damage_to_pictures_is_read_or_refused(pictures):
    run(check_pictures(pictures), 20_000)


# sounds --------------------------------------------------------------------------------------

WAVE = np.sin(np.arange(16_000) / 9) / 2


def wav(samples, *, n_channels=1, rate=16_000, bits=None, kind=1, size=None):
    """Return a WAV file that claims what is given, whatever its samples are."""
    data = samples if isinstance(samples, bytes) else samples.tobytes()
    bits = 8 * samples.itemsize if bits is None else bits
    align = n_channels * bits // 8
    speed = rate * align % 2**32
    form = struct.pack("<HHIIHH", kind, n_channels, rate, speed, align % 2**16, bits)
    size = len(data) if size is None else size
    parts = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data"
    whole = struct.pack("<I", min(36 + size, 2**32 - 1))
    return b"RIFF" + whole + parts + struct.pack("<I", size) + data


def with_a_float(value, kind=np.float32):
    samples = WAVE.astype(kind)
    samples[100:110] = value
    return wav(samples, kind=3)


WHOLE = (WAVE * 32767).astype(np.int16)
BYTES_24 = b"".join(int(v * 2**23).to_bytes(3, "little", signed=True) for v in WAVE)
HEARD = {
    "8 bits": wav((WAVE * 127 + 128).astype(np.uint8)),
    "24 bits": wav(BYTES_24, bits=24),
    "floats of 32 bits": wav(WAVE.astype(np.float32), kind=3),
    "floats of 64 bits": wav(WAVE, kind=3),
    "8 channels": wav(np.repeat(WHOLE, 8), n_channels=8),
    "384 kHz": wav(np.repeat(WHOLE, 24), rate=384_000),
    "unknown size": wav(WHOLE, size=2**32 - 1),
    "half a sample more": wav(WHOLE.tobytes() + b"\0", bits=16),
}
UNHEARD = {
    "NaN": (with_a_float(np.nan), "NaN or infinity"),
    "infinity": (with_a_float(-np.inf), "NaN or infinity"),
    "a huge float": (with_a_float(1e30), r"reach 1e\+30"),
    "a float beyond 32 bits": (with_a_float(1e300, float), "NaN or infinity"),
    "no samples": (wav(b"", bits=16), "holds no sound"),
    "no channels": (wav(bytes(99), n_channels=0, bits=16), "cannot be decoded"),
    "65,535 channels": (
        wav(bytes(2**18), n_channels=65_535, bits=16),
        "cannot be decoded",
    ),
    "65 channels": (wav(np.repeat(WHOLE, 65), n_channels=65), "65 channels"),
    "no rate": (wav(WHOLE, rate=0), "not a sound"),
    "1 Hz": (wav(WHOLE, rate=1), "sampling rate 1 "),
    "4 billion Hz": (wav(WHOLE, rate=2**32 - 1), "not a sound|sampling rate"),
    "no bits": (wav(bytes(999), bits=0), "cannot decode its kind of sound"),
    "an unknown codec": (wav(WHOLE, kind=999), "cannot decode its kind of sound"),
    "a GB of nothing": (wav(WHOLE, size=2**30), "damaged or cut short"),
    "a text": (b"RIFF is how a WAV file begins." * 9, "damaged or cut short"),
}


@pytest.fixture
def transcribed(monkeypatch):
    """Whisper without its model, which takes long."""
    monkeypatch.setattr(_whisper.CTranslate2, "transcribe", lambda *_: ("en", []))


@pytest.mark.parametrize("name", HEARD)
def test_nasty_sounds_are_heard(name):
    found = np.concatenate([*chunks(Input("", "", HEARD[name]), 60)])
    assert abs(found.size - 16_000) <= 1
    middle = slice(1000, 15_000)  # the ends may have the ring of a filter
    # 8 bits are coarse, and a filter changes loud tones a little
    np.testing.assert_allclose(found[middle], WAVE[middle], atol=0.03)


@pytest.mark.parametrize("name", UNHEARD)
def test_nasty_sounds_are_refused_with_their_row(name, transcribed):
    content, message = UNHEARD[name]
    with pytest.raises(ValueError, match=rf"row 1: .*({message})"):
        AudioTranscriber(cache_dir=False).transform([HEARD["8 bits"], content])


CODECS = {
    "flac": (16_000, "flac", "flac", "s16"),
    "mp3": (16_000, "libmp3lame", "mp3", "fltp"),
    "mp4": (16_000, "aac", "mp4", "fltp"),
    "ogg": (48_000, "libopus", "ogg", "flt"),
    "mkv": (16_000, "flac", "matroska", "s16"),
    "aiff": (16_000, "pcm_s16be", "aiff", "s16"),
}


@pytest.fixture(scope="module")
def sounds(encoded):
    wave = WAVE[:4000].astype(np.float32)
    return [
        *(encoded(wave, *codec) for codec in CODECS.values()),
        wav(WAVE[:4000].astype(np.float32), kind=3),
        wav(WHOLE[:4000]),
    ]


def check_sounds(sounds):
    def check(data):
        given = Input("", "", data.draw(damage(sounds)))
        with suppress(Unreadable):
            for found in chunks(given, 60):
                assert np.isfinite(found).all()
                assert 0 < found.size <= 60 * 16_000

    return check


def test_any_damage_to_a_sound_is_read_or_refused(sounds):
    run(check_sounds(sounds), 300)


@pytest.mark.soak
def test_much_more_damage_to_sounds_is_read_or_refused(sounds):
    run(check_sounds(sounds), 20_000)
