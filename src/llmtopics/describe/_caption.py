"""A description of a picture, by a model on this machine or behind a server."""

import base64
import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from llmtopics._language import LLMError, RemoteLLM, pictures
from llmtopics._language.errors import PromptFailed
from llmtopics._language.files import fingerprint
from llmtopics.describe._base import Failures, LocalPart, where
from llmtopics.describe._inputs import Input, Unreadable
from llmtopics.describe._picture import read_picture

_VERSION = 2  # part of the cache key: change it when captions change
_SENT = 1024  # pixels, the longer side of pictures that are sent


class Caption(LocalPart):
    """What a model of transformers writes about a picture.

    Parameters
    ----------
    folder : Path
    prompt : str or None
    max_new_tokens : int
    device, dtype : str
    """

    def __init__(
        self,
        folder: Path,
        prompt: str | None,
        max_new_tokens: int,
        device: str,
        dtype: str,
    ):
        self.folder = folder
        self.prompt = prompt
        self.max_new_tokens = max_new_tokens
        self.device, self.dtype = pictures.place(device, dtype)

    def context(self) -> str:
        """Return the model and its prompt."""
        return json.dumps(
            [
                "caption",
                _VERSION,
                fingerprint(self.folder),
                self.dtype,
                self.prompt,
                self.max_new_tokens,
            ]
        )

    def describe(self, file: Input) -> bytes:
        """Return the caption."""
        picture = read_picture(file)
        model = pictures.load(
            self.folder, self.device, self.dtype, "AutoModelForImageTextToText"
        )
        try:
            text = pictures.caption(picture, *model, self.prompt, self.max_new_tokens)
        except (ValueError, RuntimeError, IndexError) as error:
            raise Unreadable(f"the model failed on it: {error}.") from error
        return text.encode("utf-8", "replace")


class RemoteCaption:
    """What a model behind a server writes about a picture, with the server's own cache.

    Parameters
    ----------
    llm : RemoteLLM
    prompt : str or None
    max_new_tokens : int
    """

    def __init__(self, llm: RemoteLLM, prompt: str | None, max_new_tokens: int):
        self.llm = llm
        self.prompt = prompt
        self.max_new_tokens = max_new_tokens

    def describe_all(
        self,
        files: Sequence[Input | None],
        failures: Failures,
        cache_dir: str | Path | bool | None,
        verbose: bool | int,
    ) -> list[bytes | None]:
        """Return the caption of each file, or None if it failed."""
        rows = {row: file for row, file in enumerate(files) if file is not None}
        by_digest = {file.digest: file for file in rows.values()}
        unreadable: dict[str, Unreadable] = {}
        reasons: dict[str, str] = {}
        failures.cached = self.llm.cache_dir is not False

        def url_of(digest: str) -> str:
            """Return a picture as a ``data:`` URL."""
            try:
                return _as_url(by_digest[digest])
            except Unreadable as error:
                unreadable[digest] = error
                raise PromptFailed(digest, str(error)) from None

        try:
            found = self.llm._describe(
                [file.digest for file in rows.values()],
                url_of,
                [where(row, file.name) for row, file in rows.items()],
                reasons,
                prompt=self.prompt or pictures.PROMPT,
                max_new_tokens=self.max_new_tokens,
                on_error="keep" if failures.keep else "raise",
                verbose=verbose,
            )
        except LLMError:
            for row, file in rows.items():
                if file.digest in unreadable:  # the file failed, not the server
                    failures.add(row, file.name, unreadable[file.digest])
            raise
        captions: list[bytes | None] = [None] * len(files)
        for (row, file), text in zip(rows.items(), found, strict=True):
            if text is None:
                failures.add(row, file.name, Unreadable(reasons[file.digest]))
            else:
                captions[row] = text.encode("utf-8", "replace")
        return captions


def _as_url(file: Input) -> str:
    picture = read_picture(file)
    picture.thumbnail((_SENT, _SENT))
    data = BytesIO()
    picture.save(data, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()
