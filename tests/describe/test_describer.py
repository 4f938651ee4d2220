"""Pictures to texts: real text recognition, and models of random weights for the rest."""

import logging
import os
import pickle
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Event

import numpy as np
import pytest
from sklearn.base import clone

pytest.importorskip("rapidocr")

from PIL import Image, ImageOps, features

from llmtopics import ImageDescriber
from llmtopics.describe import _ocr
from llmtopics.describe._picture import MOST_SIDE, read_picture

LINE = "Shares fell sharply"


def saved(image, form="PNG", **options):
    file = BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def read(value):
    """Return the picture that models get for a value."""
    describer = ImageDescriber()
    (file,), _ = describer._read([value])
    return read_picture(file)


# the text in pictures ------------------------------------------------------------------------


def noisy(page):
    noise = np.random.default_rng(0).normal(0, 50, (page.height, page.width, 1))
    return Image.fromarray((np.asarray(page) + noise).clip(0, 255).astype(np.uint8))


def turned(page):
    return page.rotate(5, expand=True, fillcolor="white")


def upside_down(page):
    return page.rotate(180)


@pytest.mark.parametrize("language", ["English", "Chinese"])
@pytest.mark.parametrize("change", [None, noisy, turned, upside_down])
def test_printed_text_is_read(pages, language, change):
    lines = pages.SENTENCES[language][6:10]
    page = pages.printed(lines, language)
    (text,) = ImageDescriber().transform([change(page) if change else page])
    expected = "".join(lines).replace(" ", "")
    wrong = pages.edits("".join(text.split()), expected)
    assert wrong / len(expected) < (0.02 if change is None else 0.05)


def test_small_print_is_read(pages):
    lines = pages.SENTENCES["English"][:4]
    (text,) = ImageDescriber().transform([pages.printed(lines, "English", 11)])
    assert pages.edits(text, "\n".join(lines)) <= 6


def test_a_picture_without_text_is_empty():
    describer = ImageDescriber()
    assert describer.transform([Image.new("RGB", (90, 90), "green")]) == [""]
    assert describer.report_ == {"described": 0, "empty": 1, "missing": 0, "failed": 0}


def test_every_form_of_a_picture_gives_the_same_text(strip, tmp_path):
    path = tmp_path / "strip.wrong-extension"
    path.write_bytes(data := saved(strip))
    X = [
        path,
        str(path),
        path.as_uri(),
        data,
        bytearray(data),
        strip,
        np.asarray(strip),
    ]
    assert ImageDescriber().transform(X) == [LINE] * len(X)


# what models see of a picture -----------------------------------------------------------------


@pytest.fixture
def scene():
    """A picture in which every corner differs."""
    pixels = np.full((40, 60, 3), 90, np.uint8)
    pixels[:20, :30] = [200, 0, 0]
    pixels[20:, :30] = [0, 0, 200]
    return Image.fromarray(pixels)


def close(a, b, most=12):
    a, b = (np.asarray(image, dtype=float) for image in (a, b))
    return a.shape == b.shape and np.abs(a - b).mean() < most


FORMS = {
    "jpeg": lambda im: saved(im, "JPEG", quality=95),
    "webp": lambda im: saved(im, "WEBP", lossless=True),
    "tiff": lambda im: saved(im, "TIFF"),
    "bmp": lambda im: saved(im, "BMP"),
    "palette": lambda im: saved(im.quantize(8), "GIF"),
    "animated": lambda im: saved(
        im, "GIF", save_all=True, append_images=[Image.new("RGB", im.size, "white")]
    ),
    "CMYK": lambda im: saved(im.convert("CMYK"), "JPEG", quality=95),
    "opaque alpha": lambda im: saved(im.convert("RGBA")),
    "floats": lambda im: np.asarray(im) / 255,
    "16-bit array": lambda im: np.asarray(im).astype(np.uint16) * 257,
    "rotated by EXIF": lambda im: saved(
        im.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=rotated_exif()
    ),
    "PIL rotated by EXIF": lambda im: Image.open(BytesIO(FORMS["rotated by EXIF"](im))),
}


def rotated_exif():
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_pixels(form, scene):
    assert close(read(FORMS[form](scene)), scene)


def test_grayscale_pictures_of_any_depth(scene):
    gray = ImageOps.grayscale(scene)
    wide = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    for value in [
        saved(gray),
        saved(wide),
        saved(wide, "TIFF"),
        np.asarray(gray),
        np.asarray(gray)[:, :, None],
    ]:
        found = read(value)
        assert found.mode == "RGB"
        assert close(found, gray.convert("RGB"))
    bright = np.asarray(gray) > 70
    np.testing.assert_array_equal(np.asarray(read(bright))[:, :, 0], bright * 255)
    assert 0 < bright.mean() < 1


