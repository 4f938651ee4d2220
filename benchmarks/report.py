"""Turn the lines of ``results/`` into ``docs/benchmarks.md`` and its pictures."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, combinations
from statistics import mean, median

from benchmarks import naming, zero_shot
from benchmarks.feeding import CORPORA
from benchmarks.race_report import race_section
from benchmarks.samplers import agreement
from benchmarks.scaling_report import scaling_section
from benchmarks.tables import ROOT, lines_of, spread, table
from benchmarks.text_models import MODELS
from benchmarks.text_problems import PROBLEMS

PAGE = ROOT.parent / "docs" / "benchmarks.md"
REFERENCE = "tomotopy"
HEAD = """\
# Benchmarks

Made by `make bench` from the lines in `benchmarks/results/`; do not edit by hand. These
machines are shared and noisy: trust ratios, not seconds.
"""
COUNTS = """\
## Topic models on counts

Every run has a process and one thread to itself; models alternate within a seed. All see the
same tokens. Where a row names nothing else, priors are fixed at α = 1/K and β = .1, samplers
make 200 sweeps, and scikit-learn's variational LDA its default ten passes.

The topics φ of every model are judged by the same code: mixtures are those of
`GibbsLDA.transform` given φ and α. *NMI* is the normalised mutual information of a document's
first topic with its label (higher is better; no model saw a label). *Perplexity* is that of
every second token of the held-out tenth of the documents, given the others (lower is
better). Figures are means over the seeds ± their standard deviation. *Time* is the median,
over the seeds, of the ratio to tomotopy's. *Peak memory* is that of the whole process,
corpus and interpreter included.

Not all rows have the same number of seeds: look at the last column before you compare two rows.
`GibbsLDA` has one with 50 topics or more, and with another β. Its other seeds come from the sections
on samplers and on topics of texts below. These are the same fits, judged in the same way. They were not run beside
tomotopy: time, speed and memory are those of the first seed, and missing on 20 Newsgroups. For times
on 20 Newsgroups see the race below.
"""
PACHINKO = """## Pachinko allocation

{py:class}`llmtopics.PachinkoAllocation` and tomotopy's `PAModel` after 200 sweeps in one thread,
with S super-topics and K sub-topics, both learning α_st from .1 with α_s at .1; LDA with K topics
beside them. Perplexity is that of document completion, all by one evaluator under each model's φ
and priors; tomotopy's own inference of the same halves is in the next column. Learning of priors
is in the times. Our first quarter of the sweeps is that of an LDA. On 20 Newsgroups, tomotopy's first
seeds were timed with other work on the machine and ours with less; the second seeds of both ran
one after the other under the same load: 582 seconds against 70, 8.3 to 1.
"""
SAMPLERS = """\
## Exact and blocked sampling, fixed and learned priors

`GibbsLDA` after 200 sweeps, from α = 1/K and β = .1; means over the seeds ± their standard
deviation. *Perplexity*, *NPMI* and *log p(w, z)* as in the race; *stability* is the share of a
topic's ten words that the topic matched to it has in another seed's fit. Lower perplexity
is better, higher is better elsewhere. Likelihoods under learned priors are those of other
models than under fixed ones.
"""
TOPICS = """\
## Topics of texts

