"""Sentences that benchmarks and tests print as pictures, in English and Chinese.

They were written for this project. Chinese is printed with the font in ``fonts/``, which has no
other characters than these.
"""

from pathlib import Path

FONTS = {
    "English": None,  # the font that comes with Pillow
    "Chinese": Path(__file__).parent / "fonts" / "NotoSansCJK-subset.otf",
}
SENTENCES = {
    "English": [
        "Shares in the company fell sharply on Tuesday,",
        "after the bank reported lower profits for 2004.",
        "Sales of oil rose by 12% to $3.4bn this year.",
        'The minister said: "We will not raise taxes."',
        "The striker scored twice in the final minutes,",
        "and the visitors won the cup for the first time.",
        "A new phone lets people watch films on the train.",
        "Doctors hope that the drug will be ready by May.",
        "The museum has bought three paintings by Turner.",
        "Trains to the north will run every half an hour.",
        "Her second novel was written in a small kitchen.",
        "Engineers found water under the old power plant.",
    ],
    "Chinese": [
        "今天早上，中国国家队在决赛中以二比一获胜。",
        "经济学家预计明年的增长速度将会放缓。",
        "这部电影的导演感谢了所有的演员和观众。",
        "新的手机可以更快地浏览网页和收看视频。",
        "总理表示，政府不会提高老百姓的税收。",
        "医生希望这种药物能在五月之前准备好。",
        "博物馆买下了三幅十九世纪的风景画。",
        "去北方的火车每隔半个小时就有一班。",
        "她的第二本小说是在一间小厨房里写成的。",
        "工程师在旧电厂的地下发现了大量的水。",
        "银行公布利润下降以后，股票价格大幅下跌。",
        "孩子们在公园里跑步、唱歌，还放了风筝。",
    ],
}


def printed(lines: list[str], language: str, size: int = 24):
    """Return a picture of lines of text, black on white."""
    from PIL import Image, ImageDraw, ImageFont

    path = FONTS[language]
    font = ImageFont.truetype(path, size) if path else ImageFont.load_default(size)
    width = int(max(font.getlength(line) for line in lines)) + 4 * size
    page = Image.new("RGB", (width, 2 * size * (len(lines) + 1)), "white")
    draw = ImageDraw.Draw(page)
    for i, line in enumerate(lines):
        draw.text((2 * size, size + 2 * size * i), line, "black", font)
    return page


def edits(found, expected) -> int:
    """Return the insertions, deletions and replacements between two sequences."""
    row = list(range(len(expected) + 1))
    for i, a in enumerate(found, 1):
        above, row = row, [i]
        for j, b in enumerate(expected, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b)))
    return row[-1]
