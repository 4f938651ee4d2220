"""What is done again and again under faults: each writes files, and gives a result.

A scenario has ``make(folder, parts)``, which makes its inputs once, and ``run(folder, note)``,
which returns what must be equal after any fault. ``note(text)`` records what was reported as
saved. ``check(folder, before, after)`` gets these notes of the stopped run and of the next one.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

import llmtopics
from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    LanguageModelTuner,
    LLMAugmenter,
    LocalLLM,
    NextWordCounts,
    StoredCounts,
    TransformerEmbedder,
    store_counts,
    suggest_n_components,
)
from llmtopics._language.cache import get_or_compute
from llmtopics._language.gguf import unpacked
from llmtopics.datasets import make_topics
from llmtopics.embed import store_vectors
from llmtopics.reading import read_topics
from llmtopics.report import topic_report
from llmtopics.text import store_texts

WORDS = [
    "bank",
    "share",
    "market",
    "profit",
    "goal",
    "match",
    "team",
    "player",
    "coach",
    "cup",
]


def texts(n, seed=0, length=8):
    rng = np.random.default_rng(seed)
    return [f"{i} {' '.join(rng.choice(WORDS, length))}" for i in range(n)]


def digest(folder):
    """Return a hash of the names and contents of all files in a folder."""
    found = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


class Scenario:
    """``warm`` runs it once before processes are forked, so that all loops are compiled."""

    warm = False

    def make(self, folder, parts):
        pass

    def run(self, folder, note):
        raise NotImplementedError

    def check(self, folder, before, after):
        pass


class SavedLDA(Scenario):
    """A fit whose topics are in files."""

    warm = True

    n_components, max_iter, n_documents = 8, 25, 200

    def make(self, folder, parts):
        X = make_topics(self.n_documents, 100, 6, doc_length=60, random_state=0).data
        store_counts(X, folder / "counts")

    def run(self, folder, note):
        lda = GibbsLDA(
            self.n_components,
            sampler="blocked",
            max_iter=self.max_iter,
            n_jobs=2,
            random_state=0,
        )
        phi = lda.fit(StoredCounts(folder / "counts")).components_
        assert not list(folder.glob("counts/chain-*")), "the chain stays after the fit"
        return phi.tobytes()


class SavedLists(SavedLDA):
    """With many topics, lists of topics are saved, too."""

    n_components, max_iter, n_documents = 600, 6, 100


class Counts(Scenario):
    def run(self, folder, note):
        X = make_topics(90, 50, 4, doc_length=40, random_state=0).data
        try:
            stored = StoredCounts(folder / "counts")
        except FileNotFoundError:
            stored = store_counts(
                (X[i : i + 10] for i in range(0, 90, 10)), folder / "counts"
            )
        assert hashlib.sha256(stored.words).digest()  # all of it can be read
        return stored.sha256, stored.words.tobytes(), stored.starts.tobytes()


class TextCounts(Scenario):
    def run(self, folder, note):
        try:
            stored = StoredCounts(folder / "counts")
        except FileNotFoundError:
            stored = store_texts(
                texts(300),
                folder / "counts",
                vectorizer=CountVectorizer(),
                batch_size=50,
            )
        return stored.sha256, list(stored.feature_names), stored.words.tobytes()


class Lengths:
    """An embedder that computes in no time, and notes what it has read."""

    def __init__(self, note):
        self.note = note

    def transform(self, X):
        self.note(f"read {len(X)}")
        return np.array([[len(text), hash_of(text), 1.0] for text in X], np.float32)


def hash_of(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:2], "big") / 2**16


class Vectors(Scenario):
    n_texts, batch_size = 400, 20

    def run(self, folder, note):
        about = folder / "v.npy.json"
        there = json.loads(about.read_text())["n_texts"] if about.exists() else 0
        note(f"there {there}")
        found = store_vectors(
            texts(self.n_texts),
            folder / "v.npy",
            embedder=Lengths(note),
            batch_size=self.batch_size,
        )
        return found.shape, (folder / "v.npy").read_bytes()

    def check(self, folder, before, after):
        """Each vector that was recorded is computed once (and 16 to compare embedders)."""
        there = int(after[0].split()[1])
        read = sum(int(line.split()[1]) for line in after[1:])
        probed = 16 if there else 0
        assert read <= self.n_texts - there + probed, (there, read)
        done = max(0, sum(line.startswith("read") for line in before) - 1)
        assert there >= (done - 1) * self.batch_size, (there, done)


class Cached(Scenario):
    """The cache of answers and vectors itself."""

    def run(self, folder, note):
        rows_of = texts(400)

        def compute(rows):
            for start in range(0, len(rows), 10):
                some = rows[start : start + 10]
                note("computed " + " ".join(map(str, some)))
                yield some, [rows_of[i].encode() * 40 for i in some]
                note("saved " + " ".join(map(str, some)))

        return get_or_compute(folder / "cache", "context", rows_of, compute)

    def check(self, folder, before, after):
        saved = {n for line in before if line[0] == "s" for n in line.split()[1:]}
        again = {n for line in after if line[0] == "c" for n in line.split()[1:]}
        assert not saved & again, "a value was lost that was saved"


class Augmented(Scenario):
    """Answers of a language model, and the counts of its next words, with their cache."""

    def make(self, folder, parts):
        self.model = str(parts / "model")

    def run(self, folder, note):
        llm = LocalLLM(
            self.model, dtype="float32", cache_dir=folder / "cache", batch_size=4
        )
        richer = LLMAugmenter(llm, max_new_tokens=4).transform(texts(12))
        X = (
            NextWordCounts(llm=llm, weight=3)
            .fit(texts(12))
            .transform(texts(12, seed=1))
        )
        return list(richer), X.toarray().tobytes()


class Fused(Scenario):
    """Topics from texts: vectors come from a language model and are cached."""

    def make(self, folder, parts):
        self.model = str(parts / "encoder")

    def run(self, folder, note):
        embedder = TransformerEmbedder(
            self.model, dtype="float32", cache_dir=folder / "cache", batch_size=4
        )
        model = FusionTopicModel(
            3,
            embedder=embedder,
            vectorizer=CountVectorizer(),
            max_iter=20,
            random_state=0,
        )
        return model.fit_transform(texts(60)).tobytes()


class Suggested(Scenario):
    warm = True

    def make(self, folder, parts):
        self.X = make_topics(80, 40, 3, doc_length=30, random_state=0).data

    def run(self, folder, note):
        found = suggest_n_components(
            GibbsLDA(max_iter=8),
            self.X,
            n_components=[2, 3, 5],
            n_runs=2,
            memory=str(folder / "memory"),
        )
        return found.n_components, found.table.to_numpy().tobytes()


class Tuned(Scenario):
    """Training with checkpoints."""

    def run(self, folder, note):
        tuner = LanguageModelTuner(
            init="random",
            hidden_size=16,
            n_layers=1,
            vocab_size=300,
            max_length=32,
            batch_size=4,
            max_steps=8,
            eval_steps=2,
            output_dir=folder / "tuned",
        ).fit(texts(40))
        place = Path(tuner.model_path_)
        assert not (place.parent / "checkpoints").exists()
        weights = (place / "model.safetensors").read_bytes()
        return weights, tuner.history_["loss"].tobytes()


class Pages(Scenario):
    """A page and a JSON file replace earlier ones."""

    warm = True

    OLD = "an earlier page\n" * 2_000

    def make(self, folder, parts):
        model = make_pipeline(
            CountVectorizer(), GibbsLDA(3, max_iter=20, random_state=0)
        )
        self.topics = read_topics(model.fit(texts(60)), texts(60))
        for name in ("page.html", "topics.json"):
            (folder / name).write_text(self.OLD)

    def run(self, folder, note):
        topic_report(self.topics, path=folder / "page.html")
        note("page.html")
        self.topics.to_json(folder / "topics.json")
        note("topics.json")
        return [(folder / name).read_text() for name in ("page.html", "topics.json")]

    def between(self, folder, before, expected):
        for name, new in zip(("page.html", "topics.json"), expected, strict=True):
            found = (folder / name).read_text()
            assert found == new or (found == self.OLD and name not in before), name


class SavedModel(Scenario):
    """A saved model replaces an earlier one."""

    warm = True

    def make(self, folder, parts):
        X = make_topics(60, 40, 3, doc_length=30, random_state=0).data
        self.old, self.new = (
            GibbsLDA(3, max_iter=5, random_state=seed).fit(X) for seed in (0, 1)
        )
        llmtopics.save(self.old, folder / "model.llmtopics")

    def run(self, folder, note):
        llmtopics.save(self.new, folder / "model.llmtopics")
        note("saved")
        return llmtopics.load(folder / "model.llmtopics").components_.tobytes()

    def between(self, folder, before, expected):
        found = llmtopics.load(folder / "model.llmtopics").components_.tobytes()
        earlier = self.old.components_.tobytes()
        assert found == expected or (found == earlier and not before)


class Unpacked(Scenario):
    """A GGUF file is unpacked once."""

    def make(self, folder, parts):
        self.packed = str(parts / "gguf")

    def run(self, folder, note):
        place = unpacked(self.packed, None, "tiny.gguf", folder / "cache")
        assert folder in place.parents, f"not in the cache: {place}"
        assert not list(place.parent.glob("*.part"))
        return digest(place)


class Cluster(Scenario):
    """A fit with Dask, with checkpoints in files."""

    def make(self, folder, parts):
        from llmtopics.dask import DaskGibbsLDA

        self.make_lda = DaskGibbsLDA
        self.X = make_topics(80, 40, 3, doc_length=30, random_state=0).data

    def run(self, folder, note):
        import dask
        from distributed import Client, LocalCluster

        settings = {"distributed.worker.memory.terminate": False}
        with (
            dask.config.set(settings),
            LocalCluster(
                n_workers=1,
                threads_per_worker=2,
                processes=False,
                dashboard_address=None,
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            lda = self.make_lda(
                4,
                max_iter=12,
                checkpoint_every=2,
                checkpoint_dir=folder / "checkpoints",
                random_state=0,
                client=client,
            )
            return lda.fit(self.X).components_.tobytes()


SCENARIOS = {
    "saved lda": SavedLDA,
    "saved lists": SavedLists,
    "counts": Counts,
    "text counts": TextCounts,
    "vectors": Vectors,
    "cache": Cached,
    "augmented": Augmented,
    "fusion": Fused,
    "suggested": Suggested,
    "tuned": Tuned,
    "pages": Pages,
    "saved model": SavedModel,
    "unpacked": Unpacked,
    "cluster": Cluster,
}
