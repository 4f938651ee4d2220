"""Files and texts that claim much memory: a result or an error, within a limit of memory.

Another process tries them, which may allocate 400 MB more than it has after its imports. A
MemoryError, or an end of the process, fails the test.
"""

import json
import struct
import subprocess
import sys
import zipfile
import zlib
from hashlib import sha256
from io import BytesIO
from shutil import copytree

import numpy as np
import pytest

from llmtopics import GibbsLDA, save, store_counts

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="limits memory as Linux does"
)

TRY = """
import json, resource, sys, time
from pathlib import Path
import torch, transformers, PIL.Image, av, faster_whisper  # before the limit
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline
from llmtopics import *
from llmtopics.describe._inputs import Input
from llmtopics.describe._picture import read_picture
from llmtopics.describe._sound import chunks
from llmtopics.text import split_sentences

place = Path(sys.argv[1])

def one_long_word():
    word = "abcdefghij" * 10**6
    texts = [word, "apple pear. " * 3, "bank money"]
    counter = CountVectorizer(analyzer=TextAnalyzer())
    model = make_pipeline(counter, GibbsLDA(2, max_iter=2, random_state=0)).fit(texts)
    assert model.transform(texts).shape == (3, 2)
    read_topics(model, texts).document_table()
    assert len(split_sentences(word)) == 1
    assert len(TopicSummarizer(model, vector_weight=0).fit(texts).transform(texts)) == 3

def embedder(folder, text="a text"):
    TransformerEmbedder(str(folder), cache_dir=False).fit_transform([text])

def llm(folder, text="a"):
    LocalLLM(str(folder), cache_dir=False).generate([text], max_new_tokens=1)

HOW = {
    "word": lambda path: one_long_word(),
    "picture": lambda path: ImageDescriber(cache_dir=False).transform([path]),
    "sound": lambda path: AudioTranscriber(cache_dir=False).transform([path]),
    "saved": load,
    "counts": StoredCounts,
    "model": embedder,
    "embedded": lambda path: embedder(place / "model whole", path.read_text() * 10**7),
    "asked": lambda path: llm(place / "model whole", path.read_text() * 10**7),
    "llm": llm,
    "gguf": lambda path: LocalLLM(
        str(path.parent), gguf_file=path.name, cache_dir=False
    ).generate(["a"]),
}
try:  # modules that are imported at first use
    GibbsLDA(2, max_iter=2).fit([[1, 2], [2, 1]])
    load(place / "saved whole")
    embedder(place / "model whole")
    llm(place / "model whole")
except Exception as error:
    print(json.dumps(["first", repr(error), 0]))
status = Path("/proc/self/status").read_text()
used = 1024 * int(status.partition("VmData:")[2].split()[0])
resource.setrlimit(resource.RLIMIT_DATA, (used + 400 * 2**20, resource.RLIM_INFINITY))
try:
    bytearray(500 * 2**20)
    print(json.dumps(["no limit", "", 0]))
except MemoryError:
    pass
for path in sorted(place.iterdir()):
    start = time.time()
    try:
        HOW[path.name.split()[0]](path)
        told = "done"
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
    print(json.dumps([path.name, told, time.time() - start]), flush=True)
"""

DEEP = "[" * 100_000 + "]" * 100_000


