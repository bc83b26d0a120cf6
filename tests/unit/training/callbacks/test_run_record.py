from lit_rec.training.callbacks.run_record import flat_options


def test_options_are_named_by_their_path():
    nested = {
        "data": {"class_path": "x.y.Data", "init_args": {"sizes": [1, 2], "on": True}},
        "model": {"rate": 0.5, "head": {"class_path": "z.Head"}, "nothing": None},
    }
    assert flat_options(nested) == {
        "data": "Data",
        "data.sizes": "[1, 2]",
        "data.on": True,
        "model.rate": 0.5,
        "model.head": "Head",
    }
