"""TokenizerPool: one tokenizer for each text that is read at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from transformers import PreTrainedTokenizerBase

from lit_rec.data.texts.tokenizer_files import TokenizerFiles


class TokenizerPool:
    """Tokenizers of the same files, each used by one thread at a time.

    A tokenizer stores where to cut and then cuts, in two steps. Between them another thread may store something else,
    and texts are cut elsewhere, or not at all. With a lock around both, a short text would wait for the texts of a
    whole table.

    Args:
        files: The tokenizer; it is opened when the first text comes, and again only while all that are open are in use.
    """

    def __init__(self, files: TokenizerFiles) -> None:
        self._files = files
        self._idle: list[PreTrainedTokenizerBase] = []

    @contextmanager
    def lent(self) -> Iterator[PreTrainedTokenizerBase]:
        """Have a tokenizer alone for a while."""
        try:
            tokenizer = self._idle.pop()  # one step of the interpreter, as is append
        except IndexError:
            tokenizer = self._files.open()
        try:
            yield tokenizer
        finally:
            self._idle.append(tokenizer)
