"""Word counts of Reuters news stories."""

from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.utils import Bunch

from llmtopics.datasets._package_files import incomplete, package_folder


def load_reuters395() -> Bunch:
    """Load the word counts of 395 Reuters news stories of 1996-1997.

    Returns
    -------
    corpus : Bunch
        ``data``: csr_array of shape (395, 4258), int32 word counts. ``feature_names``:
        object array of the 4,258 words. ``titles``: list of the 395 headlines with
        place and date.

    Raises
    ------
    ImportError
        If the package ``lda``, which has the files, is not installed.
    OSError
        If files are missing, changed or cut short.

    Examples
    --------
    >>> from llmtopics.datasets import load_reuters395
    >>> corpus = load_reuters395()
    >>> corpus.data.shape, int(corpus.data.sum())
    ((395, 4258), 84010)
    """
    folder = package_folder("lda") / "tests"
    try:
        return _read(folder)
    except (OSError, ValueError, IndexError) as error:
        raise incomplete("lda", str(error)) from error


def _read(folder: Path) -> Bunch:
    """Return the corpus. Raise an error if it is not the whole one."""
    words = (folder / "reuters.tokens").read_text("utf-8").split()
    titles = (folder / "reuters.titles").read_text("utf-8").splitlines()
    # format of LDA-C: the number of pairs, then pairs column:count
    lines = (folder / "reuters.ldac").read_text("utf-8").splitlines()
    rows = [line.split()[1:] for line in lines]
    pairs = np.array([pair.split(":") for row in rows for pair in row], np.int32)
    starts = np.cumsum([0, *map(len, rows)])
    data = sp.csr_array(
        (pairs[:, 1], pairs[:, 0], starts), shape=(len(rows), len(words))
    )
    found = len(rows), len(words), len(titles), int(data.sum())
    if found != (395, 4258, 395, 84010) or pairs.min() < 0:
        raise ValueError("{} stories, {} words, {} headlines, {} tokens".format(*found))
    data.check_format()
    return Bunch(
        data=data,
        feature_names=np.array(words, object),
        titles=[title.partition(" ")[2] for title in titles],
    )
