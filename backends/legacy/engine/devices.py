"""The device that CNTK is to use (2.7): found, chosen, and tried on a sum that is known."""

import cntk
import numpy

from . import selftest

GPU = 1  # of `DeviceDescriptor.type`


class DeviceUnavailable(RuntimeError):
    """The device is not there, or computes wrong numbers; the message says which."""


def found():
    """Every device that CNTK sees, "cpu" first."""
    gpus = [device for device in cntk.device.all_devices() if device.type() == GPU]
    return ["cpu"] + ["gpu:{}".format(number) for number in range(len(gpus))]


def take(asked, threads):
    """Choose a device and try it.

    Args:
        asked: "cpu", "gpu", "gpu:N" or "auto": a GPU if there is one.
        threads: of the CPU that CNTK may use.

    Returns:
        "cpu" or "gpu:N".

    Raises:
        DeviceUnavailable: see there.
    """
    used = choice(asked, found())
    # MKL-DNN keeps the number of its first call, and divides by zero if it is another later.
    cntk.cntk_py.set_max_num_cputhreads(threads)
    number = None if used == "cpu" else int(used[4:])
    device = cntk.device.cpu() if number is None else cntk.device.gpu(number)
    if not cntk.device.try_set_default_device(device):
        raise DeviceUnavailable(
            "CNTK could not take device {!r}: another process may hold it alone. Choose another "
            "device, or end that process.".format(str(used))
        )
    _try_out(used, *selftest.errors_on(cntk, numpy))
    return used


def choice(asked, there):
    """The device of `there` that `asked` means.

    Raises:
        DeviceUnavailable: it is not among them.
    """
    if asked == "auto":
        return there[1] if len(there) > 1 else "cpu"
    wanted = "gpu:0" if asked == "gpu" else asked
    if wanted in there:
        return wanted
    raise DeviceUnavailable(
        "Device {!r} is not here. Backend 'cntk' finds: {}. A GPU needs an NVIDIA driver, 410 or "
        "newer, and CNTK's package for it: radzoo backends install cntk --gpu. Choose one of "
        "these, or `auto` for a GPU if there is one.".format(str(asked), ", ".join(there))
    )


def _try_out(used, *errors):
    """An old CUDA build on a newer GPU can run and be wrong: not an error, but wrong numbers."""
    if not all(error < selftest.TOLERANCE for error in errors):
        raise DeviceUnavailable(
            "Device {!r} computes wrong numbers with CNTK 2.7: a convolution is off by {:.1e} "
            "and its gradient by {:.1e}, where {:.0e} is allowed. Use --device cpu, or another "
            "backend.".format(str(used), errors[0], errors[1], selftest.TOLERANCE)
        )
