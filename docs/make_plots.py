"""Draw the pictures of the guide to plots: ``.venv/bin/python docs/make_plots.py``.

It runs the code of the page in order. The figure of a block is written to the picture after it.
"""

import re
from pathlib import Path

import matplotlib
from matplotlib import pyplot

PAGE = Path(__file__).parent / "guide" / "plots.md"
BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n!\[[^]]*\]\((\S+)\))?", re.DOTALL)


def main() -> None:
    matplotlib.use("Agg")
    names: dict = {}
    for code, picture in BLOCK.findall(PAGE.read_text("utf-8")):
        exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102 (our own page)
        if picture:
            path = PAGE.parent / picture
            path.parent.mkdir(exist_ok=True)
            pyplot.gcf().savefig(path, dpi=100)
        pyplot.close("all")


if __name__ == "__main__":
    main()
