"""Tiny encoders with tokenizers of each kind, trained on a few English and Chinese sentences."""

import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, RobertaConfig, RobertaModel

SENTENCES = [
    "the red river and the blue river meet near the city",
    "a comedy about love in the city at night",
    "night of war: a drama of the river people",
    "太空科幻电影讲述飞船穿越星际的故事",
    "一部关于爱情的喜剧电影发生在城市",
    "战争年代的历史剧情片和城市故事",
    "rivers, cities, nights and wars; loving 电影 故事",
] * 4
# what a data set has of these, with letters that no piece holds
TEXTS = [
    "",
    "red river 电影",
    "a comedy about cities",
    "城市故事 loving ☃ 你",
    "飞船",
    "warlike night",
]
OTHER = ["blue drama of love", "历史剧情片", "zebra 1984", "☃"]


def write(kind, folder):
    """Write an encoder of a kind of tokenizer; return its folder as a text."""
    made = _TOKENIZERS[kind]()
    special = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
    around = [(name, made.token_to_id(name)) for name in ("<s>", "</s>")]
    made.post_processor = (
        processors.RobertaProcessing(("</s>", around[1][1]), ("<s>", around[0][1]))
        if kind == "BPE"
        else processors.TemplateProcessing(single="<s> $A </s>", special_tokens=around)
    )
    names = ("bos_token", "pad_token", "eos_token", "unk_token", "mask_token")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, **dict(zip(names, special, strict=True))
    )
    tokenizer.save_pretrained(folder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    sizes |= {"intermediate_size": 16, "vocab_size": len(tokenizer) + 5, "pad_token_id": 1}
    sizes |= {"max_position_embeddings": 64}
    torch.manual_seed(0)
    # RoBERTa counts positions from after the padding token's id
    model = (
        RobertaModel(RobertaConfig(**sizes)) if kind == "BPE" else BertModel(BertConfig(**sizes))
    )
    for parameter in model.parameters():
        parameter.data.add_(0.3 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    return str(folder)


def _trained(made, trainer, **options):
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    made.train_from_iterator(
        SENTENCES, trainer(special_tokens=special, show_progress=False, **options)
    )
    return made


def _unigram():
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    return _trained(made, trainers.UnigramTrainer, vocab_size=160, unk_token="<unk>")


def _word_piece():
    made = Tokenizer(models.WordPiece(unk_token="<unk>"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return _trained(made, trainers.WordPieceTrainer, vocab_size=220)


def _bpe():
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return _trained(made, trainers.BpeTrainer, vocab_size=420, initial_alphabet=alphabet)


def _words():
    made = Tokenizer(models.WordLevel(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return _trained(made, trainers.WordLevelTrainer)


_TOKENIZERS = {"Unigram": _unigram, "WordPiece": _word_piece, "BPE": _bpe, "WordLevel": _words}
