"""WordDropout: training reads texts in which some words are hidden."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import lightning
import torch

from lit_rec import ranges
from lit_rec.data.batches.batch import RecBatch, Texts
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.networks.network import Network
from lit_rec.training.guards.guard import Guard, refuse_cached_texts


class WordDropout(Guard):
    """Replace a share of the tokens of a step's texts, drawn anew in each step; validation reads whole texts.

    Each distinct text of a batch is drawn once, and so are the texts of profiles. Special tokens stay. All passes of a
    step (R-Drop, adversaries) read the same words.

    Args:
        share: Share of the tokens that are replaced; 0: none.
        token: What stands in their place: the tokenizer's ``mask`` or ``unknown`` token; by default its mask where it
            has one.

    Raises:
        ConfigError: If ``share`` is not from 0 to 1. By ``on_fit_start``, if the network reads no text, the tokenizer
            has no such token, or texts pass a frozen encoder, or its lower layers, only once.

    Reference:
        Iyyer et al. 2015, Deep unordered composition rivals syntactic methods, https://aclanthology.org/P15-1162.
        Bowman et al. 2016, https://arxiv.org/abs/1511.06349 (the unknown token in place of words).

    Example:
        >>> WordDropout(share=0.2, token="unknown").share
        0.2
    """

    def __init__(self, share: float = 0.1, token: Literal["mask", "unknown"] | None = None) -> None:
        self.share = ranges.share(self, "share", share)
        if token not in (None, "mask", "unknown"):
            raise ConfigError(
                f"'{token}' cannot be used",
                where=option_of(self, "token"),
                rule="mask or unknown",
                remedy=f"set {option_of(self, 'token')} to mask, or leave it out",
            )
        self.token = token
        self._number = 0
        self._stays = torch.empty(0, dtype=torch.int64)

    def check(self, trainer: lightning.Trainer, network: Network) -> None:
        """Find the token.

        Raises:
            ConfigError: As the class says.
        """
        if network.backbone is None:
            raise ConfigError(
                "WordDropout beside a network that reads no text",
                where=type(self).__name__,
                rule="a network with a text encoder",
                remedy="leave WordDropout out",
            )
        refuse_cached_texts(self, trainer, network)
        tokenizer: Any = trainer.datamodule.tokenizer_files.open()  # type: ignore[attr-defined]
        known = {"mask": tokenizer.mask_token_id, "unknown": tokenizer.unk_token_id}
        there = [name for name, number in known.items() if number is not None]
        if self.token not in (None, *there) or not there:
            raise ConfigError(
                f"the tokenizer has no {self.token or 'mask or unknown'} token",
                where=option_of(self, "token"),
                rule="a token that the tokenizer has",
                remedy=f"set {option_of(self, 'token')} to {there[0]}" if there else "leave WordDropout out",
            )  # fmt: skip
        self._number = int(known[self.token or there[0]])
        self._stays = torch.tensor(sorted(tokenizer.all_special_ids))

    def changed(self, batch: RecBatch) -> RecBatch:
        """Return the batch with some words hidden."""
        if not self.share:
            return batch
        profiles = batch.users.profiles
        if profiles is not None:
            profiles = replace(profiles, texts=self.hidden(profiles.texts))
        users = replace(batch.users, profiles=profiles)
        return replace(batch, texts=self.hidden(batch.texts), users=users)

    def hidden(self, texts: Texts) -> Texts:
        """Return texts with some words hidden; they are no texts of a store any more."""
        tokens = texts.tokens
        self._stays = self._stays.to(tokens.device)
        drawn = torch.rand(len(tokens), device=tokens.device) < self.share
        drawn &= ~torch.isin(tokens.long(), self._stays)
        return Texts(tokens.masked_fill(drawn, self._number), texts.offsets)
