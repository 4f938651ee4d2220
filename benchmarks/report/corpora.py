"""The section on the texts of the benchmarks."""

from benchmarks.report.markdown import lines_of, table

CORPORA = """\
## Corpora

The texts of all tables, with what is left of them after words in fewer than five documents or in more
than half of the documents are removed. Reuters-395 comes as word counts.
"""
CONTENTS = {
    "BBC news": "news articles in 5 sections",
    "20 Newsgroups": "posts in 20 groups, without headers, quotes and footers",
    "StackOverflow": "titles of questions with 20 tags",
    "SearchSnippets": "snippets of web pages in 8 domains",
    "Reuters-395": "news articles, nine tenths of the corpus",
    "IMDB": "movie reviews, nine tenths of the corpus",
}


def section() -> list[str]:
    sizes: dict[str, dict] = {}
    for name in ("topics", "lda", "race"):
        for line in lines_of(name):
            sizes.setdefault(line["problem"].partition(",")[0], line)
    rows = [
        [
            corpus,
            content,
            *(f"{sizes[corpus][n]:,}" for n in ("n_documents", "n_words", "n_tokens")),
            f"{sizes[corpus]['n_tokens'] / sizes[corpus]['n_documents']:.0f}",
        ]
        for corpus, content in CONTENTS.items()
        if corpus in sizes
    ]
    head = ["corpus", "texts", "documents", "words", "tokens", "tokens per document"]
    return [CORPORA, table(head, rows)]
