"""The pretrained encoder: token ids in, token vectors out."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import TextChunk
from lit_rec.data.facts import Facts
from lit_rec.data.texts.offline import offline_error
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.evaluation_mode import evaluation_mode
from lit_rec.models.text.adapters.prompt import prompt_of
from lit_rec.models.text.build_limit import build_limit
from lit_rec.models.text.distinct_words import DistinctWords
from lit_rec.models.text.encoder_class import encoder_class
from lit_rec.models.text.encoder_config import check_encoder_folder, most_numbers
from lit_rec.models.text.lower_layers import LowerLayers
from lit_rec.models.text.short_attention import short_attention
from lit_rec.models.text.tuning import FullTuning, Tuning
from lit_rec.ranges import share

_OPTION = "PretrainedBackbone.name"
# tables of learned positions: BERT and similar models, GPT-2
_POSITIONS = ("position_embeddings", "wpe")


class Backbone(nn.Module):
    """Any encoder of ``transformers.AutoModel``, or the encoder half of T5, with a choice of trained parameters.

    Autocast, where the Trainer's precision asks for it, covers this module alone; its output is float32.

    Its frozen part gives a text the same token vectors in every step. The end of the frozen part is the *border*, and a
    pass may begin there. Above the border are the trained layers, or nothing where the whole encoder is frozen.

    Shape:
        A chunk of P' texts, padded to T tokens -> ``[P', T, width]`` float32.

    Example:
        >>> tiny = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 2, "num_attention_heads": 1}
        >>> tiny["intermediate_size"] = 4
        >>> backbone = Backbone(model_of_config({"model_type": "bert", **tiny}), FullTuning())
        >>> chunk = TextChunk(torch.tensor([[1, 7, 2]]), torch.ones(1, 3, dtype=torch.bool), torch.tensor([0]))
        >>> backbone(chunk).shape, backbone.has_border
        (torch.Size([1, 3, 4]), False)
    """

    def __init__(self, model: nn.Module, tuning: Tuning) -> None:
        super().__init__()
        self.model, self.tuning = model, tuning
        own = {id(weight): name for name, weight in model.named_parameters()}
        tuning.apply(model)
        # adapters put a part around a linear map: its weights then have longer names
        named = model.named_parameters(remove_duplicate=False)
        self._own_names = {name: own[id(weight)] for name, weight in named if id(weight) in own}
        self._frozen_parts = tuning.frozen_parts(model)
        if self.has_pooler:
            model.pooler.requires_grad_(False)  # it would never get a gradient
        self._frozen = not any(p.requires_grad for p in model.parameters())
        below = [] if self._frozen else tuning.frozen_layers(model)
        self._lower = LowerLayers(below) if below else None
        self._has_border: bool | None = None
        self.train()  # from_pretrained hands out a model in evaluation mode, its dropout off

    @property
    def tokens(self) -> int:
        """Number of tokens that the encoder has a vector for."""
        found: int = self.model.get_input_embeddings().num_embeddings  # type: ignore[operator]
        return found

    @property
    def has_pooler(self) -> bool:
        """Whether the encoder has a part after its token vectors, ``model.pooler``: its output is not used.

        A folder may be saved without its weights; they are then random, and others each time.
        """
        return isinstance(getattr(self.model, "pooler", None), nn.Module)

    def kept_weights(self) -> dict[str, str]:
        """Return names in ``state_dict`` of the encoder's own, frozen weights, and their names without any tuning.

        The pooler's are not among them: see ``has_pooler``.
        """
        return {
            f"model.{name}": self._own_names[name]
            for name, weight in self.model.named_parameters(remove_duplicate=False)
            if name in self._own_names
            and not weight.requires_grad
            and not name.startswith("pooler.")
        }

    def plain_names(self) -> dict[str, str]:
        """Return names in ``state_dict`` of the encoder's own weights, and their names without any tuning."""
        return {f"model.{name}": f"model.{plain}" for name, plain in self._own_names.items()}

    @property
    def folder(self) -> Path | None:
        """The folder that the encoder's own weights can be read from again; None if there is none."""
        return None

    @property
    def width(self) -> int:
        """Width of a token vector."""
        return int(self.config.hidden_size)

    @property
    def word_width(self) -> int:
        """Width of a word vector: in some encoders it is not that of a token vector."""
        return int(self.model.get_input_embeddings().embedding_dim)  # type: ignore[operator]

    @property
    def config(self) -> Any:
        """Configuration of the encoder, of transformers' own kind."""
        return self.model.config

    def config_plain(self) -> dict[str, Any]:
        """Return the configuration as plain values, enough to build the encoder again without its files."""
        plain: dict[str, Any] = json.loads(self.config.to_json_string(use_diff=False))
        return plain

    def train(self, mode: bool = True) -> Backbone:
        """Set training mode, but not for frozen parts: their dropout stays off."""
        super().train(mode)
        for part in self._frozen_parts:
            part.eval()
        return self

    @property
    def has_border(self) -> bool:
        """Whether a pass may begin at the border: something is frozen, and a pass from its middle was tried once."""
        if self._has_border is None:
            self._has_border = self._frozen or (
                self._lower is not None and self._can_begin_above(self._lower)
            )
        return self._has_border

    @torch.no_grad()
    def border_states(self, chunk: TextChunk) -> Tensor:
        """Return the token vectors at the border ``[P', T, width]`` float32, computed in float32.

        Call it only if ``has_border``.
        """
        with torch.autocast(chunk.mask.device.type, enabled=False):
            if self._lower is None:
                return self._tokens(chunk)
            states = self._lower.output(lambda: self._tokens(chunk))
        return states[:, : chunk.mask.shape[1]].float()

    def words(self, ids: Tensor) -> DistinctWords | None:
        """Return the word vectors of all texts of a step, for its passes; None where word vectors are not trained.

        Args:
            ids: All words of the texts, and the tokens around them.
        """
        if self._frozen or not torch.is_grad_enabled():
            return None
        lookup = self.model.get_input_embeddings()  # type: ignore[operator]
        learns = isinstance(lookup, nn.Embedding) and lookup.weight.requires_grad
        return DistinctWords(lookup, ids) if learns else None

    def forward(
        self,
        chunk: TextChunk,
        beside: Tensor | None = None,
        states: Tensor | None = None,
        words: DistinctWords | None = None,
    ) -> Tensor:
        """Return the token vectors of a chunk.

        Args:
            chunk: The texts.
            beside: ``[P', T, width]``, added to the word vectors: what else is known of each token.
            states: From ``border_states`` for this chunk: the pass begins there. Padding may hold other numbers.
            words: From ``words``, for this chunk's texts and others.
        """
        width = chunk.input_ids.shape[1]
        if states is not None and (self._lower is None or not width):
            return states
        if states is None or self._lower is None:
            with words.replaced() if words is not None else nullcontext():
                return self._tokens(chunk, beside)
        with self._lower.replaced(states):
            return self._tokens(chunk, beside)

    def _tokens(self, chunk: TextChunk, beside: Tensor | None = None) -> Tensor:
        ids, mask = chunk.input_ids, chunk.mask.long()
        width = ids.shape[1]
        if not width:  # empty texts without special tokens; no encoder takes texts of length 0
            ids, mask = ids.new_zeros(len(ids), 1), mask.new_zeros(len(ids), 1)
            beside = None if beside is None else beside.new_zeros(len(ids), 1, beside.shape[2])
        trained = beside is not None or not self._frozen  # ``beside`` may be trained
        learns = torch.set_grad_enabled(torch.is_grad_enabled() and trained)
        with learns, short_attention(self.model, ids):
            prompt = prompt_of(self.model)
            if beside is None and prompt is None:
                out = self.model(input_ids=ids, attention_mask=mask)
            else:
                words = self.model.get_input_embeddings()(ids)  # type: ignore[operator]
                words = words if beside is None else words + beside
                if prompt is not None:
                    words, mask = prompt.before(words, mask)
                out = self.model(inputs_embeds=words, attention_mask=mask)
        hidden: Tensor = out.last_hidden_state[:, -ids.shape[1] :]  # without those of a prompt
        return (hidden if width else hidden[:, :0]).float()

    def _can_begin_above(self, lower: LowerLayers) -> bool:
        device = next(self.model.parameters()).device
        ids = torch.arange(6, device=device).view(2, 3) % 4  # ids that every vocabulary has
        mask = torch.tensor([[True, True, False], [True, True, True]], device=device)
        chunk = TextChunk(ids, mask, torch.arange(2, device=device))
        with evaluation_mode(self), torch.autocast(device.type, enabled=False):
            return lower.can_be_replaced(lambda: self._tokens(chunk), mask)


