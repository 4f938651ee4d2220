"""Personal data is replaced by placeholders, and other numbers and signs stay."""

import re
import time

import pytest

from llmtopics._redact import redacted, restored
from llmtopics.datasets import load_bbc_news

FOUND = [  # a text, what replaces what
    (
        "Write to jane.doe+news@mail.example.co.uk, please.",
        "Write to <EMAIL_1>, please.",
    ),
    ("jörg.müller@bücher.example schrieb", "<EMAIL_1> schrieb"),
    ("邮箱abc@example.com。", "邮箱<EMAIL_1>。"),
    ("a@b.org, c@d.org and a@b.org", "<EMAIL_1>, <EMAIL_2> and <EMAIL_1>"),
    (
        "See https://example.com/a?b=c&d=(e). Or www.example.org!",
        "See <URL_1>. Or <URL_2>!",
    ),
    ("ftp://me:secret@host.example/file", "<URL_1>"),
    ("参见https://example.com/页，谢谢", "参见<URL_1>，谢谢"),
    ("@jane_doe and @bob.smith: hello", "<HANDLE_1> and <HANDLE_2>: hello"),
    ("follow @jane@social.example now", "follow <HANDLE_1> now"),
    ("Card 4111 1111 1111 1111, exp. 12/27", "Card <CARD_1>, exp. 12/27"),
    ("5500-0000-0000-0004", "<CARD_1>"),
    ("amex 378282246310005.", "amex <CARD_1>."),
    ("Order 1234 4111 1111 1111 1111 paid", "Order 1234 <CARD_1> paid"),
    ("IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFF", "IBAN <IBAN_1> BIC COBADEFF"),
    ("GB82WEST12345698765432", "<IBAN_1>"),
    ("fr1420041010050500013m02606 bitte", "<IBAN_1> bitte"),
    ("NO93 8601 1117 947", "<IBAN_1>"),
    ("am12 DE89 3704 0044 0532 0130 00 NO93 8601 1117 947", "am12 <IBAN_1> <IBAN_2>"),
    ("+1 212 555 0123 on 2024-01-15 at 12:30", "<PHONE_1> on 2024-01-15 at 12:30"),
    ("+49(30)901820. 12 calls", "<PHONE_1>. 12 calls"),
    ("from 192.168.0.17 to 8.8.8.8.", "from <IP_1> to <IP_2>."),
    ("2001:db8::8a2e:370:7334 and fe80::1", "<IP_1> and <IP_2>"),
    ("Call +49 (30) 901820 or +1 212 555 0123.", "Call <PHONE_1> or <PHONE_2>."),
    ("+44 20 7946 0958, 0049 30 901820", "<PHONE_1>, <PHONE_2>"),
    (
        "(212) 555-0123 or 212-555-0123 or 212.555.0123",
        "<PHONE_1> or <PHONE_2> or <PHONE_3>",
    ),
    ("1-800-555-0199", "<PHONE_1>"),
    ("Tel. 030 901820, 020 7946 0958", "Tel. <PHONE_1>, <PHONE_2>"),
    ("(030) 901820 / 06 12 34 56 78 / 0612345678", "<PHONE_1> / <PHONE_2> / <PHONE_3>"),
    ("電話 03-1234-5678", "電話 <PHONE_1>"),
    ("电话13800138000，谢谢", "电话<PHONE_1>，谢谢"),
    ("10.1.2.3:443, host:10.1.2.4:80", "<IP_1>:443, host:<IP_2>:80"),
    ("::1, ::ffff:1.2.3.4, 2001:db8::/32", "<IP_1>, <IP_2>, <IP_3>/32"),
    ("+49\u00a030\u202f901820", "<PHONE_1>"),
    ("+49 30 90\u201118\u201020", "<PHONE_1>"),
    ("212\u2013555\u20120123 or 212  555  0123", "<PHONE_1> or <PHONE_2>"),
    ("030.901820 or ＋４９ 30 901820", "<PHONE_1> or <PHONE_2>"),
    ("4111\u00a01111\u202f1111\u20131111", "<CARD_1>"),
    ("4111  1111  1111  1111 or 4111.1111.1111.1111", "<CARD_1> or <CARD_2>"),
    ("DE89\u00a03704 0044\u20110532  0130.00", "<IBAN_1>"),
    ("IBANDE89370400440532013000EUR", "IBAN<IBAN_1>EUR"),
    ("jane＠example.com", "<EMAIL_1>"),
    ("ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ", "<EMAIL_1>"),
    ("名前@例え.jp へ", "<EMAIL_1> へ"),
    ("อีเมลjane@example.com", "อีเมล<EMAIL_1>"),
    ("关注@jane谢谢", "关注<HANDLE_1>谢谢"),
    ("＠jane, @élan, @小明", "<HANDLE_1>, <HANDLE_2>, <HANDLE_3>"),
    ("see example.com/users/jane.", "see <URL_1>."),
    ("主机192.168.0.17没有响应，2001:db8::1也是", "主机<IP_1>没有响应，<IP_2>也是"),
    (
        "Llame al 612 34 56 78 o al 011 15-2345-6789",
        "Llame al <PHONE_1> o al <PHONE_2>",
    ),
    ("0450 12 34 56, 012 34 56 78", "<PHONE_1>, <PHONE_2>"),
    ("(02) 5551 2345 or 01 23456789", "<PHONE_1> or <PHONE_2>"),
]
KEPT = [
    "In 1984 and 2023-2024, from 1990 to 2000.",
    "On 2024-01-15, 01.02.2024, 05/06/2023 and 15 01 2024 at 12:30:45.",
    "2024-01-15T12:30:45 and 20240115123045",
    "It costs $1,234,567.89, 1.234.567,89 € or 99.99.",
    "Version 1.2.3, v1.2.3.4, version 10.0.1.4, Windows 10.0.19041.1 and Python 3.11.4.",
    "Order 123-4567890-1234567, invoice 20240012345, ticket #4711, no. 12345678.",
    "é1.2.3.4 and 612 34, 2019 2020, 01 2024 and 09 12 2024",
    "ISBN 978-3-16-148410-0, EAN 4006381333931",
    "The score was 3:2, the ratio 16:9, room 4.105, 0.5 and 1e-6.",
    "3.14159265358979, 1234567890123456 and 4111 1111 1111 1112",
    "GB83 WEST 1234 5698 7654 32 has a wrong check digit",
    "std::vector<int> a::b, node.js, e.g. this",
    "5 @ 3, me@home, @ night",
    "Population 83 240 525, 1 000 000 and 12 345 678",
    "Pages 100-200, 555-0123, chapters 1-2-3, 00:1A:2B:3C:4D:5E",
    "300.1.2.3 and 1.2.3.4.5",
    "Section 1.1.1.1.1 of AB12 3456",
    "Section 3.1.2.1 and Mozilla/5.0 Chrome/120.0.0.0",
    "+3 000 000 000 people, +1 000 000 000 votes",
    "and/or, km/h, e.g./i.e., Dr.Smith/Dr.Jones, at 12:30/13:30, a[::2]",
]


