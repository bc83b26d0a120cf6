"""Texts without users, from the command line to the classifier's answers, and what to label next."""

import io

import polars as pl
import pytest

from lit_rec.inference.acquirer import Acquirer
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


@pytest.fixture
def path(workplace, tables):
    """A checkpoint of texts with labels."""
    folder = workplace / "runs/texts/version_0"
    if not folder.exists():
        run(workplace, "texts", "intent", text_classifier, texts=True)
    return folder / "best.ckpt"


@pytest.fixture
def pool(tmp_path):
    """Texts with another column, one of them empty and one of them twice."""
    titles = ["a new river", "old house, with a view", "", "a night in town", "a new river"]
    genres = ["Drama" if title else "" for title in titles]
    frame = pl.DataFrame({"id": [7, 5, 3, 1, 9], "title": titles, "genres": genres})

    frame.write_csv(tmp_path / "pool.csv")
    return tmp_path / "pool.csv"


def test_rows_are_written_best_first(path, pool, tmp_path, capsys):
    asked = ["acquire", "--ckpt_path", path, "--pool", pool]
    table = pl.read_csv(pool, infer_schema=False)
    found = Acquirer.from_checkpoint(path).choose(table, 2, "entropy")
    lit_rec(*asked, "--count", "2", "--strategy", "entropy", "--output", tmp_path / "next.csv")
    said = capsys.readouterr()
    assert said.out == ""
    assert "left out of 5 rows: 1 without a text, 1 with the text of an earlier row" in said.err
    written = pl.read_csv(tmp_path / "next.csv")
    assert written.columns == ["pool_row", "acquisition_score", "id", "title", "genres"]
    assert (written["pool_row"] - 1).to_list() == found.row.tolist()
    assert written["acquisition_score"].to_list() == pytest.approx(found.score.tolist())
    assert written["title"].to_list() == [table["title"][int(row)] for row in found.row]
    assert written["acquisition_score"][0] > written["acquisition_score"][1]


def test_all_are_written_if_more_are_asked_for(path, pool, tmp_path, capsys):
    asked = ["acquire", "--ckpt_path", path, "--pool", pool, "--count", "9"]
    lit_rec(*asked)
    said = capsys.readouterr()
    assert "3 rows could be chosen, 9 were asked for" in said.err
    on_screen = pl.read_csv(io.StringIO(said.out))
    assert len(on_screen) == 3
    for ending, read in (("parquet", pl.read_parquet), ("jsonl", pl.read_ndjson)):
        lit_rec(*asked, "--output", tmp_path / f"next.{ending}")
        assert (
            read(tmp_path / f"next.{ending}")["pool_row"].to_list()
            == on_screen["pool_row"].to_list()
        )
    pl.read_csv(pool)[:1].write_csv(tmp_path / "known.csv")
    lit_rec(*asked, "--labelled", tmp_path / "known.csv", "--strategy", "k_center")
    said = capsys.readouterr()
    assert "2 with a text that has a label already" in said.err
    assert len(pl.read_csv(io.StringIO(said.out))) == 2


def test_lists_of_a_pool_are_cells_of_a_csv(path, tmp_path, capsys):
    frame = pl.DataFrame({"title": ["a river", "a town"], "genres": [["Drama", "War"], []]})
    frame.write_parquet(tmp_path / "pool.parquet")
    asked = ["acquire", "--ckpt_path", path, "--pool", tmp_path / "pool.parquet", "--count", "2"]
    lit_rec(*asked)
    found = pl.read_csv(io.StringIO(capsys.readouterr().out)).sort("pool_row")
    assert found["genres"].to_list() == ["Drama, War", ""]


def test_choices_that_cannot_be_made(path, pool, run_folder, tmp_path, capsys):
    asked = ["acquire", "--pool", pool, "--count", "2", "--ckpt_path"]
    assert "a TwoTower is no classifier of texts" in message(
        capsys, *asked, run_folder / "best.ckpt"
    )
    assert "--count" in message(capsys, "acquire", "--ckpt_path", path, "--pool", pool)
    assert "0 is too small" in message(capsys, *asked, path, "--count", "0")
    pl.DataFrame({"titel": ["red"]}).write_csv(tmp_path / "wrong.csv")
    said = message(capsys, *asked, path, "--pool", tmp_path / "wrong.csv")
    assert f"--pool {tmp_path / 'wrong.csv'}: there is no column 'title'" in said
    said = message(capsys, *asked, path, "--labelled", tmp_path / "wrong.csv")
    assert f"--labelled {tmp_path / 'wrong.csv'}: there is no column 'title'" in said
