"""The section on what a GPU changes."""

from benchmarks.report.markdown import lines_of, table

DEVICES = """\
## On a GPU

Tokens per second of the embedder, a local language model and a training step, on a GPU and on the CPU beside it.

*embed*: MiniLM encodes BBC articles, of which it reads 256 tokens each (2,225 articles, or 200 on the CPU). Both
times include cutting whole articles into tokens, which is the longer part on the GPU. *Cosine* is the mean to float32
on the CPU. *generate*: new tokens of a model with the shape of SmolLM2-135M and random weights, 32 each for prompts
of 100 words (512 prompts, or 16). *tune*: the same model, LoRA, eight windows of 512 tokens per step. *GiB* is of the
GPU, or of the process. All ran once, with PyTorch 2.11.
Since then, generation on a GPU does without cuDNN's attention: for 160 prompts and 17 new tokens each it took
0.87 seconds without and 1.51 with, and at the first call 0.90 and 3.07.
"""

NO_COSINE = "no vectors"  # of generated tokens and training steps


def section() -> list[str]:
    rows = [
        [
            line["task"],
            line["device"],
            line["setting"].partition(", ")[2],
            f"**{line['tokens'] / line['seconds']:,.0f}**",
            f"{line['mean_cosine']:.5f}" if "mean_cosine" in line else NO_COSINE,
            f"{line['memory_mib'] / 1024:.1f}"
            if "memory_mib" in line
            else "not measured",
        ]
        for line in lines_of("devices")
    ]
    head = ["task", "device", "number format", "tokens per second", "cosine", "GiB"]
    return [DEVICES, table(head, rows)] if rows else []
