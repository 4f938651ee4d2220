"""Get the vectors of texts from a server, for any provider, and check them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from llmtopics._language.connection import Connection
from llmtopics._language.errors import PromptFailed
from llmtopics._language.providers.base import NOT_READABLE
from llmtopics._language.request import Request, without_surrogates

EMBED = Request("embed", "{text}", None, False, None, max_new_tokens=0)


def remote_vectors(
    connection: Connection, texts: list[str], prompt: str, dimensions: int | None
) -> Iterator[np.ndarray]:
    """Yield arrays of vectors, which together have one row per text, in order.

    If the server refuses the texts, they are sent in halves: one may be too long, or the
    server takes fewer at a time.

    Raises
    ------
    PromptFailed
        If a text is refused alone, or an answer is wrong.
    """
    options = connection.provider.embedding_options(dimensions)
    sent = [without_surrogates(prompt + text) for text in texts]
    try:
        choice = connection.send(texts[0], sent, options)
    except PromptFailed as failure:
        if not failure.refused or len(texts) == 1:
            raise
    else:
        yield _checked(choice, connection, texts, dimensions)
        return
    half = len(texts) // 2
    for part in (texts[:half], texts[half:]):
        yield from remote_vectors(connection, part, prompt, dimensions)


def _checked(
    choice: dict[str, Any],
    connection: Connection,
    texts: list[str],
    dimensions: int | None,
) -> np.ndarray:
    """Return the vectors in an answer in the order of the texts.

    Raises
    ------
    PromptFailed
        If there is not one vector of finite numbers per text, all of one length.
    """

    def failure(reason: str, row: int = 0) -> PromptFailed:
        return PromptFailed(texts[row], f"{connection.name} {reason}")

    n = len(texts)
    first = f"for the {n} texts of a request that begins with this one"
    try:
        pairs = connection.provider.vectors_of(choice)
        found = dict(pairs)
    except NOT_READABLE as error:
        raise failure(
            f"sent vectors in an unknown format {first} (wrong or missing: {error}). Check "
            "that base_url is an OpenAI-compatible server."
        ) from None
    if len(pairs) != n or found.keys() != set(range(n)):
        positions = sorted((position for position, _ in pairs), key=repr)
        raise failure(
            f"sent {len(pairs)} vectors, with the indices {str(positions)[:200]}, {first}. "
            "Try batch_size=1."
        )
    for row in range(n):
        if isinstance(found[row], str):
            raise failure(
                "sent a vector as a string, such as base64, and was asked for numbers. Use "
                "another server, or change its settings.",
                row,
            )
    try:
        values = np.array([found[row] for row in range(n)])
        numeric = values.dtype.kind in "iuf" and values.ndim == 2 and values.size > 0
    except ValueError:
        numeric = False
    if not numeric:
        raise failure(
            f"sent vectors of different lengths, or with other entries than numbers, {first}. "
            "Check that the model is an embedding model."
        )
    with np.errstate(over="ignore"):  # infinity is reported below
        vectors = values.astype(np.float32)
    bad = ~np.isfinite(vectors).all(axis=1)
    if bad.any():
        raise failure(
            "sent a vector with NaN, infinity or too large numbers. Change or remove the "
            "text, or use another number format on the server (float32).",
            int(bad.argmax()),
        )
    if dimensions not in (None, vectors.shape[1]):
        raise failure(
            f"sent vectors of {vectors.shape[1]} dimensions, and dimensions={dimensions}. The "
            "model has no such size: leave dimensions out."
        )
    return vectors
