"""Compiled loops (numba, SIMD), threads, and one thread for BLAS."""
