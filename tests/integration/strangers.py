"""Checkpoints whose configuration was changed by a stranger, and what they are opened by."""

from .conftest import message, options

BOOM = {"class_path": "canary.Boom"}
POPEN = {"class_path": "subprocess.Popen", "init_args": {"args": ["touch", "called"]}}


def words_of(command, path, workplace):
    """The words that open a checkpoint by a command."""
    more = {"recommend": ["--history", "50"], "classify": ["--text", "a"]}.get(command, [])
    if command in ("fit", "check"):
        more = [*options(workplace), "--trainer.max_steps=1"]
    return [command, "--ckpt_path", path, *more]


def refusal(capsys, command, path, workplace):
    return message(capsys, *words_of(command, path, workplace))


def part(config, *names):
    """The options of a part of the network: ``part(config, "head")``."""
    found = config["model"]["network"]
    for name in names:
        found = found["init_args"][name]
    return found


def configured(options):
    """A backbone whose options may be of any type."""
    return {
        "class_path": "lit_rec.models.text.backbone.ConfiguredBackbone",
        "init_args": {"model_type": "bert", "options": options, "tuning": None},
    }
