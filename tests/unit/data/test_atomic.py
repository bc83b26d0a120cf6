import pytest

from lit_rec.data.atomic import replace_file
from lit_rec.errors import ConfigError


def test_file_is_replaced_whole(tmp_path):
    path = tmp_path / "new" / "a.txt"
    replace_file(path, lambda work: work.write_text("one"))
    assert path.read_text() == "one"

    def fail(work):
        work.write_text("half")
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        replace_file(path, fail)
    assert path.read_text() == "one"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file/a\.txt: cannot be written"):
        replace_file(tmp_path / "file" / "a.txt", lambda work: work.write_text("x"))
