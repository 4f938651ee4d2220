"""Tokens drawn at a temperature."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from llmtopics._language.generate import TokenSampler
from llmtopics._language.request import Request

N_TOKENS = 700  # more than the sampler sorts first


def sampler_of(prompts, **parameters):
    request = Request("generate", "{text}", None, False, None, **parameters)
    return TokenSampler(request, prompts)


def kept(logits, temperature, top_p):
    """The most likely tokens up to a sum of probabilities, as in the paper (top-p)."""
    chances = np.exp(logits / temperature)
    chances /= chances.sum()
    order = np.argsort(-chances)
    n = int(np.searchsorted(chances[order].cumsum(), top_p)) + 1
    left = np.zeros_like(chances)
    left[order[:n]] = chances[order[:n]]
    return left / left.sum()


@pytest.mark.parametrize("top_p", [0.3, 0.9, 1.0])
@pytest.mark.parametrize("spread", [0.1, 3.0])  # nearly equal, a few likely
def test_tokens_are_drawn_with_their_probabilities(top_p, spread):
    logits = np.random.default_rng(0).normal(0, spread, N_TOKENS)
    sampler = sampler_of([str(i) for i in range(4_000)], temperature=0.8, top_p=top_p)
    rows = torch.tensor(logits, dtype=torch.float32).expand(4_000, -1)
    drawn = sampler(None, rows).argmax(1).numpy()
    found = np.bincount(drawn, minlength=N_TOKENS) / 4_000
    expected = kept(logits, 0.8, top_p)
    assert not found[expected == 0].any()
    assert_allclose(found, expected, atol=0.03)


def test_a_draw_does_not_depend_on_other_rows():
    logits = torch.randn(3, N_TOKENS, generator=torch.Generator().manual_seed(0))
    draw = {"temperature": 1.0, "top_p": 0.95, "seed": 4}
    together = sampler_of(["a", "b", "c"], **draw)(None, logits).argmax(1)
    alone = [
        sampler_of([p], **draw)(None, logits[i : i + 1]).argmax(1)
        for i, p in enumerate("abc")
    ]
    assert together.tolist() == torch.cat(alone).tolist()
    other = sampler_of(["a", "b", "c"], **draw | {"seed": 5})(None, logits).argmax(1)
    assert together.tolist() != other.tolist()
