import gzip
import json
from pathlib import Path

import pytest

from lit_rec.data.readers.movielens import MovieLens100KReader, title_and_year
from lit_rec.errors import DataError

REAL = Path(__file__).parents[5] / "shared" / "data" / "ml-100k"
FLAGS = "0|0|0|0|0|1|0|0|1|0|0|0|0|0|0|0|0|0|0"


@pytest.fixture
def movielens(tmp_path):
    (tmp_path / "u.data").write_text("1\t1\t5\t100\n2\t2\t3\t90\n")
    (tmp_path / "u1.base").write_text("1\t1\t5\t100\n")
    (tmp_path / "u1.test").write_text("2\t2\t3\t90\n")
    (tmp_path / "u.user").write_text("1|24|M|technician|85711\n2|53|F|other|94043\n")
    (tmp_path / "u.item").write_bytes(
        f"1|Caf\xe9, The (1995)|01-Jan-1995||http://x|{FLAGS}\n2|unknown||||1{'|0' * 18}\n".encode(
            "latin-1"
        )
    )
    films = [{"movielens_id": "1", "plot": "They meet.", "cast": "", "rating": "9.7777"}]
    (tmp_path / "plots.json").write_text(json.dumps(films))
    return tmp_path


def test_movielens(movielens):
    tables = MovieLens100KReader(str(movielens)).read()
    assert tables.behaviors.rows() == [("1", "1", 5.0, 100.0, 0), ("2", "2", 3.0, 90.0, 1)]
    assert tables.items.to_dicts() == [
        {"item_id": "1", "title": "The Caf\xe9", "year": "1995", "genres": "Comedy, Drama"},
        {"item_id": "2", "title": "unknown", "year": None, "genres": ""},
    ]
    assert len(tables.users) == 2


def test_movielens_fold(movielens):
    behaviors = MovieLens100KReader(str(movielens), fold="u1").read().behaviors
    assert behaviors["split"].to_list() == ["train", "test"]
    assert behaviors["row"].to_list() == [0, 1]


def test_movielens_plots_bring_no_rating(movielens):
    reader = MovieLens100KReader(str(movielens), plots=f"{movielens}/plots.json")
    items = reader.read().items
    assert items.columns == ["item_id", "title", "year", "genres", "plot", "directors", "cast"]
    assert items.row(0)[4:] == ("They meet.", None, None)
    assert "9.7777" not in str(items.to_dicts())
    assert reader.files()[-1].name == "plots.json"


def test_movielens_errors(movielens):
    for wrong in ("{", '{"a": 1}', '[{"plot": "x"}]', "[3]"):
        (movielens / "plots.json").write_text(wrong)
        with pytest.raises(DataError, match=r"plots\.json: is not a list of films"):
            MovieLens100KReader(str(movielens), plots=f"{movielens}/plots.json").read()
    (movielens / "u.data").write_text("1\t1\t5\n")
    with pytest.raises(DataError, match=r"folder=.*u\.data, line 1: 3 columns, "):
        MovieLens100KReader(str(movielens)).read()
    (movielens / "u.data").write_text("1\t1\tx\t5\n")
    with pytest.raises(DataError, match=r"rating is not a finite number: line 1 \('x'\)"):
        MovieLens100KReader(str(movielens)).read()


def test_movielens_short_lines(movielens):
    with (movielens / "u.item").open("a") as file:
        file.write("3|Short (1990)|01-Jan-1990\n")
    with pytest.raises(DataError, match=r"u\.item, line 3: 3 columns, '3\|Short"):
        MovieLens100KReader(str(movielens)).read()
    (movielens / "u.user").write_text("")
    (movielens / "u.item").write_bytes(b"")
    with pytest.raises(DataError, match=r"u\.item: the file is empty"):
        MovieLens100KReader(str(movielens)).read()


def test_movielens_absent(movielens):
    reader = MovieLens100KReader(f"{movielens}/nowhere")
    for call in (reader.read, reader.files):
        with pytest.raises(DataError, match=r"folder=.*nowhere: there is no such folder(.|\n)*zip"):
            call()
    (movielens / "u1.test").unlink()
    with pytest.raises(DataError, match=r"u1\.test: there is no file 'u1\.test'(.|\n)*u1\.base"):
        MovieLens100KReader(str(movielens), fold="u1").files()


def test_movielens_rows_know_their_lines(movielens):
    tables = MovieLens100KReader(str(movielens), fold="u1").read()
    assert tables.place(1) == f"MovieLens100KReader.folder={movielens}, u1.test, line 1"


@pytest.mark.parametrize(
    ("full", "expected"),
    [
        ("Toy Story (1995)", ("Toy Story", "1995")),
        ("Postino, Il (1994)", ("Il Postino", "1994")),
        ("Shanghai Triad (Yao a yao) (1995)", ("Shanghai Triad (Yao a yao)", "1995")),
        ("Land Before Time III (1995) (V)", ("Land Before Time III", "1995")),
        ("Enfer, L' (1994)", ("L'Enfer", "1994")),
        ("Big Blue, The (Grand bleu, Le) (1988)", ("The Big Blue (Le Grand bleu)", "1988")),
        ("2001: A Space Odyssey (1968)", ("2001: A Space Odyssey", "1968")),
    ],
)
def test_titles(full, expected):
    assert title_and_year(full) == expected


@pytest.mark.skipif(not REAL.is_dir(), reason="the MovieLens archive is not beside the project")
def test_movielens_archive():
    tables = MovieLens100KReader(str(REAL), fold="u1", plots=str(REAL / "plots.json")).read()
    assert tables.behaviors["split"].value_counts().sort("split")["count"].to_list() == [
        20000,
        80000,
    ]
    assert len(tables.items) == 1682
    assert len(tables.users) == 943
    assert tables.items["plot"].is_not_null().sum() > 1000
    assert len(MovieLens100KReader(str(REAL)).read().behaviors) == 100_000


def test_packed_files(movielens):
    plain = MovieLens100KReader(str(movielens)).read()
    for path in [path for path in movielens.iterdir() if path.is_file()]:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    packed = MovieLens100KReader(str(movielens)).read()
    assert packed.behaviors.equals(plain.behaviors)
    assert packed.items.equals(plain.items)