def model_of_config(plain: dict[str, Any], **named: str) -> nn.Module:
    """Build an encoder with random weights from a plain configuration; ``named``: see ``encoder_class``."""
    from transformers import AutoConfig

    options = {k: v for k, v in plain.items() if k not in ("model_type", "transformers_version")}
    config = AutoConfig.for_model(plain["model_type"], **options)
    model: nn.Module = encoder_class(config, **named).from_config(config, trust_remote_code=False)
    return model.float()


class PretrainedBackbone(Backbone):
    """A pretrained encoder from a folder or a model hub.

    Where ``facts.backbone`` holds its configuration (a checkpoint is being loaded), the encoder is built from that
    alone: the weights come from the checkpoint, and the folder need not exist any more.

    Args:
        facts: Facts of the data.
        name: A folder with config.json and weights, or a name of the hub.
        tuning: Which parameters are trained; all by default.
        dropout: Share dropped everywhere inside the encoder while training; by default as it was pretrained. With 0, a
            step takes about a seventh less time on a CPU, and a text has one vector within a step.

    Raises:
        ConfigError: If there is no such encoder, it cannot be downloaded, or it is an encoder-decoder (of T5 and its
            kin the encoder half is used); if it cannot take texts of ``facts.max_tokens`` tokens, or ``dropout`` is
            not from 0 to 1.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from lit_rec.models.text.tuning import FrozenTuning
        >>> facts = Facts.example()
        >>> options = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
        >>> options["intermediate_size"] = 4
        >>> with TemporaryDirectory() as folder:
        ...     model_of_config({"model_type": "bert", **options}).save_pretrained(folder)
        ...     backbone = PretrainedBackbone(facts, folder, FrozenTuning())
        >>> backbone.width, backbone.has_border  # all of it is frozen
        (4, True)
    """

    def __init__(
        self, facts: Facts, name: str, tuning: Tuning | None = None, dropout: float | None = None
    ) -> None:
        if dropout is not None:
            share(self, "dropout", dropout)
        # the configuration in Facts was written with the dropout already set
        model = (
            model_of_config(facts.backbone) if facts.backbone else pretrained_model(name, dropout)
        )
        tuning = tuning or FullTuning()
        _check_positions(model, facts, tuning)
        super().__init__(model, tuning)
        self._name = name

    @property
    def folder(self) -> Path | None:
        """The folder that ``name`` names, if it is one."""
        return Path(self._name) if Path(self._name).is_dir() else None


