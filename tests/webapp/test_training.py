"""The training view of a run that is still under way, and of one that has only begun."""

import csv
import json

import yaml

from radzoo.webapp import training

SPEC = {
    "training": {"monitor": "val_roc_auc", "epochs": 10},
    "model": {"architecture": "tiny_cnn"},
}
MANIFEST = {"state": "running", "backend": "tensorflow", "seed": 3, "title": "Under way"}


def watched(folder, rows):
    """A run directory after so many epochs, as it is while the next one is trained."""
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    (folder / "spec.yaml").write_text(yaml.safe_dump(SPEC))
    if rows:
        with (folder / "history.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return training.watch(folder)


def epoch(number, auc):
    return {
        "epoch": number,
        "loss": 1 / number,
        "val_roc_auc": auc,
        "learning_rate": 0.001,
        "seconds": 30.0,
        "images_per_s": 41.6,
    }


def test_a_run_under_way_says_how_far_it_is_how_fast_and_how_long_it_takes(tmp_path):
    seen = watched(tmp_path, [epoch(1, 0.6), epoch(2, 0.81), epoch(3, 0.7)])
    assert not seen.is_finished
    told = dict(training._numbers(seen, "en"))
    assert list(told.values()) == ["3 / 10", "2", "0.810", "0.001", "42", "4 min"]  # 7 x 30 s


def test_an_epoch_later_it_has_moved_on(tmp_path):
    rows = [epoch(1, 0.6), epoch(2, 0.81)]
    before = watched(tmp_path, rows)
    after = watched(tmp_path, [*rows, epoch(3, 0.9)])
    assert (before.best, after.best) == (2, 3)
    assert [len(one.history) for one in (before, after)] == [2, 3]


def test_a_run_without_an_epoch_yet_has_nothing_to_tell_but_its_length(tmp_path):
    told = list(dict(training._numbers(watched(tmp_path, []), "en")).values())
    assert told == ["0 / 10", *[training.NOTHING] * 5]
