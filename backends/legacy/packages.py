"""The packages of CNTK's runtime: pinned wheels, by version and hash, brought by our own pip."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from ...errors import BackendUnavailable

# The last releases for each interpreter: SHA-256 of the wheels for Linux on x86-64.
WHEELS = {
    "3.6": {
        "cntk==2.7.post2": "71133245e10cdc1eca0b44b5fe241b2c97d0c16b8e12425896541a94ab1b5589",
        "cntk-gpu==2.7.post2": "6954c67b71aa637eb661df720ec72429b3298de9f14f67bfa7ce89752cfccc0d",
        "numpy==1.19.5": "8b5e972b43c8fc27d56550b4120fe6257fdc15f9301914380b27f74856299fea",
        "scipy==1.5.4": "368c0f69f93186309e1b4beb8e26d51dd6f5010b79264c0f1e9ca00cd92ea8c9",
    },
    "3.5": {
        "cntk==2.7.post2": "97506d3c658ccc589a106f29489a70043a29d4af633df390929b9e23ffc2fab4",
        "cntk-gpu==2.7.post2": "7bae08b1fa080f33bc2db962ac58bfc486fc2ca81765d3b6a9cc19c1d58d6bed",
        "numpy==1.18.5": "a78e438db8ec26d5d9d0e584b27ef25c7afa5a182d1bf4d05e313d2d6d515271",
        "scipy==1.4.1": "71eb180f22c49066f25d6df16f8709f215723317cc951d99e54dc88020ea57be",
    },
    "2.7": {
        "cntk==2.7.post2": "3b9e25e29ca3705c124cd9676ecf5e4919792ae09c12a9ef4fa5fdc5049d531a",
        "cntk-gpu==2.7.post2": "6b20a71fe704d1338c918df523be65bad9fecd03a66205bbe4e4a955fbbd9b7a",
        "numpy==1.16.6": "1680c8d5086a88d293dfd1a10b6429a09140cacee878034fa2308472ec835db4",
        "scipy==1.2.3": "e870dfd006ab657f9cc48b099646c5ceb4e812e59a7d460dc80ac9a659f089dc",
        "enum34==1.1.10": "a98a201d6de3f2ab3db284e70a33b0f896fbf35f8086594e8c9e74b909058d53",
    },
}
ABIS = {"3.6": "cp36m", "3.5": "cp35m", "2.7": "cp27mu"}
END = 1500  # characters of what pip says; the reason comes last


def requirements(minor: str, gpu: bool) -> tuple[str, ...]:
    """What the runtime of an interpreter needs.

    Args:
        minor: version of the interpreter, "3.6".
        gpu: CNTK for CUDA in place of CNTK for the CPU.
    """
    unwanted = "cntk==" if gpu else "cntk-gpu=="
    return tuple(pin for pin in WHEELS[minor] if not pin.startswith(unwanted))


def bring(minor: str, pins: tuple[str, ...], site: Path, lock: IO[str]) -> None:
    """Put packages into a new folder, each checked against its hash.

    Args:
        minor: version of the interpreter that they are for.
        pins: of `requirements`.
        site: the folder; pip works beside it.
        lock: a locked file. pip shares it: if we are killed, its work still ends under the lock.

    Raises:
        BackendUnavailable: pip is missing or could not bring them; the message ends with its words.
    """
    listed = site.with_name("requirements.txt")
    listed.write_text("".join(f"{pin} --hash=sha256:{WHEELS[minor][pin]}\n" for pin in pins))
    done = subprocess.run(
        [*_command(minor), "--target", str(site), "--requirement", str(listed)],
        env=os.environ | {"TMPDIR": str(site.parent)},  # rests go with the folder
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=[lock.fileno()],
        check=False,
    )
    if done.returncode:
        raise BackendUnavailable(
            f"pip could not bring {', '.join(pins)}. If pip is missing here: {sys.executable} -m "
            "ensurepip. If the network failed, give the same command again: what was downloaded "
            f"is kept. pip's last words:\n{done.stdout[-END:].strip()}"
        )


def _command(minor: str) -> list[str]:
    platforms = [f"--platform={tag}_x86_64" for tag in ("manylinux1", "manylinux2010")]
    pip = [sys.executable, "-P", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return [
        *pip,
        "--root-user-action=ignore",
        "--no-compile",  # ours would compile for itself
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "--implementation=cp",
        f"--python-version={minor}",
        f"--abi={ABIS[minor]}",
        "--abi=none",
        *platforms,
    ]
