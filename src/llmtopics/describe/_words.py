"""Words of a list that fit a picture, by a model of pictures and texts such as CLIP."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from llmtopics._language import pictures
from llmtopics._language.cache import folder_of, get_or_compute
from llmtopics._language.files import fingerprint
from llmtopics.describe._base import LocalPart
from llmtopics.describe._inputs import Input, Unreadable
from llmtopics.describe._picture import read_picture

_VERSION = 2  # part of the cache key: change it when vectors change
_TEMPLATE = "This is a photo of {}."


class PictureVector(LocalPart):
    """The vector of a picture. :meth:`scores` compares it with the vectors of words.

    Parameters
    ----------
    folder : Path
    device, dtype : str
    """

    def __init__(self, folder: Path, device: str, dtype: str):
        self.folder = folder
        self.device, self.dtype = pictures.place(device, dtype)

    def context(self) -> str:
        """Return the model."""
        return json.dumps(["picture", _VERSION, fingerprint(self.folder), self.dtype])

    def _model(self):
        return pictures.load(self.folder, self.device, self.dtype, "AutoModel")

    def describe(self, file: Input) -> bytes:
        """Return the vector of a picture, float32."""
        picture = read_picture(file)
        model = self._model()
        try:
            return pictures.picture_vector(picture, *model).tobytes()
        except (ValueError, RuntimeError, IndexError) as error:
            raise Unreadable(f"the model failed on it: {error}.") from error

    def scores(
        self,
        vectors: Sequence[bytes | None],
        words: Sequence[str],
        cache_dir: str | Path | bool | None,
    ) -> np.ndarray:
        """Return how well each word fits each picture, or zeros if it has no vector.

        Returns
        -------
        scores : ndarray of shape (n_pictures, n_words), float64
        """
        folder = folder_of(cache_dir)

        def compute(missing: list[int]) -> Iterator[tuple[list[int], list[bytes]]]:
            texts = [_TEMPLATE.format(words[i]) for i in missing]
            made = pictures.text_vectors(texts, *self._model())
            yield missing, [vector.tobytes() for vector in made]

        kept = get_or_compute(
            folder and folder / "descriptions",
            json.dumps(["word", _VERSION, _TEMPLATE, self.context()]),
            words,
            compute,
        )
        of_words = np.stack(
            [np.frombuffer(kept[i], np.float32) for i in range(len(words))]
        ).astype(float)
        chances = pictures.chances_of(self.folder)
        scores = np.zeros((len(vectors), len(words)))
        for row, vector in enumerate(vectors):
            if vector is not None:
                scores[row] = chances(of_words @ np.frombuffer(vector, np.float32))
        return scores
