"""Tables of a shop for ``lit-rec init``, and what an error of it prints, run as a shell would."""

import csv
import random
import re
import shlex
from pathlib import Path

from lit_rec.cli.init import init
from lit_rec.errors import printable

from .remedies.followed import follow, refused

ROWS = 120
chance = random.Random(0)
USERS = [f"u{chance.randrange(20)}" for _ in range(ROWS)]
ITEMS = [f"i{chance.randrange(20)}" for _ in range(ROWS)]
STARS = [chance.randint(1, 5) for _ in range(ROWS)]
MORE = [chance.randint(1, 9) for _ in range(ROWS)]
TIMES = [1_600_000_000 + 60 * k for k in range(ROWS)]
KEYS = [f"i{k}" for k in range(20)]
TITLES = [
    f"{a} {b} film"
    for a in ("red", "blue", "old", "new")
    for b in ("sun", "sea", "car", "dog", "day")
]
PRICES = [1.5 * k for k in range(20)]

RATINGS = {"user_id": USERS, "item_id": ITEMS, "rating": STARS, "timestamp": TIMES}
FILMS = {"item_id": KEYS, "title": TITLES}
PAIRS = {"user_id": USERS, "item_id": ITEMS}


def write(path, columns, *, delimiter=",", header=True):
    """Write a table of columns by name, and return its file."""
    names, values = zip(*columns.items(), strict=True)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([names] if header else [])
        writer.writerows(zip(*values, strict=True))
    return str(path)


def run(*words):
    init([*map(str, words), "--encoder", "x", "--force"])


def printed(broken):
    """The commands and options that an error prints, each as the words that a shell makes of it."""
    remedy = printable(refused(broken)[0].remedy)
    found = re.findall(r"(?:lit-rec |python -c |--\w).*?(?=; or |[`]|$)", remedy)
    return [shlex.split(each) for each in found]


def obeyed(words, *, says, then=None, way=0):
    """Follow what the error prints: another command, or an option of the same one."""
    said = printed(lambda: run(*words))[way]
    after = said[2:] if said[0] == "lit-rec" else [*words, *said]
    follow(lambda: run(*words), lambda: run(*after), says=says, then=then)


def two(behaviors=RATINGS, items=FILMS, **form):
    """Write behaviors.csv and items.csv, and return their names."""
    return [write("behaviors.csv", behaviors, **form), write("items.csv", items, **form)]
