"""The section on topics with differential privacy."""

from collections import defaultdict
from pathlib import Path
from statistics import mean

import matplotlib.pyplot as plt

from benchmarks.report.markdown import PICTURES, lines_of, spread, table
from benchmarks.report.pictures import LOOKS, STYLE, WIDTH, save

PRIVATE = """\
## Topics with differential privacy

`PrivateLDA` with its defaults against ε, at δ = 10⁻⁶, beside `GibbsLDA` without privacy on the same words. The
public vocabulary has {n_words} words, those of the other corpus that most of its documents have. *Private words* were chosen
from the corpus with half of ε and δ. One tenth of the documents was held out. *Perplexity* is that of the held-out
documents; it compares only rows with the same words. *Attack AUC* is that of `membership_inference`: 0.5 is chance.
Topics of noise alone (ε = 0.001) sort documents into parts that agree with labels a little, too. ε = ∞ has no noise.
The number of passes and the weight of the newest pass were chosen on planted corpora. {seeds}

![NMI and NPMI against ε](_static/private.svg)
"""
SEEDS = "Means ± standard deviations over seeds: {}."
Points = dict[tuple[str, float | None], list[dict]]


def points_of(lines: list[dict]) -> dict[str, Points]:
    """Return corpus → (vocabulary, ε) → one point per seed. ε is None for ``GibbsLDA``."""
    found: dict[str, Points] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        for point in line["points"]:
            key = point["vocabulary"], point["epsilon"]
            found[line["setting"]][key].append(point)
    return found


def name_of(vocabulary: str, epsilon: float | None) -> str:
    if epsilon is None:
        return "`GibbsLDA`"
    shown = "∞" if epsilon > 1e6 else f"{epsilon:g}"
    return f"ε = {shown}{', private words' if vocabulary == 'private' else ''}"


def row_of(corpus: str, key: tuple[str, float | None], points: list[dict]) -> list[str]:
    cells = [corpus, name_of(*key), f"{mean(p['n_words'] for p in points):,.0f}"]
    for measure, digits in [
        ("nmi", 2),
        ("npmi", 2),
        ("perplexity", 0),
        ("attack_auc", 2),
    ]:
        values = [point[measure] for point in points if measure in point]
        cells.append(spread(values, digits) if len(values) == len(points) else "–")
    return cells


def draw(found: dict[str, Points], path: Path) -> None:
    """Draw NMI and NPMI against ε, one row of panels per measure, one line per corpus."""
    names = [("nmi", "NMI with labels"), ("npmi", "NPMI of topic words")]
    looks = [LOOKS["GibbsLDA"], LOOKS["tomotopy"]]
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(1, 2, figsize=(WIDTH, 2.9), layout="constrained")
        for axes, (measure, label) in zip(panels, names, strict=True):
            for look, (corpus, points) in zip(looks, found.items(), strict=False):
                places = sorted(
                    epsilon
                    for vocabulary, epsilon in points
                    if vocabulary == "public" and epsilon and 0.1 < epsilon < 1e6
                )
                heights = [
                    mean(point[measure] for point in points["public", epsilon])
                    for epsilon in places
                ]
                axes.plot(
                    *(places, heights),
                    color=look.color,
                    marker=look.marker,
                    label=f"{corpus}, PrivateLDA",
                )
                for key, line, name in [
                    (None, "--", "GibbsLDA"),
                    (0.001, ":", "noise alone"),
                ]:
                    height = mean(point[measure] for point in points["public", key])
                    axes.axhline(
                        height,
                        color=look.color,
                        linestyle=line,
                        linewidth=1,
                        label=f"{corpus}, {name}",
                    )
            axes.set(title=label, xlabel="ε", xscale="log")
            axes.set_xticks(places, [f"{place:g}" for place in places])
            axes.minorticks_off()
        figure.legend(
            *axes.get_legend_handles_labels(), loc="outside lower center", ncols=3
        )
        save(figure, path)


def section() -> list[str]:
    lines = lines_of("private")
    if not lines:
        return []
    found = points_of(lines)
    draw(found, PICTURES / "private.svg")
    rows = [
        row_of(corpus, key, points)
        for corpus, settings in found.items()
        for key, points in settings.items()
    ]
    n_words = max(point["n_words"] for line in lines for point in line["points"])
    counts = [f"{corpus} {len(p['public', None])}" for corpus, p in found.items()]
    text = PRIVATE.format(n_words=f"{n_words:,}", seeds=SEEDS.format(", ".join(counts)))
    head = ["corpus", "model", "words", "NMI", "NPMI", "perplexity", "attack AUC"]
    return [text, table(head, rows)]