def png(width, height):
    """A PNG that has all its pixels, black and of one bit, in a few bytes."""

    def part(name, data):
        crc = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + crc

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((width // 8 + 1) * height))
    parts = part(b"IHDR", head) + part(b"IDAT", pixels) + part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def wav(size, n_channels=1):
    form = struct.pack("<HHIIHH", 1, n_channels, 16_000, 32_000, 2, 16)
    head = b"RIFF" + struct.pack("<I", min(size + 36, 2**32 - 1)) + b"WAVEfmt "
    data = b"data" + struct.pack("<I", size) + bytes(2000)
    return head + struct.pack("<I", 16) + form + data


def crafted(path, **members):
    """Write a saved model again, with other members and with their right digests."""
    with zipfile.ZipFile(path) as file:
        found = {name: file.read(name) for name in file.namelist()}
    manifest = json.loads(found.pop("manifest.json"))
    found |= {name.replace("_", ".", 1): data for name, data in members.items()}
    manifest["sha256"] = {
        name: sha256(data).hexdigest() for name, data in found.items()
    }
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, data in [*found.items(), ("manifest.json", json.dumps(manifest))]:
            file.writestr(name, data)
    return made.getvalue()


def array_that_claims(shape):
    out = BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, header)
    return out.getvalue() + bytes(99)


def bomb():
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("manifest.json", "[" + "0," * 10**7 + "0]")
        file.writestr("model.json", bytes(10**9))
    return made.getvalue()


def tensors_that_claim(shape, n_bytes, n_header=None):
    about = {"x": {"dtype": "F32", "shape": shape, "data_offsets": [0, n_bytes]}}
    header = json.dumps(about).encode()
    size = len(header) if n_header is None else n_header
    return struct.pack("<Q", size) + header + bytes(99)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, small_model):
    """A folder of hostile files. The first word of a name says what reads it."""
    place = tmp_path_factory.mktemp("hostile")
    lda = GibbsLDA(2, max_iter=2, random_state=0).fit([[1, 2], [2, 1]])
    save(lda, place / "saved whole")
    whole = place / "saved whole"
    files = {
        "word": b"",
        "embedded words": b"cats ",
        "embedded word": b"cats",
        "asked words": b"cats ",
        "picture of 900 million pixels": png(30_000, 30_000),
        "picture of 180 million pixels": png(18_000, 10_000),
        "sound of 4 GB": wav(2**32 - 1),
        "sound of 2 GB": wav(2**31 - 9999),
        "sound of 65535 channels": wav(2000, 65_535),
        "saved array of exabytes": crafted(
            whole, **{"array-0_npy": array_that_claims((10**9, 10**9))}
        ),
        "saved array of 100 GB": crafted(
            whole, **{"array-0_npy": array_that_claims((10**10,))}
        ),
        "saved deep JSON": crafted(whole, model_json=DEEP.encode()),
        "saved bomb": bomb(),
        "gguf of 2**60 tensors": b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60),
        "gguf of a long text": b"GGUF" + struct.pack("<IQQQ", 3, 1, 1, 2**60) + b"a",
    }
    for name, data in files.items():
        (place / name).write_bytes(data)
    store_counts([[[1, 2], [0, 1]]], place / "counts whole")
    for name in ("counts deep JSON", "counts of exabytes"):
        copytree(place / "counts whole", place / name)
    (about,) = (place / "counts whole").glob("*.json")
    (place / "counts deep JSON" / about.name).write_text(DEEP)
    claimed = json.loads(about.read_text()) | {"n_tokens": 10**17}
    (place / "counts of exabytes" / about.name).write_text(json.dumps(claimed))
    for name, change in {
        "deep JSON": lambda folder: (folder / "config.json").write_text(DEEP),
        "deep tokenizer": lambda folder: (folder / "tokenizer.json").write_text(DEEP),
        "exabytes of weights": lambda folder: (
            folder / "model.safetensors"
        ).write_bytes(tensors_that_claim([10**9, 10**9], 4 * 10**18)),
        "a header of exabytes": lambda folder: (
            folder / "model.safetensors"
        ).write_bytes(tensors_that_claim([9], 36, 2**60)),
    }.items():
        for kind in ("llm", "model"):
            change(copytree(small_model, place / f"{kind} {name}"))
    copytree(small_model, place / "model whole")
    return place


@pytest.mark.slow
def test_what_claims_much_memory_is_an_error_within_a_limit(hostile):
    run = subprocess.run(
        [sys.executable, "-c", TRY, str(hostile)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    told = [json.loads(line) for line in run.stdout.splitlines()]
    assert [name for name, _, _ in told] == sorted(
        path.name for path in hostile.iterdir()
    )
    read = {name for name, outcome, _ in told if outcome == "done"}
    assert read == {
        "asked words",
        "counts whole",
        "embedded word",
        "embedded words",
        "model whole",
        "saved whole",
        "sound of 4 GB",
        "word",
    }
    refused = "ValueError: ", "OSError: "
    wrong = [
        (name, outcome[:300])
        for name, outcome, _ in told
        if name not in read and not outcome.startswith(refused)
    ]
    assert not wrong, "\n".join(map(str, wrong))
    assert max(len(outcome) for _, outcome, _ in told) < 3000
    assert max(seconds for _, _, seconds in told) < 60
