import math

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from lit_rec.evaluation.metrics import mae, rmse


@pytest.mark.parametrize("rows", [1, 2, 57])
def test_metrics_equal_those_of_scikit_learn(rows):
    chance = np.random.default_rng(rows)
    prediction, target = chance.normal(3, 1, rows), chance.integers(1, 6, rows).astype(float)
    assert rmse(prediction, target) == pytest.approx(root_mean_squared_error(target, prediction))
    assert mae(prediction, target) == pytest.approx(mean_absolute_error(target, prediction))


@pytest.mark.parametrize("metric", [rmse, mae])
def test_metrics_of_no_row_are_nan(metric):
    assert math.isnan(metric(np.array([]), np.array([])))
