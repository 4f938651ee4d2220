"""Build the wheel and the sdist of the last commit into a folder, and check both.

They hold the committed files alone. They are built a second time from the unpacked sdist,
and must then have the same bytes. `make dist` runs this.
"""

import filecmp
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = "src/llmtopics/"
# beside the source: what hatchling adds, and what pyproject.toml includes
BESIDE = {
    ".gitignore",
    "CHANGELOG.md",
    "CITATION.cff",
    "LICENSE",
    "PKG-INFO",
    "README.md",
    "SECURITY.md",
    "pyproject.toml",
}


def output(*command):
    return subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


def build(source, target):
    """Return the wheel and the sdist that hatchling makes of a folder."""
    time = output("git", "log", "-1", "--format=%ct").strip()
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", target],
        cwd=source,
        env=os.environ | {"SOURCE_DATE_EPOCH": time},
        check=True,
    )
    (wheel,) = target.glob("*.whl")
    (sdist,) = target.glob("*.tar.gz")
    return wheel, sdist


def check_contents(wheel, sdist):
    """Compare the names in both packages with the committed files."""
    committed = set(output("git", "ls-files", SOURCE).splitlines())
    with tarfile.open(sdist) as files:
        inside = {name.split("/", 1)[1] for name in files.getnames()}
    compare(sdist, inside, committed | BESIDE)
    with zipfile.ZipFile(wheel) as files:
        inside = set(files.namelist())
    about = f"{'-'.join(wheel.name.split('-')[:2])}.dist-info/"
    about = {about + name for name in ("METADATA", "RECORD", "WHEEL")} | {
        f"{about}licenses/LICENSE"
    }
    compare(wheel, inside, {name.removeprefix("src/") for name in committed} | about)


def compare(package, inside, wanted):
    if inside != wanted:
        sys.exit(
            f"{package.name} lacks {sorted(wanted - inside)} and should not have "
            f"{sorted(inside - wanted)}."
        )


def main(target):
    changed = output("git", "status", "--porcelain")
    if changed:
        sys.exit(f"A release is made of a commit. Commit or remove:\n{changed}")
    packages = build(ROOT, target)
    check_contents(*packages)
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(packages[1]) as files:
            files.extractall(folder, filter="data")
        (unpacked,) = Path(folder).iterdir()
        for first, second in zip(
            packages, build(unpacked, Path(folder) / "again"), strict=True
        ):
            if not filecmp.cmp(first, second, shallow=False):
                sys.exit(f"{first.name} has other bytes when built from the sdist.")
    subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *packages], check=True
    )
    for package in packages:
        print(f"{package.name}: {package.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
