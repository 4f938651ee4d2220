"""From a fitted model and one text to what each part of the text adds to each topic."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn import config_context
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import as_counts, check_positive, check_texts
from llmtopics._parts import steps_of, words_of
from llmtopics._words import top_words
from llmtopics.augment import NextWordCounts
from llmtopics.label._explanation import Explanation
from llmtopics.topics._foreign import weights_in_topics

# Space after a full stop, unless a small letter follows or an initial or title goes before;
# the full stops of Chinese and Japanese; an end of line.
_BETWEEN_SENTENCES = re.compile(
    r"""(?:(?<=[.!?…])|(?<=[.!?…]["'”’)\]]))
        (?<!\b\w\.)(?<!\b[DMS][rst]\.)(?<!\bMrs\.)\s+(?=[^a-z])
        |(?<=[。！？])|\s*\n\s*""",
    re.VERBOSE,
)
_PIECE = re.compile(r"""[^\s.,;:!?()[\]{}<>"“”„«»…—–/\\|。、，！？；：「」『』（）]+""")


@config_context(transform_output="default")
def explain(
    model: Any,
    text: str,
    *,
    texts: Sequence[str] | None = None,
    n_neighbors: int = 3,
) -> Explanation:
    """Say why a text has the topics that a model gives it.

    The text's mixture is divided among what it was made from: each word, what a language
    model read, and the prior. The parts sum to it.

    Parameters
    ----------
    model : FusionTopicModel or Pipeline
        A fitted :class:`FusionTopicModel`, or a fitted Pipeline from texts to it or to a
        topic model of counts: a vectorizer, then :class:`GibbsLDA`,
        :class:`PachinkoAllocation`, or scikit-learn's
        ``NMF``, ``MiniBatchNMF`` or ``LatentDirichletAllocation`` (or another with
        ``components_`` and mixtures without negative values). Steps that make texts of
        texts may come first, ``TfidfTransformer`` in between.
    text : str
        The text.
    texts : sequence of str or None, default=None
        Texts to look for the nearest ones in, such as those that were fitted. None looks
        for none. ``text`` itself is not passed over where it is among them.
    n_neighbors : int, default=3
        How many to look for; of fewer ``texts``, all.

    Returns
    -------
    explanation : Explanation
        Shown in a notebook, the text with its words coloured by topic. Its arrays
        ``word_contributions`` and ``added_contributions``, summed over the words,
        ``language_contribution`` and ``prior_contribution`` sum to ``mixture``, which is ``model.transform([text])[0]``
        (sums to one, save from ``NMF``).

    Raises
    ------
    TypeError
        If ``text`` is not a str, or ``model`` is none of the above.
    NotFittedError
        If ``model`` is not fitted.
    ValueError
        If ``texts`` holds what is not a text, or ``n_neighbors`` is no whole number of at
        least 1.

    Notes
    -----
    With :class:`GibbsLDA`, and :class:`FusionTopicModel` with ``pooling="prior"``,
    ``θ_k = (Σ_w x_w γ_wk + s f_k + ε_k) / (N + s + Σε)``, where ``γ_w``, in which a word's
    tokens are shared by the topics, is that of the last pass of ``transform``; nothing is
    approximated. With :class:`PachinkoAllocation`, ``θ_k = Σ_s A_s (E[n_sk] + α_sk) / (N + Σα)``:
    what is not prior is divided among the words by ``x_w γ_wk``, whose sum is ``E[n_k]``.
    ``pooling="linear"`` adds ``α f`` and ``1 - α`` times the topic model's parts. The others
    do not add up of themselves, and are divided by a convention, which ``notes`` recalls:

    - ``pooling="geometric"``: θ by the weights α and 1 - α, the latter in the proportions of
      the topic model's parts.
    - ``LatentDirichletAllocation``: what θ has beyond the prior, among words by
      ``x_w φ_kw θ_k / Σ_j φ_jw θ_j``, up to a factor for each topic.
    - ``NMF`` and other models: θ_k among words by ``x_w φ_kw``, as where the multiplicative
      updates of NMF with squared error end.

    Words that :class:`NextWordCounts` added are no words of the text; sentences carry them by
    their lengths. With ``language_topics``, the language side reads each sentence.

    A sentence carries its share of each word, by the word's weight in the sentence alone,
    and of the language side, by its length times its own f (one whose vector the embedder
    does not know, by its length), also where the embedder cut the text before it. Neighbours are those of the smallest cosine distance
    between vectors if the model has an ``embedder_``, else of the smallest Hellinger
    distance between mixtures.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from llmtopics import GibbsLDA, explain
    >>> texts = ["cat dog cat", "dog cat", "stock bond", "bond stock bond"]
    >>> model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    >>> why = explain(model, "The cat sat. Buy a bond!", texts=texts)
    >>> why.words.tolist()
    ['bond', 'cat']
    >>> bond, cat = why.word_contributions.argmax(axis=1)
    >>> bool(bond != cat)
    True
    >>> why.sentences[why.top_sentences[bond]]
    'Buy a bond!'
    >>> parts = why.word_contributions.sum(axis=0) + why.prior_contribution
    >>> bool(abs(parts - why.mixture).max() < 1e-12)
    True
    """
    if not isinstance(text, str):
        raise TypeError(
            f"explain reads one text (str) at a time, got {type(text).__name__}."
        )
    check_positive(n_neighbors=n_neighbors)
    before, read, vectorizer, last = _stages(model, text)
    X = _rows(vectorizer, read)
    own, vectorizer = _own(vectorizer, read, X)
    f, alpha = None, 0.0
    if fused := hasattr(last, "_language_mixtures"):
        X = last._expanded(read, last._counts(X))
        f = last._language_mixtures(read)
        mixture = last._mixtures(X, f)[0]
        alpha = float(last._document_alpha(X.sum(axis=1))[0])
    else:
        mixture = weights_in_topics(last, X)[0]
        _check_topics(last, mixture)
    parts, language, prior = _split(last, X, f, mixture)
    share = (own[:, X.indices].toarray() / X.data)[0] if X.nnz else np.empty(0)
    in_text, added = share > 0, share < 1
    words = (parts * share[:, np.newaxis])[in_text]
    added_words = (parts * (1 - share)[:, np.newaxis])[added]

    notes = _notes(last)
    if read != [text]:
        notes.append("The text is shown as the steps before the vectorizer made it.")
    sentences = _sentences(read[0])
    columns = X.indices[in_text]
    carried, known = _carried(last, vectorizer, sentences, columns, words, language)
    lengths = np.array([max(len(sentence), 1) for sentence in sentences])
    carried += np.outer(lengths / lengths.sum(), added_words.sum(axis=0))
    if not known:
        notes.append(
            "The embedder has no vectors of single sentences: their shares of the language "
            "side go by length."
        )
    spans, of_spans = _located(vectorizer, read[0], columns, words)
    names = words_of(vectorizer, "explain")
    by, distances, found = None, np.empty(0), []
    if texts is not None:
        found = check_texts(texts, "explain (texts)")
        by, distances = _distances(model, before, last, read, mixture, found)
    nearest = np.argsort(distances, kind="stable")[:n_neighbors]
    return Explanation(
        text=read[0],
        mixture=mixture,
        alpha=alpha,
        words=names[columns],
        counts=(X.data * share)[in_text],
        word_contributions=words,
        added_words=names[X.indices[added]],
        added_contributions=added_words,
        language_contribution=language,
        prior_contribution=prior,
        sentences=tuple(sentences),
        sentence_contributions=carried,
        top_sentences=carried.argmax(axis=0),
        spans=spans,
        span_contributions=of_spans,
        topic_words=last.top_words() if fused else top_words(last.components_, names),
        neighbors=nearest,
        neighbor_distances=distances[nearest],
        neighbor_texts=tuple(found[i] for i in nearest),
        neighbors_by=by,
        notes=tuple(notes),
    )


# the model --------------------------------------------------------------------------------


def _stages(model: Any, text: str) -> tuple[list[Any], list[str], Any, Any]:
    """Return the steps before the vectorizer, what they make of text, it, the topic model."""
    is_pipeline = isinstance(model, Pipeline)
    steps = [step for _, step in model.steps] if is_pipeline else [model]
    last, fused = steps[-1], hasattr(steps[-1], "_language_mixtures")
    if not is_pipeline and not fused:
        raise _cannot(model, "is no model of texts")
    check_is_fitted(model)
    counts = getattr(last, "topic_model_", last)
    if not hasattr(counts, "components_"):
        raise _cannot(counts, "has no components_, the weights of words in topics")
    before: list[Any] = []
    read = [text]
    for i, step in enumerate(steps[:-1]):
        if step is not None and step != "passthrough":
            made = step.transform(read)
            if len(getattr(made, "shape", (0,))) == 2:
                return before, read, model[i:-1], last
            before, read = [*before, step], list(made)
    if fused:
        return before, read, last.vectorizer_, last
    raise _cannot(last, "stands behind no vectorizer")


def _cannot(model: Any, fault: str) -> TypeError:
    return TypeError(
        f"explain cannot explain {type(model).__name__}: it {fault}. Pass a fitted "
        "FusionTopicModel, or a Pipeline of a vectorizer and GibbsLDA, PachinkoAllocation, "
        "NMF, MiniBatchNMF or LatentDirichletAllocation."
    )


def _check_topics(model: Any, mixture: np.ndarray) -> None:
    if (mixture < 0).any() or (model.components_ < 0).any():
        raise _cannot(model, "gives words or texts a negative weight in topics")


def _notes(model: Any) -> list[str]:
    notes = []
    counts = getattr(model, "topic_model_", model)
    if not hasattr(counts, "_parts") and getattr(model, "alpha_", 0) < 1:
        notes.append(
            f"{type(counts).__name__} has no exact division among words: each topic's "
            "weight is divided by the words' weights in it."
        )
    if 0 < getattr(model, "alpha_", 0) < 1 and model._as_fitted.pooling == "geometric":
        notes.append(
            "A geometric mean does not add up: θ is divided by the weights α and 1 - α."
        )
    return notes


def _rows(vectorizer: Any, texts: list[str]) -> sp.csr_array:
    made = vectorizer.transform(texts)
    X = sp.csr_array(made if sp.issparse(made) else np.asarray(made))
    X.sum_duplicates()
    X.eliminate_zeros()
    return X


def _own(
    vectorizer: Any, texts: list[str], X: sp.csr_array
) -> tuple[sp.csr_array, Any]:
    """Return the part of a text's row that its own words make, and what counts those."""
    steps = list(steps_of(vectorizer))
    feeds = [i for i, step in enumerate(steps) if isinstance(step, NextWordCounts)]
    if not feeds:
        return X, vectorizer
    i = feeds[0]
    feed = steps[i]
    plain = make_pipeline(*steps[:i], feed.vectorizer_, *steps[i + 1 :])
    for step in steps[:i]:
        texts = step.transform(texts)
    own, both = _rows(feed.vectorizer_, texts), _rows(feed, texts)
    if not feed.include_counts:
        own = 0 * own
    shares = own[:, X.indices].toarray() / both[:, X.indices].toarray()
    return sp.csr_array((X.data * shares[0], X.indices, X.indptr), shape=X.shape), plain


# the parts of the mixture --------------------------------------------------------------------


def _split(
    model: Any, X: sp.csr_array, f: np.ndarray | None, mixture: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what words (n, K), language (K,) and prior (K,) add to the mixture."""
    nothing = np.zeros_like(mixture)
    alpha = getattr(model, "alpha_", None)
    if alpha is None:
        words, prior = _split_counts(model, X, mixture)
        return words, nothing, prior
    if f is not None and alpha == 1:
        return np.zeros((X.nnz, len(mixture))), mixture, nothing
    counts = model.topic_model_
    pooling = model._as_fitted.pooling
    if f is not None and pooling == "prior":
        given = model.strength_ * f[0]
        words, rest = _split_counts(counts, X, mixture, given)
        prior = rest * counts.doc_topic_prior_ / (given + counts.doc_topic_prior_)
        return words, rest - prior, prior

    g = weights_in_topics(counts, X)[0]
    words, prior = _split_counts(counts, X, g)
    total = g.sum()
    if total > 0:
        words, prior = words / total, prior / total
    else:
        prior = np.full_like(mixture, 1 / len(mixture))
    if f is None:
        return words, nothing, prior
    words, prior = words[:, model.topic_order_], prior[model.topic_order_]
    if pooling == "linear":
        return (1 - alpha) * words, alpha * f[0], (1 - alpha) * prior
    g, rest = words.sum(axis=0) + prior, (1 - alpha) * mixture
    words = words * np.divide(rest, g, where=g > 0, out=nothing.copy())
    return words, alpha * mixture, rest - words.sum(axis=0)


def _split_counts(
    model: Any, X: sp.csr_array, mixture: np.ndarray, given: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return what words (n, K) and prior (K,) add to a topic model's mixture.

    given : (K,), what ``GibbsLDA`` had in its prior beside its own
    """
    if hasattr(model, "_parts"):
        return model._parts(as_counts(X, "explain"), given)
    pull = model.components_[:, X.indices].T.astype(np.float64)
    prior = np.zeros_like(mixture)
    if hasattr(model, "doc_topic_prior_"):
        alpha = np.broadcast_to(model.doc_topic_prior_, mixture.shape)
        prior = alpha / (X.data.sum() + alpha.sum())
        pull *= mixture / model.components_.sum(axis=1)
        pull /= pull.sum(axis=1, keepdims=True)
    pull *= X.data[:, np.newaxis]
    total = pull.sum(axis=0)
    parts = np.divide(pull, total, where=total > 0, out=np.zeros_like(pull))
    words = parts * np.maximum(mixture - prior, 0)
    return words, np.where(total > 0, prior, mixture)


# the parts of the text -----------------------------------------------------------------------


def _sentences(text: str) -> list[str]:
    """Return the sentences of a text, at least one."""
    found = [piece for piece in _BETWEEN_SENTENCES.split(text.strip()) if piece]
    return found if len(found) > 1 else [text]  # whole, as the embedder knows it


def _carried(
    model: Any,
    vectorizer: Any,
    sentences: list[str],
    columns: np.ndarray,
    words: np.ndarray,
    language: np.ndarray,
) -> tuple[np.ndarray, bool]:
    """Return what sentences carry of the topics, and whether the language side knew them."""
    rows = _rows(vectorizer, sentences)[:, columns]
    lengths = np.array([[max(len(sentence), 1)] for sentence in sentences], float)
    nowhere = np.asarray(rows.sum(axis=0)).ravel() == 0  # n-grams across sentences
    carried = _spread(words, rows)
    carried += lengths / lengths.sum() * words[nowhere].sum(axis=0)
    if not language.any():
        return carried, True
    weights, known = lengths, True
    try:
        weights = lengths * (model._language_mixtures(sentences) + np.finfo(float).tiny)
    except ValueError:  # the text itself was read: these are not in a table of vectors
        known = False
    return carried + language * weights / weights.sum(axis=0), known


def _located(
    vectorizer: Any, text: str, columns: np.ndarray, words: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return where words stand in the text, (M, 2), and what each place adds, (M, K)."""
    places = list(_PIECE.finditer(text))
    if not places or not columns.size:
        return np.empty((0, 2), int), np.empty((0, words.shape[1]))
    pieces, which = np.unique([place[0] for place in places], return_inverse=True)
    rows = _rows(vectorizer, pieces.tolist())[:, columns]
    rows.data = np.ones(rows.nnz)
    rows = rows[which]
    hits = np.flatnonzero(np.diff(rows.indptr))
    spans = np.array([places[i].span() for i in hits], int).reshape(-1, 2)
    return spans, _spread(words, rows)[hits]


def _spread(words: np.ndarray, rows: sp.csr_array) -> np.ndarray:
    """Divide what words add among the rows, in proportion to their weight in each."""
    totals = np.asarray(rows.sum(axis=0), np.float64).ravel()
    scale = np.divide(1, totals, where=totals > 0, out=np.zeros_like(totals))
    return rows @ (words * scale[:, np.newaxis])


# other texts ------------------------------------------------------------------------------


def _distances(
    model: Any,
    before: list[Any],
    last: Any,
    read: list[str],
    mixture: np.ndarray,
    texts: list[str],
) -> tuple[str, np.ndarray]:
    """Return what is compared, and how far each text is from the one that was read."""
    if hasattr(last, "embedder_"):
        for step in before:
            texts = list(step.transform(texts))
        own, vectors = last._read(read)[0], last._read(texts)
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(own)
        cosines = vectors @ own / np.maximum(lengths, np.finfo(float).tiny)
        return "embedding", np.maximum(1 - cosines, 0)
    rows = np.vstack([mixture, np.asarray(model.transform(texts), np.float64)])
    rows = np.sqrt(rows / np.maximum(rows.sum(axis=1, keepdims=True), 1e-300))
    return "mixtures", np.sqrt(np.maximum(1 - rows[1:] @ rows[0], 0))
