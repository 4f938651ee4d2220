import gc
import pickle
import sys
import warnings
import weakref
from itertools import chain

import numpy as np
import pandas as pd
import pytest
import snowballstemmer
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.model_selection import ParameterGrid

from llmtopics import TextAnalyzer
from llmtopics.datasets import load_bbc_news
from llmtopics.text import _analyzer, _segment, _tokens, stop_words
from llmtopics.text._analyzer import _known_words
from llmtopics.text._languages import LANGUAGES
from llmtopics.text._segment import runs_of_scripts
from llmtopics.text._spelling import clean

PLAIN = TextAnalyzer(stop_words=None, min_length=1)


def known_words(analyzer):
    """Return the cache of an analyzer whose parameters can be looked up."""
    return _analyzer._known_words(
        *map(_analyzer._hashable, _analyzer._PARAMETERS(analyzer))
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ärger, naïve Café!", ["ärger", "naïve", "café"]),
        ("cafe\u0301 ｆｕｌｌ ﬁn", ["café", "full", "fin"]),  # NFKC
        ("Blair's l’homme 'quoted'", ["blair", "s", "l", "homme", "quoted"]),
        ("foo_bar e-mail a/b", ["foo", "bar", "e", "mail", "a", "b"]),
        ("हिन्दी नहीं किताबें", ["हिन्दी", "नहीं", "किताबें"]),  # vowel signs stay
        ("мир 漢字 ひらがな ไทย عربي", ["мир", "漢字", "ひらがな", "ไทย", "عربي"]),
        ("infor\u00admation كتـــاب", ["information", "كتاب"]),
        ("col·laboració", ["col·laboració"]),
        ('צה"ל אמר "שלום"', ['צה"ל', "אמר", "שלום"]),
        ("می‌خواهم", ["می‌خواهم"]),  # a zero-width non-joiner belongs to the word
        ("mp3 4x4 covid19 2nd 12nd", ["mp3", "4x4", "covid19", "2nd", "12nd"]),
        ("1 2004 3.5 1,000 £3.5bn 5. ٣٤", []),
        ("❤️ 👩‍💻 … — \u200b\ufeff", []),
        ("", []),
        (" \n\t", []),
    ],
)
def test_words(text, words):
    assert PLAIN(text) == words


def test_numbers_and_punctuation_by_choice():
    text = "Up 3.5% to $1,000 in 2004!"
    assert PLAIN(text) == ["up", "to", "in"]
    keep = clone(PLAIN).set_params(special={"numbers": "keep"})
    assert keep(text) == ["up", "3.5", "to", "1,000", "in", "2004"]
    keep.set_params(special={"numbers": "keep", "punctuation": "keep"})
    assert keep(text) == ["up", "3.5", "%", "to", "$", "1,000", "in", "2004", "!"]


def test_case_and_length_by_choice():
    assert TextAnalyzer(lowercase=False)("The Bank of ENGLAND") == ["Bank", "ENGLAND"]
    assert TextAnalyzer(min_length=5)("bank England") == ["england"]
    # in some scripts, one character may be a word
    assert TextAnalyzer(min_length=5)("漢 bank 물") == ["漢", "물"]


def test_stop_words_of_a_language_none_or_given():
    text = "the cat don't won't CAN’T it's won"
    assert TextAnalyzer()(text) == ["cat", "won"]
    assert "the" in TextAnalyzer(stop_words=None)(text)
    assert TextAnalyzer("german")("der Hund und die Katze") == ["hund", "katze"]
    assert TextAnalyzer("french")("l'homme qu'il a aujourd'hui") == ["homme"]
    assert "microsoft" in TextAnalyzer()("Microsoft computer")


@pytest.mark.parametrize("container", [list, tuple, set, np.array, pd.Series])
def test_given_stop_words_are_normalized_like_the_text(container):
    analyzer = TextAnalyzer(stop_words=container(["cafe\u0301", "won’t", "Cat"]))
    assert analyzer("Cafe\u0301 café won't won’t won‘t won´t CAT dog") == ["dog"]


def test_apostrophes_belong_to_the_word_in_some_languages():
    ukrainian = TextAnalyzer("ukrainian")
    assert ukrainian("об'єкт пам’ять компʼютер") == ["об'єкт", "пам'ять", "комп'ютер"]
    assert TextAnalyzer("hebrew")("ג'ון") == ["ג'ון"]
    assert TextAnalyzer()("They’ve Blair'll Blair's") == ["blair", "blair"]


