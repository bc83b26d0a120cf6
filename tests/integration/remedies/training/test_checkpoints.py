"""Remedies of checkpoints that cannot be used as asked; see ``followed``."""

import copy
import importlib
import re
import shutil
import sys
from dataclasses import replace
from functools import partial

import pytest
import torch

from lit_rec.data.facts import Facts
from lit_rec.data.targets import registry as targets
from lit_rec.inference.recommender import Recommender
from lit_rec.tasks import registry
from lit_rec.training.checkpoint.checkpoint_file import check_is_file
from lit_rec.training.checkpoint.trust import modules_named
from lit_rec.training.checkpoint.weights import check_facts, check_training_state
from lit_rec.training.lit_rec import LitRec
from tests.integration.conftest import lit_rec
from tests.integration.remedies.followed import ROOT, each_remedy_of, follow, refused
from tests.integration.strangers import part

pytestmark = pytest.mark.filterwarnings("default")
opened = Recommender.from_checkpoint


@pytest.fixture
def changed(whole, tmp_path):
    """Write the run's checkpoint after a change of its content."""

    def write(change):
        checkpoint = copy.deepcopy(whole)
        change(checkpoint)
        torch.save(checkpoint, tmp_path / "changed.ckpt")
        return tmp_path / "changed.ckpt"

    return write


@pytest.mark.parametrize("asked", ["run/version_0/bast.ckpt", "run/version_0", "run"])
def test_a_path_near_checkpoints(tmp_path, asked):
    folder = tmp_path / "run/version_0"
    folder.mkdir(parents=True)
    for name in ("best.ckpt", "last.ckpt"):
        (folder / name).touch()
    broken = partial(check_is_file, tmp_path / asked)
    paths = refused(broken)[0].remedy.removeprefix("name ").split(" or ")
    assert paths == [f"{folder}/best.ckpt", f"{folder}/last.ckpt"]
    for path in paths:
        follow(broken, partial(check_is_file, path), says=f"name {folder}")


@pytest.mark.parametrize("way", ["check the path", "run `lit-rec fit` first"])
def test_a_path_far_from_checkpoints(tmp_path, run_folder, way):
    follow(
        partial(opened, tmp_path / "a/b.ckpt"), partial(opened, run_folder / "best.ckpt"), says=way
    )


@pytest.mark.parametrize("name", ["best.ckpt", "last.ckpt"])
def test_a_file_of_something_else(tmp_path, run_folder, name):
    torch.save({"state_dict": {}}, tmp_path / "a.ckpt")
    says = "name a best.ckpt or last.ckpt that `lit-rec fit` wrote"
    follow(partial(opened, tmp_path / "a.ckpt"), partial(opened, run_folder / name), says=says)


@pytest.mark.parametrize("way", ["use the version of lit_rec that wrote it", "or train again"])
def test_a_format_of_another_version(changed, run_folder, way):
    """This version wrote, and trained, the run."""
    path = changed(lambda checkpoint: checkpoint["lit_rec"].update(format=9))
    follow(partial(opened, path), partial(opened, run_folder / "best.ckpt"), says=way)


@pytest.mark.parametrize("name", ["best.ckpt", "last.ckpt"])
def test_a_damaged_file(tmp_path, run_folder, name):
    for one in ("best.ckpt", "last.ckpt"):
        shutil.copy(run_folder / one, tmp_path)
    (tmp_path / name).write_bytes((run_folder / name).read_bytes()[:5000])
    broken = partial(opened, tmp_path / name)
    other = refused(broken)[0].remedy.rpartition("such as ")[2]
    assert other != str(tmp_path / name)
    follow(broken, partial(opened, other), says="use another checkpoint, such as ")
    follow(
        broken,
        lambda: (shutil.copy(run_folder / name, tmp_path), broken()),
        says="copy it again",
    )


def test_a_checkpoint_opened_by_lightning(run_folder):
    path = run_folder / "best.ckpt"
    broken = partial(LitRec.load_from_checkpoint, path)
    importlib.import_module("lit_rec.inference.stored.network")
    names = {"lit_rec": sys.modules["lit_rec"], "Recommender": Recommender, "path": path}
    for code in refused(broken)[0].remedy.split(", or "):
        assert follow(broken, partial(eval, code, names), says=code) is not None


def test_a_network_that_cannot_be_built(changed, run_folder):
    """Its encoder is built where a text is read."""

    def described(path):
        opened(path).add_items([{"item_id": "new", "title": "A new one", "genres": "Drama"}])

    path = changed(lambda whole: whole["lit_rec"]["facts"]["backbone"].update(hidden_act="relu9"))
    says = "use the file as `lit-rec fit` wrote it, with the same version of lit_rec"
    follow(partial(described, path), partial(described, run_folder / "best.ckpt"), says=says)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--model.head_rate=0.5", "leave these model options out"),
        ("--data.max_tokens=5", "leave these options out"),
    ],
)
def test_options_that_a_checkpoint_fixes(run_folder, option, says):
    words = ["validate", "--ckpt_path", run_folder / "best.ckpt"]
    follow(partial(lit_rec, *words, option), partial(lit_rec, *words), says=says)


@pytest.mark.parametrize(("wrong", "right"), [("my/parts.py", "my.parts"), ("", "my_parts")])
def test_what_is_no_name_of_a_module(wrong, right):
    broken = partial(modules_named, [wrong])
    name = re.match(r"--trust (\S+)", refused(broken)[0].remedy)[1]
    assert follow(broken, partial(modules_named, [name]), says="--trust ") == (right,)


