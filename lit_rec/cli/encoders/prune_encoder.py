"""``lit-rec prune-encoder``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lit_rec.cli.options.first_checks import check_words
from lit_rec.cli.parser import CommandParser
from lit_rec.errors import ConfigError

if TYPE_CHECKING:
    from lit_rec.export.pruning.pruned_encoder import Pruned


def prune_encoder(words: list[str]) -> None:
    """Write the encoder of a configuration with the word pieces of its data alone.

    Vectors of the data's texts stay as they are, which is checked. Letters stay as well, so every other text can still
    be read. Use the folder as `data.encoder`.

    Args:
        words: The options of ``fit``, and its own.

    Raises:
        LitRecError: If the input is wrong.
    """
    parser = CommandParser(
        "prune-encoder",
        rule="-c with a configuration and --output, and options as for `lit-rec fit`",
        epilog="Options of the YAML can follow: lit-rec prune-encoder -c CONFIG --output FOLDER "
        "--data.encoder checkpoints/assets/multilingual-e5-small",
    )
    parser.add_argument("--output", required=True, metavar="FOLDER", help="absent or empty")
    parser.add_argument(
        "--common",
        type=int,
        default=0,
        metavar="N",
        help="keep the first N pieces of the vocabulary too, mostly the most frequent ones "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the folder of an earlier pruning"
    )
    options, of_fit = parser.parse_known_args(words)
    if not of_fit:
        raise ConfigError(
            "no configuration is named",
            where="lit-rec prune-encoder",
            rule="-c with a YAML that `lit-rec fit` takes",
            remedy=f"lit-rec prune-encoder -c configs/quickstart.yaml --output {options.output}",
        )
    check_words("fit", of_fit)
    from lit_rec.cli.encoders.data_texts import encoder_and_texts
    from lit_rec.export.pruning import pruned_encoder

    encoder, texts = encoder_and_texts(of_fit)
    made = pruned_encoder.prune_encoder(
        encoder, texts, options.output, common=options.common, overwrite=options.overwrite
    )
    sys.stdout.write(_summary(made))


def _summary(made: Pruned) -> str:
    lines = [
        f"encoder: {made.folder}",
        f"word pieces: {made.pieces[1]:,} of {made.pieces[0]:,}",
        f"parameters: {made.parameters[1]:,} of {made.parameters[0]:,}",
        f"{made.texts:,} texts have the same tokens; loaded again, its vectors differ by "
        f"{made.difference:.1g} at most",
    ]
    return "\n".join(lines) + "\n"
