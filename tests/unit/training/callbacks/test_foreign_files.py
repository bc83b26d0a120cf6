"""States of ModelCheckpoint name files that Lightning deletes; of a stranger's, only those of its own folder remain."""

import pytest

from lit_rec.training.callbacks.run_folder import forget_foreign_files


def _state(path, place):
    own = {"dirpath": "runs/a", "best_model_path": "elsewhere/best.ckpt"}
    best = {"last": "runs/a/last.ckpt", "k": "runs/a/best.ckpt", place: path}
    own["last_model_path"], own["kth_best_model_path"] = best["last"], best["k"]
    own["best_k_models"] = {best["k"]: 1.0}
    return own


@pytest.mark.parametrize("path", ["runs/a/../../x", "/x", "s3://a/x", "runs/ab/x", "x", 3])
@pytest.mark.parametrize("place", ["last", "k"])
def test_foreign_files_are_forgotten(path, place):
    states = {"ModelCheckpoint": _state(path, place), "Timer": {"s": 1}, "x": None}
    forget_foreign_files(states)
    state = states["ModelCheckpoint"]
    assert str(path) not in map(str, [*state["best_k_models"], *state.values()])
    assert state["best_model_path"] == "elsewhere/best.ckpt"  # is read alone
    assert states["Timer"] == {"s": 1}
    assert bool(state["last_model_path"]) == (place == "k")


def test_own_files_stay():
    for folder in ("runs/a", "/runs/a", "s3://bucket/runs"):
        state = {"dirpath": folder, "last_model_path": f"{folder}/last.ckpt"}
        state |= {
            "kth_best_model_path": f"{folder}/1.ckpt",
            "best_k_models": {f"{folder}/1.ckpt": 1},
        }
        forget_foreign_files(states := {"a": dict(state)})
        assert states["a"] == state
    forget_foreign_files(None)
    forget_foreign_files({"a": {"dirpath": None, "best_k_models": None, "last_model_path": ""}})
