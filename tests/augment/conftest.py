import pytest

from llmtopics._language import LanguageModel, LocalLLM


@pytest.fixture(scope="session")
def llm(smollm2, tmp_path_factory):
    """The real model in float32. All these tests share its answers."""
    kept = tmp_path_factory.mktemp("cache")
    return LocalLLM(str(smollm2), dtype="float32", cache_dir=kept)


class FakeLLM(LanguageModel):
    """Gives fixed answers, for outcomes that a real model cannot be made to give."""

    def __init__(self, answers, cache_dir=False):
        self.answers = answers
        self.cache_dir = cache_dir

    def _identity(self):
        return "fake"

    def _compute(self, prompts, request, on_error):
        for i, prompt in enumerate(prompts):
            if (answer := self.answers.get(prompt)) is not None:
                yield [i], [answer]


@pytest.fixture
def fake_llm():
    return FakeLLM
