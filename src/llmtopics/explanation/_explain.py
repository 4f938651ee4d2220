"""``explain``: what each part of a text adds to each of its topics."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import config_context

from llmtopics._fitted_model import FittedModel
from llmtopics._vectorizers import words_of
from llmtopics._words import topic_labels
from llmtopics.explanation._explanation import Explanation
from llmtopics.explanation._neighbors import check_neighbors, nearest_texts
from llmtopics.explanation._text_models import Stages, stages_of
from llmtopics.explanation._text_parts import (
    locate_words,
    sentence_contributions,
)
from llmtopics.explanation._vectorizing import count_rows, own_counts
from llmtopics.text import split_sentences


@config_context(transform_output="default")
def explain(
    model: Any,
    text: str,
    *,
    texts: Sequence[str] | None = None,
    n_neighbors: int | None = None,
) -> Explanation:
    """Explain why a model gives a text its topics.

    The topic proportions of the text are divided among their sources: each word, the
    embedding, and the prior. The parts sum to the topic proportions.

    Parameters
    ----------
    model : FusionTopicModel or Pipeline
        A fitted :class:`FusionTopicModel`, or a fitted Pipeline that ends in one or in a
        topic model of counts after a vectorizer. These are :class:`GibbsLDA`,
        :class:`PachinkoAllocation`, scikit-learn's ``NMF``, ``MiniBatchNMF`` and
        ``LatentDirichletAllocation``, and their subclasses. Steps that change texts may come
        first. ``TfidfTransformer`` may follow the vectorizer. If a classifier comes
        after the topic model, pass the Pipeline without it: ``pipeline[:-1]``.
    text : str
        The text. Its words are those that the model's vectorizer counts. The default of
        :class:`FusionTopicModel` leaves out stop words, numbers and single letters.
    texts : sequence of str or None, default=None
        Texts to search for the nearest ones, such as those in ``fit``. Rows that are equal to
        ``text`` are left out. None searches for none.
    n_neighbors : int or None, default=None
        Largest number of nearest texts to return. None is 3. Needs ``texts``.

    Returns
    -------
    explanation : Explanation
        A notebook shows the text with its words colored by topic. ``mixture`` is the sum of
        ``word_contributions`` and ``added_contributions`` over words,
        ``language_contribution``, and ``prior_contribution``. It is
        ``model.transform([text])[0]`` (which sums to one, except for ``NMF``).

    Raises
    ------
    TypeError
        If ``text`` is not a str, or ``model`` is none of these models.
    NotFittedError
        If ``model`` is not fitted.
    ValueError
        If a row of ``texts`` is not a text, if ``n_neighbors`` is not a whole number of at
        least 1, or if it is given without ``texts``.

    Notes
    -----
    With :class:`GibbsLDA`, and :class:`FusionTopicModel` with ``pooling="prior"``,
    ``θ_k = (Σ_w x_w γ_wk + s f_k + ε_k) / (N + s + Σε)``. Here ``γ_wk`` is the share of topic
    k in a token of word w, from the last pass of ``transform``. Nothing is approximated. With
    :class:`PachinkoAllocation`, ``θ_k = Σ_s A_s (E[n_sk] + α_sk) / (N + Σα)``. Its part without
    the prior is divided among the words by ``x_w γ_wk``, which sum to ``E[n_k]``.
    ``pooling="linear"`` adds ``α f`` and ``1 - α`` times the topic model's parts.

    Other models are not sums. They are divided by a convention, which ``notes`` names:

    - ``pooling="geometric"``: θ is divided by the weights α and 1 - α. The second part is
      divided in proportion to the topic model's parts.
    - ``LatentDirichletAllocation``: θ minus the prior is divided among words by
      ``x_w φ_kw θ_k / Σ_j φ_jw θ_j``, up to a factor per topic.
    - ``NMF`` and ``MiniBatchNMF``: θ_k is divided among words by ``x_w φ_kw``, as at the fixed
      point of NMF's multiplicative updates with squared error.

    Each word is divided among sentences by its weight in each sentence alone. The embedding
    side is divided among sentences by length times the sentence's own f. If the embedder has
    no vectors of sentences, it is divided by length alone. The same rule holds for sentences
    after the embedder's maximum length. Words that :class:`NextWordCounts` added are not in
    the text, and are divided by length.

    Nearest texts have the smallest cosine distance between vectors if the model has an
    ``embedder_``. Otherwise they have the smallest Hellinger distance between mixtures.

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
            f"explain reads one text (str) at a time, got {type(text).__name__}: pass a str."
        )
    found, n_nearest = check_neighbors(texts, n_neighbors)
    stages = stages_of(model, text)
    _, read, last, division = stages
    vectorizer = last.vectorizer_
    X = count_rows(vectorizer, read)
    own, vectorizer = own_counts(vectorizer, read, X)
    X, mixture, alpha, parts = last._explained(read, X, division and division.divide)
    share = (own[:, X.indices].toarray() / X.data)[0] if X.nnz else np.empty(0)
    in_text, added = share > 0, share < 1
    words = (parts.words * share[:, np.newaxis])[in_text]
    added_words = (parts.words * (1 - share)[:, np.newaxis])[added]

    columns = X.indices[in_text]
    sentences = split_sentences(read[0])
    if len(sentences) < 2:
        sentences = [read[0]]  # unstripped: tables of vectors have this text
    extra = added_words.sum(axis=0)
    carried, known = sentence_contributions(
        last, vectorizer, sentences, columns, words, extra, parts.embedding
    )
    spans, of_spans = locate_words(vectorizer, read[0], columns, words)
    names = words_of(vectorizer, "explain")
    topic_words = last.top_words()
    nearest = nearest_texts(text, model, stages, mixture, found, n_nearest)
    return Explanation(
        text=read[0],
        mixture=mixture,
        alpha=alpha,
        words=names[columns],
        counts=(X.data * share)[in_text],
        word_contributions=words,
        added_words=names[X.indices[added]],
        added_contributions=added_words,
        language_contribution=parts.embedding,
        prior_contribution=parts.prior,
        sentences=tuple(sentences),
        sentence_contributions=carried,
        top_sentences=carried.argmax(axis=0),
        spans=spans,
        span_contributions=of_spans,
        topic_words=topic_words,
        topic_names=FittedModel(model).names or topic_labels(topic_words),
        neighbors=nearest.rows,
        neighbor_distances=nearest.distances,
        neighbor_texts=nearest.texts,
        neighbors_by=nearest.by,
        notes=tuple(_notes(stages, text, parts.note, known)),
    )


def _notes(stages: Stages, text: str, note: str, known: bool) -> list[str]:
    """Return notes on parts that follow a convention, and on changes of the text."""
    notes = []
    if stages.division is not None and not stages.division.exact:
        notes.append(
            f"{type(stages.model.topic_model_).__name__} has no exact division among words: "
            "each topic's weight is divided by the words' weights in it."
        )
    if note:
        notes.append(note)
    if stages.texts != [text]:
        notes.append("The text is shown as the steps before the vectorizer made it.")
    if not known:
        notes.append(
            "The embedder has no vectors of single sentences: the embedding side's part is "
            "divided among them by length."
        )
    return notes
