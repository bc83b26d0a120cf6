"""A quickstart in Chinese: init, check, prune-encoder, fit, test and recommend on made-up tables with Chinese names."""

import json

import polars as pl
import pytest
import torch
import yaml
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from lit_rec.inference.recommender import Recommender

from . import chinese_tables
from .conftest import lit_rec, message

pytestmark = pytest.mark.filterwarnings("default")
QUIET = (
    "--trainer.enable_progress_bar=false",
    "--trainer.enable_model_summary=false",
    "--trainer.accelerator=cpu",
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return tmp_path_factory.mktemp("数据")


@pytest.fixture(scope="module")
def made(tables):
    """A folder with two tables, and an encoder where init looks for the one of many languages."""
    _, films = chinese_tables.write(tables)
    _write_encoder(tables / "checkpoints/assets/multilingual-e5-small", _words_of(films))
    return tables


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def _words_of(films):
    table = pl.read_csv(films)
    others = ["a film of love and war", "rivers and cities at night", "query: 你好，世界. "] * 5
    return [*table["片名"], *table["简介"], *others, *"一部没有见过的电影"]


def _write_encoder(folder, texts):
    """A tiny encoder with random weights, and a Unigram tokenizer as E5's of these texts."""
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    options = {"unk_token": "<unk>", "special_tokens": special, "show_progress": False}
    options["initial_alphabet"] = sorted({*normalizers.NFKC().normalize_str("".join(texts))})
    made.train_from_iterator(texts, trainers.UnigramTrainer(vocab_size=1500, **options))
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = ("bos_token", "pad_token", "eos_token", "unk_token")
    named = dict(zip(names, special, strict=True))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, **named)
    tokenizer.save_pretrained(folder)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    sizes |= {"intermediate_size": 32, "vocab_size": len(tokenizer), "pad_token_id": 1}
    torch.manual_seed(0)
    BertModel(BertConfig(**sizes)).save_pretrained(folder)


@pytest.fixture(scope="module")
def written(made):
    """The configuration that init wrote, and the folder of the run by it, with a pruned encoder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        lit_rec("init", "电影.csv", "评分.csv", "-o", "中文.yaml")
        lit_rec("prune-encoder", "-c", "中文.yaml", "--output", "encoder")
        lit_rec(
            "fit", "-c", "中文.yaml", "--data.encoder=encoder", "--trainer.max_epochs=1", *QUIET
        )
    return made / "中文.yaml"


def test_init_takes_the_encoder_of_many_languages_and_its_prefix(written):
    data = yaml.safe_load(written.read_text())["data"]["init_args"]
    assert data["encoder"] == "checkpoints/assets/multilingual-e5-small"
    assert data["reader"]["init_args"]["behavior_columns"] == {
        "user_id": "用户编号",
        "item_id": "电影编号",
        "rating": "评分",
        "timestamp": "时间",
    }
    template = data["text"]["init_args"]
    assert {"片名", "简介"} == {*pl.Series(template["columns"]).explode()}
    assert template["prefix"] == "query: "
    assert "Assumed: the encoder knows" not in written.read_text()


@pytest.mark.usefixtures("written")
def test_check_finds_nothing_unknown(folder, capsys):
    lit_rec("check", "-c", "中文.yaml", "--json", "figures.json")
    figures = json.loads((folder / "figures.json").read_text())
    assert [field["unknown"] for field in figures["texts"]["by_field"].values()] == [0]
    assert "unknown to the encoder" not in capsys.readouterr().out


@pytest.mark.usefixtures("written")
def test_a_checkpoint_holds_the_pruned_encoder(folder):
    stamp = json.loads((folder / "encoder/pruned_vocabulary.json").read_text())
    held = torch.load(folder / "checkpoints/中文/version_0/best.ckpt", weights_only=True)
    name = "network.item_encoder.backbone.model.embeddings.word_embeddings.weight"
    assert len(held["state_dict"][name]) == stamp["pieces"][1] < stamp["pieces"][0]


@pytest.mark.usefixtures("written")
def test_the_report_and_lists(folder, capsys):
    run = folder / "checkpoints/中文/version_0"
    lit_rec("test", "--ckpt_path", run / "best.ckpt", "--trainer.enable_progress_bar=false")
    rows = json.loads((run / "report.json").read_text())["rows"]
    assert {"lit_rec", "user_item_bias", "text_ridge"} <= {row["model"] for row in rows}
    capsys.readouterr()
    lit_rec("recommend", "--ckpt_path", run / "best.ckpt", "--user", "u0001", "--k", "3")
    assert "m00" in capsys.readouterr().out
    lit_rec(
        "recommend", "--ckpt_path", run / "best.ckpt", "--text", "太空飞船的科幻故事", "--k", "3"
    )
    said = capsys.readouterr().out
    assert any(name in said for name in pl.read_csv("电影.csv")["片名"])


@pytest.mark.usefixtures("written")
def test_a_text_of_a_request_has_the_prefix_too(folder):
    recommender = Recommender.from_checkpoint(folder / "checkpoints/中文/version_0/best.ckpt")
    rendered = recommender._texts.read(["一部没有见过的电影"], where="texts")
    assert rendered.texts.row(0)[0].startswith("query: 一部")


@pytest.mark.usefixtures("written")
def test_an_exported_encoder_says_how_texts_begin(folder):
    path = folder / "checkpoints/中文/version_0/best.ckpt"
    lit_rec("export-encoder", "--ckpt_path", path, "--output", "exported")
    assert json.loads((folder / "exported/text_template.json").read_text())["prefix"] == "query: "
    assert "query: <" in (folder / "exported/README.md").read_text()


@pytest.mark.usefixtures("written")
def test_prune_encoder_says_that_it_needs_a_configuration(folder, capsys):
    assert "no configuration is named" in message(capsys, "prune-encoder", "--output", "new")
