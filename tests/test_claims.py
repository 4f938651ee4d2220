"""Figures in the README and the guides are those of the benchmarks."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def read(name):
    return (ROOT / name).read_text("utf-8")


BENCHMARKS = read("docs/benchmarks.md")


def tables(text):
    """Return each table as rows, dicts from column to cell."""
    found = []
    for block in re.findall(r"(?:^ *\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = (
            [cell.strip(" *").replace("=.", "=0.") for cell in line.split("|")[1:-1]]
            for line in block.splitlines()
        )
        found.append([dict(zip(head, row, strict=True)) for row in rows])
    return found


def section(name):
    (text,) = re.findall(
        rf"^## {name}\n(.*?)(?=^## )", BENCHMARKS, re.MULTILINE | re.DOTALL
    )
    return text


def figures(cell):
    """Return the mean and the standard deviation in a cell."""
    return [float(figure) for figure in cell.split(" ± ")]


def measured(name):
    """Return problem → model → column → figure, without its spread."""
    found = {}
    for part in section(name).split("\n### ")[1:]:
        problem = found.setdefault(part.partition("\n")[0], {})
        for row in (row for rows in tables(part) for row in rows if "model" in row):
            problem.setdefault(row["model"], {}).update(
                (column, float(cell.split()[0]))
                for column, cell in row.items()
                if re.match(r"-?[\d.]+( ±|$)", cell)
            )
    return found


def test_agreement_and_coherence_of_the_readme():
    (rows,) = [rows for rows in tables(read("README.md")) if "KeyNMF" in rows[0]]
    topics = measured("Topics of texts")
    assert len(rows) == 6
    for row in rows:
        problem = row.pop("").replace(" titles", "")
        for model, cell in row.items():
            found = topics[problem][
                model.replace(" (UMAP, k-means)", ", UMAP + k-means")
            ]
            given = [float(figure) for figure in re.findall(r"\d*\.\d+", cell)]
            expected = [found["NMI"], found["NPMI"]]
            assert given == pytest.approx(expected, abs=0.0056), (problem, model)


def test_the_sampler_takes_at_most_a_third_of_the_time_of_tomotopy():
    found = section("The race of samplers")
    for problem in ["20 Newsgroups, K=20", "20 Newsgroups, K=100", "IMDB, K=100"]:
        (rows,) = re.findall(
            rf"### {problem}, .*?(\| tomotopy .*?)\n", found, re.DOTALL
        )
        assert float(rows.split("**")[1]) < 0.333, problem


def test_the_sampler_is_not_faster_than_tomotopy_on_small_corpora():
    counts = section("Topic models on counts")
    times = {
        part.partition(", ")[0]: row["time / tomotopy"]
        for part in counts.split("\n### ")[1:]
        for row in tables(part)[0]
        if row["model"] == "GibbsLDA"
        if part.startswith(("BBC news, K=5,", "Reuters-395"))
    }
    assert set(times) == {"BBC news", "Reuters-395"}
    assert min(map(float, times.values())) > 1


def test_texts_per_second_of_the_readme():
    (rows,) = [rows for rows in tables(read("README.md")) if "bfloat16" in rows[0]]
    ways = {"bfloat16": "auto", "float32": "float32"}
    measured = {
        (row["corpus"], row["way"]): float(row["texts"].replace(",", ""))
        / float(row["seconds"])
        for row in tables(section("Vectors against sentence-transformers"))[0]
        if row["threads"] == "2"
    }
    assert len(rows) == 2
    for row in rows:
        corpus = row["texts"].rpartition(" ")[0]
        for column, way in ways.items():
            given = float(row[column].replace(",", ""))
            assert given == pytest.approx(measured[corpus, way], abs=0.6)
    (given,) = re.findall(
        r"2,000 posts of\s20 Newsgroups take about (\d+) seconds in bfloat16, or (\d+) in",
        read("README.md"),
    )
    expected = [2000 / measured["20 Newsgroups", way] for way in ways.values()]
    assert [float(seconds) for seconds in given] == pytest.approx(expected, abs=0.6)


@pytest.mark.parametrize(
    ("heading", "problem"),
    [
        ("2,225 articles of BBC news, 30 topics", "BBC news, K=30"),
        ("18,846 posts of 20 Newsgroups, 50 topics", "20 Newsgroups, K=50"),
        ("20,000 titles of StackOverflow, 20 topics", "StackOverflow, K=20"),
    ],
)
def test_figures_that_compare_topic_models(heading, problem):
    guide = read("docs/guide/which_model.md")
    rows = tables(guide.partition(f"**{heading}**")[2])[0]
    assert len(rows) == 5
    for row in rows:
        found = measured("Topics of texts")[problem][row.pop("")]
        for column, cell in row.items():
            digits = len(cell.split(".")[1])
            expected = found[column]
            assert float(cell) == pytest.approx(expected, abs=0.51 * 10**-digits)


def test_figures_of_short_texts():
    of_documents, of_words = tables(read("docs/guide/short_texts.md"))
    added = measured("What a language model adds")
    names = {
        "LDA + next words, in a Pipeline": "LDA + next words",
        "`FusionTopicModel(alpha=0, expander=…)`": "LDA + next words, own words",
        "LDA + keywords (`LLMAugmenter`)": "LDA + keywords",
    }
    problems = {
        "StackOverflow titles": "StackOverflow, K=20",
        "SearchSnippets": "SearchSnippets, K=8",
        "BBC news": "BBC news, K=5",
    }
    for rows, measures in [
        (of_documents, ("NMI", "accuracy")),
        (of_words, ("NPMI", "diversity")),
    ]:
        assert len(rows) == 9
        for row in rows:
            name = row.pop("")
            for column, cell in row.items():
                found = added[problems[column]][names.get(name, name)]
                given = [
                    float(f) for f in cell.strip(")").replace("−", "-").split(" (")
                ]
                expected = [found[measure] for measure in measures]
                assert given == pytest.approx(expected, abs=0.0056), (name, column)


def test_the_costs_of_language_models():
    pages = read("docs/guide/language.md"), BENCHMARKS
    ours, theirs = (
        next(rows for rows in tables(page) if "written" in rows[0]) for page in pages
    )
    assert len(ours) == len(theirs)
    for row, measured_row in zip(ours, theirs, strict=True):
        corpus, *rest = row.values()
        assert corpus.replace(" titles", "") == measured_row["corpus"]
        columns = ["way", "seconds", "tokens read", "written"]
        assert rest == [measured_row[column] for column in columns]


def test_next_words_help_lda_on_short_texts():
    found = measured("What a language model adds")
    for problem in ("StackOverflow, K=20", "SearchSnippets, K=8"):
        ways = found[problem]
        assert ways["LDA + next words"]["NMI"] > ways["LDA"]["NMI"] + 0.1
        assert ways["fusion, α=0.2 + next words"]["NMI"] > ways["fusion, α=0.2"]["NMI"]
        assert ways["fusion + keywords"]["NMI"] < ways["fusion"]["NMI"]
    for way in ("LDA", "fusion"):
        with_words = found["BBC news, K=5"][f"{way} + next words"]
        assert with_words["NMI"] == pytest.approx(
            found["BBC news, K=5"][way]["NMI"], abs=0.0035
        )


def test_writing_takes_2_to_8_times_as_long_as_next_words():
    rows = next(rows for rows in tables(BENCHMARKS) if "written" in rows[0])
    seconds = {(row["corpus"], row["way"]): float(row["seconds"]) for row in rows}
    ratios = [
        round(taken / seconds[corpus, "NextWordCounts"])
        for (corpus, way), taken in seconds.items()
        if way.startswith("LLMAugmenter")
    ]
    assert (min(ratios), max(ratios)) == (2, 8)
    for page in ("language.md", "short_texts.md"):
        assert "2 to 8 times as expensive" in read(f"docs/guide/{page}")


def test_vectors_in_bfloat16_take_less_than_half_the_time():
    (rows,) = tables(section("Vectors against sentence-transformers"))
    seconds = {
        (row["corpus"], row["threads"], row["way"]): float(row["seconds"])
        for row in rows
    }
    for row in rows:
        if row["way"] == "auto":
            assert float(row["cosine"]) > 0.999
            cell = row["corpus"], row["threads"]
            assert seconds[*cell, "auto"] < seconds[*cell, "float32"] / 2


def test_what_the_guide_says_of_samplers_and_priors():
    text = section("Exact and blocked sampling, fixed and learned priors")
    for part in text.split("\n### ")[1:]:
        rows = {row.pop("GibbsLDA"): row for row in tables(part)[0]}
        exact, blocked = rows["exact"], rows["blocked"]
        learned = rows["blocked, α and β learned"]

        def alike(one, other, column):
            (a, spread_a), (b, spread_b) = map(figures, (one[column], other[column]))
            return abs(a - b) < max(spread_a, spread_b)

        assert alike(blocked, learned, "perplexity")
        if part.startswith("Reuters"):
            for column in ("log p(w, z)", "NPMI"):
                assert figures(blocked[column])[0] < figures(exact[column])[0]
        else:
            assert alike(blocked, exact, "perplexity")
            assert alike(blocked, exact, "NPMI")


def test_hundreds_of_topics_want_a_smaller_topic_word_prior():
    models = measured("Topic models on counts")["BBC news, K=200, held out"]
    found = {model: row["perplexity"] for model, row in models.items()}
    assert found["GibbsLDA, β=0.05"] < found["GibbsLDA"]


def test_embeddings_follow_people_better_than_counts():
    rows = {
        row.pop("measure"): row for row in tables(section("Coherence and people"))[0]
    }
    for column, best in [
        ("rating", "embedding coherence"),
        ("intrusion", "word intrusion"),
    ]:
        for corpus in ("wikitext", "nytimes"):
            cells = {
                measure: row[f"{corpus}, {column}"] for measure, row in rows.items()
            }
            values = {
                measure: float(cell.split()[0]) for measure, cell in cells.items()
            }
            assert max(values, key=values.get) == best
            assert min(values, key=values.get) == "UMass"


def test_the_default_alpha_is_the_best_of_three_on_titles():
    topics = measured("Topics of texts")
    for other in ("FusionTopicModel, α=0.2", "FusionTopicModel, α=0.8"):
        news, titles = (
            topics[problem]["FusionTopicModel"]["NMI"] - topics[problem][other]["NMI"]
            for problem in ("BBC news, K=5", "StackOverflow, K=20")
        )
        assert abs(news) < 0.0065
        assert titles > 0.01


def test_partitions_change_topics_less_than_a_seed():
    """As the guide says of ``DaskFusionTopicModel``, with the figures of the benchmarks."""
    rows = tables(section("Fusion on a Dask cluster"))[0]
    (guide,) = (
        rows for rows in tables(read("docs/guide/deploy.md")) if "same topic" in rows[0]
    )
    assert len(guide) == len(rows) == 8
    for row in guide:
        assert any(row.items() <= each.items() for each in rows)
    for K in ("5", "20"):
        found = {row["setting"]: row for row in rows if row["K"] == K}
        chance = found.pop("FusionTopicModel, another seed")
        for row in found.values():
            assert figures(row["same topic"])[0] > figures(chance["same topic"])[0]


CHINESE, BOTH = "Chinese reviews, K=10", "Chinese and English reviews, K=8"
ONE, TWO = "multilingual vectors", "multilingual centered vectors"


def test_figures_of_other_languages():
    found = measured("Topics in other languages")
    pages = [
        rows for rows in tables(read("docs/guide/languages.md")) if "NMI" in rows[0]
    ]
    assert list(map(len, pages)) == [5, 7]
    for rows, corpus in zip(pages, (CHINESE, BOTH), strict=True):
        for row in rows:
            of_model = found[corpus][row.pop("model")]
            for column, cell in row.items():
                assert float(cell) == pytest.approx(of_model[column], abs=0.0051)


@pytest.mark.parametrize(("corpus", "vectors"), [(CHINESE, ONE), (BOTH, TWO)])
def test_fusion_is_best_in_other_languages(corpus, vectors):
    found = measured("Topics in other languages")[corpus]
    parents = found[f"EmbeddingTopics, {vectors}"], found["GibbsLDA"]
    for column in ("NMI", "ACC", "accuracy"):
        best = max(parent[column] for parent in parents)
        assert found[f"FusionTopicModel, {vectors}"][column] >= best


def test_centered_vectors_connect_two_languages():
    found = measured("Topics in other languages")[BOTH]
    for model in ("EmbeddingTopics", "FusionTopicModel"):
        assert found[f"{model}, {ONE}"]["same topic"] == 0
        assert found[f"{model}, {TWO}"]["same topic"] > 0.3


def test_pachinko_allocation_takes_2_5_to_9_times_as_long_as_lda():
    topics = measured("Topics of texts").values()
    ratios = [
        found["PachinkoAllocation"]["seconds"] / found["GibbsLDA"]["seconds"]
        for found in topics
        if "PachinkoAllocation" in found
    ]
    for found in measured("Pachinko allocation").values():
        ratios.append(1 / found["GibbsLDA"]["time / ours"])
        pam, lda = (
            found[name]["perplexity"] for name in ("PachinkoAllocation", "GibbsLDA")
        )
        assert 0.98 < pam / lda < 1.001
    assert min(ratios) == 2.5
    assert 8.5 < max(ratios) < 9


def test_hits_of_names():
    (ours,) = (
        rows for rows in tables(read("docs/guide/naming.md")) if "seeds" in rows[0]
    )
    assert ours == tables(section("Names of topics"))[0]


def test_quality_of_private_topics():
    (ours,) = (
        rows for rows in tables(read("docs/guide/private.md")) if "NMI" in rows[0]
    )
    theirs = {
        row["model"]: row
        for row in tables(section("Topics with differential privacy"))[0]
        if row["corpus"] == "BBC news"
    }
    assert len(ours) == 8
    for row in ours:
        assert row.items() <= theirs[row["model"]].items()


def test_accuracy_of_zero_shot_topics():
    (ours,) = (
        rows for rows in tables(read("docs/guide/llm_topics.md")) if "corpus" in rows[0]
    )
    theirs = tables(section("Zero-shot topics"))[0]
    assert [list(row.values()) for row in ours] == [
        list(row.values()) for row in theirs
    ]


def test_accuracy_of_classifiers_in_the_guide():
    measured_ones = {
        row["classifier"]: row
        for row in tables(section("Classifiers from 200 labels"))[0]
    }
    (rows,) = [
        rows for rows in tables(read("docs/guide/tune.md")) if "samples" in rows[0]
    ]
    assert len(rows) == 6
    ways = {'`"head"`': "MiniLM, head", '`"lora"`': "MiniLM, LoRA"}
    ways |= {'`"full"`': "MiniLM, all weights"}
    for row in rows:
        name = row["classifier"].removesuffix(", 128 tokens")
        for ours, theirs in ways.items():
            name = name.replace(ours, theirs)
        found = measured_ones[name]
        assert (row["samples"], row["accuracy"]) == (found["seeds"], found["accuracy"])
        assert row["minus tf-idf"] in ("", found["minus tf-idf"])


def test_changes_of_the_guide_to_tuning_were_measured():
    changes = re.findall(r"[\d.]+ → [\d.]+", read("docs/guide/tune.md"))
    measured_changes = section("Tuned language models") + section(
        "Topics before and after tuning the embedder"
    )
    assert len(changes) >= 4
    assert [
        each for each in changes if each not in measured_changes.replace("*", "")
    ] == []


def test_figures_of_sentiment_in_the_guide():
    quality = read("docs/guide/sentiment.md").partition("## Quality")[2]
    rows = [line for line in quality.splitlines() if re.match(r"\|.*\d\.\d", line)]
    assert len(rows) == 20
    assert set(rows) <= {*section("Sentiment of texts and topics").splitlines()}


def test_figures_of_summaries_are_those_of_the_benchmarks():
    reviews, headlines, digests, *_ = tables(section("Summaries"))
    columns = {"reviews": reviews, "headlines": headlines, "digests": digests}
    (guide,) = (
        rows for rows in tables(read("docs/guide/summarize.md")) if "reviews" in rows[0]
    )
    for row in guide:
        for column, found in columns.items():
            if row[column] != "same":
                (line,) = (each for each in found if each["method"] == row["method"])
                assert line["ROUGE-1"].strip("*").startswith(row[column])


def test_accuracy_with_topics_in_the_guide_to_classification():
    parts = section("Classify texts with topics").split("\n### ")[1:]
    found = {part.partition("\n")[0]: tables(part)[0] for part in parts}
    page = read("docs/guide/classify.md").partition("## What topics gain")[2]
    shown = re.findall(r"^\*\*(.+)\*\*\n\n((?:\|.*\n)+)", page, re.MULTILINE)
    assert len(shown) == 4
    for corpus, lines in shown:
        (rows,) = tables(lines)
        if "ECE" in rows[0]:
            calibration = found["Calibration of the probabilities"]
            assert all({"corpus": corpus} | row in calibration for row in rows)
        else:
            models = {row["model"]: row for row in found[f"Classes of {corpus}"]}
            assert all(row.items() <= models[row["model"]].items() for row in rows)


def test_sizes_and_times_of_the_web_page():
    measured = {
        row["corpus"]: row for row in tables(section("Web page about topics"))[0]
    }
    (shown,) = [
        table
        for table in tables(read("docs/guide/report.md"))
        if "size, MB" in table[0]
    ]
    milliseconds = {"open, s": "open, ms", "search, s": "first search"}
    milliseconds |= {"filter, s": "filter", "zoom, s": "zoom"}
    for row in shown:
        own = measured[row["corpus"]]
        assert [row[key] for key in ("documents", "size, MB", "write, s")] == [
            own[key] for key in ("documents", "size, MB", "write, s")
        ]
        for here, there in milliseconds.items():
            assert float(row[here]) == pytest.approx(float(own[there]) / 1000, abs=0.06)


def test_what_orders_in_texts_reach():
    """A checked name is no attacker's; false answers in the prompt's form are taken up."""
    (rows,) = tables(section("Prompt injection"))
    by_name = {row["estimator"].rstrip(" *"): row for row in rows}
    checked = by_name["name_topics, order in 1 document"]
    assert checked["the prompt's form"] == "0 of 10"
    for name in ("LLMTopics", "NextWordCounts", 'LLMAugmenter, mode="keywords"'):
        n, _, of = by_name[name]["the prompt's form"].partition(" of ")
        assert int(n) > int(of) / 2
        assert int(by_name[name]["no order"][0]) <= 1
