"""The page ``docs/benchmarks.md``: a module for each section."""
