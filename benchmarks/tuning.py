"""Language models trained and tuned on a corpus: perplexity, accuracy, speed, memory.

Appends a JSON line per task and setting to ``results/tuning.jsonl``; those that the file holds
are not repeated, unless ``--again`` is given. Every task has a process of its own, so that its
peak memory is its own. ``--threads 1`` is for a machine that others use, too: threads that
wait for each other take longer than one. SetFit is measured if it is installed.
"""

import tempfile
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from math import exp
from time import perf_counter

import numpy as np

from benchmarks.runs import peak_mib, run_tasks, task_arguments

PACKAGES = "llmtopics torch transformers peft accelerate scikit-learn numpy"
N_TRAIN, N_TEST, N_WORDS = 1500, 225, 100
N_LABELED, N_UNSEEN, N_TOKENS = 200, 500, 128  # of "classify"
N_SEEDS, N_QUICK_SEEDS = 3, 10
QUICK = ("tf-idf, logistic regression", "MiniLM, head, 256 tokens")


def bbc() -> tuple[list[str], list[str]]:
    """Return articles to train on, and the first words of others."""
    from llmtopics.datasets import load_bbc_news

    texts = load_bbc_news().data
    order = np.random.default_rng(0).permutation(len(texts))
    others = [texts[i].split()[:N_WORDS] for i in order[-N_TEST:]]
    return [texts[i] for i in order[:N_TRAIN]], [" ".join(words) for words in others]


def perplexity(setting: str) -> dict:
    """Measure the perplexity of articles before and after training on others."""
    from llmtopics import LanguageModelTuner, LocalLLM
    from llmtopics._language.tune import score

    texts, others = bbc()
    settings: dict = {
        "SmolLM2-135M, LoRA": {
            "max_minutes": 20,
            "validation_fraction": 0.01,
            "eval_steps": 60,
        },
        "random weights, 1 M": {
            "init": "random",
            "n_layers": 4,
            "n_heads": 4,
            "batch_size": 8,
            "n_epochs": 3,
            "max_minutes": 20,
        },
    }[setting]
    with tempfile.TemporaryDirectory() as folder:
        tuner = LanguageModelTuner(output_dir=folder, **settings)
        found = {}
        if tuner.init == "pretrained":
            found["before"] = exp(
                -score(LocalLLM()._folder(), others, None, "causal", 512, "cpu")
            )
        start = perf_counter()
        tuner.fit(texts)
        found["seconds"] = perf_counter() - start
        history = tuner.history_
        checks = history["perplexity"][~np.isnan(history["perplexity"])]
        found["after"] = exp(-tuner.score(others))
    return found | {
        "held_out": [checks[0], checks.min()],
        "tokens": history["tokens"].max(),
        "steps": history["step"].max(),
        "training_seconds": history["seconds"].max(),
        "peak_mib": peak_mib(),
    }


def words_classifier(seed: int):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        TfidfVectorizer(stop_words="english", sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )


def our_classifier(training: str, seed: int, n_tokens: int = N_TOKENS):
    from llmtopics import TransformerClassifier

    return TransformerClassifier(
        training=training, max_length=n_tokens, cache_dir=False, random_state=seed
    )


class SetFit:
    """SetFit with the same weights, through the two methods that the benchmark calls."""

    def __init__(self, seed: int):
        self.seed = seed

    def fit(self, texts: list[str], y: np.ndarray) -> "SetFit":
        from datasets import Dataset
        from setfit import SetFitModel, Trainer, TrainingArguments

        from llmtopics._language.files import find_files

        self.model = SetFitModel.from_pretrained(str(find_files("minilm")))
        self.model.model_body.max_seq_length = N_TOKENS
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                output_dir=folder,
                num_iterations=5,
                num_epochs=1,
                seed=self.seed,
                show_progress_bar=False,
                report_to="none",
            )
            data = Dataset.from_dict({"text": texts, "label": y.tolist()})
            Trainer(self.model, args=arguments, train_dataset=data).train()
        return self

    def predict(self, texts: list[str]) -> np.ndarray:
        return np.array(self.model.predict(texts, show_progress_bar=False))


CLASSIFIERS = {
    "tf-idf, logistic regression": words_classifier,
    "MiniLM, head": partial(our_classifier, "head"),
    "MiniLM, head, 256 tokens": partial(our_classifier, "head", n_tokens=256),
    "MiniLM, LoRA": partial(our_classifier, "lora"),
    "MiniLM, all weights": partial(our_classifier, "full"),
    "SetFit": SetFit,
}


def classify(setting: str, seed: int) -> dict:
    """Measure the accuracy on articles of a classifier that has seen 200 others."""
    from llmtopics.datasets import load_bbc_news

    corpus = load_bbc_news()
    order = np.random.default_rng(seed).permutation(len(corpus.data))
    y = np.asarray(corpus.target)
    some, others = order[:N_LABELED], order[N_LABELED : N_LABELED + N_UNSEEN]
    model = CLASSIFIERS[setting](seed)
    start = perf_counter()
    model.fit([corpus.data[i] for i in some], y[some])
    fitted = perf_counter()
    found = model.predict([corpus.data[i] for i in others])
    return {
        "accuracy": float((found == y[others]).mean()),
        "seconds": fitted - start,
        "predict_seconds": perf_counter() - fitted,
        "peak_mib": peak_mib(),
    }


def tasks() -> Iterator[tuple[str, str, int, partial]]:
    """Yield task, setting, seed and what measures it."""
    for setting in ("SmolLM2-135M, LoRA", "random weights, 1 M"):
        yield "perplexity", setting, 0, partial(perplexity, setting)
    for seed in range(N_QUICK_SEEDS):
        for setting in CLASSIFIERS if seed < N_SEEDS else QUICK:
            if setting != "SetFit" or find_spec("setfit"):
                yield "classify", setting, seed, partial(classify, setting, seed)


def main() -> None:
    options = task_arguments(__doc__).parse_args()
    run_tasks("tuning", tasks(), PACKAGES, options, {"SetFit": "setfit"})


if __name__ == "__main__":
    main()
