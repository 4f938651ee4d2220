"""Clusters that do not lose their workers on a busy machine."""

import dask
import pytest

PATIENT = {
    "distributed.comm.timeouts.connect": "300s",
    "distributed.comm.timeouts.tcp": "300s",
    "distributed.scheduler.worker-ttl": None,
    "distributed.worker.memory.terminate": False,
}


@pytest.fixture(autouse=True, scope="session")
def _patient():
    with dask.config.set(PATIENT):
        yield