def test_transparent_areas_become_white():
    clear = Image.new("RGBA", (9, 9), (0, 0, 0, 0))
    palette = clear.convert("P")
    palette.info["transparency"] = palette.getpixel((0, 0))
    for value in [clear, saved(clear), saved(palette), np.asarray(clear)]:
        assert np.asarray(read(value)).min() == 255


def test_16_bit_pictures_are_turned_upright(scene):
    gray = ImageOps.grayscale(scene)
    turned = np.asarray(gray.transpose(Image.Transpose.ROTATE_90)).astype(np.uint16)
    data = saved(Image.fromarray(turned * 257), exif=rotated_exif())
    assert close(read(data), gray.convert("RGB"))


def test_pictures_that_differ_in_transparency_have_different_digests():
    black, clear = (Image.new("L", (60, 60), 0) for _ in range(2))
    clear.info["transparency"] = 0
    files, _ = ImageDescriber()._read([black, clear])
    assert files[0].digest != files[1].digest
    assert [np.asarray(read(each)).min() for each in (black, clear)] == [0, 255]


@pytest.mark.parametrize(("mode", "form"), [("RGB", "JPEG"), ("RGBA", "PNG")])
def test_large_pictures_are_shrunk(mode, form):
    found = read(saved(Image.new(mode, (5000, 3000), "red"), form))
    assert found.size == (MOST_SIDE, 1200)
    assert close(found, Image.new("RGB", found.size, "red"))


# bad input -------------------------------------------------------------------------------------


def bomb():
    """A small file that says it has 200 million pixels."""
    return saved(Image.new("1", (20_000, 10_000)))


def damaged_png(tmp):
    head, _, tail = saved(Image.effect_noise((400, 300), 90)).rpartition(b"IDAT")
    return Image.open(BytesIO(head + b"ID\0T" + tail))


def damaged_avif(tmp):
    """The first damaged file whose decoding raises a RuntimeError in PIL itself."""
    if not features.check("avif"):
        pytest.skip("this release of PIL does not read AVIF")
    data = saved(Image.new("RGB", (40, 40)), "AVIF")
    for i in range(4, len(data)):
        damaged = data[:i] + b"\xff" + data[i + 1 :]
        try:
            Image.open(BytesIO(damaged)).load()
        except RuntimeError:
            return damaged
        except (OSError, ValueError, SyntaxError):
            continue
    return pytest.skip("this release of PIL raises none")


def locked_in(tmp):
    if os.geteuid() == 0:
        pytest.skip("the root user may read everything")
    (folder := tmp / "locked").mkdir(mode=0)
    return folder / "a.png"


