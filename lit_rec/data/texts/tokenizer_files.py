"""A tokenizer's files: read from a folder, stored in a checkpoint, opened without running code from them."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_rec.data.texts.offline import offline_error
from lit_rec.data.texts.tokens import SpecialTokens, special_tokens
from lit_rec.errors import CheckpointError, ConfigError
from lit_rec.files.existing import is_there

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


Problem = tuple[str, str, str]  # name of the file, what it holds, the rule

# all files that save_pretrained of transformers' tokenizers writes
NAMES = frozenset(
    {
        *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
        *("added_tokens.json", "vocab.json", "vocab.txt", "merges.txt", "chat_template.jinja"),
        *("spiece.model", "sentencepiece.bpe.model", "tokenizer.model", "sentencepiece.model"),
        *("spm.model", "spm_char.model", "source.spm", "target.spm", "target_vocab.json"),
        *("vocab-src.json", "vocab-tgt.json", "bpe.codes", "dict.txt", "normalizer.json"),
        *("emoji.json", "entity_vocab.json", "byte_maps.json", "prophetnet.tokenizer"),
        *("word_shape.json", "word_pronunciation.json"),
    }
)
_MOST_BYTES = 256 * 2**20
_CONFIG = "tokenizer_config.json"
_MAPPING = "a mapping in JSON"


@dataclass(frozen=True)
class TokenizerFiles:
    """A tokenizer as the files that ``save_pretrained`` writes: a checkpoint stores them.

    A tokenizer that is rebuilt from its ``tokenizers`` object alone loses settings, such as ``token_type_ids``.
    """

    files: Mapping[str, bytes]

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> TokenizerFiles:
        """Take the files of a loaded tokenizer."""
        with tempfile.TemporaryDirectory() as folder:
            tokenizer.save_pretrained(folder)
            found = sorted(path for path in Path(folder).iterdir() if path.name in NAMES)
            return cls({path.name: path.read_bytes() for path in found})

    @classmethod
    def load(cls, name: str, *, option: str) -> TokenizerFiles:
        """Take the files of a tokenizer in a folder or on a hub; code that comes with it is not run.

        Args:
            name: A folder, or a name of the hub.
            option: How the user gave it, for the error.

        Raises:
            ConfigError: If there is no tokenizer of that name, or its files need code, or files outside the folder.
        """
        folder = Path(name)
        config = folder / _CONFIG
        if config.is_file() and (problem := _config_problem(config.read_bytes())):
            raise ConfigError(
                f"'{config}': {problem[0]}",
                where=option,
                rule=problem[1],
                remedy="copy the folder again"
                if problem[1] == _MAPPING
                else "use another tokenizer, or take the entry out if it is not needed",
            )
        try:
            return cls.of(_opened(name, local=folder.is_dir()))
        except _UnreadableError as error:
            if offline := offline_error(name, error, option):
                raise offline from error
            raise ConfigError(
                f"no tokenizer can be read from '{name}' ({error})",
                where=option,
                rule="a folder that holds a tokenizer, or a name of the model hub",
                remedy="copy the whole folder again, with the tokenizer's files, or name another one"
                if folder.is_dir()
                else f"check the path (seen from {Path.cwd()}); "
                "tools/fetch_assets.py brings the encoder of the examples",
            ) from error

    def open(self) -> PreTrainedTokenizerBase:
        """Return the tokenizer.

        Raises:
            CheckpointError: If the files are not those of a tokenizer, which can only happen in a damaged checkpoint.
        """
        reason = ": ".join(filter(None, (tokenizer_problem(self.files) or ())[:2]))
        if not reason:
            with tempfile.TemporaryDirectory() as folder:
                for name, content in self.files.items():
                    Path(folder, name).write_bytes(content)
                try:
                    return _opened(folder, local=True)
                except _UnreadableError as error:
                    reason = str(error).replace(folder, "the checkpoint")
        raise CheckpointError(
            f"it cannot be opened ({reason})",
            where="the tokenizer of the checkpoint",
            rule="files that save_pretrained of a tokenizer wrote",
            remedy="copy the checkpoint again, or use another one",
        )

    def special_tokens(self) -> SpecialTokens:
        """Return what the tokenizer puts around a text."""
        return special_tokens(self.open())

    @property
    def key(self) -> str:
        """Hash of the files."""
        digest = hashlib.sha256()
        for name in sorted(self.files):
            digest.update(f"{name}\0{len(self.files[name])}\0".encode())
            digest.update(self.files[name])
        return digest.hexdigest()


def tokenizer_problem(files: Mapping[str, Any]) -> Problem | None:
    """Return the first refused file of a stored tokenizer: its name, the problem, the rule; None: all are accepted.

    Example:
        >>> tokenizer_problem({"../../.bashrc": b""})[:2]
        ('../../.bashrc', 'a file of that name')
    """
    for name, content in files.items():
        if name not in NAMES:
            return (
                str(name)[:60] or "''",
                "a file of that name",
                "names that tokenizers of transformers have",
            )
        if not isinstance(content, bytes):
            return name, f"a {type(content).__name__}", "the bytes of a file"
    size = sum(map(len, files.values()))
    if size > _MOST_BYTES:
        return "", f"files of {size:,} bytes", f"{_MOST_BYTES:,} bytes at most"
    if _CONFIG in files and (problem := _config_problem(files[_CONFIG])):
        return _CONFIG, *problem
    return None


class _UnreadableError(Exception):
    """A tokenizer cannot be read; the text is the reason in a few words."""


def _opened(name: str, *, local: bool) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer  # takes long, and not every command reads a text

    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            name, local_files_only=local, trust_remote_code=False
        )
        # some options are checked only when a text comes, such as a model_max_length that is not a number
        tokenizer("a")
        tokenizer(["a"], add_special_tokens=False, truncation=True, max_length=8)
    except BaseException as error:
        # the reader of tokenizer.json raises plain exceptions, and panics, which are not Exceptions
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        reason = " ".join(str(error).split()).split(". ")[0]
        raise _UnreadableError(f"{type(error).__name__}: {reason[:160]}") from error
    return tokenizer


def _config_problem(content: bytes) -> tuple[str, str] | None:
    """Return what is refused in tokenizer_config.json, and the rule."""
    try:
        config = json.loads(content)
    except (ValueError, RecursionError) as error:
        return f"it cannot be read ({type(error).__name__})", _MAPPING
    if not isinstance(config, dict):
        return f"a {type(config).__name__}", _MAPPING
    for name, value in config.items():
        if rule := _refused(name, value):
            return f"{name}: {str(value)[:60]!r}", rule
    return None


def _refused(name: str, value: Any) -> str | None:
    """Return the rule that an option of a tokenizer breaks."""
    if name == "auto_map" and value:
        return "a tokenizer of transformers: code that comes with a tokenizer is not run"
    if name == "init_inputs" and value:
        return "options by their names"
    if name == "tokenizer_class" and value is not None:
        is_name = isinstance(value, str) and value.isidentifier()
        return None if is_name else "the name of a class of transformers"
    # the path where it was saved; harmless unless there is such a file here
    is_elsewhere = name.endswith("_file") and isinstance(value, str) and Path(value).name != value
    return "files in the folder of the tokenizer" if is_elsewhere and is_there(value) else None
