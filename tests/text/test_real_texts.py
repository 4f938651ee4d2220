"""Texts as they come: HTML, links, emoji, broken lines, n-grams, bad input."""

import time

import pytest
from sklearn.base import clone

from llmtopics import TextAnalyzer
from llmtopics.datasets import load_bbc_news

PLAIN = TextAnalyzer(stop_words=None, min_length=1)
TWEET = "RT @bob: https://t.co/aB3?x=1. mail a.b@c.org #Covid_19 👨‍👩‍👧‍👦🇩🇪👍🏽1️⃣ 42"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fish &amp; chips&nbsp;now", ["fish", "chips", "now"]),
        ("<p>One <b>W</b>ord<br/>two</p>three", ["one", "word", "two", "three"]),
        ("&lt;p&gt;feed&lt;/p&gt;", ["feed"]),  # tags written with entities
        ("<p>List&lt;String&gt;</p>", ["list", "string"]),
        ('a <a href="http://x.org">link</a>', ["a", "link"]),
        ("a<script>var x</script><!-- no --><style>p{}</style></p>b", ["a", "b"]),
        (
            "List<String> a<b and c>d <input>",
            ["list", "string", "a", "b", "and", "c", "d", "input"],
        ),
        ("AT&T R&D", ["at", "t", "r", "d"]),
        (
            "if a<b and c>d then List<String></p>",
            ["if", "a", "b", "and", "c", "d", "then", "list", "string"],
        ),
        (
            "one<p>two<br>three<li>four<td class=x>five<ns:x y=1>six",
            ["one", "two", "three", "four", "five", "six"],
        ),
        ("<DOC><Body>text</Body></DOC>", ["text"]),
    ],
)
def test_html_is_dropped_and_what_looks_like_it_is_not(text, words):
    assert PLAIN(text) == words


def test_html_stays_by_choice():
    assert TextAnalyzer(html=False)("<p>&amp;</p>") == ["amp"]


def test_special_parts_are_words_or_dropped_by_default():
    assert TextAnalyzer()(TWEET) == ["rt", "bob", "mail", "covid"]


@pytest.mark.parametrize(
    ("kind", "kept", "token"),
    [
        ("urls", ["https://t.co/ab3?x=1"], "<url>"),
        ("emails", ["a.b@c.org"], "<email>"),
        ("mentions", ["@bob"], "<mention>"),
        ("hashtags", ["#covid_19"], "<hashtag>"),
        ("emoji", ["👨‍👩‍👧‍👦", "🇩🇪", "👍🏽", "1️⃣"], "<emoji>"),
        ("numbers", ["42"], "<number>"),
    ],
)
def test_each_special_part_is_kept_or_one_token_by_choice(kind, kept, token):
    drop = dict.fromkeys(
        ("urls", "emails", "mentions", "hashtags", "emoji", "numbers"), "drop"
    )
    analyzer = TextAnalyzer(stop_words={"rt", "mail"}, special=drop)
    assert analyzer(TWEET) == []
    assert analyzer.set_params(special={**drop, kind: "keep"})(TWEET) == kept
    analyzer.set_params(special={**drop, kind: "token"})
    assert analyzer(TWEET) == [token] * len(kept)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("看http://t.co/a很好", ["看", "很好"]),  # a link ends where its script ends
        ("(see http://x.org/z) www.bbc.co.uk/news.", ["see"]),
        ("youtube.com/watch?v=1 U.S./British", ["u", "s", "british"]),
        ("he said.it/she with.me/or", ["he", "said", "it", "she", "with", "me", "or"]),
        ("t.me/name youtu.be/x tim.it/mobile-1/", []),
        ("a@b.com.Thanks b@c.com.au http://x.org/a—which", ["thanks", "which"]),
        ("mailto:bob@b.com?subject=x Call", ["call"]),
        ("C# .NET #1 a#b", ["c", "net", "a", "b"]),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️‍🔥 ☀", []),
    ],
)
def test_borders_of_special_parts(text, words):
    assert PLAIN(text) == words


