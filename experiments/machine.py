"""What bears on a measured time: the computer, and what else it is doing."""

import os
import time
from pathlib import Path

from . import provenance


def facts() -> dict[str, str]:
    """Of the computer and its system, in words."""
    machine, git = provenance.machine(), provenance.git()
    changed = " with changes" if git.get("dirty") else ""
    return {
        "processor": machine["processor"],
        "memory": f"{_memory_gib():.0f} GiB",
        "system": f"{machine['system']} {machine['release']}",
        "NVIDIA driver": _driver(),
        "date": provenance.now(),
        "commit": git["commit"][:12] + changed if git else "unknown",
    }


def busy_cores(seconds: float = 0.5) -> float:
    """Cores that are kept busy while this process waits: by other programs, if ours are idle."""
    before = _busy_s()
    time.sleep(seconds)
    return round(max(0.0, (_busy_s() - before) / seconds), 2)


def _busy_s() -> float:
    """Seconds that all cores together have been busy since the system began.

    Source:
        proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal.
    """
    first = Path("/proc/stat").read_text().partition("\n")[0].split()
    user, nice, system, _, _, interrupts, soft, stolen = map(int, first[1:9])
    return (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK")


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _driver() -> str:
    try:
        return Path("/proc/driver/nvidia/version").read_text().splitlines()[0]
    except OSError:
        return "none"
