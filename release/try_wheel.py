"""Try the llmtopics that is installed, without extras: its modules, its import, the README.

`make dist` runs this in a new environment, outside of the repository.
"""

import contextlib
import importlib
import io
import pkgutil
import re
import subprocess
import sys
import time
from pathlib import Path

import llmtopics

HEAVY = {"numba", "numpy", "scipy", "sklearn", "torch", "transformers"}


def check_modules():
    """Every module can be imported, or its error names the extra to install."""
    failed = {}
    for module in pkgutil.walk_packages(
        llmtopics.__path__, "llmtopics.", onerror=lambda name: None
    ):
        try:
            importlib.import_module(module.name)
        except ImportError as error:
            if "pip install 'llmtopics[" not in str(error):
                raise
            failed[module.name] = str(error)
    return failed


def check_import():
    """Return the seconds that the import takes, and the number of modules it loads."""
    code = (
        "import sys; before = set(sys.modules); import llmtopics; "
        "print(*set(sys.modules) - before)"
    )
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", ""], check=True)
    empty = time.perf_counter()
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    seconds = time.perf_counter() - empty - (empty - start)
    heavy = HEAVY & set(loaded)
    if heavy:
        sys.exit(f"import llmtopics loads {sorted(heavy)}.")
    return seconds, len(loaded)


def check_readme(path):
    """Its code prints what it says."""
    text = path.read_text("utf-8")
    printed = "".join(re.findall(r"prints\n\n```text\n(.*?)```", text, re.DOTALL))
    names = {}
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
            exec(compile(block, str(path), "exec"), names)  # noqa: S102
    if not printed or shown.getvalue() != printed:
        sys.exit(f"{path} says\n{printed}\nIts code prints\n{shown.getvalue()}")


if __name__ == "__main__":
    home = Path(llmtopics.__file__)
    if not home.is_relative_to(sys.prefix):
        sys.exit(f"llmtopics is read from {home}, not from the environment.")
    seconds, loaded = check_import()
    print(f"import llmtopics: {seconds:.2f} s, {loaded} modules")
    for name, error in check_modules().items():
        print(f"{name}: {error}")
    check_readme(Path(sys.argv[1]))
    print("The code of README.md prints what it says.")
