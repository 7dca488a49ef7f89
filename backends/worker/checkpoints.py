"""States from which training continues exactly: `state-NNNN/`, two kept, with hashes.

A state is written under another name, flushed to the disk and renamed, so a folder with the
final name is complete; its hashes tell if the disk has changed it since. No two states share a
file, by a link for instance: what spoils one would spoil the other.
"""

import hashlib
import json
import os
import shutil

from ...errors import CheckpointDamaged

KEPT = 2
PREFIX = "state-"
HASHES = "hashes.json"


def save(folder, epoch, write):
    """Write the state after `epoch` epochs.

    Args:
        folder: the run directory.
        write: called with the path of an empty folder to write the state's files to.

    Returns:
        The path of the state.
    """
    final = os.path.join(folder, f"{PREFIX}{epoch:04d}")
    draft = os.path.join(folder, f".{PREFIX}{epoch:04d}-{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    os.mkdir(draft)
    write(draft)
    hashes = {name: digest(os.path.join(draft, name)) for name in sorted(os.listdir(draft))}
    with open(os.path.join(draft, HASHES), "w") as file:
        json.dump(hashes, file)
    for name in os.listdir(draft):
        flush(os.path.join(draft, name))
    flush(draft)
    if os.path.exists(final):  # a state that was found damaged
        _remove(folder, os.path.basename(final))
    os.rename(draft, final)
    flush(folder)
    for old in _newest_first(folder)[KEPT:]:
        _remove(folder, old)
    return final


def load(folder, read):
    """Read the newest intact state.

    Args:
        read: called with the path of the state's folder.

    Returns:
        What `read` returned, or None if there is no state.

    Raises:
        CheckpointDamaged: every state there is was damaged.
    """
    states = _newest_first(folder)
    for name in states:
        state = os.path.join(folder, name)
        if _is_intact(state):
            return read(state)
    if states:
        raise CheckpointDamaged(
            "Every saved state in {} is damaged ({}): its files do not match their hashes. "
            "To train again from the start, remove the folder.".format(folder, ", ".join(states))
        )
    return None


def whole(path, write):
    """Write a file under another name, flush it and rename it: it is whole or not there.

    Args:
        write: called with the path to write to, which ends as `path` does.
    """
    draft = os.path.join(os.path.dirname(path), ".draft-" + os.path.basename(path))
    write(draft)
    flush(draft)
    os.replace(draft, path)


def digest(path):
    """SHA-256 of a file, in hexadecimal."""
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            sha.update(block)
    return sha.hexdigest()


def flush(path):
    """Bring a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(folder, name):
    """Remove a state under another name: one that is half removed does not look like one."""
    draft = os.path.join(folder, "." + name + "-removed")
    shutil.rmtree(draft, ignore_errors=True)
    os.rename(os.path.join(folder, name), draft)
    shutil.rmtree(draft)


def _newest_first(folder):
    return sorted((name for name in os.listdir(folder) if name.startswith(PREFIX)), reverse=True)


def _is_intact(state):
    try:
        with open(os.path.join(state, HASHES)) as file:
            hashes = json.load(file)
        return bool(hashes) and all(
            digest(os.path.join(state, name)) == sha for name, sha in hashes.items()
        )
    except (OSError, ValueError):
        return False