All models get the same words (those of `TextAnalyzer` in five documents to half of them) and
the same vectors (MiniLM's, of the first 256 tokens of a text); peers keep their defaults. Every
run has a process and one thread to itself. *Seconds*, the median over the seeds, go from
words and vectors made beforehand to topics and mixtures, after a run on some 200 documents that
imports and compiles; only `α=auto` cuts and encodes texts in them, for it reads halves.
*Peak memory* is that of the whole process.

*NPMI* (pairs in documents) and *C_v* (windows of 110 words) are the coherence of the topics'
ten words in the same texts, *diversity* the share of different words among them. *NMI* and
*purity* compare a document's first topic with its label, *accuracy* is that of a logistic
regression of the labels on the logarithm of the mixtures, in three folds. No model saw a label.
Higher is better in all six; the best of the models with K topics is bold. Figures are means
over the seeds ± their standard deviation.

The defaults of `FusionTopicModel` were chosen on BBC news, K=5, and StackOverflow; the other
problems are confirmation, save that the start of k-means and the score of words were settled
when some of their figures had been seen. Where it is worse: on StackOverflow its words are less
coherent than those of `GibbsLDA`, which groups titles by the words they share; by accuracy
`BERTopic, UMAP + k-means` is ahead on SearchSnippets and on 20 Newsgroups, K=20. `BERTopic` finds its own number of topics, which raises purity, and
its documents without a topic share one more. `BERTopic, UMAP + k-means` returns labels alone;
the classifier is given the documents' distances to the centres, which tell it more. The
signals of `S3` have both signs: its mixtures are their softmax. `tomotopy LDA` has the
mixtures of `GibbsLDA.transform` given its topics.
"""
MEASURES = ["npmi", "c_v", "diversity", "nmi", "purity", "accuracy"]
TITLES = ["NPMI", "C_v", "diversity", "NMI", "purity", "accuracy"]
SEARCH = """\
## Grid search against its single fits

`GridSearchCV` of `FusionTopicModel` on BBC news: 5 K (5 to 30) × 5 α (0.1 to 0.9) × 3 folds,
without a refit. *Alone* is scored by the model's own `score`, *with a classifier* is a Pipeline
with `LogisticRegression`, scored by accuracy. *Single fits* are the same 75 fits and scores, one
after another in one process. Vectors are on disk beforehand, except where the cache is empty.
Every measurement has a process of its own, and the workers of two jobs start within it.
*Ratios* are to the single fits of the same round (with an empty cache: to those plus the encoding
alone); all figures are medians over the rounds. The machine did other work at the same time:
CPU seconds tell more than seconds, and two jobs had hardly more of the machine than one.
"""
ENCODING = """\
## Vectors against sentence-transformers

Same weights (MiniLM), same texts, no cache; three ways to encode alternate five times in one
process. *Times faster* is the median of the ratios within a round; the cosine is the mean to
our float32. What makes the difference: batches of like lengths that stay in a core's cache,
cores that work on batches of their own, and bfloat16 where the processor has it.
"""
FEEDING = """\
## What a language model adds

3,000 texts of each corpus (BBC news: all), words in five texts to half of them, MiniLM's vectors,
SmolLM2-135M in bfloat16. *Next words* are `NextWordCounts` with its defaults, *keywords*
`LLMAugmenter` with its. "LDA + next words" is a Pipeline, where new words count as the topics'
words; "own words" is `FusionTopicModel(alpha=0, expander=…)`, the same assignments with
the topics' words counted on the texts' own and ranked by keyness. Measures as above, means
over three seeds ± their standard deviation. Prompt and weight were chosen on StackOverflow,
some figures of SearchSnippets having been seen.
"""
COSTS = """\
### What it costs

100 texts, answers not kept, medians of three alternating runs on two cores, bfloat16.
*Seconds* are those for 1,000 texts; tokens are those of a text, the prompt included.
"""
ZERO_SHOT = """\
## Zero-shot topics

How often the first topic that `LLMTopics` gives a text is the text's label (accuracy), for topics
given by name. Two samples of each corpus, which do not overlap: 500 texts each, on IMDB 300. The model
is fitted on the sample, without labels, and transforms it. SmolLM2-135M, no training. *As they are*
is `calibrate=None`, *calibrated* is `n_words=0`, *and words* is the default. The prompt, the temperature
and the number of words were chosen on the corpora of the first five rows. The second row calls two
sections "sports" and "tech". The last row asks "The sentiment of this review is".
"""
UNEVEN = """\
### Samples with a topic that most texts have

How calibration does where one topic makes up most of the texts: samples of 125 articles of BBC news,
60 % of them from one section.
"""
PROPOSED = """\
### Proposed topics

`LLMTopics(8)` on the two samples of BBC news: how well the first of the eight proposed topics agrees
with the section of an article.
"""
NAMING = """\
## Names of topics

How many of K topics have a name that fits them better than the other topics. A name is a hit if
its vector (MiniLM) is nearer to representative documents of its own topic than to those of
any other: the mean cosine with the ten that follow the three that the language model was shown.
SmolLM2-135M, models with their defaults; means over the seeds ± their standard deviation. *Three
words* are the first three of each topic, without a language model.
"""
COHERENCE = """\
## Coherence against gensim

Fifty topics of ten words on 20 Newsgroups without headers, quotes and footers; both get the
same lists of words (for UMass the documents' counts, made beforehand, as gensim's dictionary
is) and run in one process; medians of five alternating runs.
"""
RATINGS = """\
## Coherence and people

Spearman correlation, over 150 topics of three models a corpus, of measures with people's mean
rating of a topic and with the share of people who found its intruder (Hoyle et al. 2021; the
values of the measures are the authors', counted on the models' own corpus). In brackets the
95 % interval over resampled topics.
"""


def model_table(runs: list[dict]) -> str:
    by_model: dict[str, dict[int, dict]] = defaultdict(dict)
    for run in runs:
        by_model[run["model"]].setdefault(run["seed"], {}).update(run)
    score, title, digits = ("nmi", "NMI", 3)
    if score not in runs[0]:
        score, title, digits = ("perplexity", "perplexity", 0)
    reference = by_model.get(REFERENCE, {})
    rows = []
    for model, seeds in by_model.items():
        ratios = [
            run["seconds"] / reference[seed]["seconds"]
            for seed, run in seeds.items()
            if seed in reference and "seconds" in run
        ]
        speeds = [
            run["n_sweeps"] * run["n_tokens"] / run["seconds"] / 1e6
            for run in seeds.values()
            if run.get("n_sweeps")
        ]
        peaks = [run["peak_mib"] for run in seeds.values() if "peak_mib" in run]
        rows.append(
            [
                model,
                spread([run[score] for run in seeds.values()], digits),
                f"{median(ratios):.2f}" if ratios else "–",
                f"{median(speeds):.1f}" if speeds else "–",
                f"{median(peaks):.0f}" if peaks else "–",
                str(len(seeds)),
            ]
        )
    head = ["model", title, "time / tomotopy", "M tokens/s", "peak MiB", "seeds"]
    return table(head, rows)


def more_seeds() -> Iterator[dict]:
    """Yield the scores of the same fits of ``GibbsLDA`` from other matrices."""
    for run in lines_of("samplers"):
        few = run["problem"].startswith("Reuters")
        if run["model"] == ("exact" if few else "blocked"):  # the default there
            yield {key: run[key] for key in ("problem", "seed", "perplexity")}
    for run in lines_of("topics"):
        if run["model"] == "GibbsLDA":
            problem = f"{run['problem']}, labels"
            yield {"problem": problem, "seed": run["seed"], "nmi": run["nmi"]}


def models_section() -> list[str]:
    by_problem: dict[str, list[dict]] = defaultdict(list)
    for run in lines_of("lda"):
        by_problem[run["problem"]].append(run)
    for run in more_seeds():
        if run["problem"] in by_problem:
            by_problem[run["problem"]].append({"model": "GibbsLDA", **run})
    parts = [COUNTS]
    for problem, runs in by_problem.items():
        size = runs[0]
        parts.append(
            f"### {problem}\n\n{size['n_documents']:,} documents, {size['n_words']:,} "
            f"words, {size['n_tokens']:,} tokens to fit.\n"
        )
        parts.append(model_table(runs))
    return parts


def topics_table(by_model: dict[str, list[dict]]) -> str:
    def rounded(model: str, measure: str) -> float:
        return round(mean(run[measure] for run in by_model[model]), 3)

    best = {
        measure: max(
            rounded(model, measure)
            for model, runs in by_model.items()
            if "n_topics" not in runs[0]
        )
        for measure in MEASURES
    }
    rows = []
    for model, runs in by_model.items():
        cells = {
            measure: spread([run[measure] for run in runs], 3) for measure in MEASURES
        }
        bold = [
            f"**{cell}**" if rounded(model, measure) == best[measure] else cell
            for measure, cell in cells.items()
        ]
        seconds = f"{median(run['seconds'] for run in runs):.1f}"
        peak = f"{median(run['peak_mib'] for run in runs):.0f}"
        rows.append([model, *bold, seconds, peak, str(len(runs))])
    return table(["model", *TITLES, "seconds", "peak MiB", "seeds"], rows)


def topics_notes(by_model: dict[str, list[dict]]) -> list[str]:
    """Say what a run found that others are given."""
    notes = []
    for model, runs in by_model.items():
        if "n_topics" in runs[0]:
            n_topics = mean(run["n_topics"] for run in runs)
            outliers = mean(run["outliers"] for run in runs)
            notes.append(
                f"`{model}` found {n_topics:.0f} topics and left {outliers:.0%} of the "
                "documents without one.\n"
            )
        if model.endswith("auto"):
            alphas = ", ".join(str(run["alpha"]) for run in runs)
            notes.append(f"`{model}` chose {alphas}.\n")
    return notes


def topics_section() -> list[str]:
    last = {
        (line["problem"], line["model"], line["seed"]): line
        for line in lines_of("topics")
    }
    parts = [TOPICS]
    for problem in PROBLEMS:
        by_model = {
            model: [run for key, run in last.items() if key[:2] == (problem, model)]
            for model in MODELS
        }
        by_model = {model: runs for model, runs in by_model.items() if runs}
        if not by_model:
            continue
        size = next(iter(by_model.values()))[0]
        parts.append(
            f"### {problem}\n\n{size['n_documents']:,} documents, {size['n_words']:,} "
            f"words, {size['n_tokens']:,} tokens.\n"
        )
        parts += [topics_table(by_model), *topics_notes(by_model)]
    return parts


def coherence_section() -> list[str]:
    rows = [
        [
            line["measure"],
            f"{line['difference']:.0e}",
            f"{line['seconds']:.3f}",
            f"{line['gensim_seconds']:.3f}",
            f"**{line['times_faster']:.0f}**",
        ]
        for line in lines_of("coherence")
    ]
    head = ["measure", "largest difference", "seconds", "gensim", "times faster"]
    return [COHERENCE, table(head, rows)]


def encoding_section() -> list[str]:
    rows = [
        [
            line["corpus"],
            f"{line['n_texts']:,}",
            str(line["n_threads"]),
            line["way"],
            f"{line['seconds']:.1f}",
            f"**{line['ratio']:.2f}**",
            f"{line['mean_cosine']:.5f}",
        ]
        for line in lines_of("encode")
    ]
    head = ["corpus", "texts", "threads", "way", "seconds", "times faster", "cosine"]
    return [ENCODING, table(head, rows)]


def search_section() -> list[str]:
    runs: dict[tuple, dict] = defaultdict(dict)
    for line in lines_of("search"):
        found = runs[line["n_texts"], line["every"], line["max_iter"]]
        run = line["way"], line["n_jobs"], line["cold"]
        found.setdefault(run, {})[line["round"]] = line
    parts = [SEARCH] if runs else []
    names = {None: "encoding alone", 0: "single fits", 1: "1 job", 2: "2 jobs"}
    for (n_texts, every, max_iter), found in runs.items():
        which = f" (every {every}th article)" if every > 1 else ""
        rows = []
        for (way, n_jobs, cold), rounds in found.items():
            bases = [found.get((way.removesuffix(", memory"), 0, False), {})]
            if cold:
                bases.append(found.get(("encoding", None, True), {}))
            cells = []
            for name in ("seconds", "cpu_seconds"):
                ratios = [
                    line[name] / sum(base[number][name] for base in bases)
                    for number, line in rounds.items()
                    if n_jobs and all(number in base for base in bases)
                ]
                cells.append(f"{median(line[name] for line in rounds.values()):.0f}")
                cells.append(f"**{median(ratios):.2f}**" if ratios else "–")
            rows.append(
                [
                    "" if n_jobs is None else way,
                    "empty" if cold else "full",
                    names[n_jobs],
                    *cells,
                    str(len(rounds)),
                ]
            )
        head = ["estimator", "cache", "run", "seconds", "ratio"]
        head += ["CPU seconds", "ratio", "rounds"]
        parts += [
            f"### {n_texts:,} texts{which}, {max_iter} sweeps\n",
            table(head, rows),
        ]
    return parts


def feeding_section() -> list[str]:
    found: dict[str, dict] = defaultdict(lambda: defaultdict(dict))
    for line in lines_of("feeding"):
        found[line["corpus"]][line["way"]][line["seed"]] = line
    parts = [FEEDING] if found else []
    measures = {
        "nmi": "NMI",
        "accuracy": "accuracy",
        "npmi": "NPMI",
        "diversity": "diversity",
    }
    for corpus, ways in found.items():
        rows = [
            [
                way,
                *(
                    spread([line[name] for line in by_seed.values()], 3)
                    for name in measures
                ),
                str(len(by_seed)),
            ]
            for way, by_seed in ways.items()
        ]
        head = ["model", *measures.values(), "seeds"]
        parts += [f"### {corpus}, K={CORPORA[corpus]}\n", table(head, rows)]
    rows = [
        [
            line["corpus"],
            line["way"],
            f"{1000 * line['seconds'] / line['n_texts']:.0f}",
            f"{line['prompt_tokens'] / line['n_texts']:.0f}",
            f"{line['new_tokens'] / line['n_texts']:.0f}",
            f"{line['prompt_tokens'] / line['seconds']:,.0f}",
        ]
        for line in lines_of("feeding_cost")
    ]
    head = ["corpus", "way", "seconds", "tokens read", "written", "read a second"]
    return [*parts, COSTS, table(head, rows)] if rows else parts


def zero_shot_section() -> list[str]:
    found: dict[str, dict[str, dict[int, dict]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for line in lines_of("zero_shot"):
        found[line["problem"]][line["way"]][line["sample"]] = line

    def accuracies(problems: Iterable[str]) -> str:
        rows = [
            [
                problem,
                *(
                    " / ".join(
                        f"{line['accuracy']:.2f}"
                        for _, line in sorted(found[problem][way].items())
                    )
                    for way in zero_shot.WAYS
                ),
            ]
            for problem in problems
            if problem in found
        ]
        return table(["corpus", *zero_shot.WAYS], rows)

    if not found:
        return []
    rows = [
        [f"{line['nmi']:.2f}", ", ".join(line["topics"])]
        for problem in zero_shot.PROPOSED
        for _, line in sorted(found[problem]["and words"].items())
    ]
    return [
        *(ZERO_SHOT, accuracies(zero_shot.PROBLEMS)),
        *(UNEVEN, accuracies(zero_shot.UNEVEN)),
        *(PROPOSED, table(["NMI", "topics"], rows)),
    ]


def naming_section() -> list[str]:
    found: dict[tuple, dict[str, dict[int, int]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for line in lines_of("naming"):
        cell = line["corpus"], line["model"], line["n_topics"]
        found[cell][line["way"]][line["seed"]] = line["hits"]
    rows = [
        [
            f"{corpus}, K={K}",
            model,
            *(spread(list(by_way[way].values()), 1) for way in naming.WAYS),
            str(len(by_way[naming.WAYS[0]])),
        ]
        for (corpus, model, K), by_way in found.items()
    ]
    head = ["corpus", "topics of", *naming.WAYS, "seeds"]
    return [NAMING, table(head, rows)] if rows else []


def ratings_section() -> list[str]:
    cells: dict[str, dict[str, str]] = defaultdict(dict)
    for line in lines_of("ratings"):
        cells[line["measure"]][f"{line['corpus']}, {line['task']}"] = (
            f"{line['spearman']:.2f} [{line['low']:.2f}, {line['high']:.2f}]"
        )
    head = list(next(iter(cells.values())))
    rows = [[name, *(row[column] for column in head)] for name, row in cells.items()]
    return [RATINGS, table(["measure", *head], rows)]


def environment_section() -> list[str]:
    seen = {}
    names = [
        "lda",
        "race",
        "samplers",
        "scaling",
        "pachinko",
        "topics",
        "feeding",
        "zero_shot",
        "naming",
        "search",
        "encode",
        "coherence",
    ]
    for line in chain.from_iterable(map(lines_of, names)):
        versions = ", ".join(
            f"{name} {number}" for name, number in line["versions"].items()
        )
        seen[f"- {line['machine']}, Python {line['python']}, {versions}"] = line["date"]
    rows = [f"{text}; last on {date}" for text, date in seen.items()]
    return ["## Environments\n", "\n".join(rows) + "\n"]


def pachinko_section() -> list[str]:
    runs: dict[str, dict] = defaultdict(lambda: defaultdict(dict))
    for line in lines_of("pachinko"):
        runs[line["problem"]][line["model"]][line["seed"]] = line
    parts = [PACHINKO] if runs else []
    for problem, models in runs.items():
        ours = models["PachinkoAllocation"]
        rows = []
        for model, by_seed in models.items():
            found = list(by_seed.values())
            own = [line["own_perplexity"] for line in found if "own_perplexity" in line]
            times = [
                by_seed[seed]["seconds"] / ours[seed]["seconds"]
                for seed in by_seed.keys() & ours.keys()
            ]
            rows.append(
                [
                    model,
                    spread([line["perplexity"] for line in found], 0),
                    spread(own, 0) if own else "–",
                    f"{median(times):.1f}" if times else "–",
                    f"{median(line['seconds'] for line in found):.1f}",
                    f"{median(line['transform_seconds'] for line in found):.1f}",
                    str(len(found)),
                ]
            )
        head = ["model", "perplexity", "by its own inference", "time / ours"]
        head += ["seconds", "transform", "seeds"]
        parts += [f"### {problem}", table(head, rows)]
    return parts


def samplers_section() -> list[str]:
    runs: dict[str, dict] = defaultdict(lambda: defaultdict(dict))
    for line in lines_of("samplers"):
        runs[line["problem"]][line["model"]][line["seed"]] = line
    parts = [SAMPLERS] if runs else []
    for problem, models in runs.items():
        rows = []
        for model, by_seed in models.items():
            found = list(by_seed.values())
            words = [line["words"] for line in found]
            shares = [agreement(a, b) for a, b in combinations(words, 2)]
            rows.append(
                [
                    model,
                    spread([line["perplexity"] for line in found], 0),
                    spread([line["log_joint"] for line in found], 3),
                    spread([line["npmi"] for line in found], 3),
                    spread(shares, 2) if shares else "–",
                    str(len(found)),
                ]
            )
        header = ["GibbsLDA", "perplexity", "log p(w, z)", "NPMI", "stability", "seeds"]
        parts += [f"### {problem}", table(header, rows)]
    return parts


def main() -> None:
    pictures = PAGE.parent / "_static"
    pictures.mkdir(exist_ok=True)
    parts = [HEAD, *models_section(), *race_section(pictures)]
    parts += [*samplers_section(), *scaling_section(pictures)]
    parts += [*pachinko_section(), *topics_section()]
    parts += [*feeding_section(), *zero_shot_section(), *naming_section()]
    parts += [*search_section()]
    parts += [*encoding_section(), *coherence_section(), *ratings_section()]
    PAGE.write_text("\n".join(parts + environment_section()), "utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
