import gzip

import pytest

from lit_rec.data.readers.movielens_1m import MovieLens1MReader
from lit_rec.errors import DataError


@pytest.fixture
def million(tmp_path):
    (tmp_path / "ratings.dat").write_text(
        "1::10::5::978300760\n1::20::3::978302109\n2::10::4::978301968\n"
    )
    (tmp_path / "movies.dat").write_bytes(
        "10::Caf\xe9: Part 2, The (1995)::Comedy|Sci-Fi\n20::Lost::Drama\n".encode("latin-1")
    )
    (tmp_path / "users.dat").write_text("1::F::1::10::48067\n2::M::56::16::70072-1\n")
    return tmp_path


def test_tables_by_hand(million):
    tables = MovieLens1MReader(str(million)).read()
    assert tables.behaviors.rows() == [
        ("1", "10", 5.0, 978300760.0, 0),
        ("1", "20", 3.0, 978302109.0, 1),
        ("2", "10", 4.0, 978301968.0, 2),
    ]
    assert tables.items.rows() == [
        ("10", "The Caf\xe9: Part 2", "1995", ["Comedy", "Sci-Fi"]),
        ("20", "Lost", None, ["Drama"]),
    ]
    assert tables.users.rows() == [
        ("1", "F", "under 18", "K-12 student", "48067"),
        ("2", "M", "56+", "self-employed", "70072-1"),
    ]
    assert tables.place(2).endswith("ratings.dat, line 3")


def test_films_recoded_to_utf_8(million):
    (million / "movies.dat").write_text(
        "10::Am\xe9lie (2001)::Comedy\r\n20::B (1999)::Drama\r\n", encoding="utf-8"
    )
    items = MovieLens1MReader(str(million)).read().items
    assert items["title"].to_list() == ["Am\xe9lie", "B"]
    assert items["genres"].to_list() == [["Comedy"], ["Drama"]]


@pytest.mark.parametrize(
    ("name", "line", "seen"),
    [
        ("ratings.dat", "2::20::4", r"ratings\.dat: line is not 4 columns: line 4 \('2::20::4'\)"),
        ("ratings.dat", "2::20::x::9", r"rating is not a finite number: line 4 \('x'\)"),
        ("ratings.dat", "2::20::4::soon", r"timestamp is neither .*line 4 \('soon'\)"),
        ("movies.dat", "30::A::B::C", r"movies\.dat: line is not 3 columns: line 3"),
        ("movies.dat", "10::Again (1999)::Drama", r"item_id is repeated: '10' on line 1, line 3"),
        ("users.dat", "::M::56::1::2", r"user_id is empty: line 3"),
    ],
)
def test_damaged_lines_are_named(million, name, line, seen):
    with (million / name).open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(DataError, match=seen):
        MovieLens1MReader(str(million)).read()


def test_absent_and_empty_files(million):
    for call in (MovieLens1MReader(f"{million}/no").read, MovieLens1MReader(f"{million}/no").files):
        with pytest.raises(DataError, match=r"no such folder(.|\n)*ml-1m\.zip"):
            call()
    (million / "users.dat").write_text("")
    with pytest.raises(DataError, match=r"users\.dat: the file is empty"):
        MovieLens1MReader(str(million)).read()
    (million / "movies.dat").unlink()
    with pytest.raises(DataError, match=r"no file 'movies\.dat'"):
        MovieLens1MReader(str(million)).files()
    with pytest.raises(DataError, match=r"no file 'movies\.dat'"):
        MovieLens1MReader(str(million)).read()


def test_ten_million_have_half_stars_and_no_users(million):
    (million / "users.dat").unlink()
    (million / "ratings.dat").write_text("1::10::0.5::838985046\n1::20::4.5::838983525\n")
    reader = MovieLens1MReader(str(million))
    tables = reader.read()
    assert tables.behaviors["rating"].to_list() == [0.5, 4.5]
    assert tables.users is None
    assert [path.name for path in reader.files()] == ["ratings.dat", "movies.dat"]


def test_packed_files(million):
    plain = MovieLens1MReader(str(million)).read()
    for path in [path for path in million.iterdir() if path.is_file()]:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    packed = MovieLens1MReader(str(million)).read()
    assert packed.behaviors.equals(plain.behaviors)
    assert packed.items.equals(plain.items)
