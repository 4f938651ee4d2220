"""Devices to compute on, and their number formats."""

import sys
from collections.abc import Sequence

from llmtopics._progress import stage


def devices_of(device: str | Sequence[str]) -> list[str]:
    """Return the devices to compute on. "auto" is all GPUs, or the CPU without a GPU.

    Raises
    ------
    ValueError
        If PyTorch does not know a device, this machine has no such device, or there is none.
    """
    new = int("torch" not in sys.modules)  # the first import takes seconds
    counted = stage("load PyTorch", new, "packages", slow=True, hidden=True)
    with counted as loaded:
        import torch

        loaded.update()

    if not isinstance(device, str):
        if not device:
            raise ValueError("device is an empty list: name a device, or use 'auto'.")
        return [name for each in device for name in devices_of(each)]
    if device != "auto":
        try:
            found = torch.device(device)
        except RuntimeError as error:
            raise ValueError(
                f"device={device!r} is unknown: {str(error).splitlines()[0]}. Use "
                "device='auto' or 'cpu'."
            ) from None
        count = {"cuda": torch.cuda.device_count, "mps": torch.mps.device_count}
        if found.type in count and (found.index or 0) >= count[found.type]():
            raise ValueError(
                f"device={device!r} was not found on this machine by PyTorch. Use "
                "device='auto' or 'cpu'."
            )
        return [str(found)]
    if torch.cuda.is_available():
        return [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    return ["mps" if torch.backends.mps.is_available() else "cpu"]


def dtype_on(device: str, dtype: str) -> str:
    """Return the number format. "auto" is bfloat16 if the device has it, else float32."""
    import torch

    if dtype != "auto":
        return dtype
    kind = torch.device(device).type
    if kind == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    elif kind == "cpu":
        can = torch.cpu.get_capabilities()
        native = any(can.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    else:
        native = False
    return "bfloat16" if native else "float32"
