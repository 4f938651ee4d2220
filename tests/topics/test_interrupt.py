"""Ctrl-C acts between pieces of the work, not when all documents are done."""

import _thread
import signal

import numpy as np
import pytest

from llmtopics import GibbsLDA, PachinkoAllocation
from llmtopics.topics import _block_kernels as block_kernels
from llmtopics.topics import _gibbs_kernels as gibbs_kernels
from llmtopics.topics import _pachinko_kernels as pachinko_kernels

FIT = {  # the compiled loop, and how many documents its arguments name
    "sweep": (gibbs_kernels, lambda a: len(a[1]) - 1),
    "draw_paths": (pachinko_kernels, lambda a: a[6] - a[5]),
    "share_rows": (block_kernels, lambda a: len(a[1]) - 1),
    "share_paths": (pachinko_kernels, lambda a: len(a[1]) - 1),
}
TRANSFORM = {
    "fold_in": (gibbs_kernels, lambda a: a[8] - a[7]),
    "fold_in_paths": (pachinko_kernels, lambda a: a[9] - a[8]),
}


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("loop", [*FIT, *TRANSFORM])
def test_an_interrupt_stops_soon(monkeypatch, loop, n_jobs):
    X = np.random.default_rng(0).poisson(2, (2000, 60))
    kind = PachinkoAllocation if "paths" in loop else GibbsLDA
    model = kind(300, sampler="exact", max_iter=1, n_jobs=n_jobs, random_state=0)
    if loop in TRANSFORM:
        model.fit(X[:20])
    kernels, n_documents = (FIT | TRANSFORM)[loop]
    done, original = [], getattr(kernels, loop)

    def interrupted(*arguments):
        done.append(n_documents(arguments))
        if len(done) == 1:
            _thread.interrupt_main()
        return original(*arguments)

    # a job that runs in the background may have been told to ignore Ctrl-C
    monkeypatch.setattr(kernels, loop, interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            model.transform(X) if loop in TRANSFORM else model.fit(X)
    finally:
        signal.signal(signal.SIGINT, before)
    assert 0 < sum(done) < 2000
