"""Picture files, bytes, arrays and PIL images → upright RGB pictures of bounded size."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Any

import numpy as np

from llmtopics.describe._inputs import Input, Unreadable, opened

MOST_SIDE = 2000  # pixels; larger pictures are shrunk to it
_RATIO = 50  # largest ratio of the sides, because models enlarge the shorter one
_decoding_lock = Lock()  # warnings are turned off for one thread at a time
# other formats, such as EPS, start programs
_FORMATS = [
    "AVIF",
    "BMP",
    "GIF",
    "ICO",
    "JPEG",
    "JPEG2000",
    "PNG",
    "PPM",
    "TGA",
    "TIFF",
    "WEBP",
]


def picture_bytes(value: Any) -> list[Any] | None:
    """Return the bytes that identify a PIL image or an array; None for another kind."""
    from PIL import Image

    if isinstance(value, Image.Image):
        _check_size(*value.size)
        with _decoding():
            palette = value.getpalette("RGBA") if value.mode == "P" else None
            how = (value.getexif().get(0x0112), value.info.get("transparency"))
            about = f"{value.mode} {value.size} {how}"
            return [about.encode(), bytes(palette or b""), value.tobytes()]
    if isinstance(value, np.ndarray):
        _check_array(value)
        about = f"{value.shape} {value.dtype.str}"
        return [about.encode(), np.ascontiguousarray(value)]
    return None


def read_picture(file: Input) -> Any:
    """Return a picture as an upright RGB image of PIL, at most 2,000 pixels wide and high.

    Of an animation, the first picture is taken. What is transparent is white.

    Raises
    ------
    Unreadable
        If it is no picture, too large, or damaged.
    """
    from PIL import Image, ImageOps

    with ExitStack() as stack:
        stack.enter_context(_decoding())
        if isinstance(file.content, np.ndarray):
            image = _from_array(file.content)
        elif isinstance(file.content, Image.Image):
            image = file.content.copy()
        else:
            stream = stack.enter_context(opened(file))
            Image.init()
            known = [name for name in _FORMATS if name in Image.OPEN]
            image = stack.enter_context(Image.open(stream, formats=known))
        _check_size(*image.size)
        image.draft("RGB", (MOST_SIDE, MOST_SIDE))  # decodes large JPEGs smaller
        ImageOps.exif_transpose(image, in_place=True)
        if image.mode.startswith("I;16"):  # PIL would cut values above 255
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        elif image.mode in ("I", "F"):
            _check_values(values := np.asarray(image))
            image = _from_array(values)
        clear = "transparency" in image.info or "A" in image.getbands()
        mode = "RGBA" if clear else "RGB"
        if image.mode != mode:
            image = image.convert(mode)
        image.thumbnail((MOST_SIDE, MOST_SIDE))
        if clear:
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image).convert("RGB")
        image.load()  # before the file is closed
        return image


@contextmanager
def _decoding() -> Iterator[None]:
    """Replace the errors of decoders, which raise many kinds. Show no warnings."""
    from PIL import Image

    try:
        with _decoding_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Image.UnidentifiedImageError:
        raise Unreadable(
            "its bytes are not a known picture format: pass JPEG, PNG, GIF, WebP, TIFF, "
            "BMP or a similar format."
        ) from None
    except Image.DecompressionBombError as error:
        raise Unreadable(_too_large(str(error))) from None
    except (
        ArithmeticError,
        EOFError,
        LookupError,
        OSError,
        RuntimeError,
        SyntaxError,
        TypeError,
        ValueError,
        struct.error,
    ) as error:
        raise Unreadable(
            f"the picture cannot be decoded ({error}): it may be damaged or cut short. "
            "Save it again, or remove it."
        ) from None


def _check_size(width: int, height: int) -> None:
    """Raise an error for pictures that would take much memory here or in a model."""
    from PIL import Image

    most = Image.MAX_IMAGE_PIXELS
    if most is not None and width * height > most:
        raise Unreadable(_too_large(f"{width} × {height} pixels, more than {most}"))
    if min(width, height) == 0:
        raise Unreadable(f"the picture is {width} × {height} pixels: it is empty.")
    if max(width, height) > _RATIO * min(width, height):
        raise Unreadable(
            f"the picture is {width} × {height} pixels: one side is more than {_RATIO} times "
            "the other. Cut it into pieces."
        )


def _too_large(found: str) -> str:
    return (
        f"the picture is too large ({found}). Shrink it, or raise the limit in "
        "PIL.Image.MAX_IMAGE_PIXELS if you trust it."
    )


def _check_array(array: np.ndarray) -> None:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4) or not array.size:
        raise Unreadable(
            f"an array of shape {array.shape} is not a picture: pass (height, width), "
            "(height, width, 3) or (height, width, 4)."
        )
    if array.dtype not in (np.bool_, np.uint8, np.uint16) and array.dtype.kind != "f":
        raise Unreadable(
            f"an array of dtype {array.dtype} is not a picture: pass uint8 (0 to 255), "
            "uint16 or floats from 0 to 1."
        )
    _check_size(array.shape[1], array.shape[0])
    _check_values(array)


def _check_values(array: np.ndarray) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise Unreadable("the picture holds NaN or infinity.")
    if array.dtype.kind in "fi" and array.min() < 0:
        raise Unreadable(
            f"the picture holds values below 0, such as {array.min()}: scale them to 0 to 1."
        )


def _from_array(array: np.ndarray) -> Any:
    """Return an array as an image: floats span 0 to 1, integers their type's range.

    Floats above 1, and wide integers, are scaled by their largest value.
    """
    from PIL import Image

    if array.dtype == bool:
        array = array.astype(np.uint8) * 255
    elif array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    elif array.dtype != np.uint8:
        top = float(array.max(initial=0))
        known = 1.0 if array.dtype.kind == "f" else 255.0
        scaled = array / max(top, known) * 255
        array = scaled.clip(0, 255).round().astype(np.uint8)
    return Image.fromarray(array.squeeze(2) if array.shape[2:] == (1,) else array)