def test_hyphens_and_apostrophes_belong_to_words_by_choice():
    text = "Blair’s COVID-19 plan: a 19-year-old, 2004-05, e\u2010mail don't"
    assert TextAnalyzer()(text) == ["blair", "covid", "plan", "year", "old", "mail"]
    assert TextAnalyzer(special={"hyphens": "keep"})(text) == [
        "blair", "covid-19", "plan", "19-year-old", "e-mail",
    ]  # fmt: skip
    whole = TextAnalyzer(special={"apostrophes": "keep"}, stop_words=None)
    assert whole("Blair’s don't") == ["blair's", "don't"]


def test_words_broken_at_line_ends_are_joined():
    text = "exam-\nple infor\u00ad\r\n  mation re\u2010 \nsult Anglo-\nSaxon 3 -\nend"
    assert PLAIN(text) == ["example", "information", "result", "anglo", "saxon", "end"]
    assert PLAIN("para-\n\nnext page-\r\n\r\nend") == ["para", "next", "page", "end"]


AS_TEXT = {"urls": "split", "emails": "split", "broken_words": "split"}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("urls", ["www", "bbc", "co", "uk", "news", "mail", "example"]),
        ("emails", ["mail", "ann", "lee", "uni", "edu", "example"]),
        ("broken_words", ["mail", "exam", "ple"]),
    ],
)
def test_links_addresses_and_broken_words_are_plain_text_by_choice(kind, words):
    text = "www.bbc.co.uk/news?7 mail ann.lee@uni.edu, exam-\nple"
    assert PLAIN(text) == ["mail", "example"]
    analyzer = clone(PLAIN).set_params(special={kind: "split"})
    assert analyzer(text) == words
    every = clone(PLAIN).set_params(special=AS_TEXT)(text)
    assert every == [
        "www", "bbc", "co", "uk", "news", "mail", "ann", "lee", "uni", "edu", "exam", "ple",
    ]  # fmt: skip
    # the other parameters apply to the words of a link, too
    fewer = TextAnalyzer(special={"urls": "split"}, stop_words={"news"}, min_length=3)
    assert fewer(text) == ["www", "bbc", "mail", "example"]


def test_split_addresses_form_ngrams_and_own_tokens_stay_whole():
    pairs = TextAnalyzer(special=AS_TEXT, ngram_range=(2, 2), stop_words=None)
    assert pairs("ann.lee@uni.edu") == ["lee uni"]  # points end n-grams
    own = TextAnalyzer(special=AS_TEXT, tokenize=str.split, stop_words=None)
    assert own("see www.bbc.co.uk/news now") == ["see", "www.bbc.co.uk/news", "now"]


def test_ngrams_do_not_cross_sentences_or_dropped_words_unless_asked():
    text = "Big cats sleep. Dogs of Paris, 3 old mice!\n\nThe End\n\nWord play"
    pairs = TextAnalyzer(ngram_range=(2, 2))
    assert pairs(text) == ["big cats", "cats sleep", "old mice", "word play"]
    every = clone(pairs).set_params(ngram_gaps=True)(text)
    assert {"sleep dogs", "dogs paris", "paris old", "mice end"} <= set(every)
    assert pairs("Blair's plan, the prime-minister") == ["blair plan", "prime minister"]
    html = "<li>red car</li><li>blue bus</li>"
    assert pairs(html) == ["red car", "blue bus"]


def test_accents_are_folded_by_choice():
    fold = TextAnalyzer("french", strip_accents=True)
    assert fold("Élève étaient etaient déjà") == ["eleve"]
    plain = clone(PLAIN).set_params(strip_accents=True)
    text = "Ärger μῆνις كِتَاب שָׁלוֹם हिन्दी й"
    assert plain(text) == ["arger", "μηνις", "كتاب", "שלום", "हिन्दी", "й"]


