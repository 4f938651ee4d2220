"""Real clips, spoken by espeak-ng, and the files that tests make of them."""

import os
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

CLIPS = Path(__file__).parents[2] / "examples" / "clips"


@pytest.fixture(scope="session")
def sport():
    """A clip that says "The striker scored two goals in the final match ..."."""
    return CLIPS / "sport.ogg"


@pytest.fixture(scope="session")
def samples(sport):
    """The clip's samples, 16,000 per second, mono."""
    from llmtopics.describe._inputs import Input
    from llmtopics.describe._sound import chunks

    (found,) = chunks(Input("", "", sport), 600)
    found.flags.writeable = False
    return found


def _encoded(samples, rate, codec="pcm_s16le", container="wav", format="s16"):
    """Return the bytes of a file with samples of shape (n_samples, n_channels)."""
    import av

    samples = np.atleast_2d(samples.T).astype(np.float32)
    layout = "stereo" if len(samples) == 2 else "mono"
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples), format="fltp", layout=layout
    )
    frame.sample_rate = 16_000
    frame.time_base, frame.pts = Fraction(1, 16_000), 0
    file = BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout)
        resampler = av.AudioResampler(
            format, layout, rate, frame_size=stream.codec_context.frame_size
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.fixture(scope="session")
def encoded():
    return _encoded


@pytest.fixture
def no_open_files():
    """Fail if the test leaves a file open."""
    before = _open_files()
    yield
    assert _open_files() <= before


def _open_files():
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("open files are counted on Linux only")
    found = set()
    for entry in folder.iterdir():
        try:
            found.add(os.readlink(entry))
        except FileNotFoundError:  # that of the listing itself
            continue
    return {name for name in found if name.startswith("/") and "sqlite" not in name}


# models of real architectures and random weights, which compute in no time


def tokenizer_in(smollm2, *marks, max_length=64):
    from tokenizers.processors import TemplateProcessing
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    tokenizer.add_special_tokens({"additional_special_tokens": [*marks]})
    tokenizer.model_max_length = max_length
    if not marks:  # as BERT's and CLIP's do
        start, end = "<|im_start|>", "<|im_end|>"
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single=f"{start} $A {end}",
            special_tokens=[
                (mark, tokenizer.convert_tokens_to_ids(mark)) for mark in (start, end)
            ],
        )
    return tokenizer


SMALL = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
ENDS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}


def blip(smollm2):
    """BLIP: an encoder of pictures and a decoder, which may go on from a prompt."""
    import transformers as t

    tokenizer = tokenizer_in(smollm2)
    config = t.BlipConfig(
        text_config={
            **SMALL,
            **ENDS,
            "vocab_size": len(tokenizer),
            "sep_token_id": 2,
            "encoder_hidden_size": 16,
            "initializer_range": 0.5,
        },
        vision_config={
            **SMALL,
            "image_size": 32,
            "patch_size": 16,
            "initializer_range": 0.5,
        },
    )
    images = t.BlipImageProcessor(size={"height": 32, "width": 32})
    return t.BlipForConditionalGeneration(config), t.BlipProcessor(images, tokenizer)


TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }}: {% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}<image>{% else %}{{ c['text'] }}{% endif %}"
    "{% endfor %}\n{% endfor %}assistant:"
)


def smolvlm(smollm2):
    """Idefics3, the architecture of SmolVLM: a chat that reads pictures as tokens."""
    import transformers as t

    marks = ["<image>", "<fake_token_around_image>", "<global-img>"]
    tokenizer = tokenizer_in(smollm2, *marks, "<end_of_utterance>", max_length=512)
    config = t.Idefics3Config(
        text_config={
            **SMALL,
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            "num_key_value_heads": 2,
            "max_position_embeddings": 512,
            "pad_token_id": 2,
            "initializer_range": 0.5,
        },
        vision_config={**SMALL, "image_size": 32, "patch_size": 8},
        scale_factor=2,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
    )
    images = t.Idefics3ImageProcessor(
        size={"longest_edge": 64}, max_image_size={"longest_edge": 32}
    )
    processor = t.Idefics3Processor(
        images, tokenizer, image_seq_len=4, chat_template=TEMPLATE
    )
    return t.Idefics3ForConditionalGeneration(config), processor


def clip(smollm2):
    import transformers as t

    tokenizer = tokenizer_in(smollm2, max_length=32)
    text = {**SMALL, **ENDS, "vocab_size": len(tokenizer), "initializer_factor": 50.0}
    config = t.CLIPConfig(
        text_config={**text, "max_position_embeddings": 32},
        vision_config={**SMALL, "image_size": 32, "patch_size": 16},
        projection_dim=8,
    )
    images = t.CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    return t.CLIPModel(config), t.CLIPProcessor(images, tokenizer)


def siglip(smollm2):
    import transformers as t

    tokenizer = tokenizer_in(smollm2, max_length=32)
    text = {**SMALL, **ENDS, "vocab_size": len(tokenizer)}
    config = t.SiglipConfig(
        text_config={**text, "max_position_embeddings": 32},
        vision_config={**SMALL, "image_size": 32, "patch_size": 16},
    )
    images = t.SiglipImageProcessor(size={"height": 32, "width": 32})
    return t.SiglipModel(config), t.SiglipProcessor(images, tokenizer)


KINDS = {"blip": blip, "clip": clip, "siglip": siglip, "smolvlm": smolvlm}


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory, smollm2):
    """Return the folder with a model of random weights, of a kind in ``KINDS``."""
    made = {}

    def make(kind):
        if kind not in made:
            import torch
            from transformers import AutoProcessor

            torch.manual_seed(0)
            folder = tmp_path_factory.mktemp(kind)
            for part in KINDS[kind](smollm2):
                part.save_pretrained(folder)
            try:
                AutoProcessor.from_pretrained(folder)
            except AttributeError:  # SigLIP in transformers 5.0
                pytest.skip("this release of transformers needs sentencepiece for it")
            made[kind] = str(folder)
        return made[kind]

    return make


@pytest.fixture(scope="session")
def two():
    """Two pictures that differ."""
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    return [Image.fromarray(pixels), Image.fromarray(255 - pixels[:, ::-1])]


@pytest.fixture(scope="session")
def pages():
    """The benchmark's module that prints sentences."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2]))
        from benchmarks import pages

        return pages


@pytest.fixture(scope="session")
def strip(pages):
    """A small picture of one line of text."""
    return pages.printed(["Shares fell sharply"], "English")
