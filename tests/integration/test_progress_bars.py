"""Slow preparations show a bar where the Trainer has bars; a screen that is none breaks nothing."""

import time

import pytest

from lit_rec.data.texts.tokens import TokenStore
from lit_rec.vectors.encode import TableEncoder

from .conftest import lit_rec, options
from .own_runs import without_vectors

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(autouse=True)
def slow(monkeypatch):
    """Tokenising and encoding that take longer than a bar waits."""
    encode, build = TableEncoder._block, TokenStore.build

    def slow_encode(*words):
        time.sleep(0.3)
        return encode(*words)

    def slow_build(*words, **more):
        time.sleep(0.3)
        return build(*words, **more)

    monkeypatch.setattr("lit_rec.progress._DELAY", 0.01)
    monkeypatch.setattr(TableEncoder, "_block", slow_encode)
    monkeypatch.setattr(TokenStore, "build", slow_build)
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("terminal", "enabled"), [(True, True), (False, True), (True, False)])
def test_encoding_the_catalogue(terminal, enabled, run_folder, tmp_path, monkeypatch, capsys):
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    bar = f"--trainer.enable_progress_bar={str(enabled).lower()}"
    bare = without_vectors(run_folder / "best.ckpt", tmp_path / "bare.ckpt")
    lit_rec("validate", "--ckpt_path", bare, bar, f"--data.cache_folder={tmp_path}/cache")
    out, err = capsys.readouterr()
    assert "val/rmse" in out
    assert ("encoding the catalogue" in out) == (terminal and enabled)
    assert "encoding the catalogue" not in err


@pytest.mark.parametrize(("terminal", "enabled"), [(True, True), (False, True), (True, False)])
def test_tokenising(terminal, enabled, workplace, tmp_path, monkeypatch, capsys):
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    lit_rec(
        *("fit", *options(workplace), "--trainer.fast_dev_run=true"),
        f"--trainer.enable_progress_bar={str(enabled).lower()}",
        f"--data.cache_folder={tmp_path}/cache",
    )
    out, err = capsys.readouterr()
    assert ("tokenising" in err) == (terminal and enabled)
    assert "tokenising" not in out
