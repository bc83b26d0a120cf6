"""The usage section of a model card: Python code that runs in the folder's parent."""

from __future__ import annotations

from lit_rec.export.sentence_transformers_files import POOLING_WEIGHTS, mode_of, why_not
from lit_rec.export.template_text import written_template
from lit_rec.export.trained_encoder import TrainedEncoder
from lit_rec.models.text.encoder_class import encoder_class
from lit_rec.models.text.pooling import AttentionPooling

_POOLED = {
    "mean_tokens": "(tokens * mask).sum(1) / mask.sum(1)  # the mean of a text's tokens",
    "cls_token": "tokens[:, 0]  # a text's first token",
    "lasttoken": "tokens[torch.arange(len(texts)), mask.sum(1).squeeze(1) - 1]  # a text's last token",
}


def usage_section(encoder: TrainedEncoder, name: str) -> str:
    """Return the section of a model card that explains how to use the folder.

    Args:
        encoder: The exported encoder.
        name: The folder's name.
    """
    parts = []
    if reason := why_not(encoder):
        parts.append(f"sentence-transformers cannot load this folder: {reason}.")
    else:
        parts.append(
            f"With sentence-transformers:\n\n{_python(_sentence_transformers(encoder, name))}"
        )
    parts.append(f"With transformers alone:\n\n{_python(_transformers(encoder, name))}")
    if encoder.reads_pairs:
        parts.append(
            "In training the encoder read a user's history and a candidate as one text, and learned vectors "
            "for events, ratings or labels were added to its words. Use it as the start of further training."
        )
    elif encoder.pooling is not None:
        parts.append(
            f"A vector has {encoder.width} numbers and is the output of the pooling. The recommender's own projection, "
            "and all that it has learned apart from texts, are not in this folder."
        )
    return "\n\n".join(parts)


def _texts(encoder: TrainedEncoder) -> str:
    # a user replaces the names in angle brackets by values
    first = next(iter(written_template(encoder.template).values()))
    return f"texts = {[first, 'a second text']!r}  # as the next section says"


def _sentence_transformers(encoder: TrainedEncoder, name: str) -> str:
    return f"""\
from sentence_transformers import SentenceTransformer

{_texts(encoder)}
encoder = SentenceTransformer({name!r})
vectors = encoder.encode(texts)  # [2, {encoder.width}]"""


def _transformers(encoder: TrainedEncoder, name: str) -> str:
    mode = mode_of(encoder.pooling)
    learned = encoder.pooling is not None and mode is None
    kind = encoder_class(encoder.model.config).__name__
    imports, loaded, pooled = "", "", "vectors = tokens  # a vector of each token"
    if mode is not None:
        pooled = f"vectors = {_POOLED[mode]}"
    elif learned:
        learns = type(encoder.pooling)
        imports = f"from {learns.__module__} import {learns.__name__}\nfrom safetensors.torch import load_file\n"
        loaded = f"pooling = {learns.__name__}({encoder.width}{_options(encoder)})\n"
        loaded += f"pooling.load_state_dict(load_file({name + '/' + POOLING_WEIGHTS!r}))\n"
        pooled = "vectors = pooling(tokens, mask.squeeze(-1).bool())"
    return f"""\
import torch
{imports}from transformers import {kind}, AutoTokenizer

{_texts(encoder)}
tokenizer = AutoTokenizer.from_pretrained({name!r})
encoder = {kind}.from_pretrained({name!r})
{loaded}batch = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
with torch.no_grad():
    tokens = encoder(**batch).last_hidden_state  # [texts, longest, {encoder.width}]
    mask = batch["attention_mask"].unsqueeze(-1)
    {pooled}"""


def _options(encoder: TrainedEncoder) -> str:
    """Return the options of a learned pooling that are not its width."""
    if isinstance(encoder.pooling, AttentionPooling):
        return f", hidden={encoder.pooling.hidden.out_features}"
    return ""


def _python(code: str) -> str:
    return f"```python\n{code}\n```"
