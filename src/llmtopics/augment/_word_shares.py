"""Turn probabilities of first tokens into whole counts of the vocabulary's words."""

import re
from collections import Counter
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import scipy.sparse as sp

from llmtopics._vectorizers import tokens_of

_WORD = re.compile(r"\w[\w'’-]*")
_BLOCK = 1024  # texts whose words are rounded at a time


class WordShares:
    """Divide the probability of a token among the words that begin with it.

    A word's share is proportional to its frequency in ``texts``.

    Parameters
    ----------
    vectorizer : fitted transformer
        Texts to counts.
    first_tokens : callable
        Maps a list of words to their first tokens.
    texts : list of str
    """

    def __init__(
        self,
        vectorizer: Any,
        first_tokens: Callable[[list[str]], list[str]],
        texts: list[str],
    ):
        self.vectorizer = vectorizer
        forms: Counter[str] = Counter()
        for text in texts:
            forms.update(_WORD.findall(text))
        for form, n in list(forms.items()):  # the same word, with a capital letter
            if (capital := form[:1].upper() + form[1:]) != form:
                forms[capital] += n
        firsts = first_tokens(list(forms))
        rows = {token: i for i, token in enumerate(dict.fromkeys(firsts))}
        owners = [rows[token] for token in firsts]
        for token, row in rows.items():  # a token may be a word outside the texts
            if token not in forms:
                forms[token] = 1
                owners.append(row)
        begun = sp.csr_array(
            (np.array(list(forms.values()), float), (owners, np.arange(len(forms)))),
            shape=(len(rows), len(forms)),
        )
        found = tokens_of(vectorizer, list(rows))
        if found is not None:
            kept = np.array([bool(words) for words in found], float)
            begun = sp.csr_array(begun.multiply(kept[:, np.newaxis]))
        self.tokens = rows
        self.shares = _to_shares(begun) @ self._columns(list(forms))  # (tokens, V)

    def _columns(self, words: list[str]) -> sp.csr_array:
        """Return the share of each column in each word's counts, of shape (n_words, V)."""
        return _to_shares(sp.csr_array(self.vectorizer.transform(words), dtype=float))

    def counts(
        self,
        found: dict[int, dict[str, float]],
        totals: np.ndarray,
        n_words: int,
        shape: tuple,
    ) -> sp.csr_array:
        """Return whole counts of the most likely words of each text.

        Parameters
        ----------
        found : dict
            Maps each row to a dict of tokens and their probabilities.
        totals : ndarray of shape (D,)
            The sum of each row.
        n_words : int
            Maximum number of different words per row.
        shape : tuple (D, V)
        """
        words = dict.fromkeys(chain.from_iterable(found.values()))
        new = [word for word in words if word not in self.tokens]
        place = self.tokens | {w: i for i, w in enumerate(new, len(self.tokens))}
        shares = self.shares
        if new:
            shares = sp.csr_array(sp.vstack([shares, self._columns(new)]))
        blocks = []
        for start in range(0, shape[0], _BLOCK):
            some = [
                found.get(i, {}) for i in range(start, min(start + _BLOCK, shape[0]))
            ]
            columns = [place[word] for row in some for word in row]
            chances = sp.csr_array(
                (
                    np.fromiter(chain.from_iterable(r.values() for r in some), float),
                    np.array(columns, int),
                    np.cumsum([0, *map(len, some)]),
                ),
                shape=(len(some), shares.shape[0]),
            )
            blocks.append(round_to_totals(chances @ shares, totals[start:], n_words))
        counts = sp.csr_array(sp.vstack(blocks, format="csr"))
        counts.sort_indices()
        return counts


def _to_shares(weights: sp.csr_array) -> sp.csr_array:
    """Return the rows divided by their sums. Empty rows stay empty."""
    totals = np.repeat(weights.sum(axis=1), np.diff(weights.indptr))
    shares = np.divide(
        weights.data, totals, where=totals > 0, out=np.zeros(weights.nnz)
    )
    return sp.csr_array((shares, weights.indices, weights.indptr), shape=weights.shape)


def round_to_totals(
    weights: sp.csr_array, totals: np.ndarray, n_words: int
) -> sp.csr_array:
    """Return whole counts in proportion to each row's largest weights.

    Rows sum to ``totals``. Exact counts are rounded down. The rest goes to the largest
    remainders. Ties go to the earlier column.
    """
    weights.eliminate_zeros()
    columns, counts, ends = [], [], [0]
    for start, end, total in zip(
        weights.indptr, weights.indptr[1:], totals, strict=False
    ):
        value, column = weights.data[start:end], weights.indices[start:end]
        best = np.lexsort((column, -value))[:n_words]
        value, column = value[best], column[best]
        exact = value * (total / value.sum() if value.size else 0)
        whole = np.floor(exact).astype(np.int32)
        missing = int(total - whole.sum()) if value.size else 0
        whole[np.lexsort((column, whole - exact))[:missing]] += 1
        used = whole > 0
        columns.append(column[used])
        counts.append(whole[used])
        ends.append(ends[-1] + int(used.sum()))
    return sp.csr_array(
        (np.concatenate(counts), np.concatenate(columns), np.array(ends)),
        shape=weights.shape,
    )