def test_turkish_is_lowered_by_its_own_rules():
    turkish = TextAnalyzer("turkish")
    assert turkish("IŞIK İstanbul") == ["ışık", "istanbul"]
    assert turkish("İLE HİÇ BİR") == []
    assert TextAnalyzer("turkish", lowercase=False)("İLE HİÇ IŞIK") == ["IŞIK"]


def test_long_tokens_are_not_cached():
    text = "x" * 10_000
    known = known_words(TextAnalyzer())
    assert TextAnalyzer()(text) == [text]
    assert TextAnalyzer()(f"{text},short") == [text, "short"]
    assert "short" in known
    assert max(map(len, known)) <= 64


def test_the_cache_is_bounded(monkeypatch):
    monkeypatch.setattr(_tokens, "_MANY", 10)
    analyzer = TextAnalyzer(stop_words=frozenset({"bounded"}))
    words = [f"word{i}" for i in range(99)]
    assert analyzer(" ".join(words)) == words
    assert len(known_words(analyzer)) <= 10


def test_words_are_those_of_the_whole_texts_tokens():
    """The cache of pieces between spaces does not change words."""
    rng = np.random.default_rng(0)
    signs = list("aZ1 9.,'·\"$€-\n\x1c\x85\xa0\u2003\u200c\u200dאש״文カไทΣςक्ष٣\u0301½_")
    texts = ["".join(rng.choice(signs, 40)) for _ in range(500)]
    for language in ["english", "hebrew"]:
        analyzer = TextAnalyzer(
            language, special={"numbers": "keep", "punctuation": "keep"}
        )
        known = known_words(analyzer)
        for text in [*texts, *load_bbc_news().data[::50]]:
            text = text.replace("www", "").replace("\n", " ")
            runs = runs_of_scripts(clean(text).lower())
            tokens = chain.from_iterable(map(_tokens._TOKEN[False], runs))
            words = [word for token in tokens for word in known._words_of_token(token)]
            assert analyzer(text) == words


def test_given_stop_words_ignore_case():
    analyzer = TextAnalyzer(stop_words={"Cat", "sat"})
    assert analyzer("The CAT sat on the mat") == ["the", "on", "the", "mat"]


def test_stems_by_choice():
    assert TextAnalyzer()("economies economical") == ["economies", "economical"]
    assert TextAnalyzer(stem=True)("economies running") == ["economi", "run"]
    assert TextAnalyzer("german", stem=True)("Häuser Häusern") == ["haus", "haus"]


def test_ngrams():
    analyzer = TextAnalyzer(ngram_range=(1, 3))
    assert analyzer("big red cats") == [
        "big", "red", "cats", "big red", "red cats", "big red cats",
    ]  # fmt: skip
    assert TextAnalyzer(ngram_range=(2, 2))("big red cats") == ["big red", "red cats"]
    assert TextAnalyzer(ngram_range=(2, 3))("one") == []
    names = (
        CountVectorizer(analyzer=analyzer).fit(["big red cats"]).get_feature_names_out()
    )
    assert "big red cats" in names


def test_chinese_keeps_single_characters():
    text = "我今天用iPhone手机去北京天安门，天气很好。"
    words = TextAnalyzer("chinese", stop_words=None)(text)
    assert {"手机", "北京", "天安门", "天气", "去", "我", "iphone"} <= set(words)
    assert "".join(words) == "我今天用iphone手机去北京天安门天气很好"
    assert "很" not in TextAnalyzer("chinese")(text)


def test_segmentation_without_its_extra_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "icu4py.breakers", None)  # importing it now fails
    with pytest.raises(ImportError, match=r"llmtopics\[segmentation\]"):
        TextAnalyzer("chinese")("从来没有见过的句子")


@pytest.mark.parametrize(
    ("text", "script", "pair"),
    [
        ("私は学生です", "Japanese", "学生"),
        ("ฉันรักประเทศไทยมากที่สุดในโลก", "Thai", "ที่สุ"),
        ("ພາສາລາວເປັນພາສາທາງການຂອງ", "Lao", "ພາ"),
        ("ភាសាខ្មែរគឺជាភាសាផ្លូវការ", "Khmer", "ភាសា"),
        ("မြန်မာဘာသာစကားသည်", "Burmese", "မာဘာ"),
        ("臺灣總統選舉iphone", "Chinese", "總統"),
    ],
)
def test_a_script_that_nothing_segments_is_told_and_gives_pairs(text, script, pair):
    with pytest.warns(UserWarning, match=f"a text is {script}.*'{script.lower()}'"):
        words = TextAnalyzer()(text)
    assert pair in words
    assert text not in words
    assert ("iphone" in words) == ("iphone" in text)
    assert TextAnalyzer(tokenize=lambda text: [text])(text) == [clean(text)]


