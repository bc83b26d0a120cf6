"""TranslationModel: the folder and the options of a translation model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lit_rec.errors import ConfigError, option_of
from lit_rec.files.cache import hash_of, hash_of_files
from lit_rec.ranges import count

_WEIGHTS = "*.safetensors"
# what a model and its tokenizer are read from: not pages about them, nor weights in other forms
_READ = (".json", ".safetensors", ".spm", ".model", ".txt")


@dataclass(frozen=True)
class TranslationModel:
    """A translation model of Hugging Face in a local folder, with its tokenizer: Marian, T5, mBART, M2M100, NLLB.

    Args:
        folder: Holds config.json, ``*.safetensors`` and the tokenizer's files, as ``save_pretrained`` writes them.
        prefix: Text before each text, such as ``"translate English to German: "`` for T5.
        source: The tokenizer's name of the language of the texts, such as ``eng_Latn``, for models of many languages.
        target: The tokenizer's name of the language to translate into, for models of many languages.
        max_tokens: Longest text in tokens; the end of a longer one is not translated.

    Raises:
        ConfigError: If ``max_tokens`` is below 2.

    Example:
        >>> TranslationModel("models/opus-mt-en-de").max_tokens
        256
    """

    folder: str
    prefix: str = ""
    source: str | None = None
    target: str | None = None
    max_tokens: int = 256

    def __post_init__(self) -> None:
        """Check the number."""
        count(self, "max_tokens", self.max_tokens, 2)

    def fingerprint(self) -> str:
        """Return a hash of the folder's files and of the options, wherever the folder is.

        Raises:
            ConfigError: If the folder holds no model with safetensors.
        """
        files = sorted(path for path in self.checked().iterdir() if path.suffix in _READ)
        options = [self.prefix, self.source, self.target, self.max_tokens]
        return hash_of([hash_of_files(files), options])

    def checked(self) -> Path:
        """Return the folder, after a check of what it holds.

        Raises:
            ConfigError: If it holds no model with safetensors.
        """
        folder = Path(self.folder)
        where = option_of(self, "folder")
        if not (folder / "config.json").is_file():
            raise ConfigError(
                f"{folder} holds no config.json, seen from {Path.cwd()}",
                where=where,
                rule="a local folder with a translation model: nothing is downloaded here",
                remedy="check the path; `hf download NAME --local-dir FOLDER` brings a model",
            )
        if not any(folder.glob(_WEIGHTS)):
            raise ConfigError(
                f"{folder} holds no {_WEIGHTS}",
                where=where,
                rule="weights as safetensors: other files of weights may run code when they are read",
                remedy="if you trust its maker, convert it: "
                'python -c "from transformers import AutoModelForSeq2SeqLM as Model; '
                f"Model.from_pretrained('{folder}').save_pretrained('{folder}')\"",
            )
        return folder
