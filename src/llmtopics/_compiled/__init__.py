"""Compiled loops: numba, sixteen numbers at a time, threads, and the limits of BLAS."""