def test_foreign_words_in_a_text_are_no_reason_to_warn():
    TextAnalyzer()(
        "The new 北京大学 campus is the largest that we have seen. コンピューター"
    )
    TextAnalyzer(["english", "chinese"])("天气很好")


def test_languages_by_name_and_code_one_or_several():
    text = "The dog und der Hund"
    assert TextAnalyzer("DE")(text) == TextAnalyzer("German")(text) != [text]
    assert TextAnalyzer("de_AT")(text) == TextAnalyzer("de-CH")(text)
    assert TextAnalyzer(["en", "german"])(text) == ["dog", "hund"]
    assert stop_words("FR") == stop_words("french")
    both = TextAnalyzer({"english", "zh"}, stop_words=None)("red 手机北京")
    assert both == ["red", "手机", "北京"]


def test_stop_words_are_added_and_rescued():
    analyzer = TextAnalyzer(extra_stop_words=["Said"], keep_words={"SYSTEM", "fire"})
    assert analyzer("He said the system is on fire") == ["system", "fire"]
    analyzer.set_params(stop_words=["fire", "he"])
    assert analyzer("He said the fire") == ["the", "fire"]


@pytest.mark.parametrize("name", ["extra_stop_words", "keep_words"])
def test_words_that_no_text_can_have_are_named(name):
    _known_words.cache_clear()
    bad = ["New York", "covid-19", "U.S.", "@bob", ""]
    given = {
        name: [*bad, "Cat", "don't", "l'homme", "café", "हिन्दी", "天气很好", "2004"]
    }
    with pytest.warns(UserWarning, match=name) as told:
        TextAnalyzer(**given)("text")
    assert "['', '@bob', 'covid-19', 'new york', 'u.s.']" in str(told[0].message)
    TextAnalyzer(**given, tokenize=str.split)("text")  # its words may be any
    TextAnalyzer(**{name: ["covid-19"]}, special={"hyphens": "keep"})("text")


def test_kept_numbers_can_be_stop_words():
    keep = TextAnalyzer(special={"numbers": "keep"}, extra_stop_words=["2004"])
    assert keep("in 2004 and 2005") == ["2005"]


def test_lengths_of_ngrams_are_checked_even_if_equal_ones_were_used():
    TextAnalyzer(ngram_range=(1, 2))("text")
    with pytest.raises(ValueError, match="ngram_range"):
        TextAnalyzer(ngram_range=(1.0, 2.0))("text")


def test_every_snowball_language_is_known():
    snowball = {name for name in snowballstemmer.algorithms() if "porter" not in name}
    assert snowball <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_works(language):
    stop = stop_words(language)
    without = ["burmese", "khmer", "lao", "nepali", "serbian", "tamil", "yiddish"]
    assert bool(stop) == (language not in without)
    words = [
        word for word in stop if _tokens._IS_WORD[False](word)
    ]  # some lists hold phrases too
    assert bool(words) == bool(stop)
    assert TextAnalyzer(language)(" ".join(words)) == []
    if language in snowballstemmer.algorithms():
        assert TextAnalyzer(language, stem=True, stop_words=None)("nation") != []


@pytest.mark.parametrize("language", ["english", "italian", "turkish", "serbian"])
def test_a_list_of_stop_words_can_be_extended_and_shortened(language):
    own, text = stop_words(language), "The café, İLE il signor IŞIK won't say"
    usual = TextAnalyzer(language)(text)
    assert TextAnalyzer(language, stop_words=own)(text) == usual
    more = TextAnalyzer(language, stop_words=[*own, "Café"])
    assert more(text) == [word for word in usual if word != "café"]
    assert "system" in TextAnalyzer(stop_words=stop_words() - {"system"})("A system")
    with pytest.raises(ValueError, match=r"'klingon' is not known.*english"):
        stop_words("klingon")


def test_round_trips():
    analyzer = TextAnalyzer("french", stem=True, stop_words=["chat"])
    for twin in [clone(analyzer), pickle.loads(pickle.dumps(analyzer))]:
        assert twin.get_params() == analyzer.get_params()
        assert twin("Les chats mangeaient") == analyzer("Les chats mangeaient")
    assert repr(TextAnalyzer("french")) == "TextAnalyzer(language='french')"


