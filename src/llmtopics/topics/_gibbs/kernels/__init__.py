"""Compiled inner loops of the samplers.

Arguments are NamedTuples of arrays, scalars and a random generator. Arrays are changed in
place. Estimators, SciPy objects and the global random state are not used here. So every loop
gives the same numbers when it runs as plain Python.

D documents, T tokens, K topics, V words, B: K rounded up to a multiple of sixteen.
"""
