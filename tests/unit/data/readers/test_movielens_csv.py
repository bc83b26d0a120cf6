import gzip

import pytest

from lit_rec.data.readers.movielens_archive import title_and_year
from lit_rec.data.readers.movielens_csv import MovieLensReader
from lit_rec.errors import ConfigError, DataError


@pytest.fixture
def latest(tmp_path):
    (tmp_path / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n1,10,4.5,100\n2,10,3.0,150\n2,20,0.5,160\n"
    )
    (tmp_path / "movies.csv").write_text(
        'movieId,title,genres\n10,"Usual Suspects, The (1995)",Crime|Thriller\n'
        '20,"Say ""Yes"" (1999)",(no genres listed)\n30,Unseen (2001),Drama\n',
        encoding="utf-8",
    )
    (tmp_path / "tags.csv").write_text(
        "userId,movieId,tag,timestamp\n1,10,twist,90\n2,10,Twist ,110\n2,10,heist,120\n"
        "3,10,Crime,130\n1,10,  ,140\n3,20,dull,300\n"
    )
    return tmp_path


def test_tables_by_hand(latest):
    tables = MovieLensReader(str(latest)).read()
    assert tables.behaviors.rows() == [
        ("1", "10", 4.5, 100.0, 0),
        ("2", "10", 3.0, 150.0, 1),
        ("2", "20", 0.5, 160.0, 2),
    ]
    assert tables.items.rows() == [
        ("10", "The Usual Suspects", "1995", ["Crime", "Thriller"], ["twist", "crime", "heist"]),
        ("20", 'Say "Yes"', "1999", [], ["dull"]),
        ("30", "Unseen", "2001", ["Drama"], []),
    ]
    empty, late = tables.dropped
    assert (empty.rule, empty.dropped, empty.of, empty.of_what) == (
        "the tag is empty",
        1,
        6,
        "tags",
    )
    assert empty.example == "tags.csv, line 6 (item 10)"
    assert late.dropped == 0


def test_tags_of_the_future_can_be_left_out(latest):
    for until in ("120", "1970-01-01T00:02:00"):
        tables = MovieLensReader(str(latest), tags_before=until).read()
        assert tables.items["tags"].to_list() == [["twist"], [], []]
        assert [step.dropped for step in tables.dropped] == [1, 4]
    reader = MovieLensReader(str(latest), tags=False)
    assert "tags" not in reader.read().items.columns
    assert [path.name for path in reader.files()] == ["ratings.csv", "movies.csv"]


def test_an_archive_without_tags(latest):
    (latest / "tags.csv").unlink()
    tables = MovieLensReader(str(latest)).read()
    assert tables.items.columns == ["item_id", "title", "year", "genres"]
    with pytest.raises(DataError, match=r"no file 'tags\.csv'"):
        MovieLensReader(str(latest), tags_before="120").files()


def test_options_that_say_nothing(latest):
    with pytest.raises(ConfigError, match="'later' is not a time"):
        MovieLensReader(str(latest), tags_before="later")
    with pytest.raises(ConfigError, match="'120', but tags are left out"):
        MovieLensReader(str(latest), tags=False, tags_before="120")


@pytest.mark.parametrize(
    ("name", "text", "seen"),
    [
        (
            "ratings.csv",
            "userId,movieId,rating,timestamp\n1,10,4.5\n",
            r"ratings\.csv, line 2: 3 columns",
        ),
        (
            "ratings.csv",
            "user,movieId,rating,timestamp\n1,10,4,5\n",
            r"line 1: there is no column 'userId'; the file has user,",
        ),
        (
            "movies.csv",
            'movieId,title,genres\n10,"A (1990),Drama\n',
            r"movies\.csv, line 2: the quotes",
        ),
        (
            "movies.csv",
            "movieId,title,genres\n10,A,B\n10,C,D\n",
            r"item_id is repeated: '10' on line 2, line 3",
        ),
        (
            "tags.csv",
            "userId,movieId,tag,timestamp\n1,10,x,soon\n",
            r"timestamp is not a time: line 2 \('soon'\)",
        ),
    ],
)
def test_damaged_files(latest, name, text, seen):
    (latest / name).write_text(text)
    with pytest.raises(DataError, match=seen):
        MovieLensReader(str(latest)).read()


@pytest.mark.parametrize(
    ("full", "expected"),
    [
        ("Death Note (2006\u20132007)", ("Death Note", "2006")),
        ("Big Bang Theory, The (2007-)", ("The Big Bang Theory", "2007")),
        ("Babylon 5", ("Babylon 5", None)),
        ("Blade Runner 2049 (2017)", ("Blade Runner 2049", "2017")),
    ],
)
def test_titles_of_the_larger_archives(full, expected):
    assert title_and_year(full) == expected


def test_packed_files(latest):
    plain = MovieLensReader(str(latest)).read()
    for path in [path for path in latest.iterdir() if path.is_file()]:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    packed = MovieLensReader(str(latest)).read()
    assert packed.behaviors.equals(plain.behaviors)
    assert packed.items.equals(plain.items)