def test_own_tokens():
    class Token:
        def __init__(self, text):
            self.text = text

    text = "The U.S. isn't in New York, visit https://a.org 3 times"
    own = TextAnalyzer(tokenize=lambda text: map(Token, text.split(" ")))
    assert own(text) == ["u.s.", "new", "york,", "visit", "times"]
    assert TextAnalyzer(tokenize=lambda text: "Cats , dogs\n")("x") == ["cats", "dogs"]
    assert TextAnalyzer(tokenize=lambda text: ["C++", "New York"])("x") == [
        "c++",
        "new york",
    ]

    class Morpheme:  # stands for SudachiPy's, whose dictionary has 70 MB
        def surface(self):
            return "東京"

    assert TextAnalyzer("japanese", tokenize=lambda text: [Morpheme()])("x") == ["東京"]
    with pytest.raises(TypeError, match="must return words"):
        TextAnalyzer(tokenize=lambda text: [1])("x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cafÃ© naÃ¯ve", None),  # mojibake
        ("wo\ud83drd \udfff", ["wo", "rd"]),  # halves of surrogate pairs
        ("w\0o\0r\0d", ["word"]),  # UTF-16 read as UTF-8
        ("\ufeffwo\u2060rd\u200e two\u200bthree", ["word", "two", "three"]),
        ("😀😀😀", []),
        ("http://a.org https://b.org/?q=1", []),
    ],
)
def test_bad_texts(text, words):
    found = PLAIN(text)
    assert words is None or found == words
    for own in (
        PLAIN,
        clone(PLAIN).set_params(special={"punctuation": "keep", "emoji": "keep"}),
    ):
        "".join(own(text)).encode("utf-8")  # no half of a surrogate pair is left


@pytest.mark.parametrize(
    "sign",
    [
        "x",
        "a-",
        "a.",
        "a'",
        "@",
        "#a",
        "<a ",
        "<",
        "&",
        "😀",
        "1,",
        "http://",
        "é",
        "中",
        "ก",
        "ក",
    ],
)
@pytest.mark.parametrize("n", [10**5, pytest.param(10**6, marks=pytest.mark.slow)])
def test_a_million_characters_without_spaces_take_seconds(sign, n):
    text = sign * (n // len(sign))
    start = time.process_time()
    special = {"hyphens": "keep", "apostrophes": "keep"}
    TextAnalyzer("thai", special=special, strip_accents=True)(text)
    assert (
        time.process_time() - start < 20 * n / 10**6
    )  # it grows with the length, not its square


def test_plain_news_keeps_its_words():
    """Nothing but links, tags and entities makes a difference in English news."""
    as_it_is = TextAnalyzer(
        html=False, special={"urls": "keep", "emails": "keep", "emoji": "keep"}
    )
    texts = load_bbc_news().data
    differ = [text for text in texts if as_it_is(text) != TextAnalyzer()(text)]
    assert all("&" in text or "www." in text or "@" in text for text in differ)
    assert len(differ) < 0.02 * len(texts)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("请联系a@b.com谢谢", ["请联系", "a@b.com", "谢谢"]),
        ("ขอa@b.co.thครับ", ["ขอ", "a@b.co.th", "ครับ"]),
        ("연락처a@b.com으로 @bob님이", ["연락처", "a@b.com", "으로", "@bob", "님이"]),
        ("@bobさん @张三", ["@bob", "さん", "@张三"]),
        (
            "http://a.orgລາວ http://a.orgខ្មែរ",
            ["http://a.org", "ລາວ", "http://a.org", "ខ្មែរ"],
        ),
        ("@हिन्दी #हिन्दी", ["@हिन्दी", "#हिन्दी"]),
        ("a@münchen.de. (x@y.org)", ["a@münchen.de", "x@y.org"]),
    ],
)
def test_special_parts_end_where_a_script_without_spaces_begins(text, words):
    kinds = ("urls", "emails", "mentions", "hashtags")
    keep = clone(PLAIN).set_params(special=dict.fromkeys(kinds, "keep"))
    assert keep(text) == words


def test_only_whole_entities_are_replaced():
    text = "dollars&cents a&notes &copy; R&amp;D &#x41;&#66; &unknown; &"
    words = ["dollars", "cents", "a", "notes", "r", "d", "ab", "unknown"]
    assert PLAIN(text) == words
    assert PLAIN("</p>" + text) == words
    keep = clone(PLAIN).set_params(special={"urls": "keep"})
    assert keep("http://a.org/?x=1&region=us") == ["http://a.org/?x=1&region=us"]
    assert PLAIN("word &#" + "9" * 5000 + ";")[0] == "word"  # too long for an int


def test_signs_that_unicode_writes_as_letters_are_no_letters():
    assert PLAIN("Windows™ Apple™️ ℹ️Info") == ["windows", "apple", "info"]


def test_a_turkish_capital_i_in_another_language_has_no_loose_dot():
    assert TextAnalyzer()("İstanbul I\u0307stanbul Istanbul") == ["istanbul"] * 3
    assert TextAnalyzer("turkish")("İstanbul ILIK") == ["istanbul", "ılık"]
