import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.feature_extraction.text import CountVectorizer

from llmtopics import GibbsLDA, TextAnalyzer, top_words
from llmtopics.datasets import load_bbc_news
from llmtopics.metrics import _window_kernels as kernels
from llmtopics.metrics import coherence
from llmtopics.metrics._coherence_measures import MEASURES, CoherenceMeasure
from llmtopics.metrics._scorer_measures import MEASURES as SCORER_MEASURES

EPS = 1e-12
# four documents: cat in 3, dog in 2, both in 2, bond in 1, alone
TEXTS = [["cat", "dog", "cat"], ["dog", "pet", "cat"], ["cat"], ["bond", "sale"]]
TOPIC = ["cat", "dog", "bond"]


def pmi(both, a, b):
    return np.log((both / 4 + EPS) / (a / 4 * b / 4))


def npmi(both, a, b):
    return pmi(both, a, b) / -np.log(both / 4 + EPS)


def test_formulas_worked_by_hand_on_four_documents():
    values = {
        m: coherence([TOPIC], TEXTS, measure=m, window_size=None) for m in MEASURES
    }
    pairs = [(2, 3, 2), (0, 3, 1), (0, 2, 1)]  # cat dog, cat bond, dog bond
    assert_allclose(values["uci"], np.mean([pmi(*pair) for pair in pairs]))
    assert_allclose(values["npmi"], np.mean([npmi(*pair) for pair in pairs]))
    conditional = [(2 / 4 + EPS) / (3 / 4), EPS / (3 / 4), EPS / (2 / 4)]
    assert_allclose(values["u_mass"], np.mean(np.log(conditional)))
    # rows: cat, dog, bond; the diagonal is 1
    vectors = np.array(
        [
            [1, npmi(2, 3, 2), npmi(0, 3, 1)],
            [npmi(2, 3, 2), 1, npmi(0, 2, 1)],
            [npmi(0, 3, 1), npmi(0, 2, 1), 1],
        ]
    )
    total = vectors.sum(axis=0)
    cosines = vectors @ total / np.linalg.norm(vectors, axis=1) / np.linalg.norm(total)
    assert_allclose(values["c_v"], cosines.mean(), rtol=1e-9)


def test_windows_worked_by_hand():
    """Windows of two tokens: cat dog | dog cat, dog pet | pet cat, cat, bond sale."""
    value = coherence([["cat", "dog"]], TEXTS, measure="uci", window_size=2)
    assert_allclose(value, np.log((2 / 6 + EPS) / (4 / 6 * 3 / 6)))


@pytest.fixture(scope="module", params=[8, pytest.param(1, marks=pytest.mark.slow)])
def bbc(request):
    """Every eighth article, or all."""
    articles = load_bbc_news().data[:: request.param]
    analyzer = TextAnalyzer()
    vectorizer = CountVectorizer(analyzer=analyzer, min_df=5)
    X = vectorizer.fit_transform(articles)
    names = vectorizer.get_feature_names_out()
    lda = GibbsLDA(20, max_iter=20, random_state=0).fit(X)
    topics = top_words(lda.components_, names)
    texts = [analyzer(text) for text in articles]
    return topics, texts, X, names


@pytest.mark.parametrize(
    ("measure", "theirs", "window_size"),
    [
        ("u_mass", "u_mass", "auto"),
        ("uci", "c_uci", "auto"),
        ("npmi", "c_npmi", "auto"),
        ("c_v", "c_v", "auto"),
        ("npmi", "c_npmi", 50),
    ],
)
def test_equals_gensim_on_real_news(bbc, measure, theirs, window_size):
    topics, texts, _, _ = bbc
    texts = [*texts, ["zzyzx"] * 200]  # counts too, without words of the topics
    size = None if window_size == "auto" else window_size
    ours = coherence(topics, texts, measure=measure, window_size=window_size)
    expected = gensims(topics, texts, theirs, window_size=size)
    assert_allclose(ours, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("measure", "theirs"),
    [("u_mass", "u_mass"), ("uci", "c_uci"), ("npmi", "c_npmi"), ("c_v", "c_v")],
)
def test_gensim_alone_counts_documents_without_tokens(measure, theirs):
    topics = [["cat", "dog", "pet"], ["bond", "cat"]]
    ours = coherence(topics, TEXTS, measure=measure)
    assert_allclose(ours, gensims(topics, TEXTS, theirs), atol=1e-6)
    assert_array_equal(coherence(topics, [*TEXTS, [], []], measure=measure), ours)
    # the same as with one word of no topic in each of them
    blank = gensims(topics, [*TEXTS, [], []], theirs)
    other = coherence(topics, [*TEXTS, ["x"], ["x"]], measure=measure)
    assert_allclose(blank, other, atol=1e-6)
    assert not np.allclose(blank, ours, atol=1e-3)


