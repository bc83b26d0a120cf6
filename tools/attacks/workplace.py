"""A tiny workplace: made-up tables, an encoder, a configuration, and a fitted run, all made in child processes."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from attacks.forks import Ending, Room, answer, forked

_ROOT = Path(__file__).parents[2]
_POOLS = ("polars-0", "tokio", "rayon", "pt_")
# modules that take seconds to import: imported here, so that the child that makes the workplace need not
_HEAVY = (
    *("lit_rec.cli.rec_cli", "lit_rec.cli.predict_cli", "lit_rec.inference.recommender"),
    *("torch.utils.tensorboard", "transformers.models.bert.modeling_bert"),
)


@dataclass(frozen=True)
class Workplace:
    """Files that cases copy and change.

    Args:
        folder: Holds ``my``, ``checkpoints``, ``config.yaml``, ``cache`` and ``runs``.
        usual: What the watch sees in commands that are not attacked: programs that libraries start.
    """

    folder: Path
    usual: frozenset[str] = frozenset()

    @property
    def encoder(self) -> Path:
        """The folder of a random encoder."""
        return self.folder / "checkpoints/assets/all-MiniLM-L6-v2"

    @property
    def config(self) -> Path:
        """A configuration that runs with ``options``."""
        return self.folder / "config.yaml"

    @property
    def run(self) -> Path:
        """The folder of the fitted run."""
        return self.folder / "runs/own_data/version_0"

    def options(
        self,
        *,
        behaviors: Path | None = None,
        items: Path | None = None,
        encoder: Path | None = None,
        cache: Path | None = None,
        runs: Path | None = None,
    ) -> list[str]:
        """Return options of ``fit`` and ``check`` that name these files; by default those of the workplace."""
        return [
            f"--data.reader.behaviors={behaviors or self.folder / 'my/behaviors.csv'}",
            f"--data.reader.items={items or self.folder / 'my/items.csv'}",
            f"--data.encoder={encoder or self.encoder}",
            f"--data.cache_folder={cache or self.folder / 'cache'}",
            f"--trainer.logger.init_args.save_dir={runs or self.folder / 'runs'}",
        ]


def command(words: Sequence[str | Path], room: Room, **options: Any) -> Ending:
    """Run a command line of lit_rec in a child; ``options`` are those of ``forked``."""
    from lit_rec.cli.main import main  # noqa: PLC0415  (tools that need no torch import this module too)

    return forked(lambda: main([str(word) for word in words]), room, **options)


@cache
def _made() -> list[Workplace]:
    """The workplace of this process, if it has one: attacks only read it."""
    return []


def make_workplace(folder: Path) -> Workplace:
    """Make the workplace, fit its run, and import here the modules that this needed, so that children need not.

    Args:
        folder: A folder that is made, unless an earlier attack has made one.

    Raises:
        RuntimeError: If the fit fails.
    """
    if not _made():
        _made().append(_make_first(folder))
    return _made()[0]


def _make_first(folder: Path) -> Workplace:
    place = Workplace(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in _HEAVY:
        importlib.import_module(name)
    names = answer(lambda: _make(place), Room(folder / "making", [folder]))
    for name in names:
        with suppress(Exception):
            importlib.import_module(name)
    _check_threads()
    seen = (folder / "making/log/seen").read_text().splitlines()
    return replace(place, usual=frozenset(seen))


def _check_threads() -> None:
    """Raise if a thread pool was started in this process: its locks would stay locked in a fork."""
    names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    if pools := [name for name in names if name.startswith(_POOLS)]:
        raise RuntimeError(f"threads {pools}: a fork of this process might wait for ever")


def _make(place: Workplace) -> list[str]:
    """Write the files and fit; return the names of all imported modules."""
    import torch  # noqa: PLC0415

    torch.set_num_threads(1)
    os.chdir(place.folder)
    quick_assets = importlib.import_module("quick_assets")
    sys.argv = ["quick_assets.py"]
    quick_assets.main()
    place.config.write_text(yaml.safe_dump(_config()))
    from lit_rec.cli.main import main  # noqa: PLC0415

    sys.argv = ["lit-rec"]
    main(["fit", "-c", str(place.config), *place.options()])
    checkpoint = str(place.run / "best.ckpt")
    main(["test", "--ckpt_path", checkpoint, *_quiet()])
    main(["predict", "--ckpt_path", checkpoint, *_quiet()])
    main(["predict", "--ckpt_path", checkpoint, "--k", "3", *_quiet()])
    main(["recommend", "--ckpt_path", checkpoint, "--history", "50", "--k", "3"])
    return sorted(sys.modules)


def _quiet() -> list[str]:
    return ["--trainer.enable_progress_bar=false"]


def _config() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((_ROOT / "configs/own_data.yaml").read_text())
    trainer = config["trainer"]
    # a precision chosen by timing would not repeat; checkpoints within the epoch are targets for kills
    callbacks = [c for c in trainer["callbacks"] if "PrecisionProbe" not in c["class_path"]]
    for callback in callbacks:
        if "RunCheckpoint" in callback["class_path"]:
            callback["init_args"] = {"last_every_n_steps": 2}
    trainer |= {
        "callbacks": callbacks,
        "max_epochs": 2,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    init = config["data"]["init_args"]
    init |= {"batch_size": 32}
    init["text"]["init_args"]["columns"] = ["title", "genres"]
    return config
