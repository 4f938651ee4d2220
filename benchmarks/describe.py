"""Speech and pictures as texts: errors, speed, memory, and topics over all of them.

Speech: word error rate of ``AudioTranscriber`` on the nine clips of ``speech/`` that have a
transcript, and the speed and peak memory on 5 and 30 minutes of them, repeated. Pictures: character
error rate of ``ImageDescriber`` on printed sentences. Topics: photographs, described by the
first of their five captions (people wrote them), transcripts of the clips and BBC news in one
model; the other four captions of a photograph should have its first topic. Appends a JSON
line per task and setting to ``results/describe.jsonl``; those that the file holds are not
repeated, unless ``--again`` is given.
"""

import csv
import os
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.pages import SENTENCES, edits, printed
from benchmarks.runs import peak_mib, run_tasks, task_arguments

PACKAGES = "llmtopics faster-whisper ctranslate2 av rapidocr onnxruntime pillow numpy"
RATE = 16_000
N_ARTICLES, K = 200, 10


def data(path: str) -> Path:
    folder = os.environ.get("LLMTOPICS_DATA")
    if not folder:
        raise FileNotFoundError(f"this needs {path}: name its folder in LLMTOPICS_DATA")
    return Path(folder) / path


def transcripts() -> tuple[list[Path], list[str]]:
    with data("speech/transcripts.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["transcript"].strip()]
    files = [data("speech") / row["file"] for row in rows]
    return files, [row["transcript"] for row in rows]


def words(text: str) -> list[str]:
    return re.sub(r"[^\w' ]", " ", text.lower()).split()


def speech(dtype: str) -> dict:
    """Measure the word error rate on the clips with a transcript."""
    from llmtopics import AudioTranscriber

    files, expected = transcripts()
    transcriber = AudioTranscriber(dtype=dtype, cache_dir=False)
    transcriber.transform(files[:1])  # loads the model
    start = perf_counter()
    found = transcriber.transform(files)
    pairs = [(words(a), words(b)) for a, b in zip(found, expected, strict=True)]
    return {
        "n_clips": len(files),
        "n_words": sum(len(b) for _, b in pairs),
        "n_wrong": sum(edits(a, b) for a, b in pairs),
        "seconds": perf_counter() - start,
    }


def long_speech(minutes: int) -> dict:
    """Measure time and peak memory on the clips, repeated with pauses, in one file."""
    import av

    from llmtopics import AudioTranscriber
    from llmtopics.describe._inputs import Input
    from llmtopics.describe._sound import chunks

    files, _ = transcripts()
    pause = np.zeros(RATE // 2, np.float32)
    once = np.concatenate(
        [part for f in files for part in (*chunks(Input("", "", f), 600), pause)]
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.flac"
        n = 0
        with av.open(str(path), "w") as output:
            stream = output.add_stream("flac", rate=RATE, layout="mono")
            resampler = av.AudioResampler("s16", "mono", RATE)
            while n < minutes * 60 * RATE:
                block = once[: minutes * 60 * RATE - n]
                frame = av.AudioFrame.from_ndarray(
                    block[None], format="flt", layout="mono"
                )
                frame.sample_rate, frame.pts = RATE, n
                for part in resampler.resample(frame):
                    output.mux(stream.encode(part))
                n += block.size
            output.mux(stream.encode(None))
        transcriber = AudioTranscriber(cache_dir=False)
        transcriber.transform(files[:1])  # loads the model
        before, start = peak_mib(), perf_counter()
        (text,) = transcriber.transform([path])
        seconds = perf_counter() - start
    return {
        "sound_seconds": n / RATE,
        "n_words": len(words(text)),
        "seconds": seconds,
        "peak_mib": peak_mib(),
        "growth_mib": peak_mib() - before,
    }


def print_on(language: str, how: str) -> dict:
    """Measure the character error rate, spaces aside, on printed sentences."""
    from PIL import Image

    from llmtopics import ImageDescriber

    rng = np.random.default_rng(0)
    n_wrong = n_characters = n_pages = 0
    seconds = 0.0
    describer = ImageDescriber("ocr", cache_dir=False)
    describer.transform([printed(["warm"], "English")])
    for first in range(0, 12, 4):
        lines = SENTENCES[language][first : first + 4]
        page = printed(lines, language, 12 if how == "small" else 24)
        if how == "turned":
            page = page.rotate(5, expand=True, fillcolor="white")
        if how == "upside down":
            page = page.rotate(180)
        if how == "noisy":
            noise = rng.normal(0, 50, (page.height, page.width, 1))
            page = Image.fromarray((np.asarray(page) + noise).clip(0, 255).astype("u1"))
        start = perf_counter()
        (text,) = describer.transform([page])
        seconds += perf_counter() - start
        expected = "".join(lines).replace(" ", "")
        n_pages += 1
        n_wrong += edits("".join(text.split()), expected)
        n_characters += len(expected)
    return {
        "n_characters": n_characters,
        "n_wrong": n_wrong,
        "seconds_per_page": seconds / n_pages,
    }


def topics(model: str, seed: int) -> dict:
    """Measure how many captions have the first topic of another of the same photograph."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.pipeline import make_pipeline

    from llmtopics import AudioTranscriber, FusionTopicModel, GibbsLDA, TextAnalyzer
    from llmtopics.datasets import load_bbc_news

    captions = defaultdict(list)
    with data("photos/captions.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            captions[row["file"]].append(row["caption"])
    described = [found[0] for found in captions.values()]
    others = [caption for found in captions.values() for caption in found[1:]]
    owners = [i for i, found in enumerate(captions.values()) for _ in found[1:]]
    clips = sorted([*data("speech").glob("*.wav"), *data("speech").glob("*.flac")])
    said = AudioTranscriber().transform(clips)
    articles = load_bbc_news().data
    articles = articles[:: len(articles) // N_ARTICLES][:N_ARTICLES]
    counter = CountVectorizer(analyzer=TextAnalyzer())
    fit = {
        "FusionTopicModel": lambda: FusionTopicModel(
            K, vectorizer=counter, random_state=seed
        ),
        "GibbsLDA": lambda: make_pipeline(counter, GibbsLDA(K, random_state=seed)),
    }[model]()
    first = fit.fit_transform([*described, *said, *articles]).argmax(axis=1)
    of_photos = first[: len(described)]
    of_others = fit.transform(others).argmax(axis=1)
    shares = np.bincount(of_photos, minlength=K) / len(of_photos)
    return {
        "n_photos": len(described),
        "n_clips": len(said),
        "n_articles": len(articles),
        "n_captions": len(others),
        "hits": int((of_others == of_photos[owners]).sum()),
        "chance": float(shares[of_others].mean()),
        "n_topics_of_photos": int((shares > 0).sum()),
    }


def tasks(n_seeds: int) -> Iterator[tuple[str, str, int, partial]]:
    """Yield task, setting, seed and what measures it."""
    for dtype in ("int8", "float32"):
        yield "speech", dtype, 0, partial(speech, dtype)
    for minutes in (5, 30):
        yield "long speech", f"{minutes} minutes", 0, partial(long_speech, minutes)
    for language in SENTENCES:
        for how in ("clean", "small", "noisy", "turned", "upside down"):
            setting = f"{language}, {how}"
            yield "print", setting, 0, partial(print_on, language, how)
    for seed in range(n_seeds):
        for model in ("FusionTopicModel", "GibbsLDA"):
            yield "topics", model, seed, partial(topics, model, seed)


def main() -> None:
    parser = task_arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="of topics, at most")
    options = parser.parse_args()
    run_tasks("describe", tasks(options.seeds), PACKAGES, options)


if __name__ == "__main__":
    main()