class ConfiguredBackbone(Backbone):
    """An encoder with random weights, from a configuration: for tests, and for training from scratch.

    Args:
        facts: Facts of the data.
        model_type: Name of the architecture, such as ``bert``.
        options: Options of its configuration, such as ``{"hidden_size": 16}``.
        tuning: Which parameters are trained; all by default.

    Raises:
        ConfigError: If the architecture is not known, or it cannot take texts of ``facts.max_tokens`` tokens.

    Example:
        >>> facts = Facts.example()
        >>> options = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
        >>> options["intermediate_size"] = 4
        >>> ConfiguredBackbone(facts, "bert", options).width
        4
    """

    def __init__(
        self, facts: Facts, model_type: str, options: dict[str, Any], tuning: Tuning | None = None
    ) -> None:
        try:
            plain = facts.backbone or {**options, "model_type": model_type}
            model = model_of_config(plain, option=option_of(self, "model_type"), example="bert")
        except ConfigError:
            raise
        except Exception as error:  # transformers has no common class for its errors
            raise ConfigError(
                f"no encoder can be built from '{model_type}' with {options} ({_reason(error)})",
                where=option_of(self, "model_type"),
                rule="an architecture of transformers and options of its configuration",
                remedy="for example model_type: bert, "
                "options: {hidden_size: 64, num_attention_heads: 4, num_hidden_layers: 2}",
            ) from error
        tuning = tuning or FullTuning()
        _check_positions(model, facts, tuning)
        super().__init__(model, tuning)


