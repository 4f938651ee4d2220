"""The text in a picture, by rapidocr, whose package brings its models."""

import json
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from llmtopics._language.files import digest_of
from llmtopics.describe._base import LocalPart, keep_onnxruntime_quiet
from llmtopics.describe._inputs import Input, Unreadable
from llmtopics.describe._picture import MOST_SIDE, read_picture

_VERSION = 2  # part of the cache key: change it when texts change
_computing = Lock()  # an engine is not thread-safe: it stores its current picture
_PARAMETERS = {
    "Global.log_level": "error",
    # Small pictures are not enlarged: this takes three times as long and finds no more text.
    # A narrow strip would also fill the memory.
    "Det.limit_type": "max",
    "Det.limit_side_len": MOST_SIDE,
    # The classifier of upside-down lines was wrong about 5 of 24 upright English lines.
    "Global.use_cls": False,
}
_SURE = 0.9  # mean score of letters; upside-down text scores lower


class PrintedText(LocalPart):
    """The text in a picture, one line of text per line."""

    def context(self) -> str:
        """Return the digest of the models, and the settings."""
        spec = find_spec("rapidocr")
        if spec is None or find_spec("onnxruntime") is None:
            raise ImportError(
                "how='ocr' needs the packages rapidocr and onnxruntime: "
                "pip install 'llmtopics[ocr]'"
            )
        folder = Path(spec.submodule_search_locations[0])  # type: ignore[index]
        models = sorted(folder.rglob("*.onnx"))
        return json.dumps(
            [
                "ocr",
                _VERSION,
                version("rapidocr"),
                digest_of(models, folder),
                _PARAMETERS,
            ]
        )

    def describe(self, file: Input) -> bytes:
        """Return the lines of text."""
        pixels = np.asarray(read_picture(file))[:, :, ::-1]  # BGR, as in OpenCV
        lines, score = _read(pixels)
        if lines and score < _SURE:
            lines, _ = max(
                (lines, score), _read(pixels[::-1, ::-1]), key=lambda r: r[1]
            )
        return "\n".join(lines).encode("utf-8", "replace")


def _read(pixels: np.ndarray) -> tuple[list[str], float]:
    """Return the lines of text, and the mean score of their letters."""
    with _computing:
        engine = _engine()
        try:
            found = engine(np.ascontiguousarray(pixels))
        except Exception as error:  # rapidocr and OpenCV raise many kinds
            raise Unreadable(f"no text can be looked for: {error!r}.") from error
    if not found.txts:
        return [], 0.0
    lengths = [len(line) for line in found.txts]
    return list(found.txts), float(np.average(found.scores, weights=lengths))


@cache
def _engine() -> Any:
    keep_onnxruntime_quiet()
    from rapidocr import RapidOCR

    return RapidOCR(params=_PARAMETERS)
