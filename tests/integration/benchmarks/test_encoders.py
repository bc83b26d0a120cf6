"""tools/benchmark speed encoders: a tiny encoder reads made-up intents, and each row says what it found."""

import csv
import random

import pytest

from lit_rec.errors import ConfigError
from tests.unit.export.pruning import encoders as tiny
from tools.benchmarks.encoders import measure, reading

pytestmark = pytest.mark.filterwarnings("default")
INTENTS = {"river": "the blue river near", "love": "a comedy about love", "war": "war at night"}


@pytest.fixture
def data(tmp_path):
    """Texts of three intents, as banking77 lies in its folder."""
    chance, folder = random.Random(0), tmp_path / "data/banking77"
    folder.mkdir(parents=True)
    for name, count in (("train", 40), ("test", 8)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("text", "category"))
            for place in range(count):
                for label, words in INTENTS.items():
                    said = " ".join(chance.sample(words.split(), 3))
                    writer.writerow((f"{said} {place} {name}", label))
    return tmp_path / "data"


def test_rows_of_each_encoder(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, folder in (("ENGLISH", "word pieces"), ("MULTILINGUAL", "whole")):
        tiny.write("Unigram" if folder == "whole" else "WordPiece", tmp_path / folder)
        monkeypatch.setattr(measure, name, tmp_path / folder)
    monkeypatch.setattr(reading, "_BLOCK", 10)
    monkeypatch.setattr(measure, "measured", _in_this_process)
    rows = measure.measure(data, tmp_path / "runs", quick=True)
    found = {(row["name"], row["metric"]): row["value"] for row in rows}
    assert len(found) == len(rows) == 15
    assert found["whole", "accuracy, logistic regression"] > 0.5  # a guess has 0.33
    pruned = "whole, pruned"
    assert found[pruned, "million parameters"] < found["whole", "million parameters"]
    assert found[pruned, "folder, MB"] < found["whole", "folder, MB"]
    assert all(row["low"] > 0 for row in rows)


def _in_this_process(_, encoder, prefix, draws, data):
    return {**reading.main(str(encoder), prefix, draws, data), "seconds": 1.0}


def test_an_encoder_that_is_absent_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="all-MiniLM-L6-v2"):
        measure.measure(tmp_path, tmp_path, quick=True)
