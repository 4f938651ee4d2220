"""Gibbs samplers, put together from parts.

``chain``: tokens whose topics are redrawn sweep by sweep. A chain is made of
``assigned_topics`` or ``assigned_paths``: what is drawn per token, and from which formula;
``counts``: how counts of words in topics are stored;
``schedules``: in which order tokens are drawn, and in how many threads.
``word_prior``: β. ``likelihood`` and ``learned_priors``: how likely a state is, and priors that
make it likelier. ``expected_counts``: what is read from a chain at the end. ``mixtures``: topic
mixtures of documents under fixed topics. ``kernels``: the compiled loops.

D documents, T tokens, K topics, V words, B: K filled up to a multiple of sixteen.
"""
