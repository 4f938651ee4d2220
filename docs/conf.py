"""Sphinx configuration; `make docs` builds with warnings as errors."""

import llmtopics

project = "llmtopics"
copyright = "2026, the llmtopics developers"
version = release = llmtopics.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_toc_level": 2}
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("index", "guide/**", "benchmarks")}

autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"\.py",  # run every example in the build
    "abort_on_example_error": True,
    "download_all_examples": False,
}
