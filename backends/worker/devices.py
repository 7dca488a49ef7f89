"""Devices as each framework names them: found, chosen, and really used."""

import os

from ...errors import DeviceUnavailable


class Device:
    """The device that a worker was told to use.

    Attributes:
        used: "cpu" or "gpu:N".
        name: what the framework calls it.
        found: every device it sees, "cpu" first.
        threads: of the CPU that the framework may use; part of a result, since sums over
            threads are rounded in another order.
    """

    def __init__(self, backend, asked):
        framework = _FRAMEWORKS[backend]()
        self.threads = framework.threads
        self.found = ["cpu", *(f"gpu:{n}" for n in range(len(framework.gpus)))]
        self.used = self._choice(asked, backend)
        number = None if self.used == "cpu" else int(self.used[4:])
        self.name = "cpu" if number is None else framework.gpu_name(number)
        framework.use(number)
        self.of = framework.of

    def _choice(self, asked, backend):
        if asked == "auto":
            return self.found[1] if len(self.found) > 1 else "cpu"
        wanted = "gpu:0" if asked == "gpu" else asked
        if wanted not in self.found:
            raise DeviceUnavailable(
                "Device {!r} is not here. Backend {!r} finds: {}. Choose one of these, or "
                "`auto` for a GPU if there is one.".format(asked, backend, ", ".join(self.found))
            )
        return wanted


def _cores():
    return len(os.sched_getaffinity(0))


class _TensorFlow:
    def __init__(self):
        import tensorflow

        self._tf, self.threads = tensorflow, _cores()
        tensorflow.config.threading.set_intra_op_parallelism_threads(self.threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(self.threads)
        self.gpus = tensorflow.config.list_physical_devices("GPU")

    def use(self, number):
        chosen = [] if number is None else [self.gpus[number]]
        self._tf.config.set_visible_devices(chosen, "GPU")

    def gpu_name(self, number):
        details = self._tf.config.experimental.get_device_details(self.gpus[number])
        return details.get("device_name", "GPU")

    def of(self, value):
        return value.device


class _Torch:
    def __init__(self):
        import torch

        self._torch, self.threads = torch, _cores()
        torch.set_num_threads(self.threads)
        self.gpus = range(torch.cuda.device_count())

    def use(self, number):
        if number is not None:
            self._torch.cuda.set_device(number)  # Keras takes the current CUDA device

    def gpu_name(self, number):
        return self._torch.cuda.get_device_name(number)

    def of(self, value):
        return str(value.device)


class _Jax:
    def __init__(self):
        import jax

        self._jax, self.threads = jax, _cores()
        self.gpus = [device for device in jax.devices() if device.platform == "gpu"]

    def use(self, number):
        if number is not None:
            self._jax.config.update("jax_default_device", self.gpus[number])

    def gpu_name(self, number):
        return self.gpus[number].device_kind

    def of(self, value):
        return ", ".join(sorted(map(str, value.devices())))


_FRAMEWORKS = {"tensorflow": _TensorFlow, "torch": _Torch, "jax": _Jax}
