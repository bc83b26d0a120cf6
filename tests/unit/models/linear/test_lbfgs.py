"""L-BFGS, on functions whose minimum is known or found by SciPy."""

import numpy as np
import pytest
from scipy.optimize import minimize

from lit_rec.models.linear.lbfgs import minimum


def quadratic(matrix, at):
    return lambda x: ((x - at) @ matrix @ (x - at) / 2, matrix @ (x - at))


def counted(function, calls):
    def called(x):
        calls.append(x)
        return function(x)

    return called


def test_a_quadratic_function_has_its_minimum():
    chance = np.random.default_rng(0)
    root = chance.normal(size=(12, 12))
    matrix, at = root @ root.T + np.eye(12), chance.normal(size=12)
    found = minimum(quadratic(matrix, at), np.zeros(12), np.diag(matrix).copy(), tolerance=1e-12)
    assert found == pytest.approx(at, abs=1e-4)


def test_the_right_curvature_takes_one_step():
    """Of a function with axes of very unequal curvature."""
    curvature = 10.0 ** np.arange(-3, 5)
    function = quadratic(np.diag(curvature), np.ones(8))
    known, unknown = [], []
    for calls, guess in ((known, curvature), (unknown, np.ones(8))):
        found = minimum(counted(function, calls), np.zeros(8), guess, tolerance=1e-14)
        assert found[4:] == pytest.approx(np.ones(4), abs=1e-3)
    assert len(known) <= 3 < len(unknown)


def test_a_function_that_is_not_quadratic_ends_where_scipy_ends():
    chance = np.random.default_rng(1)
    slopes = chance.normal(size=(40, 6))

    def function(x):  # a sum of softplus and squares
        value = np.logaddexp(0, slopes @ x).sum() + x @ x
        return float(value), slopes.T @ (1 / (1 + np.exp(-slopes @ x))) + 2 * x

    found = minimum(function, np.full(6, 5.0), np.full(6, 10.0), tolerance=1e-12)
    peer = minimize(function, np.zeros(6), jac=True, method="L-BFGS-B", tol=1e-12)
    assert found == pytest.approx(peer.x, abs=1e-4)


def test_a_step_that_is_too_long_is_halved():
    """The start's curvature is a thousandth of the true one."""
    found = minimum(quadratic(np.eye(3), np.ones(3)), np.zeros(3), np.full(3, 1e-3))
    assert found == pytest.approx(np.ones(3), abs=1e-3)


def test_the_minimum_stays_where_it_is():
    start = np.ones(3)
    assert minimum(quadratic(np.eye(3), start), start, np.ones(3)) is start


def test_steps_are_limited():
    calls = []
    function = counted(quadratic(np.diag(10.0 ** np.arange(6)), np.ones(6)), calls)
    minimum(function, np.zeros(6), np.full(6, 1e5), tolerance=0.0, max_steps=3)
    assert len(calls) == 4
