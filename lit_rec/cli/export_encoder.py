"""``lit-rec export-encoder``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from lit_rec.cli.parser import CommandParser

if TYPE_CHECKING:
    from lit_rec.export.encoder import Exported


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser("export-encoder", rule="--ckpt_path and --output")
    parser.add_checkpoint()
    parser.add_argument("--output", required=True, metavar="FOLDER", help="absent or empty")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the folder of an earlier export"
    )
    parser.add_argument(
        "--base_model",
        metavar="NAME",
        help="name on the hub of the encoder before training, for the model card",
    )
    return parser


def export_encoder(words: list[str]) -> None:
    """Write the fine-tuned encoder as a folder that transformers and sentence-transformers load.

    Args:
        words: The options.

    Raises:
        LitRecError: If the input is wrong.
    """
    options = _parser().parse_args(words)
    from lit_rec.export import encoder

    made = encoder.export_encoder(
        *(options.ckpt_path, options.output),
        trust=options.trust,
        base=options.base,
        overwrite=options.overwrite,
        base_model=options.base_model,
    )
    sys.stdout.write(_summary(made))


def _summary(made: Exported) -> str:
    loads = "AutoModel" if made.without else "AutoModel and SentenceTransformer"
    lines = [
        f"encoder: {made.folder}",
        f"for {loads}; vectors of {made.width}, texts of {made.max_tokens} tokens at most",
        f"loaded again, its vectors differ from the checkpoint's by {made.difference:.1g} at most",
        *([f"not for SentenceTransformer: {made.without}"] if made.without else []),
        "README.md there says how texts are written and how the folder is used",
    ]
    return "\n".join(lines) + "\n"
