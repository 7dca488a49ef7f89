"""The training loop: phases, early stopping, best weights, checkpoints and events.

It knows no framework. A `fitter` does what only a framework can:

    begin_phase(phase)                freeze layers, make a fresh optimiser
    begin_epoch(seed)                 set every random stream of the framework
    step(images, targets, weights)    one optimiser step -> (loss, accuracy); see `targets`
    predict(images)                   probabilities (batch, classes)
    loss(targets, probabilities)      mean loss with penalties, as in `step`
    learning_rate                     a float that can be set
    save(folder) / load(folder)       `weights.safetensors` and the optimiser's state
    load_weights(path)                the weights alone, from such a file
"""

import json
import os
import shutil
import time

import numpy as np

from ...errors import Interrupted, TrainingDiverged
from . import checkpoints

EVENT_EVERY_S = 0.2
PROGRESS = "progress.json"
WEIGHTS, BEST = "weights.safetensors", "best.safetensors"


class Training:
    """One run of the loop; `finish` returns its history.

    Args:
        fitter: see above.
        feed: a `feed.Feed`.
        plan: the request: `folder`, `seed`, `rows` ({"train", "validation"}: row numbers),
            `phases`, `batch_size`, `class_weight`, `augmentation`, `monitor`,
            `early_stopping`, `reduce_on_plateau`.
        send: takes an event.
        stopped: tells whether to stop after this batch.
    """

    def __init__(self, fitter, feed, plan, send, stopped):
        self._fitter, self._feed, self._plan = fitter, feed, plan
        self._send, self._stopped = send, stopped
        self._state = None  # the last intact one; a newer one on the disk may be damaged
        self._progress = {"phase": -1, "epochs_in_phase": 0, "done": True, "history": []}
        self._progress.update(watch={}, best_epoch=None)

    def finish(self):
        """Train to the end, from the last state if there is one.

        Returns:
            One row an epoch: epoch, phase, loss, accuracy, val_loss, val_accuracy,
            val_roc_auc, learning_rate, seconds, images_per_s.

        Raises:
            TrainingDiverged: the loss is no longer a number.
            Interrupted: `stopped` said so.
            CheckpointDamaged: there are states, but none is intact.
        """
        checkpoints.load(self._plan["folder"], self._resume)
        while self._next_phase():
            row = self._epoch()
            self._progress["history"].append(row)
            self._progress["epochs_in_phase"] += 1
            self._watch(row)
            folder = self._plan["folder"]
            self._state = checkpoints.save(folder, row["epoch"], self._write)
            self._send({"event": "epoch", "epochs": self._planned(), **row})
        if self._plan["restore_best"]:
            checkpoints.load(self._plan["folder"], self._restore_best)
        return self._progress["history"]

    def _next_phase(self):
        """Enter the next phase if this one is over; False when there is none left."""
        progress, phases = self._progress, self._plan["phases"]
        if (
            not progress["done"]
            and progress["epochs_in_phase"] < phases[progress["phase"]]["epochs"]
        ):
            return True
        if progress["phase"] + 1 == len(phases):
            return False
        progress.update(phase=progress["phase"] + 1, epochs_in_phase=0, done=False)
        for name in "early_stopping", "reduce_on_plateau":
            progress["watch"].pop(name, None)
        self._fitter.begin_phase(phases[progress["phase"]])
        return True

    def _planned(self):
        """Epochs there will be if no phase stops early."""
        left = self._plan["phases"][self._progress["phase"] :]
        return (
            len(self._progress["history"])
            - self._progress["epochs_in_phase"]
            + sum(phase["epochs"] for phase in left)
        )

    def _epoch(self):
        epoch = len(self._progress["history"])  # its number in random streams, from 0
        began = time.monotonic()
        self._fitter.begin_epoch((self._plan["seed"] * 1000003 + epoch) % 2**32)
        row = {"epoch": epoch + 1, "phase": self._progress["phase"] + 1}
        row.update(self._train(epoch))
        trained = time.monotonic() - began
        row.update(self._validate(epoch))
        row["learning_rate"] = self._fitter.learning_rate
        row["seconds"] = round(time.monotonic() - began, 3)
        row["images_per_s"] = round(len(self._plan["rows"]["train"]) / trained, 1)
        return row

    def _train(self, epoch):
        plan, rows, targets = self._plan, self._plan["rows"]["train"], self._feed.targets
        sums, seen, told = np.zeros(2), np.zeros(2), 0.0
        batches = self._feed.batches(
            rows, plan["batch_size"], plan["seed"], epoch, plan["augmentation"]
        )
        for images, labels, batch in batches:
            if self._stopped():
                raise Interrupted(f"Stopped in epoch {epoch + 1}.")
            result = self._fitter.step(
                images, labels, targets.weights(labels, plan["class_weight"])
            )
            self._refuse_nan(result[0], epoch)
            counts = np.array([len(batch), targets.known(labels)])
            sums, seen = sums + np.multiply(result, counts), seen + counts
            if time.monotonic() - told > EVENT_EVERY_S:
                told = time.monotonic()
                self._tell_step(epoch, int(seen[0]), sums / np.maximum(seen, 1))
        return dict(zip(("loss", "accuracy"), (sums / np.maximum(seen, 1)).tolist(), strict=True))

    def _tell_step(self, epoch, seen, means):
        self._send(
            {
                "event": "step",
                "epoch": epoch + 1,
                "epochs": self._planned(),
                "images": seen,
                "of": len(self._plan["rows"]["train"]),
                "loss": means[0],
                "accuracy": means[1],
            }
        )

    def _refuse_nan(self, loss, epoch):
        if not np.isfinite(loss):
            raise TrainingDiverged(
                f"The loss became {loss} in epoch {epoch + 1} at learning rate "
                f"{self._fitter.learning_rate:g}. Try a smaller "
                "training.optimizer.learning_rate, or training.optimizer.clipnorm: 1.0."
            )

    def _validate(self, epoch):
        rows = np.asarray(self._plan["rows"]["validation"])
        targets, batch_size = self._feed.targets.rows(rows), self._plan["batch_size"]
        probabilities = predict(self._fitter, self._feed, rows, batch_size, self._stopped)
        loss = self._fitter.loss(targets, probabilities)
        self._refuse_nan(loss, epoch)  # the last step of the epoch may be the one that diverged
        return {"val_loss": loss, **self._feed.targets.measured(targets, probabilities)}

    def _watch(self, row):
        """Keep the best weights, stop early, lower the learning rate: as the plan says."""
        plan, value = self._plan, row[self._plan["monitor"]]
        sign = 1 if plan["monitor"].endswith("loss") else -1
        if self._epochs_since_best("best", sign * value, 0.0) == 0:
            self._progress["best_epoch"] = row["epoch"]
        stopping, plateau = plan["early_stopping"], plan["reduce_on_plateau"]
        if stopping:
            waited = self._epochs_since_best("early_stopping", sign * value, stopping["min_delta"])
            self._progress["done"] = waited >= stopping["patience"]
        if plateau:
            waited = self._epochs_since_best("reduce_on_plateau", sign * value, 0.0)
            if waited >= plateau["patience"]:
                self._fitter.learning_rate *= plateau["factor"]
                self._progress["watch"]["reduce_on_plateau"]["waited"] = 0

    def _epochs_since_best(self, name, value, min_delta):
        """Epochs since `value` last fell by more than `min_delta`, 0 if it just did."""
        watch = self._progress["watch"].setdefault(name, {"best": float("inf"), "waited": 0})
        if value < watch["best"] - min_delta:
            watch.update(best=value, waited=0)
        else:
            watch["waited"] += 1
        return watch["waited"]

    def _write(self, folder):
        self._fitter.save(folder)
        if self._plan["restore_best"]:
            is_best = self._progress["best_epoch"] == len(self._progress["history"])
            source = folder if is_best else self._state
            best = os.path.join(source, WEIGHTS if is_best else BEST)
            shutil.copyfile(best, os.path.join(folder, BEST))
        with open(os.path.join(folder, PROGRESS), "w") as file:
            json.dump(self._progress, file)

    def _resume(self, folder):
        with open(os.path.join(folder, PROGRESS)) as file:
            self._progress = json.load(file)
        self._fitter.begin_phase(self._plan["phases"][self._progress["phase"]])
        self._fitter.load(folder)
        self._state = folder
        self._send({"event": "resumed", "history": self._progress["history"]})

    def _restore_best(self, folder):
        self._fitter.load_weights(os.path.join(folder, BEST))


def predict(fitter, feed, rows, batch_size, stopped):
    """Probabilities of the images `rows`, float32 (len(rows), classes).

    The last batch is filled up, since a batch of another size is compiled anew.

    Raises:
        Interrupted: `stopped` said so.
    """
    parts = []
    for start in range(0, len(rows), batch_size):
        if stopped():
            raise Interrupted("Stopped while predicting.")
        batch = np.asarray(rows[start : start + batch_size])
        images = feed.images(np.resize(batch, batch_size))
        parts.append(np.asarray(fitter.predict(images))[: len(batch)])
    return np.concatenate(parts)
