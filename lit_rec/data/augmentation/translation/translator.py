"""Translator: a translation model in a local folder, run without any code of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from lit_rec.data.augmentation.translation_model import TranslationModel
from lit_rec.errors import ConfigError, option_of

_STEP = 8  # texts of up to so many tokens more are translated together
_LEAST, _FACTOR = 16, 2  # a translation has at most so many tokens beyond so many times the text's


class Translator:
    """A translation model in memory.

    Args:
        model: The model's folder and options.
        device: Where it runs, such as ``cpu`` or ``cuda``.

    Raises:
        ConfigError: If it cannot be read.
    """

    def __init__(self, model: TranslationModel, device: str) -> None:
        self._options = model
        folder = str(model.checked())
        try:
            self._tokenizer, network = _opened(folder)
            self._network = network.eval().to(device)
            self._forced = self._language()
        except Exception as error:  # of transformers, torch or the readers of damaged files
            reason = " ".join(str(error).split())[:200]
            needs = "sentencepiece" in reason.lower()
            raise ConfigError(
                f"no translation model can be used from {folder} ({type(error).__name__}: {reason})",
                where=option_of(model, "folder"),
                rule="a model for AutoModelForSeq2SeqLM of transformers, its tokenizer, and a device that is there",
                remedy="pip install sentencepiece sacremoses"
                if needs
                else "check folder, source, target and BackTranslation.device",
            ) from error
        most = getattr(network.config, "max_position_embeddings", None) or model.max_tokens
        self._most = min(model.max_tokens, int(most))

    @torch.inference_mode()
    def translate(self, texts: Sequence[str], number: int = 1) -> list[list[str]]:
        """Return the best ``number`` translations of each text, by beam search; nothing is drawn.

        Args:
            texts: Some texts; fewer tokens of padding are computed where they are of similar lengths.
            number: How many translations.
        """
        said = [self._options.prefix + text for text in texts]
        ids = self._tokenizer(said, truncation=True, max_length=self._most)["input_ids"]
        # a translation may be as long as its text allows, whatever the other texts are
        steps = [-(-len(of_text) // _STEP) for of_text in ids]
        found: dict[int, list[str]] = {}
        for step in sorted(set(steps)):
            places = [place for place, own in enumerate(steps) if own == step]
            batch = {"input_ids": [ids[place] for place in places]}
            length = min(_LEAST + _FACTOR * _STEP * step, self._longest())
            some = self._generated(self._tokenizer.pad(batch, return_tensors="pt"), number, length)
            for row, place in enumerate(places):
                found[place] = some[row * number : (row + 1) * number]
        return [found[place] for place in range(len(texts))]

    def _generated(self, given: Any, number: int, length: int) -> list[str]:
        named: dict[str, Any] = (
            {} if self._forced is None else {"forced_bos_token_id": self._forced}
        )
        device = self._network.device
        found = self._network.generate(
            input_ids=given["input_ids"].to(device),
            attention_mask=given["attention_mask"].to(device),
            do_sample=False,
            num_beams=max(number, 2),
            num_return_sequences=number,
            max_length=length,
            **named,
        )
        said = self._tokenizer.batch_decode(found, skip_special_tokens=True)
        return [" ".join(text.split()) for text in said]

    def _longest(self) -> int:
        most = getattr(self._network.config, "max_position_embeddings", None)
        return int(most) if most else _LEAST + _FACTOR * self._most

    def _language(self) -> int | None:
        """Set the language of the texts, and return the token that begins a translation, where there is one."""
        if self._options.source is not None:
            self._tokenizer.src_lang = self._options.source
        target = self._options.target
        if target is None:
            return None
        if hasattr(self._tokenizer, "get_lang_id"):  # M2M100
            return int(self._tokenizer.get_lang_id(target))
        found = self._tokenizer.convert_tokens_to_ids(target)
        if found is None or found == self._tokenizer.unk_token_id:
            raise ValueError(f"the tokenizer has no language {target}")
        return int(found)


def _opened(folder: str) -> tuple[Any, Any]:
    """Return tokenizer and model; code that comes with a model is not run, and nothing is downloaded."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer  # takes long

    here: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    tokenizer = AutoTokenizer.from_pretrained(folder, **here)
    return tokenizer, AutoModelForSeq2SeqLM.from_pretrained(folder, use_safetensors=True, **here)
