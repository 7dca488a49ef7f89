"""Steps in a row."""

import numpy as np
import pytest

from radzoo.errors import DataError, UnknownName
from radzoo.preprocessing import Pipeline

IMAGE = np.arange(16, dtype=np.float32).reshape(4, 4) / 16


def test_steps_are_applied_in_order():
    crop, shrink = ("crop_centre", {"rows": 2, "columns": 2}), ("resize", {"rows": 1, "columns": 1})
    np.testing.assert_array_equal(Pipeline([crop, shrink])(IMAGE), [[IMAGE[1:3, 1:3].mean()]])


def test_no_steps_leave_the_image_alone():
    np.testing.assert_array_equal(Pipeline()(IMAGE), IMAGE)


def test_the_key_is_that_of_what_is_done():
    by_default = Pipeline([("crop_border", {})])
    written = Pipeline([("crop_border", {"share": 0.05})])
    other = Pipeline([("crop_border", {"share": 0.1})])
    assert by_default.key == written.key != other.key
    assert len(by_default.key) == 64


def test_levels_are_kept_if_every_step_keeps_them():
    assert Pipeline([("crop_border", {}), ("grey_to_rgb", {})]).keeps_levels
    assert not Pipeline([("crop_border", {}), ("normalise_brightness", {})]).keeps_levels


def test_a_pipeline_is_checked_before_any_image_is_read():
    with pytest.raises(UnknownName, match="Did you mean 'resize'"):
        Pipeline([("rezise", {})])
    with pytest.raises(DataError, match=r"'resize' has no option 'row' \(did you mean 'rows'\?\)"):
        Pipeline([("resize", {"row": 3, "columns": 3})])
