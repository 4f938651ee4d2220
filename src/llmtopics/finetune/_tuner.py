"""A language model tuned on texts."""

from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import as_seed
from llmtopics._language.training import Plan
from llmtopics._language.training_models import Size
from llmtopics._language.tune import Tuning, default_of, score, tune
from llmtopics._progress import fitting
from llmtopics._state import as_fitted, restored_on_error
from llmtopics.finetune._history import history_table
from llmtopics.finetune._inputs import written_texts

_WHOLE = Interval(Integral, 1, None, closed="left")
_SHARE = Interval(Real, 0, 1, closed="left")


@dataclass(eq=False, repr=False)
class LanguageModelTuner(BaseEstimator):
    """Train a language model on your texts, from existing weights or from random ones.

    The result is a folder with a model. Pass its path, ``model_path_``, to
    :class:`LocalLLM` or :class:`TransformerEmbedder`. Training needs the extra ``finetune``.

    Parameters
    ----------
    model : str, default="smollm2"
        The model to start with: a short name, the path of a folder, or a hub id, as in
        :class:`LocalLLM` and :class:`TransformerEmbedder`. Unused if ``init="random"``.

    revision : str or None, default=None
        Branch, tag or commit on the hub.

    objective : {"causal", "masked", "contrastive", "topics"}, default="causal"
        What the model learns: the next token ("causal", of a decoder such as "smollm2"),
        masked tokens ("masked", of an encoder such as "minilm"), or vectors of texts
        ("contrastive" and "topics", of an embedder). With "contrastive" and ``y``, vectors of
        texts of one topic become similar. Without ``y``, each text is read twice with
        different dropout, and the two vectors become similar. With "topics", each topic in
        ``y`` has a vector of its own (prototype), and vectors of its texts become similar to it.

    init : {"pretrained", "random"}, default="pretrained"
        Whether training starts with the weights of ``model``, or with random ones. Random
        models get a tokenizer that is trained on the texts (byte-level BPE): a Llama for
        "causal", a BERT for the others.

    adapter : {"lora"} or None, default="lora"
        What is trained of a pretrained model: small matrices beside its weights (LoRA),
        which are merged into the weights at the end, or None for all weights. Random models
        always train all weights.

    rank : int, default=16
        Rank of the matrices of LoRA.

    hidden_size, n_layers, n_heads, vocab_size : int, default=128, 2, 2, 4000
        Size of a model of random weights: numbers per token, layers, attention heads per
        layer, and most tokens of its vocabulary (at least 260).

    max_length : int or None, default=None
        Tokens of a window. Texts are joined, and cut into windows of about equal sizes, so
        that nothing of long texts is left out. "contrastive" and "topics" read the first
        tokens of each text alone. None is 512 for "causal", 256 for "masked" and 128 for the
        others (at most 256 for random models), or the limit of the model if that is less.

    batch_size : int or "auto", default="auto"
        Windows, or texts, of a batch. "auto" is 2 for "causal", 8 for "masked" and 32 for
        "contrastive" and "topics".

    gradient_accumulation_steps : int, default=1
        Batches per update of the weights. Memory is that of one batch.

    gradient_checkpointing : bool, default=False
        Whether activations are computed twice instead of kept: less memory, more time.

    n_epochs : float, default=1
        How often the texts are read.

    max_steps : int or None, default=None
        Most updates of the weights.

    max_minutes : float or None, default=None
        Minutes after which training stops, those of interrupted runs included. Checks count.
        Loading the model, the last check and saving come on top.

    learning_rate : float or "auto", default="auto"
        "auto" is 5e-4 for LoRA, 5e-5 for all weights, and 1e-3 for random ones. For
        "contrastive" and "topics" it is 1e-4, 2e-5 and 1e-3.

    schedule : str, default="linear"
        How the learning rate falls, by a name of transformers: "linear", "cosine",
        "constant_with_warmup", or "constant", which has no warmup, either.

    warmup : float, default=0.05
        Share of the steps in which the learning rate rises from zero.

    validation_fraction : float, default=0.05
        Share of the texts that is held out. The weights with the least loss on them are
        kept, be they those before training. Of many or long texts, a check reads about 8,192
        tokens, the same ones each time. With 0 the last weights are kept.

    eval_steps : int or "auto", default="auto"
        Steps between two checks on the held-out texts. A checkpoint is written at each.
        "auto" is a tenth of the run.

    patience : int or None, default=3
        Training stops after so many checks without a lower held-out loss. None never stops.

    output_dir : str, Path or None, default=None
        Folder of the checkpoints and of the model. None is a folder in
        ``LLMTOPICS_CACHE`` or the user's cache folder, by texts and parameters. A search
        (``GridSearchCV``) needs None, because a folder holds one model. Models stay there, as
        large as the base model, until you delete their folders.

    device : str, default="auto"
        "cpu", "cuda", "mps", or "auto" for the first GPU or else the processor.

    dtype : {"auto", "float32", "bfloat16", "float16"}, default="auto"
        Number format of the computations (mixed precision). "auto" is bfloat16 where the
        processor or GPU computes in it natively, float32 elsewhere.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    random_state : int, RandomState, Generator or None, default=0
        Seed of all random draws. Only a fixed seed lets an interrupted run continue.

    Attributes
    ----------
    model_path_ : str
        Folder of the tuned model: weights (safetensors), tokenizer, and a card (README.md).

    history_ : dict of str to ndarray of shape (n_rows,)
        The course of training, a table for ``pandas.DataFrame``: ``step``, ``loss``,
        ``held_out_loss``, ``perplexity`` (of held-out tokens; NaN for "contrastive" and
        "topics"), ``learning_rate``, ``tokens`` read so far, ``seconds``,
        ``tokens_per_second``, ``memory_mib`` (of the GPU at its peak, or of the process at
        that time). NaN where a row has no such value. The first held-out row is of the model before training.

    See Also
    --------
    LocalLLM : Reads the tuned model of "causal".
    TransformerEmbedder : Reads the tuned model of the other objectives.
    tune_embedder : Tunes the embedder of a topic model on the topics that it found.

    Notes
    -----
    Calling ``fit`` again after an interrupt continues from the last checkpoint. It gives the
    weights of an unbroken run, unless ``max_minutes`` stops it. A fit that is repeated with
    the same texts and parameters loads the finished model. To train a finished model for
    longer, start from it: ``model=tuner.model_path_``. ``verbose`` may differ, and ``device`` if the number format is
    the same. Two processes that fit the same take turns.

    Adam with decoupled weight decay (AdamW) of PyTorch is the optimizer; the loop is the
    ``Trainer`` of transformers. Batches and dropout depend on ``random_state`` alone.
    On other hardware, or with another number of threads, the last digits differ.

    The loss of "contrastive" is the cross-entropy between the softmax of a text's cosines to
    the others, times 20, and their shared topics ``y @ y.T``. The loss of "topics" is the
    cross-entropy between the softmax of a text's cosines to the prototypes of the topics,
    times 20, and its topics. Prototypes start at the topics' mean vectors, are trained with
    the model, and are not kept. Vectors are means of tokens. If all texts get nearly the
    same vector, ``fit`` raises an error.

    References
    ----------
    T. Gao et al., "SimCSE: simple contrastive learning of sentence embeddings", EMNLP 2021.

    E. J. Hu et al., "LoRA: low-rank adaptation of large language models", ICLR 2022.

    Examples
    --------
    >>> from llmtopics import LanguageModelTuner
    >>> texts = ["the cat sat on the mat", "a dog sat on a log"] * 20
    >>> tuner = LanguageModelTuner(
    ...     init="random", hidden_size=16, n_layers=1, vocab_size=270, max_length=16, n_epochs=3
    ... )
    >>> tuner = tuner.fit(texts)
    >>> perplexities = [n for n in tuner.history_["perplexity"] if n == n]
    >>> bool(perplexities[-1] < perplexities[0])
    True
    """

    model: str = "smollm2"
    _: KW_ONLY
    revision: str | None = None
    objective: str = "causal"
    init: str = "pretrained"
    adapter: str | None = "lora"
    rank: int = 16
    hidden_size: int = 128
    n_layers: int = 2
    n_heads: int = 2
    vocab_size: int = 4000
    max_length: int | None = None
    batch_size: int | str = "auto"
    gradient_accumulation_steps: int = 1
    gradient_checkpointing: bool = False
    n_epochs: float = 1
    max_steps: int | None = None
    max_minutes: float | None = None
    learning_rate: float | str = "auto"
    schedule: str = "linear"
    warmup: float = 0.05
    validation_fraction: float = 0.05
    eval_steps: int | str = "auto"
    patience: int | None = 3
    output_dir: str | Path | None = None
    device: str = "auto"
    dtype: str = "auto"
    verbose: bool | int = False
    random_state: Any = 0

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "model_path_",
        "history_",
        "_max_length",
        "_as_fitted",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "model": [str],
        "revision": [str, None],
        "objective": [StrOptions({"causal", "contrastive", "masked", "topics"})],
        "init": [StrOptions({"pretrained", "random"})],
        "adapter": [StrOptions({"lora"}), None],
        "rank": [_WHOLE],
        "hidden_size": [_WHOLE],
        "n_layers": [_WHOLE],
        "n_heads": [_WHOLE],
        "vocab_size": [Interval(Integral, 260, None, closed="left")],
        "max_length": [Interval(Integral, 8, None, closed="left"), None],
        "batch_size": [_WHOLE, StrOptions({"auto"})],
        "gradient_accumulation_steps": [_WHOLE],
        "gradient_checkpointing": ["boolean"],
        "n_epochs": [Interval(Real, 0, None, closed="neither")],
        "max_steps": [_WHOLE, None],
        "max_minutes": [Interval(Real, 0, None, closed="neither"), None],
        "learning_rate": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"auto"}),
        ],
        "schedule": [
            StrOptions({"linear", "cosine", "constant", "constant_with_warmup"})
        ],
        "warmup": [_SHARE],
        "validation_fraction": [_SHARE],
        "eval_steps": [_WHOLE, StrOptions({"auto"})],
        "patience": [_WHOLE, None],
        "output_dir": [str, Path, None],
        "device": [str],
        "dtype": [StrOptions({"auto", "float32", "bfloat16", "float16"})],
        "verbose": ["verbose"],
        "random_state": ["random_state", np.random.Generator],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Train the model on texts.

        Parameters
        ----------
        X : sequence of str
            Texts. Blank ones teach nothing.
        y : array-like of shape (n_texts,) or (n_texts, n_topics), or None
            Of "contrastive" and "topics": a label of each text, or its topic proportions
            θ. "topics" needs it. Others ignore it.

        Returns
        -------
        self : LanguageModelTuner
            Fitted.

        Raises
        ------
        ValueError
            For what is not a text (naming its row), too few texts, bad parameters, and an
            ``output_dir`` that holds something else.
        FloatingPointError
            If the loss or a weight becomes NaN or infinite. Nothing is kept.
        MemoryError
            Before training, if the device has less memory free than is needed.
        OSError
            If the model is not found, a checkpoint cannot be written, or the finished model
            in ``output_dir`` is damaged.
        ImportError
            If the extra ``finetune`` is not installed.
        """
        texts, topics = written_texts(X, y, self.objective)
        if self.output_dir == "":
            raise ValueError("output_dir is empty: name a folder, or use None.")
        with fitting(self), restored_on_error(self):
            place = self.output_dir
            tuned = tune(
                texts,
                topics,
                self._tuning(as_seed(self.random_state)),
                None if place is None else Path(place).expanduser(),
            )
            self.model_path_ = str(tuned.folder)
            self.history_ = history_table(tuned.history)
            tokens = self.objective in ("causal", "masked")
            losses = self.history_["held_out_loss"]
            self.history_["perplexity"] = np.exp(losses if tokens else losses * np.nan)
            self._max_length = tuned.window
            self._as_fitted = as_fitted(self)
        return self

    def score(self, X, y=None):
        """Return the mean log-likelihood of a token, or minus the loss; larger is better.

        Parameters
        ----------
        X : sequence of str
            Texts. Each is scored alone. Blank ones have no tokens.
        y : array-like or None
            As in :meth:`fit`.

        Returns
        -------
        score : float
            Of "causal": given the tokens before. ``exp(-score)`` is the perplexity. Of
            "masked": given all others (pseudo-likelihood), each token being masked once. Of
            "contrastive" and "topics": minus the loss of "contrastive", in batches of 32. It
            depends on the number of texts: compare models on the same texts and ``y``.

        Raises
        ------
        ValueError
            For what is not a text (naming its row), or if all texts are blank.
        OSError
            If the folder of the model is not there any more.
        """
        check_is_fitted(self)
        return score(
            Path(self.model_path_),
            *written_texts(X, y, self._as_fitted.objective),
            self._as_fitted.objective,
            self._max_length,
            self.device,
        )

    def _tuning(self, seed: int) -> Tuning:
        """Return the parameters as the training code reads them."""
        trained = "random" if self.init == "random" else self.adapter or "all"
        rate, rows = self.learning_rate, self.batch_size
        if rate == "auto":
            rate = default_of(self.objective, "learning_rates", trained)
        if rows == "auto":
            rows = default_of(self.objective, "batch_size")
        plan = Plan(
            **{
                name: getattr(self, name)
                for name in Plan._fields
                if name not in ("seed", "learning_rate", "batch_size")
            },
            seed=seed,
            learning_rate=float(rate),
            batch_size=int(rows),
        )
        size = Size(*(int(getattr(self, name)) for name in Size._fields))
        own = {
            name: getattr(self, name)
            for name in Tuning._fields
            if name not in ("plan", "size")
        }
        return Tuning(**own, size=size, plan=plan)