def gensims(topics, texts, measure, **options):
    from gensim.corpora import Dictionary
    from gensim.models import CoherenceModel

    dictionary = Dictionary(texts)
    model = CoherenceModel(
        topics=topics,
        texts=texts,
        corpus=[dictionary.doc2bow(text) for text in texts],
        dictionary=dictionary,
        coherence=measure,
        processes=1,
        **options,
    )
    return model.get_coherence_per_topic()


@pytest.mark.parametrize("measure", MEASURES)
def test_counts_and_lists_of_words_agree_on_documents(bbc, measure):
    topics, texts, X, names = bbc
    by_lists = coherence(topics, texts, measure=measure, window_size=None)
    for counts in [X, sp.csc_array(X), sp.coo_array(X)]:
        by_counts = coherence(topics, counts, names, measure=measure, window_size=None)
        assert_allclose(by_counts, by_lists)


def test_dense_counts_and_frames_are_accepted():
    vectorizer = CountVectorizer(analyzer=list)
    X = vectorizer.fit_transform(TEXTS)
    names = vectorizer.get_feature_names_out()
    expected = coherence([TOPIC], TEXTS, window_size=None)
    for counts in [X.toarray(), X.toarray().tolist(), pd.DataFrame(X.toarray())]:
        assert_allclose(coherence([TOPIC], counts, names, window_size=None), expected)


@pytest.mark.parametrize("measure", ["npmi", "c_v"])
def test_a_topic_does_not_depend_on_the_others(bbc, measure):
    topics, texts, _, _ = bbc
    # a document without tokens has no window
    together = coherence(topics, [[], *texts], measure=measure)
    alone = [
        coherence([topic], [*texts[::-1], []], measure=measure)[0] for topic in topics
    ]
    assert_allclose(together, alone)


def windows_by_brute_force(texts, n_words, size):
    together, n_windows = np.zeros((n_words, n_words), int), 0
    for text in texts:
        for start in range(max(1, len(text) - size + 1) if len(text) else 0):
            window = sorted({w for w in text[start : start + size] if w >= 0})
            together[np.ix_(window, window)] += 1
            n_windows += 1
    return together, n_windows


def windows_as_gensim(texts, n_words, size):
    """Windows are sets: a token that leaves takes its word, even if the word is repeated."""
    together, n_windows = np.zeros((n_words, n_words), int), 0
    for text in texts:
        inside = set()
        for start in range(max(1, len(text) - size + 1) if len(text) else 0):
            if start == 0:
                inside = set(text[:size])
            else:
                inside.discard(text[start - 1])
                inside.add(text[start + size - 1])
            window = sorted(inside - {-1})
            together[np.ix_(window, window)] += 1
            n_windows += 1
    return together, n_windows


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("forget", [False, True])
@pytest.mark.parametrize("plain", [False, True])
def test_window_counts_equal_their_definition(rng, size, forget, plain):
    n_words = 5
    texts = [rng.integers(-1, n_words, n).tolist() for n in [0, 1, 2, 3, 30, 0, 80]]
    starts = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    tokens = np.array([w for text in texts for w in text], np.int32)
    count = kernels.count_windows
    if plain:
        count = getattr(count, "py_func", count)
    together, n_windows = count(tokens, starts, n_words, size, forget)
    by_hand = windows_as_gensim if forget else windows_by_brute_force
    expected, n_expected = by_hand(texts, n_words, size)
    assert_array_equal(together, expected)
    assert n_windows == n_expected


def test_windows_by_definition_can_be_chosen():
    texts = [["a", "a", "b", "c"]]
    # windows aab, abc: b and a are together in both; gensim loses the second a
    exact = coherence(
        [["a", "b"]], texts, window_size=3, measure="uci", gensim_windows=False
    )
    theirs = coherence([["a", "b"]], texts, window_size=3, measure="uci")
    assert_allclose(exact, np.log(1), atol=1e-9)
    assert_allclose(theirs, np.log(0.5 / 0.5), atol=1e-9)
    assert_allclose(
        coherence(
            [["a", "c"]], texts, window_size=3, measure="uci", gensim_windows=False
        ),
        np.log(0.5 / 0.5),
        atol=1e-9,
    )
    assert coherence([["a", "c"]], texts, window_size=3, measure="uci")[0] < -20


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("window_size", [None, 2])
@pytest.mark.parametrize("n_copies", [1, 10_000])
def test_words_that_do_not_occur_warn_once_and_score_lowest(
    measure, window_size, n_copies
):
    """Their score is below that of words that never occur together, for any reference."""
    topics = [["cat", "dog"], ["cat", "bond"], ["cat", "ghost"], ["ghost", "spook"]]
    options = {"measure": measure, "window_size": window_size}
    with pytest.warns(UserWarning, match="2 of the topics' 5 words") as caught:
        values = coherence(topics, TEXTS * n_copies, **options)
    assert len(caught) == 1
    assert values[0] > values[1] > values[2] >= values[3]
    lowest = {"npmi": -1, "c_v": -1, "uci": np.log(EPS), "u_mass": np.log(EPS)}[measure]
    assert_allclose(values[3], lowest)
    if measure == "u_mass":  # whichever of the two is absent
        assert_allclose(values[2], lowest)


