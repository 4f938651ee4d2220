"""The section on personal data that is found."""

from collections import Counter

from benchmarks.redaction_texts import DECOYS, FRAMES
from benchmarks.report.markdown import lines_of, table

REDACTION = """\
## Personal data that patterns find

Each text is one sentence with one planted value, in five languages. Values come from the packages Faker and
phonenumbers. Phone numbers of 17 countries are written as people there or abroad write them. Decoys are sentences
with dates, prices, ISBNs, versions, order numbers, scores and quantities.

- Found: no letter or digit of the value is left. Intervals (95%) are Wilson's.
- The sentences are of two halves. Faults of our patterns were mended on one half, and the table is of the other.
  Whoever wrote the sentences knew the patterns. The forms of values are those of the packages.
- Presidio is measured with its patterns only, without the models that find names of people. Its phone numbers are found
  by the package that made them here. It has no pattern of handles.
- These lines showed that `redact="pii"` missed all IP addresses between Chinese letters without spaces. This was mended
  afterwards, so the line IP is from before. It still misses phone numbers of eight digits (Hong Kong).
- *Also replaced* counts stretches of text beside the values.
"""
NAMES = {"llmtopics": '`redact="pii"`', "presidio": "Presidio"}


def wilson(found: int, n: int) -> str:
    """Return a share and its 95% interval."""
    z, share = 1.96, found / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5 / (1 + z * z / n)
    low, high = max(middle - half, 0), min(middle + half, 1)
    return f"{share:.3f} ({low:.2f}–{high:.2f})"


def section() -> list[str]:
    lines = lines_of("redaction")
    if not lines:
        return []
    sums: dict[str, dict[str, Counter]] = {}
    languages: dict[str, dict[str, tuple[int, int]]] = {}
    for line in lines:
        own = sums[line["setting"]] = {
            "n": Counter(),
            "found": Counter(),
            "extra": Counter(),
        }
        for language, counts in line["languages"].items():
            for name, values in own.items():
                values.update(counts[name])
            planted = [
                sum(counts[name][kind] for kind in FRAMES["English"])
                for name in ("found", "n")
            ]
            languages.setdefault(language, {})[line["setting"]] = (
                planted[0],
                planted[1],
            )
    finders = list(sums)
    head = ["kind", "texts", *(NAMES[finder] for finder in finders)]
    kinds = list(FRAMES["English"])
    found = [
        [
            kind,
            str(sums[finders[0]]["n"][kind]),
            *(wilson(sums[f]["found"][kind], sums[f]["n"][kind]) for f in finders),
        ]
        for kind in kinds
    ]
    found += [
        [
            language,
            str(by[finders[0]][1]),
            *(wilson(*by[f]) for f in finders),
        ]
        for language, by in languages.items()
    ]
    total = [sum(sums[f]["n"][kind] for kind in kinds) for f in finders]
    extra = [sum(sums[f]["extra"].values()) for f in finders]
    found.append(["*also replaced*", str(total[0]), *map(str, extra)])
    decoys = [
        [
            kind,
            str(sums[finders[0]]["n"][kind]),
            *(wilson(sums[f]["found"][kind], sums[f]["n"][kind]) for f in finders),
        ]
        for kind in DECOYS["English"]
    ]
    return [
        REDACTION,
        "Share of values that are found:\n",
        table(head, found),
        "Share of decoys in which something is replaced (0 is best):\n",
        table(head, decoys),
    ]
