import json
from pathlib import Path

import pytest

from lit_rec.data.readers.movielens import MovieLens100KReader, title_and_year
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.readers.recbole import RecBoleReader
from lit_rec.errors import ConfigError, DataError

REAL = Path(__file__).parents[4] / "shared" / "data" / "ml-100k"


@pytest.fixture
def plain(tmp_path):
    (tmp_path / "b.csv").write_text("userId,item_id,stars\nu,a,5\nv,b,1\n")
    (tmp_path / "val.csv").write_text("userId,item_id,stars\nu,b,2\n")
    (tmp_path / "test.csv").write_text("userId,item_id,stars\nv,a,4\n")
    (tmp_path / "i.jsonl").write_text('{"id": "a", "title": "A"}\n{"id": "b", "title": "B"}\n')
    (tmp_path / "u.tsv").write_text("user_id\tage\nu\t3\nv\t4\n")
    return tmp_path


COLUMNS = {
    "behavior_columns": {"user_id": "userId", "rating": "stars"},
    "item_columns": {"item_id": "id"},
}


def test_plain_tables(plain):
    reader = TableReader(
        f"{plain}/b.csv", f"{plain}/i.jsonl", f"{plain}/u.tsv", ordered=True, **COLUMNS
    )
    tables = reader.read()
    assert tables.behaviors.columns == ["user_id", "item_id", "rating", "row"]
    assert tables.behaviors.rows() == [("u", "a", 5.0, 0), ("v", "b", 1.0, 1)]
    assert tables.items.rows() == [("a", "A"), ("b", "B")]
    assert tables.users.rows() == [("u", "3"), ("v", "4")]
    assert tables.ordered
    assert [path.name for path in reader.files()] == ["b.csv", "i.jsonl", "u.tsv"]


def test_a_file_per_part(plain):
    tables = TableReader(
        f"{plain}/b.csv",
        f"{plain}/i.jsonl",
        validation_behaviors=f"{plain}/val.csv",
        test_behaviors=f"{plain}/test.csv",
        **COLUMNS,
    ).read()
    assert tables.behaviors["split"].to_list() == ["train", "train", "val", "test"]
    assert tables.behaviors["row"].to_list() == [0, 1, 2, 3]


def test_plain_options_that_contradict(plain):
    files = (f"{plain}/b.csv", f"{plain}/i.jsonl")
    with pytest.raises(ConfigError, match=r"b\.csv is also behaviors"):
        TableReader(*files, test_behaviors=f"{plain}/../{plain.name}/b.csv")
    with pytest.raises(ConfigError, match=r"test_behaviors.*is also validation_behaviors"):
        TableReader(*files, validation_behaviors="x.csv", test_behaviors="x.csv")
    with pytest.raises(ConfigError, match=r"'raiting' is not.*\n.*\n.*mean 'rating'"):
        TableReader(*files, behavior_columns={"raiting": "stars"})
    with pytest.raises(ConfigError, match="'::' is not one character"):
        TableReader(*files, delimiter="::")


def test_plain_lines_are_those_of_the_file(plain):
    (plain / "b.csv").write_text("userId,item_id,stars\nu,a,good\n")
    (plain / "i.jsonl").write_text('{"id": "a"}\n{"id": ""}\n')
    with pytest.raises(DataError, match="line 2: rating 'good'"):
        TableReader(f"{plain}/b.csv", f"{plain}/i.jsonl", **COLUMNS).read()
    (plain / "b.csv").write_text("userId,item_id,stars\nu,a,5\n")
    with pytest.raises(DataError, match="line 2: item_id '' is empty"):
        TableReader(f"{plain}/b.csv", f"{plain}/i.jsonl", **COLUMNS).read()


def test_plain_parts_agree_on_time(plain):
    (plain / "val.csv").write_text("userId,item_id,stars,timestamp\nu,b,2,7\n")
    reader = TableReader(
        f"{plain}/b.csv", f"{plain}/i.jsonl", validation_behaviors=f"{plain}/val.csv", **COLUMNS
    )
    with pytest.raises(DataError, match="user_id, item_id, rating, timestamp, row"):
        reader.read()


def test_absent_source_names_its_option(plain):
    reader = TableReader(f"{plain}/bb.csv", f"{plain}/i.jsonl")
    with pytest.raises(DataError, match=r"data\.reader\.init_args\.behaviors=.*bb\.csv"):
        reader.files()


@pytest.fixture
def recbole(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "toy.inter").write_text(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t7\t4\t10\n2\t8\t3\t11.5\n"
    )
    (folder / "toy.item").write_text('item_id:token\ttitle:token_seq\n7\tSay "hi"\n8\tB\n')
    return folder


def test_recbole(recbole):
    tables = RecBoleReader(str(recbole)).read()
    assert tables.behaviors.rows() == [("1", "7", 4.0, 10.0, 0), ("2", "8", 3.0, 11.5, 1)]
    assert tables.items.rows() == [("7", 'Say "hi"'), ("8", "B")]
    assert tables.users is None
    (recbole / "toy.user").write_text("user_id:token\tage:float\n1\t30\n2\t31\n")
    reader = RecBoleReader(str(recbole), name="toy")
    assert reader.read().users.rows() == [("1", "30"), ("2", "31")]
    assert [path.name for path in reader.files()] == ["toy.inter", "toy.item", "toy.user"]


@pytest.mark.parametrize(
    ("header", "seen"),
    [("item_id:token\ttitle", "'title'"), ("id:token\tname:token", "'item_id'; the file has id")],
)
def test_recbole_header(recbole, header, seen):
    (recbole / "toy.item").write_text(f"{header}\n7\tA\n")
    with pytest.raises(DataError, match=seen):
        RecBoleReader(str(recbole)).read()


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
    with pytest.raises(ConfigError, match="'u9' is not a fold"):
        MovieLens100KReader(str(movielens), fold="u9")
    for wrong in ("{", '{"a": 1}', '[{"plot": "x"}]', "[3]"):
        (movielens / "plots.json").write_text(wrong)
        with pytest.raises(DataError, match=r"plots\.json: is not a list of films"):
            MovieLens100KReader(str(movielens), plots=f"{movielens}/plots.json").read()
    (movielens / "u.data").write_text("1\t1\t5\n")
    with pytest.raises(DataError, match="3 columns where 4 are expected"):
        MovieLens100KReader(str(movielens)).read()
    (movielens / "u.data").write_text("1\t1\tx\t5\n")
    with pytest.raises(DataError, match="line 1: rating 'x'"):
        MovieLens100KReader(str(movielens)).read()


@pytest.mark.parametrize(
    ("full", "expected"),
    [
        ("Toy Story (1995)", ("Toy Story", "1995")),
        ("Postino, Il (1994)", ("Il Postino", "1994")),
        ("Shanghai Triad (Yao a yao) (1995)", ("Shanghai Triad (Yao a yao)", "1995")),
        ("Land Before Time III (1995) (V)", ("Land Before Time III", "1995")),
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
