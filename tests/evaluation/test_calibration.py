"""Reliability, recalibration and temperature: whether a probability means what it says."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from radzoo.evaluation import Bootstrap, Predictions
from radzoo.evaluation.calibration import reliability
from radzoo.evaluation.recalibration import intercept, logits, slope
from radzoo.evaluation.temperature import LOWEST, fit_temperature, scaled

FEW = Bootstrap(resamples=200)


def drawn(images=400, factor=1.0, shift=0.0, seed=3):
    """Labels drawn from true odds; the probabilities given are those odds times a factor."""
    random = np.random.default_rng(seed)
    odds = random.normal(0, 1.5, images)
    labels = (random.random(images) < expit(odds)).astype(int)
    patients = [f"p{number // 2}" for number in range(images)]
    return Predictions(labels, expit(factor * odds + shift), patients)


def all_of(label, probabilities):
    people = [f"p{n}" for n in range(len(probabilities))]
    return Predictions([label] * len(probabilities), probabilities, people)


def test_the_expected_calibration_error_of_twenty_images_worked_out_by_hand():
    # Two bins of ten: 0.2 promised and 3 of 10 came; 0.8 promised and 6 of 10 came.
    labels = [1] * 3 + [0] * 7 + [1] * 6 + [0] * 4
    predictions = Predictions(labels, [0.2] * 10 + [0.8] * 10, [f"p{n}" for n in range(20)])
    found = reliability(predictions, FEW)
    assert [(b.probability, b.share.value, b.share.images) for b in found.bins] == [
        pytest.approx((0.2, 0.3, 10)),
        pytest.approx((0.8, 0.6, 10)),
    ]
    assert found.ece.value == pytest.approx(0.5 * 0.1 + 0.5 * 0.2)
    assert "2 bins of equal mass" in found.ece.method
    assert found.ece.low <= found.ece.value <= found.ece.high


def test_bins_are_those_of_scikit_learn_where_no_probability_is_an_edge():
    predictions = drawn()
    share, promised = calibration_curve(
        predictions.labels, predictions.probabilities, n_bins=10, strategy="quantile"
    )
    bins = reliability(predictions, FEW).bins
    assert [b.share.images for b in bins] == [40] * 10
    np.testing.assert_allclose([b.share.value for b in bins], share)
    np.testing.assert_allclose([b.probability for b in bins], promised)


def test_equal_probabilities_are_never_parted():
    found = reliability(Predictions([0, 1] * 20, [0.5] * 40, range(40)), FEW)
    assert len(found.bins) == 1
    assert found.ece.value == 0


def test_slope_and_intercept_are_those_of_newtons_method_by_hand():
    predictions = drawn(factor=2.0, shift=0.5)
    odds, labels = logits(predictions.probabilities), predictions.labels
    for design, offset, ours in (
        (np.column_stack([np.ones(len(odds)), odds]), 0 * odds, slope),
        (np.ones((len(odds), 1)), odds, intercept),
    ):
        found = np.zeros(design.shape[1])
        for _ in range(50):
            mean = expit(offset + design @ found)
            curvature = design.T @ (design * (mean * (1 - mean))[:, None])
            found += np.linalg.solve(curvature, design.T @ (labels - mean))
        assert ours(predictions).value == pytest.approx(found[-1], abs=1e-6)


def test_the_slope_of_doubled_log_odds_is_a_half_and_lies_in_its_interval():
    found = slope(drawn(images=4000, factor=2.0))
    assert found.low < 0.5 < found.high
    assert found.high - found.low < 0.1
    assert found.value == pytest.approx(0.5, abs=0.05)


def test_the_interval_of_the_intercept_is_statsmodels_sandwich_with_patients_as_clusters():
    import statsmodels.api as sm
    from scipy.stats import t as student

    predictions = drawn()
    odds = logits(predictions.probabilities)
    model = sm.GLM(
        predictions.labels, np.ones((len(odds), 1)), family=sm.families.Binomial(), offset=odds
    )
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": predictions.patient_codes})
    width = fit.bse[0] * student.ppf(0.975, predictions.patient_count - 1)
    found = intercept(predictions)
    assert found.value == pytest.approx(fit.params[0], abs=1e-6)
    assert (found.high - found.low) / 2 == pytest.approx(width, rel=1e-4)


@pytest.mark.parametrize(
    ("predictions", "why"),
    [
        (all_of(1, [0.2, 0.9]), "there is no negative image"),
        (Predictions([0, 1], [0.5, 0.5], "ab"), "all probabilities are equal"),
        (Predictions([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], "abcd"), "separate the classes"),
    ],
)
def test_a_slope_that_cannot_be_told_says_why(predictions, why):
    found = slope(predictions)
    assert found.value is None
    assert why in found.note


def test_probabilities_of_0_and_1_are_clipped_and_have_log_odds():
    assert logits(np.array([0.0, 1.0])) == pytest.approx([-13.8155, 13.8155], abs=1e-3)
    assert np.isfinite(intercept(Predictions([0, 1, 0], [0.0, 1.0, 1.0], "abc")).value)


def test_the_temperature_is_the_one_of_a_fine_grid_by_scikit_learns_log_loss():
    validation = drawn(factor=2.5)
    grid = np.linspace(0.5, 6, 1101)
    losses = [log_loss(validation.labels, scaled(validation, t).probabilities) for t in grid]
    found = fit_temperature(validation)
    assert found.value == pytest.approx(grid[int(np.argmin(losses))], abs=0.005)
    assert (found.images, found.patients) == (400, 200)


def test_scaling_by_the_fitted_temperature_mends_the_slope_and_keeps_the_order():
    validation, test = drawn(images=4000, factor=3.0), drawn(images=4000, factor=3.0, seed=4)
    mended = scaled(test, fit_temperature(validation).value)
    assert slope(test).value == pytest.approx(1 / 3, abs=0.05)
    assert slope(mended).value == pytest.approx(1, abs=0.1)
    by_rising = np.argsort(test.probabilities)
    assert (np.diff(mended.probabilities[by_rising]) >= 0).all()
    assert reliability(mended, FEW).ece.value < reliability(test, FEW).ece.value


def test_a_temperature_at_the_end_of_the_search_or_without_meaning_says_so():
    separated = fit_temperature(Predictions([0, 1], [0.4, 0.6], "ab"))
    assert separated.value == LOWEST
    assert "at the lower bound" in separated.note
    assert fit_temperature(Predictions([0, 1], [0.5, 0.5], "ab")).value == 1.0
    assert "of one class" in fit_temperature(all_of(0, [0.1, 0.2])).note
    assert fit_temperature(all_of(0, [0.1, 0.2])).value is None


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"above 0; got 0"):
        scaled(drawn(images=10), 0)


def test_ties_at_the_edges_make_fewer_bins_and_part_no_image_from_its_equals():
    probabilities = [0.2] * 55 + [0.6] * 30 + [0.9] * 15  # most of ten edges fall into ties
    labels = np.arange(100) % 2
    bins = reliability(Predictions(labels, probabilities, range(100)), FEW).bins
    assert [(one.low, one.high, one.share.images) for one in bins] == [
        (0.2, 0.2, 55),
        (0.6, 0.6, 30),
        (0.9, 0.9, 15),
    ]


@pytest.mark.parametrize(("images", "bins"), [(9, 1), (19, 1), (20, 2), (99, 9), (400, 10)])
def test_few_images_have_fewer_bins(images, bins):
    labels = np.arange(images) % 2
    predictions = Predictions(labels, np.linspace(0.01, 0.99, images), range(images))
    assert len(reliability(predictions, FEW).bins) == bins


def test_a_bin_of_one_kind_has_a_score_interval_and_one_of_one_patient_has_none():
    labels = [0] * 10 + [1] * 10
    predictions = Predictions(labels, np.linspace(0, 1, 20), [*range(10), *["same"] * 10])
    first, second = reliability(predictions, FEW).bins
    assert first.share.method == "Wilson score, 10 patients as trials"
    assert first.share.high == pytest.approx(1.959964**2 / (10 + 1.959964**2))
    assert (second.share.value, second.share.low) == (1, None)
    assert second.share.note == "no interval: 10 images, of one patient only"


def test_right_probabilities_have_an_interval_from_0_and_wrong_ones_have_not():
    right, wrong = (reliability(drawn(2000, factor), FEW).ece for factor in (1.0, 4.0))
    assert right.value > 0  # chance alone
    assert right.low == 0
    assert 0.08 < wrong.low < wrong.value < wrong.high


def test_perfect_answers_claim_no_certainty():
    labels = np.arange(40) % 2
    error = reliability(Predictions(labels, labels, range(40)), FEW).ece
    assert (error.value, error.low, error.method) == (0, None, "2 bins of equal mass")
    assert error.note.startswith("no interval: every resample gives the same value")


def test_one_class_and_one_positive_have_an_error():
    probabilities = np.full(30, 0.25)
    none = reliability(Predictions([0] * 30, probabilities, range(30)), FEW)
    assert none.ece.value == pytest.approx(0.25)
    one = reliability(Predictions([1] + [0] * 29, probabilities, range(30)), FEW)
    assert one.ece.value == pytest.approx(0.25 - 1 / 30)
    assert one.ece.low < one.ece.value


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_the_interval_of_the_error_holds_the_truth_about_as_often_as_it_says(factor):
    odds = np.random.default_rng(9).normal(0, 1.5, 40_000)
    promised, true = expit(factor * odds), expit(odds)
    held = 0
    for seed in range(80):
        found = reliability(drawn(factor=factor, seed=seed), Bootstrap(200, seed=seed))
        edges = [one.high for one in found.bins[:-1]]
        gaps = np.bincount(np.searchsorted(edges, promised), true - promised)
        held += found.ece.low <= np.abs(gaps).sum() / len(odds) <= found.ece.high
    assert 0.85 <= held / 80 <= 1


def test_the_interval_of_the_error_ends_at_1():
    labels = [0] * 10 + [1]
    error = reliability(Predictions(labels, [0.999] * 11, range(11)), Bootstrap(200)).ece
    assert error.value == pytest.approx(0.999 - 1 / 11)
    assert error.high == 1


def test_the_interval_of_the_error_is_that_of_a_loop_over_patients_mirrored_at_the_value():
    labels = [0] * 8 + [1] * 12 + [0] * 10
    probabilities = np.repeat([0.9, 0.2, 0.6], [8, 12, 10])
    predictions = Predictions(labels, probabilities, np.arange(30) // 2)
    codes = predictions.patient_codes
    random, values = np.random.default_rng(0), []
    for _ in range(200):
        patients = random.integers(15, size=15)
        images = np.concatenate([np.flatnonzero(codes == patient) for patient in patients])
        gaps = (np.array(labels) - probabilities)[images]
        bins = [gaps[probabilities[images] == one].sum() for one in (0.2, 0.6, 0.9)]
        values.append(np.abs(bins).sum() / len(images))
    found = reliability(predictions, Bootstrap(200)).ece
    low, high = np.quantile(values, Bootstrap().ends(15))
    assert found.value == pytest.approx((8 * 0.9 + 12 * 0.8 + 10 * 0.6) / 30)
    assert (found.low, found.high) == pytest.approx((2 * found.value - high, 2 * found.value - low))
