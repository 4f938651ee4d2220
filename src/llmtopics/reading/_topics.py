"""``Topics``: the topics of a fitted model, and the questions they answer.

More than 400 lines, because half of them document public methods.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.frozen import FrozenEstimator

from llmtopics._checks import check_positive, check_share, pandas_for
from llmtopics._fitted_model import FittedModel
from llmtopics._language import LanguageModel
from llmtopics._language.request import without_surrogates
from llmtopics._redact import cleaner
from llmtopics._vectorizers import unfrozen
from llmtopics._whole_files import write_whole
from llmtopics._words import rank_words, topic_labels
from llmtopics.metrics._stability import Weights
from llmtopics.naming import name_topics
from llmtopics.naming._candidates import captions
from llmtopics.reading import _display, _exports, _search, _tables
from llmtopics.reading._comparison import match_topics
from llmtopics.reading._groups import (
    Bootstrap,
    over_time,
    shares_table,
    sorted_groups,
)
from llmtopics.reading._inputs import (
    check_column,
    check_folder,
    check_names,
    known_rows,
    renamed,
    topic_number,
    topic_numbers,
)
from llmtopics.reading._map import TopicMap, topic_map
from llmtopics.reading._merger import TopicMerger
from llmtopics.reading._merging import as_phi, word_distances
from llmtopics.reading._quality import (
    coherences,
    distinct_rows,
    exclusivities,
    representative_rows,
)
from llmtopics.reading._tables import Redact
from llmtopics.reading._words import Words
from llmtopics.reading._wrapper import WrappedTopics

if TYPE_CHECKING:
    import pandas as pd


class Topics:
    """The topics of a fitted model. :func:`read_topics` makes it.

    Methods answer one question each, mostly as a pandas DataFrame. A topic is given by its
    number or its name. Nothing here changes the model or these topics: :meth:`rename` and
    :meth:`merge` return new Topics.

    Attributes
    ----------
    model : estimator
        The fitted model. ``model.transform(texts)`` has one column per topic. After
        :meth:`rename` or :meth:`merge` it is a :class:`TopicMerger` around the first one, in
        scikit-learn's ``FrozenEstimator``.

    names : list of K str
        Name of each topic. Without names, its first words: three, or as many more as make them
        distinct. Tables, plots and :func:`explain` show the same.

    mixtures : ndarray of shape (D, K)
        θ of the documents. Rows sum to one.

    components : ndarray of shape (K, V)
        φ, the weights of words in topics. Rows sum to one, or to zero for a topic without words.

    vocabulary : ndarray of shape (V,)
        The word of each column of ``components``.

    texts : list of D str
        The documents.

    first_topics : ndarray of shape (D,)
        First (dominant) topic of each document: the one with the largest share.

    sizes : ndarray of shape (K,)
        Number of documents whose first topic is each topic. They sum to D.

    descriptions : list of K str, or None
        One sentence per topic, after :meth:`label` or of a :class:`TopicLabeler`.
        :meth:`rename` keeps them.

    titles, labels, times : ndarrays of shape (D,), or None
        As given to :func:`read_topics`.

    See Also
    --------
    read_topics : Makes Topics.
    llmtopics.report.topic_report : One web page about them.
    explain : Why one document has its topics.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from llmtopics import GibbsLDA, read_topics
    >>> texts = ["cats chase mice", "dogs chase cats"] * 3 + ["banks lend money"] * 5
    >>> model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    >>> topics = read_topics(model, texts)
    >>> pets = topics.find("cats").topic[0]
    >>> topics.rename({pets: "Pets"}).words("Pets").word[0]
    'cats'
    """

    def __init__(
        self,
        *,
        model: FittedModel,
        texts: list[str],
        mixtures: np.ndarray,
        words: Words,
        names: list[str] | None,
        titles: np.ndarray | None,
        labels: np.ndarray | None,
        times: np.ndarray | None,
    ) -> None:
        self._fitted = model
        self.model = model.model
        self.texts = texts
        self.mixtures = mixtures
        self.components = as_phi(words.weights)
        self.vocabulary = words.vocabulary
        self.titles, self.labels, self.times = titles, labels, times
        self._all_words = words._replace(weights=self.components)
        self._scores, self._counts = words.scores, words.counts
        self._vectorizer = words.vectorizer
        self._first: Topics | None = None
        self._given_names = names
        self.descriptions: list[str] | None = None
        self.names = names if names is not None else topic_labels(self._words(5))

    def _words(self, n_words: int, topics: Any = slice(None)) -> list[list[str]]:
        scores, weights = self._scores[topics], self.components[topics]
        return rank_words(scores, weights, self.vocabulary, n_words)

    @property
    def first_topics(self) -> np.ndarray:
        """First (dominant) topic of each document, (D,)."""
        return self.mixtures.argmax(axis=1)

    @property
    def sizes(self) -> np.ndarray:
        """Number of documents whose first topic is each topic, (K,)."""
        return np.bincount(self.first_topics, minlength=len(self.names))

    # tables -----------------------------------------------------------------------------------

    def topic_table(
        self, n_words: int = 10, *, weights: bool = False, redact: Redact = None
    ) -> "pd.DataFrame":
        """Return a table with one row per topic.

        Parameters
        ----------
        n_words : int, default=10
            Number of words per topic.
        weights : bool, default=False
            Whether to write the weight of each word (φ) after it.
        redact : "pii", callable or None, default=None
            Replaces personal data in names, words, titles and descriptions, as in
            :func:`~llmtopics.report.topic_report`.

        Returns
        -------
        table : pandas.DataFrame of K rows
            topic : its number.
            name : its name.
            words : its words, best first, in one str.
            share : mean of θ. The shares sum to one.
            n_documents : number of documents whose first topic it is.
            coherence : NPMI of its ten first words over whole documents, from -1 to 1. NaN for a
            topic with fewer than two words.
            exclusivity : mean share of this topic in its ten most probable words, from 0 to 1.
            representative : title, or first characters, of the document with the largest share.
            description : one sentence. Only if there are ``descriptions``.
        """
        check_positive(n_words=n_words)
        return _tables.topic_table(self, n_words, weights, redact)

    def document_table(
        self, n_characters: int | None = 80, *, redact: Redact = None
    ) -> "pd.DataFrame":
        """Return a table with one row per document.

        Parameters
        ----------
        n_characters : int or None, default=80
            Number of characters of each text. None is the whole texts, with their line breaks.
        redact : "pii", callable or None, default=None
            Replaces personal data in texts, titles, labels, times and names, as in
            :func:`~llmtopics.report.topic_report`.

        Returns
        -------
        table : pandas.DataFrame of D rows
            document : row of the text.
            title : its title. Only if titles were given.
            label, time : as given. Only if they were given.
            topic, name, share : first topic, its name and its share θ.
            second_topic, second_name, second_share : the same of the second topic. Only if
            there are two.
            entropy : entropy of θ divided by log K, from 0 (one topic) to 1 (all alike). 0 for
            K=1.
            text : the beginning of the text, on one line; or the whole text.
        """
        if n_characters is not None:
            check_positive(n_characters=n_characters)
        return _tables.document_table(self, n_characters, redact)

    # one topic --------------------------------------------------------------------------------

    def words(self, topic: int | str, n_words: int = 10) -> "pd.DataFrame":
        """Return the words of a topic, best first.

        Parameters
        ----------
        topic : int or str
            Number or name.
        n_words : int, default=10
            Largest number of words.

        Returns
        -------
        table : pandas.DataFrame
            word : the word.
            weight : its probability in the topic, φ. Words are in the order of the model, which
            prefers typical words to frequent ones. So weights are not sorted.
        """
        check_positive(n_words=n_words)
        k = topic_number(topic, self.names)
        found = _tables.words_as_dicts(self, n_words, [k])[0]
        return pandas_for("words").DataFrame(found, columns=["word", "weight"])

    def representative(
        self,
        topic: int | str,
        n_documents: int = 5,
        *,
        diversity: float = 0.0,
        redact: Redact = None,
    ) -> "pd.DataFrame":
        """Return the representative (typical) documents of a topic, best first.

        They have the largest share of the topic, among the documents whose first topic it is.
        If there are too few of those, others follow. Equal texts are shown once: the first of
        them.

        Parameters
        ----------
        topic : int or str
            Number or name.
        n_documents : int, default=5
            Largest number of documents.
        diversity : float between 0 and 1, default=0.0
            How much a document that is like those chosen before is avoided (maximal marginal
            relevance [1]_). Documents are compared by their words. 0 takes the largest shares.
        redact : "pii", callable or None, default=None
            Replaces personal data in texts and titles, as in
            :func:`~llmtopics.report.topic_report`.

        Returns
        -------
        table : pandas.DataFrame
            document : row of the text.
            title : title, or beginning of the text.
            share : its share of the topic, θ.
            text : the whole text.

        References
        ----------
        .. [1] J. Carbonell and J. Goldstein, "The use of MMR, diversity-based reranking for
           reordering documents and producing summaries", SIGIR 1998.
        """
        check_positive(n_documents=n_documents)
        check_share(diversity=diversity, with_ends=True)
        k = topic_number(topic, self.names)
        rows = representative_rows(
            self.mixtures, k, n_documents, self.texts, self._counts, diversity
        )
        return self._documents(rows, redact, share=self.mixtures[rows, k])

    def nearest(self, topic: int | str, n_topics: int = 5) -> "pd.DataFrame":
        """Return the topics with the most similar words, nearest first.

        Parameters
        ----------
        topic : int or str
            Number or name.
        n_topics : int, default=5
            Largest number of topics.

        Returns
        -------
        table : pandas.DataFrame
            topic, name : the other topic.
            distance : Jensen-Shannon distance of the topics' words, from 0 (equal) to 1.
        """
        check_positive(n_topics=n_topics)
        k = topic_number(topic, self.names)
        distances = self._distances[k]
        order = [j for j in np.argsort(distances, kind="stable") if j != k][:n_topics]
        return self._some_topics(order, distance=distances[order])

    def distances(self) -> "pd.DataFrame":
        """Return how different the words of any two topics are.

        Returns
        -------
        table : pandas.DataFrame of shape (K, K)
            Jensen-Shannon distances of the topics' words, from 0 (equal) to 1. Rows and columns
            have the names of the topics.

        See Also
        --------
        llmtopics.plots.plot_similarity : Draws them as a heat map.
        llmtopics.plots.plot_merge_tree : Draws which topics are merged first.
        """
        return pandas_for("distances").DataFrame(
            self._distances, index=self.names, columns=self.names
        )

    @cached_property
    def _distances(self) -> np.ndarray:
        return word_distances(self.components)

    # search -----------------------------------------------------------------------------------

    def find(self, query: str, n_topics: int = 5) -> "pd.DataFrame":
        """Return the topics that fit a query, best first.

        Parameters
        ----------
        query : str
            Words, or a sentence.
        n_topics : int, default=5
            Largest number of topics.

        Returns
        -------
        table : pandas.DataFrame
            topic, name : the topic.
            score : mean of the probabilities of the topic by words and by vectors, from 0 to 1.
            words : its first words.

        Raises
        ------
        ValueError
            If the query is blank, or the model has no embedder and knows no word of the query.

        Notes
        -----
        By words: the mean over the words w of the query of ``p(k | w)``, with
        ``p(k | w) ∝ φ_kw p_k`` and the topic's share p_k. By vectors, if the model has an
        embedder: softmax of 20 times the cosine of the query with the mean vector of the
        topic's documents, weighted by θ, after the mean of all documents is subtracted.
        """
        check_positive(n_topics=n_topics)
        scores = _search.score_topics(self, _search.check_query(query))
        order = np.argsort(-scores, kind="stable")[:n_topics]
        listed = self._words(5)
        words = [" ".join(listed[k]) for k in order]
        return self._some_topics(order, score=scores[order], words=words)

    def find_documents(self, query: str, n_documents: int = 5) -> "pd.DataFrame":
        """Return the documents that fit a query, best first.

        Equal texts are shown once: the first of them.

        Parameters
        ----------
        query : str
            Words, or a sentence.
        n_documents : int, default=5
            Largest number of documents.

        Returns
        -------
        table : pandas.DataFrame
            document, title, text : as in :meth:`representative`.
            score : cosine of the vectors of query and document, if the model has an embedder,
            or else of their words, weighted by tf-idf.
            topic, name : the document's first topic.

        Raises
        ------
        ValueError
            If the query is blank, or the model has no embedder and knows no word of the query.
        """
        check_positive(n_documents=n_documents)
        scores = _search.score_documents(self, _search.check_query(query))
        order = np.argsort(-scores, kind="stable")
        rows = distinct_rows(order, self.texts, n_documents)
        first = self.first_topics[rows]
        names = [self.names[k] for k in first]
        return self._documents(rows, None, score=scores[rows], topic=first, name=names)

    @cached_property
    def _vectors(self) -> np.ndarray | None:
        """Vectors of the documents, (D, E), None without an embedder."""
        return self._fitted.vectors(self.texts)

    def map(self, method: str = "topics") -> TopicMap:
        """Return places of documents and topics in a plane (two dimensions).

        Parameters
        ----------
        method : {"topics", "pca", "umap"}, default="topics"
            "topics": topics with similar documents are near each other. A document is near its
            first topic, and between its topics if it has several. See Notes.
            "pca": the two first principal components of the vectors. Topics often overlap.
            "umap": UMAP of the vectors. It needs the package umap-learn, and takes longer.

        Returns
        -------
        map : TopicMap
            A named tuple of two pandas DataFrames, ``documents`` and ``topics``. Both have the
            columns x and y, between -1 and 1. Directions and units have no meaning.

        Raises
        ------
        ImportError
            If umap-learn is not installed and ``method="umap"``.
        ValueError
            If ``method`` is unknown, or there are fewer than five documents for UMAP.

        See Also
        --------
        llmtopics.plots.plot_map : Draws it.

        Notes
        -----
        Vectors are those of the model's embedder. Without one, they are made from the words, by
        truncated SVD of tf-idf (LSA).

        With "topics", topics are placed by multidimensional scaling (SMACOF) of the distances of
        their mean vectors. The larger a topic is, the more room it has. A document is at the
        mean place of its topics, weighted by θ². It is moved from there by the two first
        principal components of its topic, so that similar documents of one topic are near each
        other. All places depend on θ: the map shows what the model found, and is no proof that
        the topics are separate. Use "pca" or "umap" to see that: they do not know the topics.
        """
        return topic_map(self, method)

    # groups and time --------------------------------------------------------------------------

    def by(
        self,
        groups: Any = None,
        *,
        confidence: float = 0.95,
        n_bootstrap: int = 1000,
        missing: str = "error",
        random_state: Any = 0,
    ) -> "pd.DataFrame":
        """Return the share of each topic in each group of documents, with an interval.

        Parameters
        ----------
        groups : sequence of length D, default=None
            Group of each document. None takes the ``labels`` of :func:`read_topics`.
        confidence : float between 0 and 1, default=0.95
            Confidence of the interval.
        n_bootstrap : int, default=1000
            Number of bootstrap samples of documents.
        missing : {"error", "drop"}, default="error"
            What to do with documents without a group (None, NaN).
        random_state : int, RandomState, numpy.random.Generator or None, default=0
            Seed of the samples.

        Returns
        -------
        table : pandas.DataFrame, one row per group and topic
            group, topic, name : groups in sorted order.
            share : mean of θ in the group. The shares of a group sum to one.
            low, high : ends of the interval. From 0 to 1 for a group of one document.
            n_documents : number of documents in the group.

        Notes
        -----
        The interval says how far the share would move with other documents of the same kind. It
        does not say how far another model would move it. In groups of a few documents it is too
        narrow.
        """
        values, rows = self._values(groups, "labels", missing)
        kinds, members = sorted_groups(values, rows)
        drawing = Bootstrap(n_bootstrap, confidence, random_state)
        return shares_table(self, "group", kinds, members, drawing)

    def over(
        self,
        times: Any = None,
        *,
        freq: str = "M",
        smooth: int = 1,
        n_words: int = 5,
        confidence: float = 0.95,
        n_bootstrap: int = 1000,
        missing: str = "error",
        random_state: Any = 0,
    ) -> "pd.DataFrame":
        """Return the share of each topic over time, with an interval and its words.

        The topics are the same in all periods. Their words are counted in each period.

        Parameters
        ----------
        times : sequence of length D, default=None
            Dates, or years as whole numbers. None takes the ``times`` of :func:`read_topics`.
        freq : str, default="M"
            Length of a period, as in pandas: "D", "W", "M", "Q" or "Y".
        smooth : int, default=1
            Number of neighboring periods whose documents ``share``, ``low`` and ``high`` are
            of. 1 does not smooth.
        n_words : int, default=5
            Number of words per topic and period.
        confidence, n_bootstrap, missing, random_state
            As in :meth:`by`.

        Returns
        -------
        table : pandas.DataFrame, one row per period and topic
            period : first day of the period. Periods without documents are left out.
            topic, name, share, low, high : as in :meth:`by`.
            n_documents : number of documents in this period alone.
            words : words of the topic in this period alone, best first.
        """
        check_positive(smooth=smooth, n_words=n_words)
        values, rows = self._values(times, "times", missing)
        drawing = Bootstrap(n_bootstrap, confidence, random_state)
        return over_time(self, values, rows, freq, smooth, n_words, drawing)

    def _values(
        self, values: Any, name: str, missing: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return one value per document, and the rows of documents that have one."""
        given = getattr(self, name) if values is None else values
        if given is None:
            raise ValueError(f"There are no {name}: pass them here or to read_topics.")
        column = check_column(given, len(self.texts), name)
        assert column is not None
        return column, np.flatnonzero(known_rows(column, name, missing))

    # other topics -----------------------------------------------------------------------------

    def compare(self, other: "Topics") -> "pd.DataFrame":
        """Return the topics of another model that match these, one to one.

        Parameters
        ----------
        other : Topics
            Topics of another model, seed or number of topics.

        Returns
        -------
        table : pandas.DataFrame of K rows
            topic, name : these topics.
            other_topic, other_name : the matched topic, -1 and "" if none is left.
            distance : Jensen-Shannon distance of their words, from 0 (equal) to 1. 1 if unmatched.
            n_documents : number of documents whose first topic it is.
            n_kept : how many of them have the matched first topic in the other model. Only if
            both have the same texts.

        Notes
        -----
        Matching minimizes the sum of the distances (Hungarian method), over the words of both
        vocabularies.
        """
        if not isinstance(other, Topics):
            raise TypeError(
                f"compare takes Topics, got {type(other).__name__}: pass the result of "
                "read_topics."
            )
        matched, distances = match_topics(
            Weights(self.components, list(self.vocabulary)),
            Weights(other.components, list(other.vocabulary)),
        )
        table = self._some_topics(range(len(self.names)))
        table["other_topic"] = matched
        table["other_name"] = ["" if j < 0 else other.names[j] for j in matched]
        table["distance"] = [
            1.0 if j < 0 else distances[k, j] for k, j in enumerate(matched)
        ]
        table["n_documents"] = self.sizes
        if self.texts == other.texts:
            mine, theirs = self.first_topics, other.first_topics
            table["n_kept"] = [
                int(((mine == k) & (theirs == j)).sum()) for k, j in enumerate(matched)
            ]
        return table

    def rename(self, names: Mapping[Any, str] | Sequence[str]) -> "Topics":
        """Return these topics with other names. The model is not changed.

        Parameters
        ----------
        names : dict or list of str
            New names by number or name of the topic, such as ``{3: "Gun control"}``. Or one
            name per topic.

        Returns
        -------
        topics : Topics
            ``topics.model`` has the names, too, in ``get_feature_names_out`` and in
            :func:`explain`. They survive pickle. It is in a ``FrozenEstimator``, so that a Pipeline
            or search does not fit it again. A new fit would find other topics, which these names
            do not fit.

        Raises
        ------
        ValueError
            If a topic does not exist, or a name is blank or that of another topic.
        """
        if not isinstance(names, Mapping):
            names = dict(enumerate(check_names(names, len(self.names))))
        return self._changed(names=renamed(self.names, names))

    @property
    def captions(self) -> list[str]:
        """Each name with three words of its topic that it lacks, for plots, list of K str."""
        return captions(self.names, self._words(10))

    def label(self, llm: str | LanguageModel = "smollm2", **settings: Any) -> "Topics":
        """Return these topics with names by a language model. The model is not changed.

        Parameters
        ----------
        llm : str or LanguageModel, default="smollm2"
            The language model. A str is the ``model`` of a :class:`LocalLLM`.
        **settings
            Other parameters of :func:`llmtopics.naming.name_topics`.

        Returns
        -------
        topics : Topics
            With the names, as after :meth:`rename`. ``topic_table`` has the words beside them. With
            ``describe=True`` it has descriptions, too.

        Raises
        ------
        ValueError, LLMError, OSError
            As in :func:`llmtopics.naming.name_topics`.
        """
        n_words = settings.get("n_words", 10)
        most = max(10, int(n_words)) if isinstance(n_words, Integral) else 10
        found = name_topics(
            self._words(most), self.mixtures, self.texts, llm=llm, **settings
        )
        named = self.rename(found.names)
        named.descriptions = found.descriptions
        return named

    def merge(
        self,
        groups: Sequence[Sequence[int | str]] | None = None,
        *,
        n_components: int | None = None,
        drop: Sequence[int | str] = (),
        order: str = "first",
    ) -> "Topics":
        """Return fewer topics: some merged, some left out. The model is not changed.

        Parameters
        ----------
        groups : list of lists of topics, default=None
            Topics to merge, such as ``[[0, 3]]``. Topics that no group has stay as they are.
        n_components : int, default=None
            Number of topics to keep, instead of ``groups``: the topics with the most similar
            words are merged. See :class:`TopicMerger`.
        drop : list of topics, default=()
            Topics to leave out. The other shares of a document are divided by their sum.
        order : {"first", "size"}, default="first"
            Order of the new topics: by the smallest old number in each, or by share.

        Returns
        -------
        topics : Topics
            ``topics.model`` is a :class:`TopicMerger` in a ``FrozenEstimator``. Its ``mapping_`` has
            the new number of each topic of the first model, also after several steps of
            :meth:`merge` and :meth:`rename`.

        Raises
        ------
        ValueError
            As in :class:`TopicMerger`.
        """
        merged = None
        if groups is not None:
            merged = [
                topic_numbers(group, self.names, "Each of groups") for group in groups
            ]
        return self._changed(
            groups=merged,
            drop=topic_numbers(drop, self.names, "drop"),
            n_components=n_components,
            order=order,
        )

    def _changed(self, *, names: list[str] | None = None, **merging: Any) -> "Topics":
        """Return Topics of one TopicMerger around the first model, however many steps."""
        from llmtopics.reading._read import read_topics

        model, first = unfrozen(self.model), self._first or self
        if first is self and isinstance(model, WrappedTopics):
            first = read_topics(model.estimator_, self.texts)
        merger, members = TopicMerger._around(first, self, names, merging)
        made = read_topics(
            FrozenEstimator(merger),
            self.texts,
            mixtures=merger._merged(first.mixtures),
            titles=self.titles,
            labels=self.labels,
            times=self.times,
        )
        made._first = first
        if self.descriptions is not None:
            made.descriptions = [
                " ".join(self.descriptions[k] for k in group) for group in members
            ]
        return made

    # other formats ----------------------------------------------------------------------------

    def to_dict(
        self, n_words: int = 10, n_documents: int = 3, *, redact: Redact = None
    ) -> dict[str, Any]:
        """Return the topics as one dict of plain values, which JSON can hold.

        Parameters
        ----------
        n_words, n_documents : int, default=10, 3
            Number of words and of representative documents per topic.
        redact : "pii", callable or None, default=None
            Replaces personal data in names, words, titles, descriptions and the parameters, as in
            :func:`~llmtopics.report.topic_report`.

        Returns
        -------
        topics : dict
            model : the model's parameters, as str. n_documents : D. topics : a list with one
            dict per topic: topic, name, words (word and weight), share, n_documents,
            coherence and exclusivity (None if a topic has too few words), documents
            (document, title and share).
        """
        check_positive(n_words=n_words, n_documents=n_documents)
        return {
            "model": cleaner(redact)(" ".join(repr(self.model).split())),
            "n_documents": len(self.texts),
            "topics": _tables.topics_as_dicts(self, n_words, n_documents, redact),
        }

    def to_json(self, path: str | Path | None = None, **options: Any) -> str | None:
        """Return :meth:`to_dict` as JSON, or write it to a file.

        Parameters
        ----------
        path : str or Path, default=None
            File to write. None returns the str.
        **options
            Parameters of :meth:`to_dict`.

        Raises
        ------
        FileNotFoundError
            If the folder of ``path`` does not exist.
        """
        check_folder(path)
        made = json.dumps(self.to_dict(**options), ensure_ascii=False, indent=1)
        made = without_surrogates(made)  # UTF-8 has none
        if path is None:
            return made
        write_whole(path, made)
        return None

    def to_pyldavis(self, *, redact: Redact = None) -> dict[str, Any]:
        """Return the arguments of ``pyLDAvis.prepare`` as a dict. Topics keep their order.

        Parameters
        ----------
        redact : "pii", callable or None, default=None
            Replaces personal data in words, as in
            :func:`~llmtopics.report.topic_report`.
        """
        return _exports.to_pyldavis(self, redact)

    def to_topicwizard(self, *, redact: Redact = None) -> dict[str, Any]:
        """Return what topicwizard calls ``topic_data``, as a dict.

        Parameters
        ----------
        redact : "pii", callable or None, default=None
            Replaces personal data in texts, words and names, as in
            :func:`~llmtopics.report.topic_report`. Then ``transform`` is None, because it is
            the model with all its words.
        """
        return _exports.to_topicwizard(self, redact)

    def __repr__(self) -> str:
        return _display.as_text(self)

    def _repr_html_(self) -> str:
        return _display.as_html(self)

    def _count(self, texts: list[str]) -> sp.csr_array:
        """Return the counts of texts, (D, V)."""
        return sp.csr_array(self._vectorizer.transform(texts))

    # parts ------------------------------------------------------------------------------------

    @cached_property
    def _quality(self) -> tuple[list[float | None], list[float | None]]:
        """Coherence and exclusivity of each topic, None where they cannot be measured."""
        return (
            coherences(self._words(10), self._counts, self.vocabulary),
            exclusivities(self.components),
        )

    def _title(self, row: int, redact: Redact = None) -> str:
        if self.titles is not None:
            (missing,) = pandas_for("Topics").isna(self.titles[[row]])
            if not missing:
                return cleaner(redact)(str(self.titles[row]))
        return _tables.beginning(self.texts[row], 80, redact)

    def _documents(
        self, rows: ArrayLike, redact: Redact, **columns: Any
    ) -> "pd.DataFrame":
        rows, clean = np.asarray(rows), cleaner(redact)
        table = {"document": rows, "title": [self._title(d, redact) for d in rows]}
        texts = {"text": [clean(self.texts[d]) for d in rows]}
        return pandas_for("Topics").DataFrame(table | columns | texts)

    def _some_topics(self, numbers: Any, **columns: Any) -> "pd.DataFrame":
        numbers = np.asarray(numbers, dtype=int)
        table = {"topic": numbers, "name": [self.names[k] for k in numbers]}
        return pandas_for("Topics").DataFrame(table | columns)
