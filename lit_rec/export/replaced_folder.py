"""Which folder an export may replace: that of an earlier one, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from lit_rec.data.texts.tokenizer_files import NAMES
from lit_rec.errors import ConfigError, some_of
from lit_rec.export.sentence_transformers_files import POOLING_WEIGHTS
from lit_rec.export.template_text import TEMPLATE_FILE

_OWN = NAMES | {
    *("README.md", "config.json", "modules.json", "1_Pooling", "sentence_bert_config.json"),
    *("config_sentence_transformers.json", TEMPLATE_FILE, POOLING_WEIGHTS),
}
_WEIGHTS = re.compile(r"model(-\d+-of-\d+)?\.safetensors(\.index\.json)?")


def check_replaced(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds something, unless it is of an earlier export and the user wants another in its place.

    Args:
        folder: What is there.
        overwrite: Whether the user wants it replaced.

    Raises:
        ConfigError: Then, naming what would be lost.
    """
    names = sorted(path.name for path in folder.iterdir())
    others = [name for name in names if name not in _OWN and not _WEIGHTS.fullmatch(name)]
    # every export has one; the folder of somebody's encoder has not
    others += [] if TEMPLATE_FILE in names else names
    if not overwrite:
        problem, remedy = f"the folder holds {some_of(names)}", "name another folder"
        if not others:
            remedy += ", or replace this export: --overwrite (in Python overwrite=True)"
    elif others:
        problem = f"the folder holds what no export wrote: {some_of(dict.fromkeys(others))}"
        remedy = "name another folder, or move these away first"
    else:
        return
    raise ConfigError(
        problem,
        where=f"--output {folder}",
        rule="a folder that is absent or empty, or with --overwrite one of an earlier export",
        remedy=remedy,
    )
