"""Intervals against formulas worked out apart, and the bootstrap against a plain loop."""

import numpy as np
import pytest
from scipy.stats import norm

from radzoo.evaluation.intervals import Bootstrap, newcombe_auc, square_and_add, wilson


def test_wilson_of_10_of_10_is_n_over_n_plus_z_squared():
    low, high = wilson(1.0, 10, 0.95)
    assert low == pytest.approx(10 / (10 + 1.959964**2), abs=1e-6)  # 0.722467
    assert high == pytest.approx(1)


def test_wilson_of_81_of_263_is_newcombes_published_interval():
    # Newcombe, Stat Med 17 (1998), 857-872, table I, method 3: 0.2553 to 0.3662
    assert wilson(81 / 263, 263, 0.95) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def hanley_mcneil(area, m, n):
    """Variance of an AUC as Hanley and McNeil wrote it (1982), with q1 and q2."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    mean = (m + n) / 2
    spread = area * (1 - area) + (mean - 1) * ((q1 - area**2) + (q2 - area**2))
    return spread / (m * n)


@pytest.mark.parametrize(("area", "m", "n"), [(0.8, 20, 30), (0.55, 5, 100), (0.99, 12, 12)])
def test_newcombe_bounds_lie_z_standard_errors_away_as_seen_from_themselves(area, m, n):
    for bound in newcombe_auc(area, m, n, 0.95):
        error = np.sqrt(hanley_mcneil(bound, m, n))
        assert abs(area - bound) / error == pytest.approx(norm.ppf(0.975))


def test_newcombe_of_a_perfect_area_reaches_down_from_1():
    low, high = newcombe_auc(1.0, 10, 10, 0.95)
    assert high == 1
    assert (1 - low) / np.sqrt(hanley_mcneil(low, 10, 10)) == pytest.approx(norm.ppf(0.975))
    assert 0.7 < low < 0.9
    assert newcombe_auc(0.0, 10, 10, 0.95) == pytest.approx((0.0, 1 - low))


def test_newcombe_narrows_with_more_patients():
    widths = [np.diff(newcombe_auc(1.0, n, n, 0.95))[0] for n in (2, 10, 100, 1000)]
    assert widths == sorted(widths, reverse=True)


def test_square_and_add_of_equal_halves_divides_the_width_by_root_2():
    low, high = square_and_add((0.8, 0.8), (0.7, 0.9), (0.7, 0.9))
    assert (low, high) == pytest.approx((0.8 - 0.1 / np.sqrt(2), 0.8 + 0.1 / np.sqrt(2)))


def test_each_draw_takes_as_many_patients_as_there_are():
    bootstrap = Bootstrap(resamples=50)
    draws = np.hstack(list(bootstrap.draws(7, 7)))
    assert draws.shape == (7, 50)
    np.testing.assert_array_equal(draws.sum(axis=0), 7)


def test_draws_do_not_depend_on_the_number_of_images():
    bootstrap = Bootstrap(resamples=100, seed=3)
    whole, chunked = (np.hstack(list(bootstrap.draws(11, n))) for n in (1, 10**6))
    np.testing.assert_array_equal(whole, chunked)


def test_another_seed_draws_others():
    first, second = (np.hstack(list(Bootstrap(20, seed=s).draws(9, 9))) for s in (0, 1))
    assert (first != second).any()


def test_nothing_is_claimed_of_an_unusable_setting():
    with pytest.raises(ValueError, match="resamples must be at least 1; got 0"):
        Bootstrap(resamples=0)
    with pytest.raises(ValueError, match="between 0 and 1; got 95"):
        Bootstrap(confidence=95)


@pytest.mark.parametrize(
    ("patients", "t", "tail"),
    [(2, 12.7062, 0.0), (10, 2.2622, 0.00855), (60, 2.0010, 0.02180), (10**6, 1.9600, 0.025)],
)
def test_the_ends_of_an_interval_are_those_of_students_t_widened_by_what_resampling_loses(
    patients, t, tail
):
    # Student's t as tables have it for patients - 1 degrees of freedom, at 97.5 %
    reach = t * np.sqrt(patients / (patients - 1))
    low, high = Bootstrap().ends(patients)
    assert low == pytest.approx(norm.cdf(-reach), abs=2e-6)
    assert low == pytest.approx(tail, abs=5e-6)
    assert high == 1 - low
