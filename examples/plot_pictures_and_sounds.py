"""
Topics of articles, pictures and sounds
=======================================

Articles of BBC news, printed pages as pictures, and spoken sentences become texts, and one model
finds topics over all of them. Everything runs offline: pages are drawn here, and the clips in
``examples/clips`` were spoken by espeak-ng.
"""

# %%
# Pictures: five printed pages
# ----------------------------
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

PAGES = {
    "business": "Annual report. Profits rose as sales and exports grew. The bank expects "
    "economic growth, lower oil prices and a stronger dollar. Shares in the company and on "
    "the stock market gained.",
    "film": "Festival programme. Best film, best director and best actress awards. The "
    "actor and the cast of the comedy meet the audience. Oscar nominations for the music.",
    "politics": "Election leaflet. The Labour party and the prime minister promise lower "
    "taxes. Conservative MPs and the Liberal Democrats answer voters before the election.",
    "sport": "Match programme. The captain and the coach of England play the cup final. The "
    "striker scored a goal in the first game of the season. Players and injury news.",
    "technology": "User manual. Connect the mobile phone to a computer and the internet. "
    "Update the software and the browser against viruses. Broadband users download music.",
}


def page(text):
    """Return a picture of a printed page."""
    picture = Image.new("RGB", (640, 320), "white")
    lines = "\n".join(textwrap.wrap(text, 44))
    font = ImageFont.load_default(size=24)
    ImageDraw.Draw(picture).multiline_text((30, 30), lines, "black", font, spacing=12)
    return picture


pages = {subject: page(text) for subject, text in PAGES.items()}
figure, axes = plt.subplots(figsize=(5, 2.5))
axes.imshow(pages["sport"])
axes.set_axis_off()

# %%
# One table
# ---------
# A row has an article, a page or a clip. The other cells are missing.
from llmtopics.datasets import load_bbc_news

try:
    folder = Path(__file__).parent
except NameError:  # the gallery runs it in its folder
    folder = Path.cwd()
clips = sorted((folder / "clips").glob("*.ogg"))
corpus = load_bbc_news()
articles = corpus.data[::5]
table = pd.concat(
    [
        pd.DataFrame({"what": "article", "text": articles}),
        pd.DataFrame(
            {"what": [f"page on {s}" for s in pages], "picture": pages.values()}
        ),
        pd.DataFrame({"what": [f"clip on {c.stem}" for c in clips], "sound": clips}),
    ],
    ignore_index=True,
)

# %%
# Everything becomes text
# -----------------------
# ``make_describer`` describes each column and joins a row to one text. Whisper makes a few
# mistakes in the artificial voices; a topic model does not mind.
from llmtopics import AudioTranscriber, ImageDescriber, make_describer

describer = make_describer(
    {"text": "passthrough", "picture": ImageDescriber(), "sound": AudioTranscriber()}
)
texts = describer.fit_transform(table)
for row in [len(articles) + 3, len(table) - 2]:
    print(table["what"][row], textwrap.fill(texts[row], 88), "", sep="\n")

# %%
# One model of all
# ----------------
# Pages and clips are in the topics of the articles that they belong with.
from sklearn.feature_extraction.text import CountVectorizer

from llmtopics import FusionTopicModel, TextAnalyzer

model = FusionTopicModel(
    5, vectorizer=CountVectorizer(analyzer=TextAnalyzer(), min_df=3), random_state=0
)
first = model.fit_transform(texts).argmax(axis=1)
for k, top in enumerate(model.top_words(6)):
    found = table["what"][first == k].value_counts()
    print(f"topic {k}: {' '.join(top)}")
    print("  ", ", ".join(f"{n} × {what}" for what, n in found.items()))

kinds = table["what"].str.split().str[0].groupby(first).nunique()
print(f"{(kinds == 3).sum()} of 5 topics hold articles, a page and a clip")
