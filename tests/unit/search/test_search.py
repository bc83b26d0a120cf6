"""The loop of a search and its shared study, with trials that are planted instead of trained."""

import csv
import json

import pytest

pytest.importorskip("optuna")

from lit_rec.errors import ConfigError
from lit_rec.search import results
from lit_rec.search.ranges import Choices, Numbers
from lit_rec.search.reports import Value
from lit_rec.search.search import Search
from lit_rec.search.space import Space
from lit_rec.search.study import SharedStudy
from lit_rec.stopping import Stopped
from tests.warm_processes import WarmProcess

SPACE = Space(
    {"model.head_rate": Numbers(0.01, 1.0, log=True), "model.head": Choices(("A", "B"))},
    {"model.head_rate": 0.1, "model.head": "B"},
)


def opened(folder, **about):
    return SharedStudy(
        folder,
        maximises=True,
        seed=0,
        about={"configuration": {"rate": 0.1, **about}, "space": SPACE.described()},
        first=SPACE.first(),
    )


def search(folder, run):
    """A search whose trials report what ``run`` yields for a trial's number and words."""

    def runner(number, words, on_validation, beat):
        (folder / f"version_{number}").mkdir()
        (folder / f"version_{number}/best.ckpt").touch()
        (folder / f"version_{number}/config.yaml").write_text(f"rate: {words}\n")
        for step, value in enumerate(run(number, words), 1):
            if isinstance(value, str):
                return value
            if on_validation(Value(step, "val/auc", "max", value)):
                break
        return None

    return Search(opened(folder), SPACE, runner)


@pytest.fixture(autouse=True)
def _no_tensorboard(monkeypatch):
    monkeypatch.setattr(results, "write_hparams", lambda *of: None)


def table(folder):
    return [*csv.DictReader((folder / "trials.csv").read_text().splitlines())]


def test_the_configuration_comes_first_and_the_best_stays(tmp_path):
    seen = {}

    def run(number, words):
        seen[number] = words
        yield from (0.5, 0.7 + 0.1 * (number == 2) - 0.01 * number, 0.6)

    search(tmp_path, run).go_on(4)
    assert seen[0] == []
    assert all(seen[number] for number in (1, 2, 3))
    assert len({*map(str, seen.values())}) == 4
    rows = table(tmp_path)
    assert [row["state"] for row in rows] == ["complete"] * 4
    assert [float(row["val/auc"]) for row in rows] == pytest.approx([0.7, 0.69, 0.78, 0.67])
    assert (rows[0]["model.head_rate"], rows[0]["model.head"]) == ("0.1", "B")
    assert [row["validations"] for row in rows] == ["3"] * 4
    assert [path.parent.name for path in tmp_path.rglob("*.ckpt")] == ["version_2"]
    best = (tmp_path / "best.yaml").read_text()
    assert best.startswith("# Trial 2 of this search: val/auc 0.78.\n")
    assert best.endswith(f"rate: {seen[2]}\n")


def test_it_goes_on_and_draws_others(tmp_path):
    seen = []

    def run(number, words):
        seen.append(tuple(words))
        yield 0.5

    first = search(tmp_path, run)
    first.go_on(3)
    first.study.close()
    second = search(tmp_path, run)
    second.go_on(3)  # there are three
    assert len(seen) == 3
    assert second.monitor == "val/auc"
    second.go_on(6)
    assert len({*seen}) == len(seen) == 6


def test_a_bad_trial_is_pruned(tmp_path):
    """At its second validation, once five others have ended; not at its first."""

    def run(number, words):
        yield from (0.5, 0.1) if number > 5 else (0.5, 0.8)
        lived.append(number)
        yield 0.9

    lived = []
    search(tmp_path, run).go_on(8)
    rows = table(tmp_path)
    assert [row["state"] for row in rows] == ["complete"] * 6 + ["pruned"] * 2
    assert [row["validations"] for row in rows] == ["3"] * 6 + ["2"] * 2
    assert lived == [*range(6)]


def test_a_failure_is_that_of_its_trial(tmp_path, capsys):
    """What diverges, reports nothing or dies is replaced: the number counts those that were finished."""

    def run(number, words):
        if number == 1:
            return
        yield {2: float("nan"), 3: "killed by signal 9"}.get(number, 0.5)

    found = search(tmp_path, run)
    found.go_on(3)
    rows = table(tmp_path)
    assert [row["state"] for row in rows] == ["complete"] + ["fail"] * 3 + ["complete"] * 2
    assert [row["reason"] for row in rows[1:4]] == [
        "it has reported no validation",
        "val/auc is nan",
        "killed by signal 9",
    ]
    results.show(found.study, SPACE, found.monitor)
    shown = capsys.readouterr().out
    assert "trial 3  failed: killed by signal 9" in shown
    last = [line for line in shown.splitlines() if line.startswith("│")][-3:]
    assert all("fail" in line for line in last)