TASK = """
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.tasks.rating import RatingTask
from lit_rec.tasks.registry import register_task

class Stars(RatingTarget):
    name = "stars"

class StarsTask(RatingTask):
    target = Stars()

register_task(StarsTask())
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module ``mine`` into a folder that Python looks into."""
    (tmp_path / "code").mkdir()

    def write(code):
        sys.modules.pop("mine", None)
        (tmp_path / "code/mine.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path / "code")

    yield write
    sys.modules.pop("mine", None)
    for known in (registry._TASKS, targets._RULES):
        known.pop("stars", None)


def as_printed(broken, path, module="mine"):
    """Open a checkpoint by the call, and by the option, that a remedy prints."""
    remedy = refused(broken)[0].remedy.replace("MODULE", module)
    assert remedy.startswith(f"--trust {module} (")
    code = re.search(r"(from_checkpoint\(.*?\]\))", remedy)[1]
    eval(f"Recommender.{code}", {"Recommender": Recommender, "path": path})
    lit_rec("recommend", "--ckpt_path", path, "--history", "50", *remedy.split()[:2])


def test_a_task_that_is_not_known(strange, module):
    path = strange(lambda whole: whole["lit_rec"].update(facts=stars(whole)), of_all=True)
    broken = partial(opened, path)

    def mended():
        printed()
        assert "stars" in registry._TASKS

    module(TASK)
    printed = partial(as_printed, broken, path)
    follow(broken, mended, says="with your module that calls register_task")


def stars(whole):
    return whole["lit_rec"]["facts"] | {"task": "stars"}


@pytest.fixture
def owned(strange, whole):
    """A checkpoint whose head is ``mine.MyHead``, and the code of this class."""
    known = part(whole["lit_rec"]["config"], "head")["class_path"]
    home, _, name = known.rpartition(".")
    path = strange(lambda config: part(config, "head").update(class_path="mine.MyHead"))
    return path, f"from {home} import {name}\n\nclass MyHead({name}):\n    pass\n"


def test_a_module_that_is_not_trusted(owned, module):
    path, code = owned
    module(code)
    broken = partial(opened, path)
    follow(broken, partial(as_printed, broken, path), says="if you know this module and who made")


@pytest.mark.parametrize("way", ["name their folder in PYTHONPATH", "give mine the MyHead"])
def test_a_class_that_is_not_there(owned, module, way):
    path, code = owned
    if "give" in way:
        module("")
    broken = partial(opened, path, trust=["mine"])
    follow(broken, lambda: (module(code), broken()), says=way)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"class_path": "subprocess.Popen"}, "do not use this checkpoint"),
        ({"class_path": "lit_rec.models.heads.newer.NewHead"}, "use the version of lit_rec that"),
        ({"class_path": 3}, "use a checkpoint that `lit-rec fit` wrote"),
        ({"init_args": {"dropout": "${oc.env:HOME}"}}, "use a checkpoint that `lit-rec fit` wrote"),
    ],
)
def test_names_that_fit_does_not_store(strange, run_folder, change, says):
    path = strange(lambda config: part(config, "head").update(change))
    follow(partial(opened, path), partial(opened, run_folder / "best.ckpt"), says=says)


def spoiled(checkpoint):
    next(iter(checkpoint["state_dict"].values())).view(-1)[0] = float("nan")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda whole: whole["lit_rec"].pop("facts"), "copy the file again, or use another checkp"),
        (spoiled, "train with a lower rate, or use an earlier checkpoint"),
        (lambda whole: whole["state_dict"].popitem(), "use the file as `lit-rec fit` wrote it"),
    ],
)
def test_entries_that_are_wrong(changed, run_folder, change, says):
    follow(partial(opened, changed(change)), partial(opened, run_folder / "last.ckpt"), says=says)


def test_a_run_resumed_on_other_data():
    facts = Facts.example()
    follow(
        partial(check_facts, replace(facts, max_tokens=9), facts),
        partial(check_facts, facts, replace(facts, backbone={"model_type": "bert"})),
        says="restore the data and options, or start a new run without --ckpt_path",
    )


@pytest.mark.parametrize("way", ["copy the file again", "Recommender.from_checkpoint"])
def test_a_file_without_the_version_of_lightning(changed, run_folder, way):
    path = changed(lambda whole: whole.pop("pytorch-lightning_version"))
    broken = partial(lit_rec, "validate", "--ckpt_path", path)

    def copied():
        shutil.copy(run_folder / "best.ckpt", path)
        broken()

    follow(broken, copied if "copy" in way else partial(opened, path), says=way)


def test_a_run_resumed_from_the_model_alone(whole, run_folder):
    model = {name: whole[name] for name in whole if name != "optimizer_states"}
    for name in ("last.ckpt", "best.ckpt"):
        right = torch.load(run_folder / name, weights_only=True)
        follow(
            partial(check_training_state, model), partial(check_training_state, right), says=name
        )


test_each_remedy_was_followed = each_remedy_of(
    # those of base_weights.py are followed beside the runs that it is of
    *(
        f"training/checkpoint/{part.name}"
        for part in (ROOT / "lit_rec/training/checkpoint").glob("*.py")
        if part.name != "base_weights.py"
    )
)
