"""What `--device` may say, and what that means to a worker before its framework starts."""

import re

DEVICE = re.compile(r"cpu|auto|gpu(:\d+)?")


def is_valid(asked: str) -> bool:
    """Whether `asked` is cpu, gpu, gpu:N or auto."""
    return DEVICE.fullmatch(asked) is not None


def environment(asked: str) -> dict[str, str]:
    """Environment in which a framework sees only what `asked` allows.

    A CPU run hides every GPU before the framework starts, since TensorFlow and JAX reserve
    a GPU's memory as soon as they see it.
    """
    return {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"} if asked == "cpu" else {}
