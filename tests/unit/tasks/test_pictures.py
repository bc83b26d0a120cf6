import numpy as np
import pytest

from lit_rec.tasks.pictures import confusion, density, enlarged, framed


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


@pytest.mark.parametrize(
    ("names", "bands"),
    [
        (["1", "5"], False),
        (["news", "café", "新闻"], True),
        ([f"label_{n}" for n in range(77)], True),
    ],
)
def test_axes_are_around_the_picture_and_leave_it_as_it_is(names, bands):
    inside = np.zeros((320, 330), np.float32)
    sheet = framed(inside, ("true", names), ("predicted", names[::-1]), bands=bands)
    assert sheet.shape[2] == 3
    dark = sheet[:, :, 0] == 0
    rows, columns = (np.flatnonzero(dark.sum(axis) > 310) for axis in (1, 0))
    assert (len(rows), len(columns)) == (322, 332)  # with a frame
    # something is written on either side, and nothing runs out of the sheet
    assert sheet[:, : columns[0] - 7].min() < 100
    assert sheet[rows[-1] + 7 :].min() < 100
    for edge in (sheet[0], sheet[-1], sheet[:, -1]):
        assert edge.min() == 255


def test_other_names_are_other_axes():
    inside = np.zeros((320, 320), np.float32)
    drawn = [framed(inside, (name, ["1"]), ("y", ["1"])) for name in ("true rating", "rating")]
    assert drawn[0].shape == drawn[1].shape
    assert (drawn[0] != drawn[1]).any()
