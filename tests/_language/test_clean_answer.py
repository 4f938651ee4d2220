"""Answers as chat models write them, and the requested text in each."""

import pytest

from llmtopics._language.clean_answer import clean_answer, is_refusal


@pytest.mark.parametrize(
    ("answer", "names", "text"),
    [
        (
            "<think>\nOkay, the user wants keywords.\n</think>\n\nfootball, club",
            ("Keywords",),
            "football, club",
        ),
        (
            "Okay, the user wants keywords. </think>\n\nfootball, club",
            ("Keywords",),
            "football, club",
        ),
        ("<think>\nOkay, the user wants keywords. The text is", ("Keywords",), ""),
        ("<think>\n\n</think>\n\nfootball", ("Keywords",), "football"),
        ("<seed:think>x</seed:think>football", ("Keywords",), "football"),
        ("<reasoning>\nx\n</reasoning>\n\nfootball", ("Keywords",), "football"),
        ("<|channel|>final<|message|>football", ("Keywords",), "football"),
        ("[THINK]x[/THINK]football", ("Keywords",), "football"),
        ("◁think▷x◁/think▷football", ("Keywords",), "football"),
        (
            "analysisWe need keywords.assistantfinalfootball, club",
            ("Keywords",),
            "football, club",
        ),
        (
            "<|channel|>analysis<|message|>We need<|end|><|start|>assistant<|channel|>final<|message|>football, club<|return|>",
            ("Keywords",),
            "football, club",
        ),
        (
            "<|START_THINKING|>x<|END_THINKING|><|START_RESPONSE|>football<|END_RESPONSE|>",
            ("Keywords",),
            "football",
        ),
        ("<think>a</think>\n<answer>\nfootball\n</answer>", ("Keywords",), "football"),
        ("Okay, the user wants me to list", ("Keywords",), ""),
        (
            "Sure! Here are the keywords:\n\nfootball, club",
            ("Keywords",),
            "football, club",
        ),
        (
            "Sure! Here are the keywords: football, club",
            ("Keywords",),
            "football, club",
        ),
        (
            "Sure, here's a summary of the text:\n\nA club buys a player.",
            ("Summary",),
            "A club buys a player.",
        ),
        ('Certainly! Below is a paraphrase:\n\n"A club buys."', (), "A club buys."),
        (
            "Here are 5 keywords for the text:\n1. football\n2. club\n3. striker",
            ("Keywords",),
            "football\nclub\nstriker",
        ),
        ("**Keywords:** football, club", ("Keywords",), "football, club"),
        ("**Keywords**: football, club", ("Keywords",), "football, club"),
        (
            "Keywords:\n- football\n- club\n\nLet me know if you need more!",
            ("Keywords",),
            "football\nclub",
        ),
        ("The keywords are: football, club", ("Keywords",), "football, club"),
        ("Sure!\n\nfootball, club", ("Keywords",), "football, club"),
        ("Of course! The match was won.", (), "The match was won."),
        ("```\nfootball, club\n```", ("Keywords",), "football, club"),
        (
            '```json\n{"keywords": ["football", "club"]}\n```',
            ("Keywords",),
            "football, club",
        ),
        (
            'Here is the JSON:\n```json\n["football", "club"]\n```\n\nI hope this helps!',
            ("Keywords",),
            "football, club",
        ),
        ('{"keywords": ["football", "tran', ("Keywords",), "football, tran"),
        (
            '{"summary": "A \\"club\\" buys\\na player."}',
            ("Summary",),
            'A "club" buys\na player.',
        ),
        (
            '{"text": "orig", "keywords": ["a1"], "reason": "because"}',
            ("Keywords",),
            "a1",
        ),
        (
            '[{"keyword": "football", "score": 0.9}, {"keyword": "club", "score": 0.5}]',
            ("Keywords",),
            "football, club",
        ),
        ("['football', 'player\\'s']", ("Keywords",), "football, player's"),
        (
            '{"topic": "Rugby", "explanation": "words"}',
            ("Topic", "Name", "Title"),
            "Rugby",
        ),
        (
            '{"label": "Rugby", "confidence": "high"}',
            ("Topic", "Name", "Title"),
            "Rugby",
        ),
        ("Voici les mots-clés :\nfootball, club", ("Keywords",), "football, club"),
        ("以下是关键词：\n足球, 俱乐部", ("Keywords",), "足球, 俱乐部"),
        (
            "football, club<|im_end|>\n<|im_start|>user\nmore",
            ("Keywords",),
            "football, club",
        ),
        ("football, club</s>", ("Keywords",), "football, club"),
        ("Here’s a summary:\n**The club** buys.", ("Summary",), "The club buys."),
        ("Summary: A cat is on a mat", ("Summary",), "A cat is on a mat"),
        (
            "Absolutely. Here is another text on the same subject:\n\n“Goalkeeper out”",
            ("Another",),
            "Goalkeeper out",
        ),
        ("Another: Goalkeeper out", ("Another", "Text"), "Goalkeeper out"),
        ("Ok.\nfootball", ("Keywords",), "football"),
        ("I've rewritten the text below:\nA club buys.", (), "A club buys."),
        (
            "football, club\n\nNote: I chose these because they fit.",
            ("Keywords",),
            "football, club",
        ),
        ("The topic is rugby.", ("Topic", "Name", "Title"), "rugby."),
        (
            '{"topics": [{"name": "Rugby union", "description": "The game."}]}',
            ("Topic", "Name", "Title"),
            "Rugby union",
        ),
        ('"Rugby union"', (), "Rugby union"),
    ],
)
def test_only_the_requested_text_is_left(answer, names, text):
    assert clean_answer(answer, *names) == text


@pytest.mark.parametrize(
    "text",
    [
        "Here are two players who scored in the final.",
        "Sure of victory, the team celebrated.",
        "Ok computer was an album",
        "How do I sort a list [1, 2]?",
        "So the first user of the library wrote it.",
        "I can't get X to compile",
        "[Solved] How to sort",
        "Great match: three goals",
        "Analysis of the market",
        "analysis of the market",
        "2004 was a year. 1. FC Köln won",
        "'Tis the season",
        "Yes: he won",
        "Here is my code: print(1)",
        "I have two lists: a and b",
        "The following code fails: x",
        "{not json} at all",
        "<b>Bold</b> move",
        'He said "no" and "yes"',
        '"no" and "yes"',
        "Thinking: hm",
        "The tag is </think> in HTML",
        "Use <think>aloud</think> or <b>bold</b>.",
    ],
)
def test_similar_texts_are_not_changed(text):
    assert clean_answer(text, "Keywords", "Summary", "Another", "Text") == text


@pytest.mark.parametrize(
    "answer", ["[" * 5000, '{"a": "' + "\\" * 5000, "<think>" * 5000, "</think" * 5000]
)
def test_cleaning_is_fast_on_any_answer(answer):
    assert clean_answer(answer, "Keywords") in ("", answer, "\\" * 2500)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("I'm sorry, but I can't assist with that.", True),
        ("I cannot help with that.", True),
        ("I apologize, but I cannot write about it.", True),
        ("Unfortunately, I don't have access to the text.", True),
        ("As an AI language model, I have no opinions.", True),
        ("Please provide the text you would like me to summarize.", True),
        ("I can't get a list of strings to sort", False),
        ("Sorry for the late goal, fans said", False),
        ("As an airline raises its prices, shares fall", False),
    ],
)
def test_refusals(text, refused):
    assert is_refusal(text) is refused