@pytest.mark.parametrize(("text", "expected"), FOUND)
def test_personal_data_is_replaced_and_can_be_restored(text, expected):
    found, originals = redacted(text, "pii")
    assert found == expected
    assert restored(found, originals) == text
    assert redacted(found, "pii") == (found, {})


@pytest.mark.parametrize("text", KEPT)
def test_other_numbers_and_signs_stay(text):
    assert redacted(text, "pii") == (text, {})


def test_placeholders_that_a_user_wrote_are_not_restored():
    text = "<EMAIL_1> is not a@b.org"
    found, originals = redacted(text, "pii")
    assert "a@b.org" not in found
    assert restored(found, originals) == text
    assert restored("<EMAIL_1> <EMAIL_9>", originals) == "<EMAIL_1> <EMAIL_9>"


def test_texts_that_are_sent_together_share_no_placeholder():
    frame, known = redacted("For a@b.org, <EMAIL_2>:", "pii")
    assert (frame, known) == ("For <EMAIL_1>, <EMAIL_2>:", {"<EMAIL_1>": "a@b.org"})
    text = "<EMAIL_1> is c@d.org, not a@b.org"
    found, originals = redacted(text, "pii", known)
    assert found == "<TEXT_1> is <EMAIL_2>, not <EMAIL_1>"
    assert restored(found, originals) == text
    assert known == {"<EMAIL_1>": "a@b.org"}


def test_a_callable_replaces_what_it_likes():
    assert (
        redacted("Jane met Bob", lambda t: re.sub("Jane|Bob", "X", t))[0] == "X met X"
    )
    with pytest.raises(
        ValueError, match="must return a text for each text, got NoneType"
    ):
        redacted("Jane", lambda text: None)
    assert redacted("a@b.org", None) == ("a@b.org", {})


ODD = ["", "@", "::", "1" * 100_000, "1 " * 50_000, "a." * 50_000 + "@"]
ODD += [
    "DE89" * 25_000,
    "DE89 " * 20_000,
    "+1" + "1" * 100_000 + "x",
    "+1" + " 1" * 30 + "x",
]
ODD += ["(0" * 50_000, "http://" * 15_000, "http://" + "(" * 50_000, "a:1" * 30_000]
ODD += [
    "@a" * 50_000,
    "@" + "a." * 50_000,
    "0" * 50_000,
    "ſK12ſſK" * 10_000,
    "١٢" * 9_000,
    " ".join(f"j{i}@x.org" for i in range(60_000)),
]


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_take_little_time(text):
    start = time.perf_counter()
    redacted(text, "pii")
    assert time.perf_counter() - start < 20  # two seconds; squared time takes minutes


def test_nothing_else_in_real_news_looks_like_personal_data():
    texts = load_bbc_news().data
    found = {value for text in texts for value in redacted(text, "pii")[1].values()}
    assert found == {
        "0800 028 9276",
        "0800 555 111",
        "www.arsenal.com",
        "www.dec.org.uk",
    }
