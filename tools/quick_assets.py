"""Made-up assets for LIT_REC_QUICK=1: a random encoder of two layers and 200 ratings.

With them every command runs in seconds.

    python tools/quick_assets.py [--folder checkpoints/assets]

Nothing is downloaded, and an existing folder is not changed. Besides the two assets, `my/behaviors.csv` and
`my/items.csv` replace a user's own tables.
"""

from __future__ import annotations

import argparse
import csv
import random
from pathlib import Path

_GENRES = ("Action", "Comedy", "Drama", "Horror", "Romance")
_WORDS = ("red", "blue", "night", "day", "river", "city", "love", "war", "star", "home")
_USERS = ("405", *map(str, range(1, 20)))
_ITEMS = ("50", "181", "172", *map(str, range(1, 38)))


def main() -> None:
    """Write the files that do not exist yet."""
    parser = argparse.ArgumentParser(description="Write made-up assets for LIT_REC_QUICK=1.")
    parser.add_argument("--folder", type=Path, default=Path("checkpoints/assets"))
    folder = parser.parse_args().folder
    chance = random.Random(0)
    items = [
        (
            item,
            " ".join(chance.sample(_WORDS, 2)),
            str(chance.randint(1950, 1998)),
            " ".join(chance.sample(_GENRES, 2)),
        )
        for item in _ITEMS
    ]
    pairs = [(user, item) for user in _USERS for item in _ITEMS]
    behaviors = [
        (user, item, chance.randint(1, 5), 880_000_000 + 60 * place)
        for place, (user, item) in enumerate(chance.sample(pairs, 200))
    ]
    _write_atomic_files(folder / "ml-100k", behaviors, items)
    _write_encoder(folder / "all-MiniLM-L6-v2")
    _write_own_tables(Path("my"), behaviors, items)


def _write_atomic_files(
    folder: Path, behaviors: list[tuple[str, str, int, int]], items: list[tuple[str, str, str, str]]
) -> None:
    if folder.exists():
        return
    folder.mkdir(parents=True)
    columns = {
        "inter": ("user_id:token", "item_id:token", "rating:float", "timestamp:float"),
        "item": ("item_id:token", "movie_title:token_seq", "release_year:token", "class:token_seq"),
    }
    for ending, rows in (("inter", behaviors), ("item", items)):
        lines = ["\t".join(columns[ending]), *("\t".join(map(str, row)) for row in rows)]
        (folder / f"ml-100k.{ending}").write_text("\n".join(lines) + "\n")
    print(f"  made up: {folder}, 200 ratings")


def _write_encoder(folder: Path) -> None:
    if folder.exists():
        return
    # imported late, because it takes seconds and is not needed if the folder exists
    import torch  # noqa: PLC0415
    from transformers import BertConfig, BertModel, BertTokenizerFast  # noqa: PLC0415

    folder.mkdir(parents=True)
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + [str(d) for d in range(10)]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", ":"]
    vocabulary += [*letters, *(f"##{c}" for c in letters), *_WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    BertTokenizerFast(vocab=str(folder / "vocab.txt"), do_lower_case=True).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    print(f"  made up: {folder}, 2 layers of width 16 with random weights")


def _write_own_tables(
    folder: Path, behaviors: list[tuple[str, str, int, int]], items: list[tuple[str, str, str, str]]
) -> None:
    if folder.exists():
        return
    folder.mkdir()
    for name, header, rows in (
        ("behaviors", ("user_id", "item_id", "rating", "timestamp"), behaviors),
        ("items", ("item_id", "title", "year", "genres"), items),
    ):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)
    print(f"  made up: {folder}/behaviors.csv and {folder}/items.csv")


if __name__ == "__main__":
    main()