def test_the_best_of_ten_are_shown(tmp_path, capsys):
    found = search(tmp_path, lambda number, words: iter([0.1 * (number * 7 % 12)]))
    found.go_on(12)
    capsys.readouterr()
    results.show(found.study, SPACE, found.monitor)
    shown = capsys.readouterr().out
    lines = [line.split("│") for line in shown.splitlines() if line.startswith("│")]
    values = [float(line[2]) for line in lines if line[1].strip()]
    assert values == pytest.approx([0.1 * n for n in range(11, 1, -1)])
    assert "and 2 more" in shown
    assert "importance: " in shown


def test_a_signal_ends_the_search_and_not_the_trial(tmp_path):
    begun = []

    def run(number, words):
        begun.append(words)
        if number == 1:
            raise Stopped(2)
        yield 0.5

    stopped = search(tmp_path, run)
    with pytest.raises(Stopped):
        stopped.go_on(3)
    assert [row["state"] for row in table(tmp_path)] == ["complete", "fail"]
    assert table(tmp_path)[1]["reason"] == "interrupted"
    stopped.study.close()
    search(tmp_path, run).go_on(3)
    assert begun[2] == begun[1]
    assert [row["state"] for row in table(tmp_path)] == ["complete", "fail", *["complete"] * 2]


def test_a_mode_that_is_not_the_studys(tmp_path):
    def runner(number, words, on_validation, beat):
        on_validation(Value(1, "val/rmse", "min", 0.5))

    with pytest.raises(ConfigError, match="val/rmse has the mode min"):
        Search(opened(tmp_path), SPACE, runner).go_on(1)


PROCESS = """
import json, os, sys, time
from pathlib import Path
from lit_rec.search import results
from lit_rec.search.reports import Value
from lit_rec.search.search import Search
from lit_rec.search.study import SharedStudy
from tests.unit.search.test_search import SPACE, opened

results.write_hparams = lambda *of: None
folder, count, hangs = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "hangs"

def run(number, words, on_validation, beat):
    on_validation(Value(1, "val/auc", "max", 0.5))
    Path("at", str(os.getpid())).touch()
    while not hangs and len(os.listdir("at")) < 3:  # with the one that was killed
        time.sleep(0.02)
    if hangs and number == 1:
        Path(folder, "hangs").write_text(json.dumps(words))
        time.sleep(60)

study = opened(folder)
Search(study, SPACE, run).go_on(count)
study.close()
"""


def begun(folder, count, *, hangs=False):
    work = folder / "work"
    (work / "at").mkdir(parents=True, exist_ok=True)
    words = (folder, count, "hangs" if hangs else "ends")
    return WarmProcess(PROCESS, *words, folder=work)


@pytest.mark.slow
def test_processes_share_a_study_and_a_killed_one_is_replaced(tmp_path):
    """Exactly as many trials as asked for; the values of the killed trial are tried again."""
    first = begun(tmp_path, 5, hangs=True)
    while not (tmp_path / "hangs").exists():
        first._process.join(0.05)
        assert first._process.is_alive()
    first._process.kill()
    first.end()
    others = [begun(tmp_path, 5) for _ in range(2)]
    ended = [other.end() for other in others]
    assert [done.returncode for done in ended] == [0, 0], ended
    study = opened(tmp_path)
    states = [trial.state.name for trial in study.trials]
    assert states.count("COMPLETE") == 5
    assert states.count("FAIL") == 1
    lost = study.trials[1]
    assert (lost.state.name, lost.user_attrs["reason"]) == ("FAIL", "its process is gone")
    again = next(t for t in study.trials if t.user_attrs.get("replaces") == 1)
    assert again.params == lost.params
    assert SPACE.words(again.params) == json.loads((tmp_path / "hangs").read_text())
    assert len({t.user_attrs["pid"] for t in study.trials}) == 3
    assert len({tuple(t.params.items()) for t in study.trials}) == 5
    assert not [*tmp_path.glob(".lit_rec-worker-*")][1:]  # only this study's