BAD = {
    "text": (lambda tmp: b"This is a text. " * 99, "not a known picture format"),
    "cut short": (
        lambda tmp: saved(Image.effect_noise((200, 200), 90))[:9000],
        "damaged or cut short",
    ),
    "bomb": (lambda tmp: bomb(), "too large"),
    "narrow": (lambda tmp: Image.new("RGB", (3000, 9)), "more than 50 times"),
    "no bytes": (lambda tmp: b"", "zero bytes"),
    "EPS": (lambda tmp: saved(Image.new("RGB", (9, 9)), "EPS"), "not a known picture"),
    "folder": (lambda tmp: tmp, "is a folder"),
    "missing": (lambda tmp: tmp / "missing.png", "there is no file .*missing.png"),
    "address": (lambda tmp: "https://host/a.png", "address.*download the file"),
    "None": (lambda tmp: None, "holds None.*allowed in make_describer"),
    "NaN": (lambda tmp: np.float32("nan"), "holds .*nan.*allowed in make_describer"),
    "a number": (lambda tmp: 3, r"holds 3 of type int: .* or an array of pixels\."),
    "long name": (lambda tmp: "x" * 300 + ".png", "File name too long"),
    "long path": (lambda tmp: "a/" * 5000, r".{100}….{100} cannot be read: .*too long"),
    "no such user": (lambda tmp: "~nosuchuser/a.png", "cannot be read: .*home"),
    "surrogate": (lambda tmp: str(tmp / "\ud800.png"), r"\\ud800\.png cannot be read"),
    "bad address": (lambda tmp: "http://[bad/a.png", "cannot be read: Invalid IPv6"),
    "folder without rights": (locked_in, "locked.*cannot be read: Permission denied"),
    "shape": (lambda tmp: np.zeros((3, 4, 5)), r"shape \(3, 4, 5\)"),
    "words": (lambda tmp: np.array([["a"]]), "dtype <U1"),
    "infinity": (lambda tmp: np.full((9, 9), np.inf), "NaN or infinity"),
    "NaN in a TIFF": (
        lambda tmp: saved(Image.fromarray(np.full((9, 9), np.nan, "f4")), "TIFF"),
        "NaN or infinity",
    ),
    "negative": (lambda tmp: np.full((9, 9), -0.5), "values below 0, such as -0.5"),
    "signed": (lambda tmp: np.ones((9, 9), np.int8), "dtype int8 .*pass uint8"),
    "empty": (lambda tmp: Image.new("RGB", (0, 5)), "0 × 5 pixels: it is empty"),
    "huge array": (
        lambda tmp: np.broadcast_to(np.uint8(0), (20_000, 20_000)),
        "20000 × 20000 pixels, more than",
    ),
    "above the limit": (
        lambda tmp: saved(Image.new("1", (10_000, 10_000))),
        "10000 × 10000 pixels, more than",
    ),
    "cut GIF opened by PIL": (
        lambda tmp: Image.open(
            BytesIO(saved(Image.effect_noise((40, 30), 90), "GIF")[:-300])
        ),
        "damaged or cut short",
    ),
    "damaged PNG opened by PIL": (damaged_png, "damaged or cut short"),
    "damaged AVIF": (damaged_avif, "damaged or cut short"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_pictures_are_named_or_kept(case, tmp_path, scene, no_open_files):
    make, message = BAD[case]
    bad = make(tmp_path)
    if isinstance(bad, bytes) and bad:
        (tmp_path / "bad.png").write_bytes(bad)
        bad, message = tmp_path / "bad.png", rf"\(.*bad\.png\): .*{message}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=f"row 1.*{message}"):
            ImageDescriber().transform([scene, bad])
    describer = ImageDescriber(on_error="keep")
    assert describer.transform([scene, bad, scene]) == [""] * 3
    assert describer.report_ == {"described": 0, "empty": 2, "missing": 0, "failed": 1}
    assert list(describer.errors_) == [1]


def test_decompression_bombs_are_refused_before_decoding(monkeypatch):
    decoded, data = [], bomb()
    monkeypatch.setattr(Image.Image, "load", lambda image: decoded.append(image))
    for value in [data, Image.new("1", (10_000, 9_000))]:
        with pytest.raises(ValueError, match="too large"):
            ImageDescriber().transform([value])
    assert not decoded


def test_one_array_of_many_pictures_is_refused(scene):
    with pytest.raises(ValueError, match="one column"):
        ImageDescriber().fit(np.asarray(scene))
    with pytest.raises(ValueError, match="got one Image"):
        ImageDescriber().fit(scene)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"how": "poem"}, "how"),
        ({"how": ["ocr", "poem"]}, "how must be one of"),
        ({"how": []}, "how must be one of"),
        ({"how": [["ocr"]]}, "how must be one of"),
        ({"model": "m"}, "does not use model: leave model out, or .* caption or words"),
        ({"revision": "v1"}, "does not use revision"),
        ({"prompt": "What?"}, "does not use prompt: .* set how to caption"),
        ({"how": "caption", "model": "m", "vocabulary": ["a"]}, "not use vocabulary"),
        ({"how": ["ocr", "ocr"]}, "how must be one of"),
        ({"how": "caption"}, "needs a model that writes"),
        ({"how": "words", "model": "clip"}, "needs model.*vocabulary"),
        (
            {"how": ["caption", "words"], "model": "m", "vocabulary": ["a"]},
            "different models",
        ),
        ({"how": "words", "model": "m", "vocabulary": ["a", "a"]}, "more than once"),
        ({"how": "words", "model": "m", "vocabulary": ["a", 3]}, "row 1 holds 3"),
        ({"n_words": 0}, "n_words"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"llm": "smollm2"}, "llm"),
    ],
)
def test_bad_parameters_are_named(parameters, message, scene):
    with pytest.raises(ValueError, match=message):
        ImageDescriber(**parameters).fit([scene])


def test_attributes_that_are_absent_say_why():
    with pytest.raises(AttributeError, match="'report_': transform sets it: call"):
        ImageDescriber().report_  # noqa: B018
    with pytest.raises(AttributeError, match="'scores': it needs how='words'"):
        ImageDescriber().scores  # noqa: B018
    assert not hasattr(ImageDescriber(), "other")


