"""The section on texts of pictures and sounds."""

from collections import defaultdict

from benchmarks.report.markdown import lines_of, spread, table

DESCRIBE = """\
## Pictures and sounds as texts

*Speech.* `AudioTranscriber` with Whisper tiny (English) on nine short clips, eight of them read
sentences. Some of the transcripts that it is compared with have errors themselves ("tue", "wore").
"""
LONG = """\
The same clips, repeated with pauses, as one file. Real-time factor: computing time per time of
sound. Memory: peak of the process with the model, and how much of it came with this file.
"""
PRINT = """\
*Print.* `ImageDescriber(how="ocr")` on twelve printed sentences per language, on three pages. Letters
are 24 pixels high; *small* ones 12. *Noisy* has Gaussian noise of 50 of 255 levels, *turned* is turned
by five degrees. Pages that are read with low scores are turned upside down and read again.
"""
TOPICS = """\
*Topics.* One model of 100 photographs, 13 clips and 200 articles of BBC news, ten topics. A
photograph's text is the first of its five captions: people wrote them, so this measures the
topics and no captioner. Hits: how many of its other four captions, which the model has not seen,
have the first topic of the photograph. Chance: the same for another photograph's captions. Means
over the seeds ± their standard deviation.
"""


def section() -> list[str]:
    by_task: dict[str, dict] = defaultdict(dict)
    for line in lines_of("describe"):
        by_task[line["task"]][line["setting"], line["seed"]] = line
    if not by_task:
        return []
    speech = [
        [
            setting,
            str(line["n_words"]),
            str(line["n_wrong"]),
            f"{line['n_wrong'] / line['n_words']:.1%}",
        ]
        for (setting, _), line in by_task["speech"].items()
    ]
    long = [
        [
            setting,
            f"{line['seconds'] / line['sound_seconds']:.3f}",
            f"{line['peak_mib']:.0f}",
            f"{line['growth_mib']:.0f}",
        ]
        for (setting, _), line in by_task["long speech"].items()
    ]
    printed = [
        [
            *setting.split(", "),
            str(line["n_characters"]),
            f"{line['n_wrong'] / line['n_characters']:.1%}",
            f"{line['seconds_per_page']:.1f}",
        ]
        for (setting, _), line in by_task["print"].items()
    ]
    topics: dict[str, list[dict]] = defaultdict(list)
    for (model, _), line in by_task["topics"].items():
        topics[model].append(line)
    rows = [
        [
            model,
            spread([line["hits"] / line["n_captions"] for line in lines], 2),
            spread([line["chance"] for line in lines], 2),
            spread([line["n_topics_of_photos"] for line in lines], 1),
            str(len(lines)),
        ]
        for model, lines in topics.items()
    ]
    return [
        DESCRIBE,
        table(["number format", "words", "errors", "word error rate"], speech),
        LONG,
        table(["file", "real-time factor", "peak MiB", "of the file"], long),
        PRINT,
        table(
            ["language", "print", "letters", "error rate", "seconds per page"], printed
        ),
        TOPICS,
        table(["model", "hits", "chance", "topics of photographs", "seeds"], rows),
    ]
