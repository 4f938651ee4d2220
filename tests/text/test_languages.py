"""Real sentences in many languages and scripts: the words that come out."""

import time
import warnings

import pytest
import regex

from llmtopics import TextAnalyzer
from llmtopics.text import detect_language, stop_words

# language, sentence, words that it gives, words of it that are stop words or endings
SENTENCES = [
    ("english", "The government announced a reform of taxes and schools.",
     "government announced reform taxes schools", "the a of and"),
    ("german", "Die Regierung kündigte eine Reform der Steuern und der Schulen an.",
     "regierung kündigte reform steuern schulen", "die eine der und an"),
    ("french", "L'État a annoncé une réforme de l'école et des impôts.",
     "état annoncé réforme école impôts", "l a une de et des"),
    ("spanish", "El estado anunció una reforma del trabajo y de las escuelas.",
     "estado anunció reforma trabajo escuelas", "el una del y de las"),
    ("portuguese", "O governo anunciou uma reforma do trabalho e das escolas.",
     "governo anunciou reforma trabalho escolas", "o uma do e das"),
    ("russian", "Правительство объявило о реформе школ, и жизнь изменится.",
     "правительство объявило реформе школ жизнь изменится", "о и"),
    ("arabic", "أعلنت الحكومة عن خطة جديدة لدعم الاقتصاد",
     "أعلنت الحكومة خطة جديدة لدعم الاقتصاد", "عن"),
    ("hindi", "भारत सरकार ने किसानों के लिए नई योजना की घोषणा की",
     "भारत सरकार किसानों नई योजना घोषणा", "ने के लिए की"),
    ("korean", "한국의 대통령 선거와 경제 성장 그리고 물가",
     "한국의 대통령 선거와 경제 성장 물가", "그리고"),
    ("chinese", "我们在北京大学学习人工智能，天气很好。",
     "北京 大学 学习 人工 智能 天气", "我们 在"),
    ("chinese", "臺灣總統選舉將於明年舉行，這個問題很重要。",
     "臺灣 總統 選舉 將於 明年 舉行 問題 重要", "這個 很"),
    ("japanese", "政府は来年の選挙に向けて新しい経済政策を発表しました。",
     "政府 来年 選挙 向け 新しい 経済 政策 発表", "は の に を まし た"),
    ("thai", "นายกรัฐมนตรีเดินทางไปโรงพยาบาลเพื่อเยี่ยมผู้ป่วย น้ำท่วมทำให้ประชาชนเดือดร้อน",
     "รัฐมนตรี พยาบาล เยี่ยม ป่วย น้ำ ท่วม ประชาชน", "ไป เพื่อ ทำให้"),
    ("lao", "ລັດຖະບານລາວໄດ້ສ້າງໂຮງຮຽນແລະໂຮງໝໍໃໝ່",
     "ລັດຖະບານ ລາວ ສ້າງ ໂຮງຮຽນ ໂຮງໝໍ ໃໝ່", ""),
    ("khmer", "រដ្ឋាភិបាលកម្ពុជាបានសាងសង់សាលារៀននិងមន្ទីរពេទ្យ",
     "រដ្ឋាភិបាល កម្ពុជា សាងសង់ សាលារៀន មន្ទីរពេទ្យ", ""),
    ("burmese", "မြန်မာနိုင်ငံ၏ ဆေးရုံများနှင့် ကျောင်းများ", "မြန်မာနိုင်ငံ ဆေးရုံ ကျောင်း", "၏"),
]  # fmt: skip
IDS = [f"{language}-{i}" for i, (language, *_) in enumerate(SENTENCES)]


@pytest.mark.parametrize(
    ("language", "sentence", "words", "dropped"), SENTENCES, ids=IDS
)
def test_words_of_a_sentence(language, sentence, words, dropped):
    found = TextAnalyzer(language)(sentence)
    assert set(words.split()) <= set(found)
    assert not set(dropped.split()) & set(found)
    assert len(found) <= len(words.split()) + 6
    # words of several languages at once, by code too
    every = TextAnalyzer([language, "en"])(sentence)
    assert set(words.split()) <= set(every)


