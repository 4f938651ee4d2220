"""The client of an estimator: found, and left out of copies and pickles."""

from copy import copy
from typing import Any

from distributed import Client, get_client
from sklearn.base import clone

from llmtopics._sweep_callback import SweepCallback

# what clone of scikit-learn keeps beside parameters
_CLONED = "_metadata_request", "_sklearn_output_config", "_skl_callbacks"


class UsesClient:
    """An estimator with the parameter ``client``."""

    client: Any

    def _client(self) -> Client:
        name, client = type(self).__name__, self.client
        if client is None:
            try:
                client = get_client()
            except ValueError:
                raise ValueError(
                    f"{name} found no client of Dask: create one before fit, such as "
                    "`client = distributed.Client(...)`."
                ) from None
        if client.asynchronous:
            raise ValueError(
                f"{name} got an asynchronous client: pass Client(asynchronous=False)."
            )
        callbacks = getattr(self, "_skl_callbacks", ())
        if any(isinstance(each, SweepCallback) for each in callbacks):
            raise ValueError(
                f"{name} cannot call SweepCallback: its topics are on the workers. Leave it "
                "out, or watch a fit of a sample with the local model."
            )
        return client

    def __getstate__(self):
        state: Any = super().__getstate__()
        return {**state, "client": None}  # a connection stays here

    def __sklearn_clone__(self):
        parameters = self.get_params(deep=False)
        client = parameters.pop("client")  # it cannot be copied
        copied = {name: clone(each, safe=False) for name, each in parameters.items()}
        made = type(self)(**copied, client=client)
        for name in _CLONED:
            if hasattr(self, name):
                setattr(made, name, copy(getattr(self, name)))
        return made
