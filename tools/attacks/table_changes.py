"""Changes to the rows and columns of a table: unexpected cells, ids, rows and columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

# what an id may look like; texts have to be read exactly as they are
IDS: dict[str, Callable[[int], Any]] = {
    "large": lambda n: str(2**53 + n),
    "larger": lambda n: str(10**25 + n),
    "leading zeros": lambda n: f"{n // 2:0{1 + n % 2 * 5}d}",
    "point zero": lambda n: f"{n // 2}.0" if n % 2 else str(n // 2),
    "signs": lambda n: f"{'+-'[n % 2]}{n // 2}",
    "exponent": lambda n: f"1e{n}",
    "spaces": lambda n: f"{' ' * (n % 3)}{n // 3}",
    "case": lambda n: f"{'aA'[n % 2]}{n // 2}",
    "composed": lambda n: ("e\u0301", "\u00e9")[n % 2] + str(n // 2),
    "wide digits": lambda n: ("7", "\uff17")[n % 2] + str(n // 2),
    "invisible": lambda n: f"{n // 2}{chr(0x200B) * (n % 2)}",
    "emoji": lambda n: f"{'👍' * (n % 4)}{n // 4}",
    "long": lambda n: "x" * 5000 + str(n),
    "delimiters": lambda n: f"a,b;c|{n}",
    "quotes": lambda n: f'"{n}"',
    "one quote": lambda n: f'{n}"',
    "apostrophe": lambda n: f"it's {n}",
    "line end": lambda n: f"a\n{n}",
    "carriage return": lambda n: f"a\r{n}",
    "tab": lambda n: f"a\t{n}",
    "next line": lambda n: f"a\x85{n}",
    "line separator": lambda n: f"a\u2028{n}",
    "nul": lambda n: f"a\x00{n}",
    "mark": lambda n: f"\ufeff{n}",
    "backslash": lambda n: f"a\\{n}",
    "hash": lambda n: f"#{n}",
    "words": lambda n: (
        ("null", "None", "NaN", "nan", "true", "false", "NA", "-", "inf", "0")[n % 10]
        + "x" * (n // 10)
    ),
    "dates": lambda n: f"2024-01-{n:02d}",
    "formula": lambda n: f"=1+{n}",
    "brace": lambda n: f"{{{n}}}",
    "format": lambda n: f"%s{n}%d{{0}}",
    "markup": lambda n: f"[bold]{n}[/nothing]",
}
CELLS: tuple[Any, ...] = (
    *(
        "",
        " ",
        "x",
        "nan",
        "NaN",
        "inf",
        "-inf",
        "1e400",
        "1e-400",
        "1,5",
        "1 000",
        "1_000",
        "0x10",
        "½",
        "٣",
        "--1",
        "+1",
        "1.",
        ".5",
    ),
    *(
        "null",
        "None",
        "true",
        "2024-02-30",
        "2024-01-01T00:00:00Z",
        "1969-12-31",
        "99999-01-01",
        "0",
        "-1",
        "1e18",
        "9223372036854775808",
    ),
    *(
        '"',
        '""',
        '"a',
        'a"b',
        "a\nb",
        "a\r\nb",
        "a\tb",
        "a,b",
        "\x00",
        "\ufeff",
        "\u2028",
        "[bold",
        "{0}",
        "%s",
        "a" * 70_000,
    ),
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    2**63,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    [1],
    [],
    {"a": 1},
    {},
    "\ud800",
)


@dataclass
class Table:
    """A table that can be changed.

    Args:
        header: Names of the columns; a name can appear twice.
        rows: Cells, texts or plain values.
        key_columns: Positions of the columns of ids.
        touched: Which columns were changed cell by cell.
    """

    header: list[str]
    rows: list[list[Any]]
    key_columns: tuple[str, ...]
    touched: set[str] = field(default_factory=set)

    def column(self, name: str) -> list[Any]:
        """Return the cells of a column."""
        place = self.header.index(name)
        return [row[place] for row in self.rows]

    def put(self, name: str, cells: list[Any]) -> None:
        """Replace the cells of a column."""
        place = self.header.index(name)
        for row, cell in zip(self.rows, cells, strict=True):
            row[place] = cell


def other_ids(chance: Random, tables: list[Table], name: str) -> str:
    """Rename the ids of a column, in every table that has it; different ids stay different."""
    how = chance.choice(list(IDS))
    number: dict[Any, int] = {}
    for table in tables:
        if name in table.header:
            cells = table.column(name)
            for cell in cells:
                number.setdefault(cell, len(number))
            table.put(name, [IDS[how](number[cell]) for cell in cells])
    return f"{name} {how}"


def other_numbers(chance: Random, tables: list[Table], name: str) -> str:
    """Turn the ids of a column into numbers or booleans instead of texts: for files that have types."""
    how = chance.choice(["int", "large", "float", "fraction", "bool", "mixed"])
    make: dict[str, Callable[[int], Any]] = {
        "int": lambda n: n,
        "large": lambda n: 2**53 + n,
        "float": float,
        "fraction": lambda n: n + 0.5,
        "bool": lambda n: bool(n % 2),
        "mixed": lambda n: n if n % 2 else str(n),
    }
    number: dict[Any, int] = {}
    for table in tables:
        if name in table.header:
            cells = table.column(name)
            for cell in cells:
                number.setdefault(cell, len(number))
            table.put(name, [make[how](number[cell]) for cell in cells])
            table.touched.add(name)
    return f"{name} as {how}"


def other_cells(chance: Random, table: Table, *, typed: bool) -> str:
    """Put odd values into some or all cells of a column."""
    if not table.rows or not table.header:
        return "no cell"
    place = chance.randrange(len(table.header))
    count = chance.choice([1, 1, 2, 20, len(table.rows)])
    value = chance.choice(VALUES if typed and chance.random() < 0.5 else CELLS)
    for row in chance.sample(table.rows, min(count, len(table.rows))):
        row[place] = value
    table.touched.add(table.header[place])
    return f"{count} cells of {table.header[place]} are {str(value)[:30]!r}"


def other_rows(chance: Random, table: Table) -> str:
    """Repeat, remove, mix or add rows."""
    how = chance.choice(
        ["repeat", "remove", "few", "one", "none", "mix", "header again", "many", "empty"]
    )
    rows = table.rows
    if how == "repeat":
        rows += [list(row) for row in chance.sample(rows, min(len(rows), 20))]
    elif how == "remove":
        del rows[: len(rows) // 2]
    elif how in ("few", "one", "none"):
        del rows[{"few": 5, "one": 1, "none": 0}[how] :]
    elif how == "mix":
        chance.shuffle(rows)
    elif how == "header again":
        rows.insert(chance.randrange(len(rows) + 1), list(table.header))
        table.touched |= set(table.header)
    elif how == "many":
        rows += [list(row) for _ in range(19) for row in rows[:]]
    else:
        rows.insert(chance.randrange(len(rows) + 1), [""] * len(table.header))
        table.touched |= set(table.header)
    return f"rows: {how}"


def other_columns(chance: Random, table: Table) -> str:
    """Rename, repeat, drop, add or move columns."""
    place = chance.randrange(len(table.header))
    name = table.header[place]
    how = chance.choice(
        ["rename", "case", "space", "repeat", "drop", "add", "move", "empty name", "odd name"]
    )
    if how in ("rename", "case", "space", "empty name", "odd name"):
        table.header[place] = {
            "rename": f"{name}_x",
            "case": name.upper(),
            "space": f" {name}",
            "empty name": "",
            "odd name": chance.choice(
                ["a\nb", '"', "{0}", "[x]", "row", "user", "part", "moment", "é" * 300, "\ufeffx"]
            ),
        }[how]
    elif how == "drop":
        del table.header[place]
        for row in table.rows:
            del row[place]
    elif how == "move":
        table.header.append(table.header.pop(place))
        for row in table.rows:
            row.append(row.pop(place))
    else:
        table.header.append(
            name
            if how == "repeat"
            else chance.choice(
                ["split", "label", "event", "history", "text", "impression_id", "row", "x"]
            )
        )
        for row in table.rows:
            row.append(row[place])
    return f"column {name}: {how}"