def pretrained_model(name: str, dropout: float | None = None) -> nn.Module:
    """Read an encoder from a folder or a model hub, in float32.

    Args:
        name: A folder with config.json and weights, or a name of the hub.
        dropout: Share dropped everywhere inside the encoder; by default as it was pretrained.

    Raises:
        ConfigError: If it cannot be read.
    """
    from transformers import AutoConfig

    folder = Path(name)
    local = {"local_files_only": folder.is_dir(), "trust_remote_code": False}
    if folder.is_dir():
        check_encoder_folder(folder)
    try:
        config = AutoConfig.from_pretrained(name, **local)
        # hidden_dropout_prob, attention_dropout, embd_pdrop, ...: each family has its own names
        for option, value in config.to_dict().items():
            if dropout is not None and "drop" in option and isinstance(value, float):
                setattr(config, option, dropout)
        with build_limit(most_numbers(folder)) if folder.is_dir() else nullcontext():
            model: nn.Module = encoder_class(config).from_pretrained(
                name, config=config, weights_only=True, **local
            )
    except ConfigError:
        raise
    except (
        Exception
    ) as error:  # of transformers, the hub's client, or the reader of damaged weights
        if offline := offline_error(name, error, _OPTION):
            raise offline from error
        raise ConfigError(
            f"no encoder can be read from '{name}', seen from {Path.cwd()} ({_reason(error)})",
            where=_OPTION,
            rule="a folder with config.json and weights, or a name of the model hub",
            remedy="copy the whole folder again, or name another one"
            if folder.is_dir()
            else "check the path; tools/fetch_assets.py brings the encoder of the examples",
        ) from error
    return model.float()


def _check_positions(model: nn.Module, facts: Facts, tuning: Tuning) -> None:
    """Refuse texts longer than the encoder's learned positions; relative and rotary positions have no limit."""
    added = tuning.added_tokens
    for name, module in model.named_modules():
        if name.rpartition(".")[2] in _POSITIONS and isinstance(module, nn.Embedding):
            # RoBERTa and similar models count positions from after the padding token's id
            first = 0 if module.padding_idx is None else module.padding_idx + 1
            longest = module.num_embeddings - first - added
            if facts.max_tokens > longest:
                raise ConfigError(
                    f"texts of up to {facts.max_tokens} tokens for an encoder that takes {longest}"
                    + f" beside {added} of {type(tuning).__name__}" * bool(added),
                    where=option_of("BehaviorDataModule", "max_tokens"),
                    rule=f"at most {longest} for this encoder ({type(model).__name__})",
                    remedy=f"set BehaviorDataModule.max_tokens to {longest} or less; the end of longer texts is cut",
                )


def _reason(error: Exception) -> str:
    """Return the kind of an error and its first sentence: some list every architecture there is."""
    text = " ".join(str(error).split()).split(". ")[0]
    return f"{type(error).__name__}: {text[:200]}"
