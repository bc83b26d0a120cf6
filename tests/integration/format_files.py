"""Tiny made-up files of known formats."""

import gzip
import json
import random
from pathlib import Path

WORDS = ("red", "blue", "night", "day", "river", "city", "love", "war", "star", "home")
GENRES = ("Action", "Comedy", "Drama")
USERS, ITEMS = 20, 24


def write(path, lines):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line}\n" for line in lines)
    if str(path).endswith(".gz"):
        Path(path).write_bytes(gzip.compress(text.encode()))
    else:
        Path(path).write_text(text, encoding="utf-8")


def rows(of_item=str):
    """User, item, rating from 1 to 5 and seconds, in the order of time."""
    chance = random.Random(0)
    pairs = [(u, i) for u in range(1, USERS + 1) for i in range(1, ITEMS + 1)]
    return [
        (u, of_item(i), chance.randint(1, 5), 880_000_000 + 600 * k)
        for k, (u, i) in enumerate(chance.sample(pairs, 300))
    ]


def titles():
    chance = random.Random(1)
    return {i: " ".join(chance.sample(WORDS, 3)) for i in range(1, ITEMS + 1)}


def amazon_2018(reviews="Toys_5.json.gz", metadata="meta_Toys.json.gz"):
    keys = ("reviewerID", "asin", "overall", "unixReviewTime")
    write(
        reviews,
        [
            json.dumps(dict(zip(keys, (f"A{u}", i, r, t), strict=True)))
            for u, i, r, t in rows("B{}".format)
        ],
    )
    meta = [
        {"asin": f"B{i}", "title": t, "brand": "Acme", "category": ["Toys", GENRES[i % 3]]}
        for i, t in titles().items()
    ]
    write(metadata, map(json.dumps, meta))
    return [reviews, metadata]


def amazon_2023():
    keys = ("user_id", "asin", "parent_asin", "rating", "timestamp")
    found = [(f"A{u}", f"{i}v", i, r, 1000 * t) for u, i, r, t in rows("B{}".format)]
    write(
        "Toys.jsonl",
        [
            json.dumps(dict(zip(keys, row, strict=True)) | {"title": "So", "text": "so"})
            for row in found
        ],
    )
    meta = [
        {"parent_asin": f"B{i}", "title": t, "store": "Acme", "categories": [GENRES[i % 3]]}
        for i, t in titles().items()
    ]
    write("meta_Toys.jsonl", map(json.dumps, meta))
    return ["meta_Toys.jsonl", "Toys.jsonl"]


def amazon_ratings():
    amazon_2023()
    lines = [f"A{u},{i},{r},{1000 * t}" for u, i, r, t in rows("B{}".format)]
    for part, some in (("train", lines[:200]), ("valid", lines[200:250]), ("test", lines[250:])):
        write(f"Toys.{part}.csv", ["user_id,parent_asin,rating,timestamp", *some])
    return ["Toys.test.csv", "Toys.train.csv", "Toys.valid.csv", "meta_Toys.jsonl"]


def amazon_ratings_2014():
    """Without a header, user first."""
    _, metadata = amazon_2018(metadata="meta_Books.json.gz")
    ratings = [f"A{u},{i},{r}.0,{t}" for u, i, r, t in rows("B{}".format)]
    write("ratings_Books.csv.gz", ratings)
    return ["ratings_Books.csv.gz", metadata]


def amazon_ratings_2018():
    """Without a header, item first."""
    _, metadata = amazon_2018(metadata="meta_Books.json.gz")
    write("Books.csv", [f"B{i},A{u},{r}.0,{t}" for u, i, r, t in rows()])
    return [metadata, "Books.csv"]


def movielens_100k(folder="ml-100k"):
    write(f"{folder}/u.data", ["\t".join(map(str, row)) for row in rows()])
    genres = {i: "|".join("1" if g == i % 3 + 1 else "0" for g in range(19)) for i in titles()}
    write(
        f"{folder}/u.item",
        [f"{i}|{t} (1995)|01-Jan-1995||http://x|{genres[i]}" for i, t in titles().items()],
    )
    write(f"{folder}/u.user", [f"{u}|30|M|writer|55105" for u in range(1, USERS + 1)])
    return [folder]


def movielens_1m():
    write("ml-1m/ratings.dat", ["::".join(map(str, row)) for row in rows()])
    write("ml-1m/movies.dat", [f"{i}::{t} (1995)::{GENRES[i % 3]}" for i, t in titles().items()])
    write("ml-1m/users.dat", [f"{u}::M::25::4::55105" for u in range(1, USERS + 1)])
    return ["ml-1m/ratings.dat", "ml-1m/movies.dat"]


