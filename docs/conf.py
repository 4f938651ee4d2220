"""Sphinx configuration; `make docs` builds with warnings as errors."""

import logging
import re
import shutil
import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert

import llmtopics

sys.path.insert(0, str(Path(__file__).parent))  # for gallery_order
# its warnings say how many texts were cut that the cache on disk lacks: other ones in each build
logging.getLogger("llmtopics").setLevel(logging.ERROR)

project = "llmtopics"
copyright = "2026, the llmtopics developers"
version = release = llmtopics.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "auto_examples/*.ipynb"]  # these are to download
templates_path = ["_templates"]

html_title = "llmtopics"
html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_math_renderer = "mathml"
html_theme_options = {
    "show_toc_level": 1,
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"**": ["all_pages.html"]}
html_show_sourcelink = False
toc_object_entries_show_parents = "hide"

autosummary_generate = True
autodoc_typehints = "none"  # docstrings have the types, in words
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
nb_execution_mode = "force"  # the tutorial has no outputs of its own
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 600  # seconds per cell
nb_merge_streams = True
nb_output_stderr = "remove"  # it says what the cache on disk lacks
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# Without a network the empty inventory is read: names of other libraries are then not
# linked, and nothing fails.
intersphinx_mapping = {
    name: (address, (None, "no_network.inv"))
    for name, address in {
        "joblib": "https://joblib.readthedocs.io/en/stable/",
        "matplotlib": "https://matplotlib.org/stable/",
        "numpy": "https://numpy.org/doc/stable/",
        "pandas": "https://pandas.pydata.org/docs/",
        "python": "https://docs.python.org/3/",
        "scipy": "https://docs.scipy.org/doc/scipy/",
        "sklearn": "https://scikit-learn.org/stable/",
    }.items()
}
intersphinx_timeout = 5  # seconds

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"\.py",  # run every example in the build
    "within_subsection_order": "gallery_order.by_task",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "default_thumb_file": str(Path(__file__).parent / "_static" / "topics.png"),
}


def _keep_together(app, name, source):
    """Break no spread, interval or name of a corpus in the columns of tables."""

    def joined(row):
        row = re.sub(r"([(\[][-+]?\d\.\d+(?:,| to)) (?=[-+]?\d\.)", "\\1\u00a0", row[0])
        return row.replace("± ", "±\u00a0").replace("20 News", "20\u00a0News")

    source[0] = re.sub(r"(?m)^\|.*", joined, source[0])


def _draw_formula(writer, node):
    """Write a formula as MathML: browsers draw it without a script from elsewhere."""
    if isinstance(node, nodes.math_block):
        formula = convert(node.astext(), display="block")
        writer.body.append(f'<div class="math">{formula}</div>\n')
    else:
        writer.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _offer_tutorial(app, error):
    """Put the executed notebook beside its page, which links to it."""
    if not error and app.builder.format == "html":
        executed = Path(app.env.mystnb_config.output_folder) / "tutorial.ipynb"
        shutil.copy(executed, app.outdir)


def setup(app):
    app.add_html_math_renderer("mathml", (_draw_formula, None), (_draw_formula, None))
    app.connect("source-read", _keep_together)
    app.connect("build-finished", _offer_tutorial)
