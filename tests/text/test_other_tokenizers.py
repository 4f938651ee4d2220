"""``tokenize=`` with the tokenizers of other libraries, and gensim both ways."""

import numpy as np
import pytest
from gensim.corpora import Dictionary
from gensim.matutils import Sparse2Corpus, corpus2csc
from nltk.tokenize import TreebankWordTokenizer, TweetTokenizer, wordpunct_tokenize
from sklearn.feature_extraction.text import CountVectorizer

from llmtopics import GibbsLDA, TextAnalyzer

TEXT = "The U.S. senator isn't in New York. Visit https://a.org 3 times, #OK?"


@pytest.mark.parametrize(
    ("tokenize", "words"),
    [
        (
            TreebankWordTokenizer().tokenize,
            "u.s. senator new york. visit https //a.org times ok",
        ),
        (TweetTokenizer().tokenize, "senator new york visit times ok"),
        (wordpunct_tokenize, "senator isn new york visit https org times ok"),
    ],
)
def test_nltk(tokenize, words):
    assert TextAnalyzer(tokenize=tokenize)(TEXT) == words.split()


@pytest.mark.slow
def test_spacy():
    spacy = pytest.importorskip("spacy", reason="spaCy adds 15 packages: run by hand")
    words = ["u.s.", "senator", "new", "york", "visit", "times", "ok"]
    nlp = spacy.blank("en")
    assert TextAnalyzer(tokenize=nlp)(TEXT) == words
    assert TextAnalyzer(tokenize=nlp.tokenizer)(TEXT) == words
    assert TextAnalyzer(tokenize=nlp)("wo\ud83drd") == ["wo?rd"]


@pytest.mark.slow
def test_mecab():
    fugashi = pytest.importorskip("fugashi", reason="run by hand, as the next")
    pytest.importorskip("unidic_lite", reason="a dictionary of 250 MB: run by hand")
    text = "東京大学の学生は人工知能を研究しています。"
    words = {"東京", "大学", "学生", "人工", "知能", "研究"}
    tagger = fugashi.Tagger()
    assert words <= set(TextAnalyzer("japanese", tokenize=tagger)(text))
    spaces = fugashi.Tagger("-Owakati").parse
    assert words <= set(TextAnalyzer("japanese", tokenize=spaces)(text))


def test_gensim_both_ways():
    texts = ["Cats chase mice.", "Dogs chase cats.", "Shares fell in London."] * 9
    tokens = [TextAnalyzer()(text) for text in texts]
    dictionary = Dictionary(tokens)
    bags = [dictionary.doc2bow(words) for words in tokens]
    X = corpus2csc(bags, num_terms=len(dictionary)).T.tocsr()
    vectorizer = CountVectorizer(analyzer=TextAnalyzer()).fit(texts)
    order = [dictionary.token2id[word] for word in vectorizer.get_feature_names_out()]
    np.testing.assert_array_equal(
        X[:, order].toarray(), vectorizer.transform(texts).toarray()
    )
    assert GibbsLDA(2, random_state=0).fit(X.astype(int)).components_.shape == (
        2,
        X.shape[1],
    )
    back = Sparse2Corpus(X, documents_columns=False)
    assert [sorted(bag) for bag in back] == [sorted(bag) for bag in bags]
    for some in bags, bags[:2], [[], *bags]:
        with pytest.raises(ValueError, match=r"corpus2csc\(bags.*\.T"):
            GibbsLDA().fit(some)