@pytest.mark.parametrize("measure", MEASURES)
def test_documents_without_tokens_do_not_count(measure):
    options = {"measure": measure, "window_size": None}
    expected = coherence([["cat", "dog"]], TEXTS, **options)
    padded = [[], *TEXTS, *[[]] * 50]
    assert_allclose(coherence([["cat", "dog"]], padded, **options), expected)
    vectorizer = CountVectorizer(analyzer=list)
    X = vectorizer.fit_transform(padded)
    names = vectorizer.get_feature_names_out()
    assert_allclose(coherence([["cat", "dog"]], X, names, **options), expected)


def test_words_missing_from_a_vocabulary_warn_too():
    options = {"measure": "c_v", "window_size": None}
    with pytest.warns(UserWarning, match="'ghost'"):
        values = coherence([["cat", "ghost"]], [[1]], ["cat"], **options)
    assert np.isfinite(values).all()


def test_words_that_are_always_together_are_coherent():
    texts = [["a", "b"], ["a", "b"]]
    assert_allclose(coherence([["a", "b"]], texts, window_size=None), 1)
    assert_allclose(coherence([["a", "b"]], [*texts, ["c"]], window_size=None), 1)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([TOPIC], TEXTS), {"measure": "best"}, "npmi, c_v"),
        ((["cat", "dog"], TEXTS), {}, "Topic 0 is 'cat'"),
        (([TOPIC], TEXTS), {"window_size": 2.5}, "window_size"),
        (([TOPIC], [[0, 0]], ["cat", "dog"]), {"window_size": None}, "no words"),
        (([TOPIC], [[1, 1]], ["cat", "cat"]), {"window_size": None}, "'cat' more than"),
        (([TOPIC], TEXTS), {"window_size": 0}, "window_size"),
        (([TOPIC], TEXTS), {"window_size": "all"}, "window_size"),
        (([TOPIC], [[1]], ["cat"]), {"measure": "c_v"}, "windows of 110 tokens"),
        (([TOPIC], [[1]], ["cat", "dog"]), {"window_size": None}, "2 words.*1 col"),
        (([TOPIC], [[-1]], ["cat"]), {"window_size": None}, "Negative"),
        (([TOPIC], [[np.nan]], ["cat"]), {"window_size": None}, "NaN"),
        (([["cat"]], TEXTS), {}, "Topic 0"),
        (([TOPIC, ["cat", "cat"]], TEXTS), {}, "Topic 1 has a word twice"),
        (([[1, 2]], [[1, 2]]), {}, "Words must be str"),
        ((5, [["cat"]]), {}, "Topics must be lists of words"),
        (([TOPIC], ["raw text"]), {}, r"reference\[0\]"),
        (([TOPIC], [["cat"], None]), {}, r"reference\[1\]"),
        (([TOPIC], "text"), {}, "list of documents"),
        (([TOPIC], sp.csr_array(np.eye(3))), {}, "vocabulary"),
        (([TOPIC], [[], []]), {}, "no words"),
        (([TOPIC], []), {}, "no words"),
    ],
)
def test_bad_input_is_named(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        coherence(*arguments, **options)


@pytest.mark.parametrize("measure", ["npmi", "c_v"])
def test_words_that_are_always_together_have_at_most_one(measure):
    for n in range(2, 60):
        X = np.ones((n, 3), int)
        X[0] = [0, 0, 1]
        values = coherence(
            [["a", "b"]], X, ["a", "b", "c"], measure=measure, window_size=None
        )
        assert 1 - 1e-9 < values[0] <= 1


def test_a_measure_is_one_entry_of_the_table(monkeypatch):
    measure = CoherenceMeasure(lambda p: float(p.min()), window=None, lowest=0.0)
    monkeypatch.setitem(MEASURES, "rarest pair", measure)
    texts = [["cat", "dog"], ["cat"], ["dog"], ["bond"]]
    assert coherence([["cat", "dog"]], texts, measure="rarest pair") == [0.25]


def test_every_measure_is_documented_and_a_scorer():
    for name in MEASURES:
        assert f'"{name}"' in coherence.__doc__
        assert name in SCORER_MEASURES
