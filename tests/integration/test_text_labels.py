"""Texts without users, from the command line to the classifier's answers."""

import polars as pl
import pytest

from lit_rec.inference.classifier import Classifier

from .conftest import lit_rec, message
from .label_runs import run, shown, text_classifier

pytestmark = pytest.mark.filterwarnings("default")


def test_texts_without_users(workplace, tables):
    folder, figures, frame = run(workplace, "texts", "intent", text_classifier, texts=True)
    assert {"lit_rec", "majority", "text_knn", "logistic_regression"} <= {
        model for model, _ in figures
    }
    assert "user_id" not in frame.columns
    assert len(frame) == 40
    assert set(frame["label"]) <= {"0", "1", "2"}

    table = pl.read_csv(tables / "texts.csv", infer_schema=False)
    model = Classifier.from_checkpoint(folder / "best.ckpt")
    found = [of_text[0] for of_text in model.classify(table)]
    assert [one.label for one in found] == frame["label"].to_list()
    shares = [one.probability for one in found]
    assert shares == pytest.approx(frame["probability"].to_list(), abs=1e-5)
    alone = [model.classify([row])[0][0] for row in table.select(model.columns).to_dicts()[:5]]
    assert [one.probability for one in alone] == pytest.approx(shares[:5], abs=1e-5)


def test_texts_are_classified_by_a_command(workplace, tables, tmp_path, capsys):
    folder = workplace / "runs/texts/version_0"
    if not folder.exists():
        run(workplace, "texts", "intent", text_classifier, texts=True)
    asked = ["classify", "--ckpt_path", folder / "best.ckpt"]
    model = Classifier.from_checkpoint(folder / "best.ckpt")
    texts = ["a [red] river", "a night of love"]
    words = [word for text in texts for word in ("--text", text)]
    found = shown(capsys, *asked, *words, "--k", "2", "--json")
    assert [one["text"] for one in found] == texts
    expected = [[vars(one) for one in of_text] for of_text in model.classify(texts, 2)]
    assert [one["labels"] for one in found] == expected

    table = pl.read_csv(tables / "texts.csv", infer_schema=False)[:3]
    table.write_csv(tmp_path / "some.csv")
    table.write_ndjson(tmp_path / "some.jsonl")
    of_files = [
        shown(capsys, *asked, "--json", "--file", tmp_path / f"some.{kind}")
        for kind in ("csv", "jsonl")
    ]
    assert of_files[0] == of_files[1]
    assert [one["text"] for one in of_files[0]] == table["title"].to_list()
    expected = [[vars(one) for one in of_text] for of_text in model.classify(table)]
    assert [one["labels"] for one in of_files[0]] == expected

    lit_rec(*asked, *words)
    printed = capsys.readouterr().out
    assert "a [red] river" in printed
    assert f"{model.classify(texts)[0][0].probability:.3f}" in printed


def test_texts_that_cannot_be_classified(workplace, tables, run_folder, tmp_path, capsys):
    folder = workplace / "runs/texts/version_0"
    if not folder.exists():
        run(workplace, "texts", "intent", text_classifier, texts=True)

    def refused(*words, path=folder / "best.ckpt"):
        return message(capsys, "classify", "--ckpt_path", path, *words)

    assert "there is nothing to classify" in refused()
    lists = message(capsys, "predict", "--ckpt_path", folder / "best.ckpt", "--k=3", "--label=0")
    assert "ItemTextDataModule has no users to make lists for" in lists
    assert "texts and a file are given" in refused("--text", "a", "--file", "b.csv")
    assert "--text, number 2: '' has no text" in refused("--text", "a", "--text", "")
    assert "k: 0 is too small" in refused("--text", "a", "--k", "0")
    assert "there is no such file" in refused("--text", "a", path=tmp_path / "none.ckpt")
    other = refused("--text", "a", path=run_folder / "best.ckpt")
    assert f"{run_folder / 'best.ckpt'}: a TwoTower is no classifier of texts" in other
    assert "`lit-rec recommend`" in other
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("titel,genres\nred,Drama\n")
    assert f"--file {wrong}: there is no column 'title'; the table has titel" in refused(
        "--file", wrong
    )
    wrong.write_text("title,genres\nred,Drama\n,\n")
    assert f"--file {wrong}, row 2: has no text" in refused("--file", wrong)
    assert "--file" in refused("--file", tmp_path / "absent.csv")
