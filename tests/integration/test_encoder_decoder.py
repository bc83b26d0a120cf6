"""A run with T5: its encoder half is trained, tested and exported."""

import shutil

import pytest
from transformers import T5Config, T5Model

from .conftest import lit_rec, options

pytestmark = pytest.mark.filterwarnings("default")


def test_a_run_with_t5(workplace, tmp_path, capsys):
    shutil.copytree(workplace / "checkpoints/assets/all-MiniLM-L6-v2", tmp_path / "t5")
    for path in (tmp_path / "t5").glob("*.safetensors"):
        path.unlink()
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    T5Model(T5Config(vocab_size=2000, **sizes)).save_pretrained(tmp_path / "t5")
    folder = f"--trainer.logger.init_args.save_dir={tmp_path}"
    words = (f"--data.encoder={tmp_path}/t5", "--trainer.max_epochs=1", folder)
    lit_rec("fit", *options(workplace), *words)
    shutil.rmtree(tmp_path / "t5")
    ckpt = tmp_path / "own_data/version_0/best.ckpt"
    lit_rec("validate", "--ckpt_path", ckpt)
    capsys.readouterr()
    lit_rec("export-encoder", "--ckpt_path", ckpt, "--output", "encoder")
    assert "loaded again, its vectors differ" in capsys.readouterr().out
    assert (
        "from transformers import AutoModelForTextEncoding"
        in (tmp_path / "encoder/README.md").read_text()
    )
