"""What version 0.1.0 called its parts is found."""

from pathlib import Path

from lit_rec.training.checkpoint.former_paths import MOVED, current_paths
from tests.class_names import class_named

# each class that a YAML of version 0.1.0 could name
CLASSES = Path(__file__).with_name("classes_0_1_0.txt").read_text().split()


def test_every_class_is_there_under_its_name():
    assert len(CLASSES) > 80
    for path in CLASSES:
        found = class_named(current_paths(path))
        assert found.__name__ == path.rpartition(".")[2]
        assert f"{found.__module__}.{found.__name__}" == current_paths(path)


def test_nothing_is_moved_twice_or_without_need():
    assert not set(MOVED) & set(MOVED.values())
    assert set(MOVED) <= {path.rpartition(".")[0] for path in CLASSES}


def test_texts_that_are_no_paths_stay():
    for text in (
        "lit_rec",
        "see lit_rec.models.heads.DotHead",
        "other.models.heads.DotHead",
        "",
        3,
    ):
        assert current_paths(text) == text
