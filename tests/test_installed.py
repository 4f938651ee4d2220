"""What an installation brings: licenses of all dependencies, files of the offline packages."""

import base64
import hashlib
import re
import tomllib
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PERMISSIVE = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CNRI-Python",
    "ISC",
    "LLVM-exception",
    "MIT",
    "MIT-CMU",
    "PSF-2.0",
    "Unlicense",
    "Zlib",
}
NAMES = {  # in metadata of packages without an SPDX expression: the same in SPDX
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0 License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "OSI Approved :: Apache Software License": "Apache-2.0",
    "OSI Approved :: BSD License": "BSD-3-Clause",
    "OSI Approved :: ISC License (ISCL)": "ISC",
    "OSI Approved :: MIT License": "MIT",
    "OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "OSI Approved :: Python Software Foundation License": "PSF-2.0",
    "OSI Approved :: The Unlicense (Unlicense)": "Unlicense",
}
WEAK_COPYLEFT = {  # of single files: who changes these must publish the changes
    "certifi": "MPL-2.0; a list of certificates, which we do not change",
    "tqdm": "MPL-2.0 AND MIT; called, not changed",
}
GPU = re.compile(r"nvidia-.*|cuda-.*|triton")  # licenses of NVIDIA; torch for GPUs
# Wheels hold libraries of their own, which their metadata does not mention.
COPYLEFT_LIBRARIES = {
    r"libav(codec|device|filter|format|util)|libsw(resample|scale)": "FFmpeg, LGPL",
    r"libx26[45]": "x264 and x265, GPL-2.0",
    r"libgeos": "GEOS, LGPL-2.1",
    r"libmp3lame|libasound": "LAME and ALSA, LGPL",
    r"libgnutls|libgmp|libhogweed|libnettle|libunistring": "GnuTLS and its parts, LGPL",
}
BUNDLED = {  # who ships the installed packages to others must heed these
    "av": "extra audio: FFmpeg with x264 and x265, which are under the GPL",
    "opencv-python-headless": "extra ocr, by rapidocr: FFmpeg",
    "shapely": "extra ocr, by rapidocr: GEOS",
}


def requirements():
    """Those of the package itself and of all extras, as pyproject.toml has them now."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    return [*project["dependencies"], *(each for extra in extras for each in extra)]


def dependencies():
    """All packages that run-time requirements bring, by name."""
    found = {}
    seen = set()
    todo = [Requirement(each) for each in requirements()]
    while todo:
        each = todo.pop()
        name = canonicalize_name(each.name)
        for extra in {"", *each.extras}:
            if (name, extra) in seen or GPU.fullmatch(name):
                continue
            seen.add((name, extra))
            found[name] = metadata.distribution(name)
            for line in found[name].requires or []:
                needed = Requirement(line)
                if not needed.marker or needed.marker.evaluate({"extra": extra}):
                    todo.append(needed)
    return found


def licenses(about):
    """SPDX identifiers, or what the metadata of a package says in place of them."""
    if about.get("License-Expression"):
        return set(re.findall(r"[\w.+-]+", about["License-Expression"])) - {
            "AND",
            "OR",
            "WITH",
        }
    field = about.get("License", "").strip()
    if field in PERMISSIVE | {"MPL-2.0 AND MIT"}:  # most exact
        return set(field.split(" AND "))
    said = {
        value.removeprefix("License :: ")
        for value in about.get_all("Classifier", [])
        if value.startswith("License :: ")
    } - {"OSI Approved"}
    return {NAMES.get(each, each) for each in said or {field or "unknown"}}


def copyleft_libraries(package):
    files = [path.name for path in package.files or [] if ".so" in path.name]
    return {
        what
        for pattern, what in COPYLEFT_LIBRARIES.items()
        if any(re.match(pattern, name) for name in files)
    }


def test_all_licenses_of_dependencies_are_permissive_or_named():
    found = {
        name: licenses(package.metadata) for name, package in dependencies().items()
    }
    assert {"torch", "numpy", "distributed", "pydantic-core", "tokenizers"} <= {*found}
    others = {name for name, names in found.items() if not names <= PERMISSIVE}
    assert others == {*WEAK_COPYLEFT}, {name: found[name] for name in others}
    for name in others:
        assert found[name] <= PERMISSIVE | {"MPL-2.0"}


def test_copyleft_libraries_inside_wheels_are_named():
    found = {
        name: libraries
        for name, package in dependencies().items()
        if (libraries := copyleft_libraries(package))
    }
    assert {*found} <= {*BUNDLED}, found  # other platforms have fewer


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("License-Expression", "MIT AND (GPL-3.0-only OR MIT)"),
        ("License", "Free for research"),
        (
            "Classifier",
            "License :: OSI Approved :: GNU Affero General Public License v3",
        ),
        ("Classifier", "License :: OSI Approved"),
    ],
)
def test_other_and_unknown_licenses_are_found(field, text):
    about = Message()
    about[field] = text
    assert not licenses(about) <= PERMISSIVE


def packages_with_files():
    """Lines of the lists of weights and corpora, their hashes apart."""
    for name in ("data.txt", "weights.txt"):
        text = (ROOT / "requirements" / name).read_text("utf-8").replace("\\\n", " ")
        for line in text.splitlines():
            if line and not line.startswith("#"):
                requirement, *hashes = re.split(r"\s+--hash=", line)
                yield Requirement(requirement), hashes


def test_weights_and_corpora_are_pinned_by_hash():
    found = list(packages_with_files())
    assert len(found) > 4
    for requirement, hashes in found:
        (release,) = requirement.specifier
        assert release.operator == "==", requirement
        assert hashes, requirement
        for each in hashes:
            assert re.fullmatch(r"sha256:[0-9a-f]{64}", each), requirement


@pytest.mark.parametrize(
    "requirement",
    [each for each, _ in packages_with_files()],
    ids=lambda each: each.name,
)
def test_installed_weights_and_corpora_are_what_was_pinned(requirement):
    """The release, and every file as the package's own list of hashes has it."""
    if requirement.marker and not requirement.marker.evaluate():
        pytest.skip("is for another platform")
    package = metadata.distribution(requirement.name)
    assert requirement.specifier.contains(package.version)
    checked = 0
    for file in package.files:
        if file.hash is None or "__pycache__" in file.parts:
            continue
        with file.locate().open("rb") as content:
            digest = hashlib.file_digest(content, file.hash.mode).digest()
        said = base64.urlsafe_b64decode(file.hash.value + "=")
        assert digest == said, file
        checked += 1
    assert checked
