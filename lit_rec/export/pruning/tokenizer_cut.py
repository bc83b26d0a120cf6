"""Cut a tokenizer.json to some of its pieces, so that texts made of these are divided as before."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from lit_rec.errors import ConfigError, option_of

Json = dict[str, Any]
_SIGNS = "▁Ġ"  # a space, as pieces write it


class Vocabulary:
    """The pieces of a ``tokenizer.json``, by id.

    Args:
        content: The file's content, parsed.

    Raises:
        ConfigError: If it is of a kind whose pieces are not known.

    Example:
        >>> pieces = [["<unk>", 0.0], ["a", -2.0], ["ab", -1.0], ["b", -3.0], ["ba", -4.0]]
        >>> vocabulary = Vocabulary({"model": {"type": "Unigram", "unk_id": 0, "vocab": pieces}, "added_tokens": []})
        >>> sorted(vocabulary.always())  # the unknown one, single letters, and the one of lowest score
        [0, 1, 3, 4]
        >>> [piece for piece, _ in vocabulary.cut([0, 1, 2, 3, 4][:3])["model"]["vocab"]]
        ['<unk>', 'a', 'ab']
    """

    def __init__(self, content: Json) -> None:
        self._content, self._model = content, content["model"]
        self.kind = self._model.get("type")
        if self.kind not in ("Unigram", "WordPiece", "BPE"):
            raise ConfigError(
                f"its tokenizer is of the kind {self.kind}",
                where=option_of("BehaviorDataModule", "encoder"),
                rule="a tokenizer of the kind Unigram, WordPiece or BPE",
                remedy="use this encoder as it is, or one with such a tokenizer",
            )
        vocab = self._model["vocab"]
        pairs = ((piece, place) for place, (piece, _) in enumerate(vocab))
        of_model = dict(pairs) if self.kind == "Unigram" else vocab
        self.id_of = of_model | {token["content"]: token["id"] for token in self._added}

    @property
    def _added(self) -> list[Json]:
        added: list[Json] = self._content.get("added_tokens") or []
        return added

    def always(self) -> set[int]:
        """Return ids that any text may need: added tokens, the unknown one, bytes and single letters."""
        kept = {token["id"] for token in self._added}
        kept |= {at for piece, at in self.id_of.items() if len(self._bare(piece)) <= 1}
        kept |= {at for piece, at in self.id_of.items() if _is_byte(piece)}
        if self.kind == "Unigram":
            vocab = self._model["vocab"]
            # what an unknown letter costs depends on the lowest score
            kept.add(min(range(len(vocab)), key=lambda place: vocab[place][1]))
            unknown = self._model.get("unk_id")
        else:
            unknown = self.id_of.get(self._model.get("unk_token"))
        return kept if unknown is None else kept | {unknown}

    def inside(self, texts: Iterable[str]) -> set[int]:
        """Return ids of all pieces that stand somewhere in these texts.

        Args:
            texts: As the tokenizer's model gets them, after normalisation.
        """
        longest = max(map(len, self.id_of), default=0)
        parts = {
            text[start:end]
            for text in texts
            for start in range(len(text))
            for end in range(start + 1, min(start + longest, len(text)) + 1)
        }
        return {
            at for piece, at in self.id_of.items() if self._bare(piece) in parts or piece in parts
        }

    def with_parts(self, kept: Collection[int]) -> set[int]:
        """Return the ids, and those of the pieces that they are merged from (BPE)."""
        found = set(kept)
        if self.kind != "BPE":
            return found
        by_result: dict[int, list[tuple[str, str]]] = {}
        for one, other in map(_pair, self._model["merges"]):
            by_result.setdefault(self.id_of[self._merged(one, other)], []).append((one, other))
        waiting = list(found)
        while waiting:
            for pair in by_result.get(waiting.pop(), ()):
                new = {self.id_of[piece] for piece in pair} - found
                found |= new
                waiting += new
        return found

    def cut(self, kept: Collection[int]) -> Json:
        """Return the content with these ids alone, renumbered in their order."""
        new = {old: place for place, old in enumerate(sorted(kept))}
        model, vocab = dict(self._model), self._model["vocab"]
        if self.kind == "Unigram":
            model["vocab"] = [pair for place, pair in enumerate(vocab) if place in new]
            if model.get("unk_id") is not None:
                model["unk_id"] = new[model["unk_id"]]
        else:
            model["vocab"] = {piece: new[at] for piece, at in vocab.items() if at in new}
        if self.kind == "BPE":
            model["merges"] = [
                merge for merge in model["merges"] if self._is_left(*_pair(merge), new)
            ]
        added = [{**token, "id": new[token["id"]]} for token in self._added]
        around = _renumbered(self._content.get("post_processor"), new)
        return {
            **self._content,
            "model": model,
            "added_tokens": added,
            "post_processor": around,
            # options of the last call
            "padding": None,
            "truncation": None,
        }

    def _is_left(self, one: str, other: str, new: Mapping[int, int]) -> bool:
        pieces = one, other, self._merged(one, other)
        return all(self.id_of[piece] in new for piece in pieces)

    def _merged(self, one: str, other: str) -> str:
        # a piece within a word may be marked by a prefix, which its merged form has once
        return one + other.removeprefix(self._model.get("continuing_subword_prefix") or "")

    def _bare(self, piece: str) -> str:
        """Return a piece without what marks its place in a word."""
        prefix = self._model.get("continuing_subword_prefix") or ""
        suffix = self._model.get("end_of_word_suffix") or ""
        bare = piece.removeprefix(prefix).removesuffix(suffix)
        return bare[1:] if bare[:1] in _SIGNS and len(bare) > 1 and self.kind == "Unigram" else bare


def cut_config(content: Json, kept: Collection[int]) -> Json:
    """Return a tokenizer_config.json with the ids of added tokens renumbered.

    Example:
        >>> cut_config({"added_tokens_decoder": {"7": {"content": "[CLS]"}}, "pad_token": "[PAD]"}, [2, 7])
        {'added_tokens_decoder': {'1': {'content': '[CLS]'}}, 'pad_token': '[PAD]'}
    """
    new = {str(old): str(place) for place, old in enumerate(sorted(kept))}
    decoder = content.get("added_tokens_decoder")
    if decoder is None:
        return content
    return {**content, "added_tokens_decoder": {new[at]: token for at, token in decoder.items()}}


def parsed(content: bytes) -> Json:
    """Return a file of JSON as plain values."""
    found: Json = json.loads(content)
    return found


def _renumbered(part: Any, new: Mapping[int, int]) -> Any:
    """Return a part of the post-processor with its ids renumbered."""
    if isinstance(part, list):
        # BERT's and RoBERTa's own kinds write a token and its id
        is_token = len(part) == 2 and isinstance(part[0], str) and isinstance(part[1], int)
        return [part[0], new[part[1]]] if is_token else [_renumbered(one, new) for one in part]
    if isinstance(part, dict):
        return {
            name: [new[old] for old in value] if name == "ids" else _renumbered(value, new)
            for name, value in part.items()
        }
    return part


def _pair(merge: str | list[str]) -> tuple[str, str]:
    one, other = merge.split(" ") if isinstance(merge, str) else merge
    return one, other


def _is_byte(piece: str) -> bool:
    return len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">")