@pytest.mark.parametrize(
    ("package", "extra"),
    [("PIL", "image"), ("rapidocr", "ocr"), ("onnxruntime", "ocr")],
)
def test_a_missing_package_is_named(package, extra, scene, monkeypatch):
    if package == "PIL":
        monkeypatch.setitem(sys.modules, "PIL", None)
    else:
        real = _ocr.find_spec
        monkeypatch.setattr(
            _ocr, "find_spec", lambda name: None if name == package else real(name)
        )
    with pytest.raises(ImportError, match=rf"pip install 'llmtopics\[{extra}\]'"):
        ImageDescriber().transform([scene])


# each picture is described once ------------------------------------------------------------


@pytest.fixture
def loads(monkeypatch):
    """The number of times that text recognition loads its models."""
    found = []
    real = _ocr._engine

    def counted():
        found.append("ocr")
        return real()

    monkeypatch.setattr(_ocr, "_engine", counted)
    return found


def test_cached_pictures_load_no_model(strip, tmp_path, loads):
    X = [saved(strip), saved(strip), strip]
    first = ImageDescriber(cache_dir=tmp_path)
    assert first.transform(X) == [LINE] * 3
    assert len(loads) == 2  # a file and an image in memory
    assert pickle.loads(pickle.dumps(first)).transform(X) == [LINE] * 3
    assert clone(first).transform(X[::-1]) == [LINE] * 3
    assert len(loads) == 2


def test_a_failed_file_is_tried_again_and_others_are_not(
    strip, tmp_path, loads, caplog
):
    path = tmp_path / "later.png"
    path.write_bytes(b"not yet")
    describer = ImageDescriber(on_error="keep", cache_dir=tmp_path)
    with caplog.at_level(logging.WARNING):
        assert describer.transform([strip, path]) == [LINE, ""]
    assert "1 of 2 rows failed" in caplog.text
    assert "later.png" in caplog.text
    path.write_bytes(saved(strip))
    assert describer.transform([strip, path]) == [LINE, LINE]
    assert describer.errors_ == {}
    assert len(loads) == 2


def test_a_file_that_changes_is_an_error_and_not_in_the_cache(
    strip, tmp_path, monkeypatch
):
    path = tmp_path / "page.png"
    path.write_bytes(data := saved(strip))
    real = _ocr.PrintedText.describe

    def changed(self, file):
        strip.crop((0, 0, 30, strip.height)).save(path)
        return real(self, file)

    describer = ImageDescriber(cache_dir=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(_ocr.PrintedText, "describe", changed)
        with pytest.raises(ValueError, match=r"row 0 \(.*page\.png\): it changed"):
            describer.transform([path])
    assert describer.transform([data]) == [LINE]


def test_an_interrupt_keeps_earlier_descriptions(two, strip, tmp_path, monkeypatch):
    described, real = [], _ocr.PrintedText.describe

    def interrupted(self, file):
        described.append(file.digest)
        if len(described) == 2:
            raise KeyboardInterrupt
        return real(self, file)

    monkeypatch.setattr(_ocr.PrintedText, "describe", interrupted)
    describer = ImageDescriber(cache_dir=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        describer.transform([strip, *two])
    assert describer.transform([strip, *two])[0] == LINE
    assert len(described) == 4
    assert len({*described}) == 3


def test_a_second_caller_does_not_wait_for_all_files_of_the_first(
    tmp_path, monkeypatch
):
    started = Event()

    def slowly(self, file):
        started.set()
        time.sleep(0.05)
        return b"text"

    monkeypatch.setattr(_ocr.PrintedText, "describe", slowly)
    describer = ImageDescriber(cache_dir=tmp_path)
    X = [np.full((9, 9), i, np.uint8) for i in range(100)]
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(clone(describer).transform, X)
        assert started.wait(60)
        assert describer.transform([np.full((9, 9), 200, np.uint8)]) == ["text"]
        assert not first.done()
        assert first.result() == ["text"] * 100


def test_errors_speak_of_the_cache_only_if_there_is_one(tmp_path):
    for cache_dir in [False, tmp_path]:
        with pytest.raises(ValueError, match="there is no file") as caught:
            ImageDescriber(cache_dir=cache_dir).fit(["missing.png"])
        assert ("are in the cache" in str(caught.value)) is (cache_dir is not False)


def test_fit_reads_no_file_and_transform_shows_progress(
    tmp_path, strip, no_delay, capsys
):
    path = tmp_path / "page.png"
    path.write_bytes(saved(strip))
    describer = ImageDescriber(verbose=True, cache_dir=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.open", None)
        describer.fit([path])
    describer.transform([path])
    assert "ImageDescriber: 100%" in capsys.readouterr().err
