import gzip
import json

import pytest

from lit_rec.data.readers.amazon import Amazon2018Reader, Amazon2023Reader
from lit_rec.errors import DataError

REVIEWS_2018 = [
    {
        "reviewerID": "A1",
        "asin": "B1",
        "overall": 5.0,
        "unixReviewTime": 100,
        "reviewText": "Good &amp; cheap",
        "summary": "Yes",
    },
    {
        "reviewerID": "A2",
        "asin": "B2",
        "overall": 1.0,
        "unixReviewTime": 50,
        "summary": "<b>No</b>",
        "vote": "3",
    },
    {
        "reviewerID": "A1",
        "asin": "B1",
        "overall": 5.0,
        "unixReviewTime": 100,
        "reviewText": "Good &amp; cheap",
        "summary": "Yes",
    },
    {
        "reviewerID": "A1",
        "asin": "B1",
        "overall": 4.0,
        "unixReviewTime": 100,
        "reviewText": "Good &amp; cheap",
        "summary": "Yes",
    },
]
META_2018 = [
    {
        "asin": "B2",
        "title": "Two",
        "description": ["It is<br>big.", "", "Very."],
        "category": ["A &amp; B", "C"],
        "price": "$1,299.00",
    },
    {
        "asin": "B1",
        "title": "var aPageStart = (new Date()).getTime();",
        "feature": ["f1", "<i></i>"],
        "brand": "Br&#39;s",
        "also_buy": ["B2"],
        "price": ".a-box {",
    },
    {"asin": "B2", "title": "Two again"},
    {"asin": "B9", "title": "Nobody bought it"},
]


def write(path, records, spoil=lambda i, line: line):
    lines = [spoil(i, json.dumps(record)) for i, record in enumerate(records)]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return str(path)


@pytest.fixture
def old(tmp_path):
    return write(tmp_path / "Toys.json.gz", REVIEWS_2018), write(
        tmp_path / "meta_Toys.json.gz", META_2018
    )


def test_2018_by_hand(old):
    tables = Amazon2018Reader(*old).read()
    assert tables.behaviors.columns == [
        "user_id",
        "item_id",
        "rating",
        "timestamp",
        "text",
        "summary",
        "row",
    ]
    assert tables.behaviors.rows() == [
        ("A1", "B1", 5.0, 100.0, "Good & cheap", "Yes", 0),
        ("A2", "B2", 1.0, 50.0, None, "No", 1),
        ("A1", "B1", 4.0, 100.0, "Good & cheap", "Yes", 2),
    ]
    assert tables.items.rows(named=True) == [
        {
            "item_id": "B2",
            "title": "Two",
            "description": "It is big. Very.",
            "features": [],
            "categories": ["A & B", "C"],
            "brand": None,
            "price": 1299.0,
            "also_buy": [],
        },
        {
            "item_id": "B1",
            "title": None,
            "description": None,
            "features": ["f1"],
            "categories": [],
            "brand": "Br's",
            "price": None,
            "also_buy": ["B2"],
        },
    ]
    assert tables.place(2).endswith("Toys.json.gz, line 4")


def test_what_is_left_out_is_counted(old):
    tables = Amazon2018Reader(*old).read()
    assert [
        (s.rule, s.dropped, s.of, s.of_what, s.example) for s in tables.dropped if s.dropped
    ] == [
        ("the same review again", 1, 4, "reviews", "Toys.json.gz, line 3 (user A1, item B1)"),
        ("a further object of the same item", 1, 4, "items", "meta_Toys.json.gz, line 3 (item B2)"),
        ("no review names the item", 1, 3, "items", "meta_Toys.json.gz, line 4 (item B9)"),
        (
            "code of a page in place of a title",
            1,
            2,
            "titles",
            "meta_Toys.json.gz, line 2 (item B1)",
        ),
    ]
    everything = Amazon2018Reader(*old, items="all").read()
    assert everything.items["item_id"].to_list() == ["B2", "B1", "B9"]


@pytest.fixture
def new(tmp_path):
    reviews = [
        {
            "user_id": "U1",
            "asin": "V1",
            "parent_asin": "P1",
            "rating": 4.0,
            "timestamp": 1588687728923,
            "text": "a&#34;b",
            "title": "T",
        },
        {
            "user_id": "U1",
            "asin": "P2",
            "rating": 2,
            "timestamp": 1588687728000,
            "text": "",
            "title": "",
        },
    ]
    meta = [
        {
            "parent_asin": "P1",
            "title": "One",
            "description": [],
            "features": ["x &gt; y"],
            "categories": ["C"],
            "store": "S",
            "price": 9.99,
            "average_rating": 4.77,
        },
        {
            "parent_asin": "P2",
            "title": "Two",
            "price": None,
            "description": ["d"],
            "main_category": "M",
        },
    ]
    return write(tmp_path / "Toys.jsonl.gz", reviews), write(tmp_path / "meta_Toys.jsonl.gz", meta)


