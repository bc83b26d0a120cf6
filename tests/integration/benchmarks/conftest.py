"""What the benchmarks read in their tests: made-up ratings, and a tiny encoder."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tiny_encoder_for(workplace, tmp_path, monkeypatch):
    """Have a benchmark that reads one configuration of the project find a tiny encoder; return the benchmark."""

    def with_encoder(benchmark):
        monkeypatch.setattr(benchmark, "_CONFIG", ROOT / benchmark._CONFIG)
        (tmp_path / "checkpoints").symlink_to(workplace / "checkpoints")
        return benchmark

    return with_encoder


@pytest.fixture
def archive(tmp_path):
    """Twenty users who rated ten films, as MovieLens 100K lies in its folder."""
    folder = tmp_path / "data/ml-100k"
    folder.mkdir(parents=True)
    rows = [
        f"{user}\t{item}\t{1 + (user * item) % 5}\t{880_000_000 + 60 * user + item}\n"
        for user in range(1, 21)
        for item in range(1, 11)
    ]
    (folder / "u.data").write_text("".join(rows))
    (folder / "u1.base").write_text("".join(rows[20:]))
    (folder / "u1.test").write_text("".join(rows[:20]))
    (folder / "u.user").write_text("".join(f"{u}|24|M|writer|85711\n" for u in range(1, 21)))
    flags = "|".join("0" * 19)
    films = "".join(f"{i}|Night {i} (1990)|01-Jan-1990||http://x|{flags}\n" for i in range(1, 11))
    (folder / "u.item").write_text(films)
    return tmp_path / "data"


@pytest.fixture
def sequences(tmp_path):
    """Twelve users with four items each, as UniSRec's files lie in their folder."""
    folder = tmp_path / "data/amazon-scientific"
    folder.mkdir(parents=True)
    head = "user_id:token\titem_id_list:token_seq\titem_id:token\n"
    for place, part in enumerate(("train", "valid", "test"), 1):
        lines = []
        for user in range(12):
            items = [f"i{(user + step) % 9}" for step in range(place + 1)]
            lines.append(f"u{user}\t{' '.join(items[:-1])}\t{items[-1]}\n")
        (folder / f"Scientific.{part}.inter").write_text(head + "".join(lines))
    texts = "".join(f"i{i}\tred river {i}\n" for i in range(9))
    (folder / "Scientific.text").write_text(f"item_id:token\ttext:token_seq\n{texts}")
    return tmp_path / "data"
