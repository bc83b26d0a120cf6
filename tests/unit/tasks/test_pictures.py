import numpy as np
import pytest

from lit_rec.tasks.pictures import confusion, density, enlarged


def test_a_perfect_prediction_is_the_diagonal():
    ratings = np.repeat([1.0, 3.0, 5.0], 4)
    picture = density(ratings, ratings, 1.0, 5.0)[::8, ::8]  # a cell is 8 pixels wide
    assert picture.shape == (40, 40)
    upright = picture[::-1]
    assert np.argwhere(upright).tolist() == [[0, 0], [20, 20], [39, 39]]


def test_each_column_is_scaled_by_its_fullest_cell():
    predicted = np.array([1.0, 1.0, 1.0, 5.0])
    picture = density(predicted, np.full(4, 5.0), 1.0, 5.0)[::8, ::8][::-1]
    assert picture[0, 39] == 1.0
    assert picture[39, 39] == pytest.approx(1 / 3)


def test_equal_ratings_draw_without_an_error():
    assert np.isfinite(density(np.ones(3), np.ones(3), 1.0, 1.0)).all()


def test_confusion_by_hand():
    predicted, true = np.array([0, 2, 2, 1, 0]), np.array([0, 0, 2, 2, 0])
    expected = [[2 / 3, 0, 1 / 3], [0, 0, 0], [0, 0.5, 0.5]]
    np.testing.assert_allclose(confusion(predicted, true, 3), expected, rtol=1e-6)


@pytest.mark.parametrize(("labels", "side"), [(2, 320), (77, 385), (500, 500)])
def test_a_picture_is_large_enough_to_be_seen(labels, side):
    table = np.random.default_rng(0).random((labels, labels)).astype(np.float32)
    picture = enlarged(table)
    assert picture.shape == (side, side)
    step = side // labels
    np.testing.assert_array_equal(picture[step // 2 :: step, step // 2 :: step], table)