def test_2023_by_hand(new):
    reader = Amazon2023Reader(*new)
    tables = reader.read()
    assert tables.behaviors.rows() == [
        ("U1", "P1", 4.0, 1588687728.923, 'a"b', "T", 0),
        ("U1", "P2", 2.0, 1588687728.0, None, None, 1),
    ]
    assert tables.items.columns == [
        "item_id",
        "title",
        "description",
        "features",
        "categories",
        "store",
        "price",
    ]
    assert tables.items.rows() == [
        ("P1", "One", None, ["x > y"], ["C"], "S", 9.99),
        ("P2", "Two", "d", [], [], None, None),
    ]
    assert "4.77" not in str(tables.items.to_dicts())
    assert [path.name for path in reader.files()] == ["Toys.jsonl.gz", "meta_Toys.jsonl.gz"]


def test_one_line_in_ten_is_cut(tmp_path, old):
    records = [{**REVIEWS_2018[0], "unixReviewTime": i} for i in range(50)]
    reviews = write(
        tmp_path / "cut.json.gz", records, lambda i, line: line[:-9] if i % 10 == 3 else line
    )
    with pytest.raises(
        DataError, match=r"reviews=.*cut\.json\.gz: 5 of 50 lines are not JSON objects"
    ):
        Amazon2018Reader(reviews, old[1]).read()
    tables = Amazon2018Reader(reviews, old[1], broken_lines="drop").read()
    assert len(tables.behaviors) == 45
    assert (tables.dropped[0].dropped, tables.dropped[0].of) == (5, 50)
    assert tables.place(3).endswith("line 5")


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"overall": "five"}, r"rating is not a finite number: line 2 \('five'\)"),
        ({"unixReviewTime": "soon"}, r"timestamp is neither .*line 2 \('soon'\)"),
        ({"reviewerID": ""}, r"user_id is empty: line 2"),
        ({"asin": None}, r"item_id is empty: line 2 \(nothing\)"),
    ],
)
def test_reviews_that_cannot_be_trusted(tmp_path, old, change, seen):
    reviews = write(tmp_path / "bad.json.gz", [REVIEWS_2018[0], {**REVIEWS_2018[1], **change}])
    with pytest.raises(DataError, match=seen):
        Amazon2018Reader(reviews, old[1]).read()


@pytest.mark.parametrize(
    ("key", "column"), [("overall", "rating"), ("unixReviewTime", "timestamp")]
)
def test_a_key_that_no_review_has_stops_no_run(tmp_path, old, key, column):
    reviews = [{k: v for k, v in review.items() if k != key} for review in REVIEWS_2018]
    path = write(tmp_path / "less.json.gz", reviews)
    whole, less = Amazon2018Reader(*old).read(), Amazon2018Reader(path, old[1]).read()
    assert less.behaviors.columns == [c for c in whole.behaviors.columns if c != column]


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ('<span class="a-size-medium a-color-secondary', None),
        ("<span", None),
        (' <a href="/gp', None),
        ('<span class="a">Two</span>', "Two"),
        ("Cut <5 minutes", "Cut <5 minutes"),
        ("<3 Hearts", "<3 Hearts"),
    ],
)
def test_an_unclosed_tag_is_no_title(tmp_path, old, title, plain):
    meta = write(
        tmp_path / "meta_x.json.gz",
        [{"asin": "B1", "title": title}, {"asin": "B2", "title": "Two"}],
    )
    tables = Amazon2018Reader(old[0], meta).read()
    assert tables.items.filter(item_id="B1")["title"].to_list() == [plain]
    (step,) = (step for step in tables.dropped if step.rule.startswith("code of a page"))
    assert step.dropped == int(plain is None)


def test_files_of_another_archive(tmp_path, old, new):
    with pytest.raises(
        DataError, match=r"no object has the key 'user_id'; the first has reviewerID"
    ):
        Amazon2023Reader(old[0], new[1]).read()
    with pytest.raises(DataError, match=r"no object has the key 'asin'; the first has parent_asin"):
        Amazon2018Reader(old[0], new[1]).read()
    other = write(tmp_path / "meta_Books.json.gz", [{"asin": "B7", "title": "Seven"}])
    with pytest.raises(
        DataError, match=r"none of the 1 items has a review; the first is 'B7'.*'B1'"
    ):
        Amazon2018Reader(old[0], other).read()
    empty = write(tmp_path / "meta.json.gz", [{"asin": "B1"}, {"asin": " "}, {"title": "x"}])
    with pytest.raises(
        DataError, match=r"metadata=.*item_id is empty: line 2 \(' '\), line 3 \(nothing\)"
    ):
        Amazon2018Reader(old[0], empty).read()
    with pytest.raises(DataError, match=r"reviews=.*no file"):
        Amazon2018Reader(f"{tmp_path}/no.json.gz", old[1]).files()


def test_reviews_as_python_wrote_them(tmp_path, old):
    path = tmp_path / "reviews.json"
    path.write_text(
        "{'reviewerID': 'A', 'asin': 'B1', 'overall': 3.0, 'unixReviewTime': 7, "
        "'reviewText': \"it's\", 'helpful': [0, 1]}\n"
    )
    assert Amazon2018Reader(str(path), old[1]).read().behaviors.row(0)[:5] == (
        "A",
        "B1",
        3.0,
        7.0,
        "it's",
    )