@pytest.mark.parametrize(
    ("language", "sentence", "words", "dropped"), SENTENCES, ids=IDS
)
def test_the_language_of_a_sentence_is_detected(language, sentence, words, dropped):
    assert detect_language([sentence]) == language


@pytest.mark.parametrize(
    ("language", "text", "stems"),
    [
        ("english", "schools announced", "school announc"),
        ("german", "Schulen Steuern", "schul steu"),
        ("french", "écoles impôts", "écol impôt"),
        ("spanish", "escuelas reformas", "escuel reform"),
        ("portuguese", "escolas reformas", "escol reform"),
        ("russian", "реформе школ", "реформ школ"),
        ("arabic", "الحكومة الاقتصاد", "حكوم اقتصاد"),
        ("hindi", "किसानों योजना", "किसान योज"),
    ],
)
def test_stems(language, text, stems):
    assert TextAnalyzer(language, stem=True)(text) == stems.split()


@pytest.mark.parametrize(
    ("language", "kept", "dropped"),
    [
        ("arabic", "سنة عام قوة لقاء", "في من على"),
        ("french", "état valeur parole", "était être les"),
        ("german", "jahr zeit mensch recht", "der und nicht"),
        ("hindi", "घर वर्ग", "और है"),
        ("indonesian", "tahun kasus masalah", "yang dan"),
        ("portuguese", "trabalho verdade sistema área", "não uma"),
        ("russian", "год жизнь работа война мир", "что который"),
        ("spanish", "estado trabajo verdad país tiempo", "estar los"),
        ("chinese", "問題", "這個 為什麼 什么"),
        ("japanese", "学生", "これ から"),
    ],
)
def test_content_words_are_no_stop_words(language, kept, dropped):
    stop = stop_words(language)
    assert not stop & set(kept.split())
    assert set(dropped.split()) <= stop


def test_vowels_of_thai_in_two_signs_are_the_same_word():
    assert (
        TextAnalyzer("thai")("น\u0e49\u0e4d\u0e32")
        == TextAnalyzer("thai")("น้ำ")
        == ["น้ำ"]
    )


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("chinese", "3.5亿美元的投资计划", "亿 美元 投资 计划"),
        ("japanese", "1,000人が優勝", "人 優勝"),
        ("thai", "ราคา1,500บาท", "ราคา บาท"),
        ("english", "1,000選手が優勝", "選手 手が が優 優勝"),
    ],
)
def test_numbers_end_where_a_script_without_spaces_begins(language, text, words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # English: pairs of characters
        assert TextAnalyzer(language, ngram_gaps=True)(text) == words.split()
        number = regex.search(r"[\d,.]+", text)[0]
        keep = TextAnalyzer(language, special={"numbers": "keep"})
        assert number in keep(text)


def test_signs_between_chinese_words_are_no_words():
    analyzer = TextAnalyzer(
        "chinese",
        min_length=1,
        stop_words=None,
        special={"hyphens": "keep", "apostrophes": "keep"},
    )
    assert analyzer("covid-19病毒 北京·大学") == ["covid-19", "病毒", "北京", "大学"]


@pytest.mark.parametrize("sign", ["あ", "ア", "ー", "あア", "中あ"])
def test_long_japanese_without_its_language_takes_linear_time(sign):
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        TextAnalyzer(ngram_gaps=True)(sign * 50_000)
    assert time.process_time() - start < 5


def test_a_sentence_in_hiragana_is_seen():
    with pytest.warns(UserWarning, match="a text is Japanese"):
        words = TextAnalyzer(extra_stop_words=["x"])(
            "わたしはがくせいです。ひらがなだけのぶんしょうです"
        )
    assert "がな" in words


def test_a_word_that_is_an_ending_keeps_itself_as_its_stem():
    assert TextAnalyzer("greek", stem=True, stop_words=None)("ικα") == ["ικα"]