def test_in_vectorizers_bytes_files_and_searches(tmp_path):
    (tmp_path / "a.txt").write_text("Der Bär sang.", encoding="utf-8")
    vectorizer = CountVectorizer(input="filename", analyzer=TextAnalyzer("german"))
    vectorizer.fit([tmp_path / "a.txt"])
    assert list(vectorizer.get_feature_names_out()) == ["bär", "sang"]
    assert TfidfVectorizer(analyzer=TextAnalyzer()).fit([b"cats sing"]).vocabulary_ == {
        "cats": 0,
        "sing": 1,
    }
    sizes = [
        len(
            clone(vectorizer)
            .set_params(input="content", **p)
            .fit(["Bär ab"])
            .vocabulary_
        )
        for p in ParameterGrid(
            {"analyzer__min_length": [2, 3], "analyzer__stop_words": [None]}
        )
    ]
    assert sizes == [2, 1]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"language": "klingon"}, "'klingon' is not known.*english.*french"),
        ({"language": None}, "None is not known"),
        ({"language": "chinese", "stem": True}, "no stemmer for 'chinese'"),
        ({"min_length": 0}, "min_length"),
        ({"ngram_range": (0, 1)}, "ngram_range"),
        ({"ngram_range": (2, 1)}, "ngram_range"),
        ({"ngram_range": 3}, "ngram_range"),
        ({"min_length": "2"}, "min_length"),
        ({"language": ["english", "elvish"]}, "'elvish' is not known"),
        ({"language": []}, "empty list"),
        (
            {"language": ["english", "german"], "stem": True},
            "one language, got english, german",
        ),
        ({"min_length": True}, "min_length must be a whole number"),
        ({"stop_words": (["a"],)}, r"stop_words holds \['a'\]"),
        ({"keep_words": pd.Series([["a"]])}, r"keep_words holds \['a'\]"),
        ({"extra_stop_words": "cat"}, "extra_stop_words"),
        ({"keep_words": [3]}, "keep_words holds 3"),
        ({"special": {"numbers": True}}, r"special\['numbers'\] must be one of 'drop'"),
        ({"special": {"urls": ["keep"]}}, r"special\['urls'\] must be one of 'drop'"),
        ({"special": {"url": "keep"}}, "special has the key 'url'. Its keys are urls"),
        ({"special": "keep"}, "'special' parameter"),
        ({"tokenize": "nltk"}, "'tokenize' parameter"),
        ({"stop_words": "english"}, "stop_words must be 'auto'"),
        ({"stop_words": ["cat", 3]}, "stop_words holds 3"),
        ({"stop_words": iter(["cat"])}, "'stop_words' parameter"),
    ],
)
def test_bad_parameters_are_named_when_called(parameters, message):
    analyzer = TextAnalyzer(**parameters)  # only stores
    with pytest.raises(ValueError, match=message):
        analyzer("text")


@pytest.mark.parametrize("bad", [None, 3, b"bytes", ["text"], np.nan])
def test_only_text_is_accepted(bad):
    with pytest.raises(TypeError, match="one text"):
        TextAnalyzer()(bad)


def test_a_warning_comes_once_even_if_its_record_is_cleared():
    found = []
    for analyzer in TextAnalyzer(), TextAnalyzer(), TextAnalyzer("german"):
        with warnings.catch_warnings(record=True) as caught:  # as each task of joblib
            warnings.simplefilter("always")
            analyzer("天气很好天气很好")
        found += caught
    assert len(found) == 1
    _segment._warned.clear()
    for _ in range(2):  # an error is no warning that anyone has read
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(UserWarning):
                analyzer("天气很好天气很好")


def test_kept_words_win_with_accents_or_without():
    keep = TextAnalyzer("french", strip_accents=True, keep_words=["où"])
    assert keep("où ou le") == ["ou", "ou"]
    plain = TextAnalyzer("french", strip_accents=True, keep_words=["etait"])
    assert plain("était") == ["etait"]


def test_a_tokenizer_need_not_be_hashable_and_is_not_kept():
    class Cut:
        __hash__ = None

        def __call__(self, text):
            return text.split()

    cut = Cut()
    alive = weakref.ref(cut)
    assert TextAnalyzer(tokenize=cut)("Cats sleep") == ["cats", "sleep"]
    del cut
    gc.collect()
    assert alive() is None
    with pytest.raises(TypeError, match=r"must return words.*NoneType"):
        TextAnalyzer(tokenize=lambda text: None)("x")
