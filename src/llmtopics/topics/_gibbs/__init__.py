"""Gibbs samplers, built from parts.

``chain``: redraws the topics of all tokens, sweep by sweep. A chain has these parts.
``assigned_topics`` or ``assigned_paths``: what is drawn per token, and by which formula.
``counts``: how counts of words in topics are stored.
``schedules``: the order in which tokens are drawn, and the number of threads.
``word_prior``: β.

``likelihood``: the likelihood of a state. ``learned_priors``: priors learned from it.
``expected_counts``: the counts that give φ. ``mixtures``: topic proportions of documents,
given fixed topics. ``known_counts``: draws of topics under fixed counts. ``path_start``: where
Pachinko allocation starts. ``tokens``, ``pieces``, ``random_streams``: the input, how it is cut,
and its random numbers. ``assigned``: the methods of the ``assigned_…`` classes. ``kernels``: the
compiled loops.

D documents, T tokens, K topics, V words, B: K rounded up to a multiple of sixteen.
"""
