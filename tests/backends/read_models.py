"""Take weights from each file of a folder into a small model; tell as JSON what came of it.

    python read_models.py BACKEND_FOLDER FOLDER

prints {name: [what was said or "taken", MB by which the peak of memory grew]}.
"""

import json
import resource
import sys
import types
from pathlib import Path


def small(include_top=True, weights=None):
    """An 'application' of one layer."""
    inputs = keras.Input((4,), name="input_layer")
    return keras.Model(inputs, keras.layers.Dense(2, name="dense")(inputs), name="small")


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**28, 2**28))
    root, folder = sys.argv[1], Path(sys.argv[2])
    for name in "radzoo", "radzoo.backends":  # as the worker does: none of our side is loaded
        package = types.ModuleType(name)
        package.__path__ = [str(Path(root, *name.split(".")[1:]))]
        sys.modules[name] = package
    import keras

    from radzoo.backends.worker import pretrained

    keras.applications.Small = small
    model = small()
    found, before = {}, peak_mb()
    for path in sorted(folder.iterdir()):
        try:
            pretrained.load(model, "Small", str(path))
            said = "taken" if (model.get_weights()[0] == 7).all() else "not what the file holds"
        except Exception as error:  # noqa: BLE001  it is told
            said = f"{type(error).__name__}: {error}"
        model.set_weights([w * 0 for w in model.get_weights()])
        found[path.name], before = [said, peak_mb() - before], peak_mb()
    print(json.dumps(found))  # noqa: T201
