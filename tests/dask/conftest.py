"""Clusters that do not lose their workers on a busy machine."""

from contextlib import contextmanager

import dask
import pytest
from distributed import Client, LocalCluster

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


@contextmanager
def two_processes(**config):
    """Yield a client of two processes with one thread each."""
    with (
        dask.config.set(config),
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def client():
    with two_processes() as client:
        yield client


@pytest.fixture
def victims():
    """Two processes for one test, which may kill them.

    On a busy machine Dask does not always start a killed one again, and other tests would
    wait for it forever. Others soon notice a killed one, and give up a task after two of
    its workers have died.
    """
    config = {
        "distributed.comm.timeouts.connect": "30s",
        "distributed.scheduler.allowed-failures": 1,
    }
    with two_processes(**config) as client:
        yield client


@pytest.fixture(scope="module")
def threads():
    """One worker in this process, with two threads."""
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client