def movielens_10m():
    """Half stars, and no users."""
    lines = [f"{u}::{i}::{r - 0.5:g}::{t}" for u, i, r, t in rows()]
    write("ml-10M100K/ratings.dat.gz", lines)
    films = [f"{i}::{t} (1995)::{GENRES[i % 3]}" for i, t in titles().items()]
    write("ml-10M100K/movies.dat.gz", films)
    write("ml-10M100K/tags.dat", ["1::1::fun::880000000"])
    return ["ml-10M100K"]


def movielens_csv():
    write(
        "ml/ratings.csv",
        ["userId,movieId,rating,timestamp", *(",".join(map(str, row)) for row in rows())],
    )
    write(
        "ml/movies.csv.gz",
        ["movieId,title,genres", *(f"{i},{t} (1995),{GENRES[i % 3]}" for i, t in titles().items())],
    )
    write("ml/tags.csv", ["userId,movieId,tag,timestamp", "1,1,fun,880000000"])
    return ["ml"]


def mind():
    chance = random.Random(0)
    for name, day, first in (("MINDsmall_train", 14, 0), ("MINDsmall_dev", 15, 60)):
        lines = []
        for k in range(first, first + 60):
            shown = chance.sample(range(1, ITEMS + 1), 4)
            seen = " ".join(f"N{i}" for i in chance.sample(range(1, ITEMS + 1), k % 4))
            marks = " ".join(f"N{i}-{int(place == 0)}" for place, i in enumerate(shown))
            lines.append(
                f"{k}\tU{k % USERS}\t11/{day}/2019 {k % 12 + 1}:{k % 60}:22 AM\t{seen}\t{marks}"
            )
        write(f"{name}/behaviors.tsv", lines)
        write(
            f"{name}/news.tsv",
            [
                f"N{i}\tsports\tg{i % 3}\t{t}\tIt is so.\thttp://x\t[]\t[]"
                for i, t in titles().items()
            ],
        )
    return ["MINDsmall_dev", "MINDsmall_train"]


def recbole():
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
    write("toys/toys.inter", [header, *("\t".join(map(str, row)) for row in rows())])
    write(
        "toys/toys.item",
        [
            "item_id:token\ttitle:token_seq\tprice:int",
            *(f"{i}\t{t}\t5" for i, t in titles().items()),
        ],
    )
    return ["toys/toys.inter", "toys/toys.item"]


def sequences():
    """Each user's items in the order of time."""
    chance = random.Random(0)
    return {u: chance.sample(range(1, ITEMS + 1), 7) for u in range(USERS)}


def recbole_sequences():
    header = "user_id:token\titem_id_list:token_seq\titem_id:token"
    for part, lengths in (("train", range(2, 6)), ("valid", [6]), ("test", [7])):
        lines = [
            f"{u}\t{' '.join(map(str, items[: n - 1]))}\t{items[n - 1]}"
            for u, items in sequences().items()
            for n in lengths
        ]
        write(f"toys/toys.{part}.inter", [header, *lines])
    write(
        "toys/toys.text",
        ["item_id:token\ttext:token_seq", *(f"{i}\t{t}" for i, t in titles().items())],
    )
    return ["toys"]


def recbole_whole_sequences():
    lines = [f"{u}\t{' '.join(map(str, items))}" for u, items in sequences().items()]
    write("toys/all.inter", ["user_id:token\titem_id_list:token_seq", *lines])
    write(
        "toys/all.item",
        ["item_id:token\ttitle:token_seq", *(f"{i}\t{t}" for i, t in titles().items())],
    )
    return ["toys/all.inter"]


def texts(count=90, seed=0):
    chance = random.Random(seed)
    for k in range(count):
        genre = GENRES[k % 3]
        yield f"{' '.join(chance.sample(WORDS, 4))} {genre} {k}", genre


def labelled_texts():
    write(
        "questions.csv", ["id,text,category", *(f"{k},{t},{g}" for k, (t, g) in enumerate(texts()))]
    )
    return ["questions.csv"]


def labelled_parts():
    write("part.train.tsv", ["text\tintent", *(f"{t}\t{g}" for t, g in texts())])
    write("part.test.tsv", ["text\tintent", *(f"{t}\t{g}" for t, g in texts(30, 1))])
    return ["part.test.tsv", "part.train.tsv"]


def labelled_without_header():
    write("SMSCollection", [f"{g}\t{t}" for t, g in texts()])
    return ["SMSCollection"]


def reviews_alone():
    write(
        "reviews.jsonl.gz",
        [json.dumps({"review": t, "stars": GENRES.index(g) + 1}) for t, g in texts()],
    )
    return ["reviews.jsonl.gz"]
