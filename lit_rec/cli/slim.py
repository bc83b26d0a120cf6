"""``lit-rec slim``."""

from __future__ import annotations

import argparse
import sys

from lit_rec.cli.parser import BASE_HELP, TRUST_HELP, CommandParser


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser("slim", rule="a checkpoint, and --output for another name")
    parser.add_argument("ckpt_path", metavar="CKPT", help="a checkpoint that `lit-rec fit` wrote")
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="the file to write (default: best.slim.ckpt next to best.ckpt)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the file if it is there")
    parser.add_argument("--trust", action="append", default=[], metavar="MODULE", help=TRUST_HELP)
    parser.add_argument("--base", action="append", default=[], metavar="FOLDER", help=BASE_HELP)
    return parser


def slim(words: list[str]) -> None:
    """Write a checkpoint without the state of training.

    The new file has weights and catalogue. All commands answer from it as from the checkpoint; only `lit-rec fit`
    cannot resume from it. Adapters of peft are merged into the encoder.

    Args:
        words: The options.

    Raises:
        LitRecError: If the input is wrong.
    """
    options = _parser().parse_args(words)
    from lit_rec.inference.stored import slim as slimming

    made = slimming.slim(
        *(options.ckpt_path, options.output),
        overwrite=options.overwrite,
        trust=options.trust,
        base=options.base,
    )
    sys.stdout.write(f"{made.path}: {_size(made.after)}, from {_size(made.before)}\n")
    if made.kept is not None:
        sys.stdout.write(f"its adapters are kept apart: {made.kept}\n")


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
