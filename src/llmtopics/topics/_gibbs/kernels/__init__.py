"""Compiled inner loops of the samplers.

NamedTuples of arrays, scalars and a generator come in. Arrays are changed in place. No
estimator, SciPy object or global random state reaches these files, so every loop gives the
same numbers when it runs as plain Python.

D documents, T tokens, K topics, V words, B: K filled up to a multiple of sixteen.
"""
