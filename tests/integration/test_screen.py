"""What a user sees of fit, validate and test: on a terminal of 80 columns, and in a file."""

import io
import logging
import re

import pytest

from .conftest import lit_rec, options

pytestmark = pytest.mark.filterwarnings("default")
LOUD = ("--trainer.enable_progress_bar=true", "--trainer.enable_model_summary=true")
NOISE = ("Modules in", "FLOPs", "_train_loss", "Metric", "┃", "━━━", "Loading `train", "Restoring")
COMMAND = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture(params=["file", "terminal"])
def screen(request, monkeypatch, capsys):
    """The lines of standard output; a terminal's own commands are left out."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    if request.param == "terminal":
        monkeypatch.setenv("FORCE_COLOR", "1")

    def lines():
        written = COMMAND.sub("", capsys.readouterr().out).split("\n")
        return [line.rpartition("\r")[2].rstrip() for line in written]

    return lines


def test_an_epoch_is_a_line_of_five_figures(screen, workplace, tmp_path):
    folder = f"--trainer.logger.init_args.save_dir={tmp_path}"
    lit_rec("fit", *options(workplace), *LOUD, folder, "--trainer.max_epochs=3")
    lines = screen()
    epochs = [line for line in lines if re.match(r"epoch \d+/3  loss", line)]
    assert [line.split()[1] for line in epochs] == ["1/3", "2/3", "3/3"]
    for line in epochs:
        assert len(line) <= 80
        assert re.fullmatch(
            r"epoch \d/3  loss \d\.\d{4}  val/rmse \d\.\d{4}  rate \d\.\de-\d\d  left 0:\d\d:\d\d",
            line,
        )
    assert re.fullmatch(r"best val/rmse \d\.\d{4}  after 0:\d\d:\d\d", lines[-3])
    assert re.fullmatch(r"checkpoint: .*/version_0/best\.ckpt", lines[-2])
    parts = {line.split()[0]: line.split()[1:] for line in lines if re.search(r" [\d,]+$", line)}
    whole = [int(n.replace(",", "")) for n in parts.pop("network")]
    assert parts.keys() == {"encoder", "item_encoder", "user_encoder", "head"}
    for place in (0, 1):
        assert whole[place] == sum(int(n[place].replace(",", "")) for n in parts.values())
    text = "\n".join(lines)
    assert not any(noise in text for noise in NOISE if "━" not in noise)
    assert not re.search(r"\d\.\d{6}", text)
    told = r"([\d.]+) % are trained; optimizer state [\d.]+ MB, a checkpoint about ([\d.]+) MB"
    share, size = re.search(told, text).groups()
    assert float(share) == pytest.approx(100 * whole[0] / whole[1], rel=5e-3)
    # the rest of a file: callbacks, random state, and names
    written = (tmp_path / "own_data/version_0/best.ckpt").stat().st_size / 1e6
    assert float(size) < written < float(size) + 0.2


def test_validate_and_test_have_short_figures_and_name_each_baseline(screen, run_folder):
    lit_rec("validate", "--ckpt_path", run_folder / "best.ckpt", LOUD[0])
    found = dict(line.split() for line in screen() if line.startswith("val/"))
    assert list(found) == ["val/loss", "val/rmse", "val/mae"]
    lit_rec("test", "--ckpt_path", run_folder / "best.ckpt", LOUD[0])
    lines = screen()
    text = "\n".join(lines)
    assert not any(noise in text for noise in NOISE if "━" not in noise)
    assert not re.search(r"\d\.\d{6}", text)
    start = next(place for place, line in enumerate(lines) if line.startswith("baselines, "))
    timed = [line.split() for line in lines[start + 1 :] if re.fullmatch(r"  .*\d\.\d s", line)]
    names = [words[0] for words in timed]
    assert {"mean", "user_item_bias", "matrix_factorisation", "blend"} <= set(names)
    table = lines[lines.index("model" + " " * 17 + "rmse            better by") :]
    assert {line.split()[0] for line in table if line} >= {*names, "lit_rec", "few_shot_users"} - {
        "predictions"
    }
    assert all(len(line) <= 80 for line in table if not line.startswith("report: "))


def test_messages_make_room_for_a_bar(monkeypatch, capsys):
    """Lightning's handler would keep the stream that stderr was when it was imported."""
    from lit_rec.progress import quieten_lightning

    logger, before = logging.getLogger("lightning.pytorch"), io.StringIO()
    monkeypatch.setattr(logger, "handlers", [logging.StreamHandler(before)])
    quieten_lightning()
    quieten_lightning()  # as where several commands run in a process
    logger.info("item vectors: 40 items")
    logger.info("Tip: install another library")
    assert before.getvalue() == ""
    assert capsys.readouterr().err == "item vectors: 40 items\n"


def test_a_bar_of_ones_own_is_kept(screen, workplace, tmp_path):
    lit_rec(
        *("fit", *options(workplace), *LOUD, "--trainer.max_epochs=1"),
        f"--trainer.logger.init_args.save_dir={tmp_path}",
        "--trainer.callbacks+=lightning.pytorch.callbacks.TQDMProgressBar",
        "--trainer.callbacks+=lightning.pytorch.callbacks.ModelSummary",
    )
    text = "\n".join(screen())
    assert "train/loss_step" in text
    assert "epoch 1/1  loss" not in text
    assert "network " not in text
