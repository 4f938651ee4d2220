"""Ctrl-C stops the work between two pieces, not after the last document."""

import _thread
import signal

import numpy as np
import pytest

from llmtopics import GibbsLDA, PachinkoAllocation
from llmtopics.topics._gibbs.kernels import exact, mixtures, paths, rows

FIT = {  # the file and name of a compiled loop, and where its first document stands
    "topics": (exact, "draw", 5),
    "paths": (paths, "draw", 3),
    "shares of topics": (rows, "share", 2),
    "shares of paths": (paths, "share", 2),
}
TRANSFORM = {
    "mixtures": (mixtures, "infer", 4),
    "mixtures of paths": (mixtures, "infer_paths", 5),
}


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("loop", [*FIT, *TRANSFORM])
def test_an_interrupt_stops_soon(monkeypatch, loop, n_jobs):
    X = np.random.default_rng(0).poisson(2, (2000, 60))
    kind = PachinkoAllocation if "paths" in loop else GibbsLDA
    model = kind(300, sampler="exact", max_iter=1, n_jobs=n_jobs, random_state=0)
    if loop in TRANSFORM:
        model.fit(X[:20])
    kernels, name, place = (FIT | TRANSFORM)[loop]
    done, original = [], getattr(kernels, name)

    def interrupted(*arguments):
        done.append(arguments[place + 1] - arguments[place])
        if len(done) == 1:
            _thread.interrupt_main()
        return original(*arguments)

    # a job that runs in the background may have been told to ignore Ctrl-C
    monkeypatch.setattr(kernels, name, interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            model.transform(X) if loop in TRANSFORM else model.fit(X)
    finally:
        signal.signal(signal.SIGINT, before)
    assert 0 < sum(done) < 2000
