"""Remedies of an export of the encoder."""

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
import torch

import lit_rec
from lit_rec.export import encoder as exporting
from lit_rec.export.encoder import check_replaced, export_encoder
from lit_rec.export.trained_encoder import TrainedEncoder
from lit_rec.export.transformers_files import write_transformers
from lit_rec.files.new_folder import write_folder
from lit_rec.inference.stored.network import load_module
from lit_rec.models.text.adapters.bottleneck import BottleneckTuning
from lit_rec.models.text.adapters.peft_tuning import LoraTuning
from lit_rec.models.text.adapters.prefix import PrefixTuning
from lit_rec.models.text.adapters.prompt_tuning import PromptTuning
from tests.integration.remedies.followed import each_remedy_of, follow, refused

pytestmark = pytest.mark.filterwarnings("default")


def test_a_folder_that_is_there():
    def export(name, *, overwrite=False):
        write_folder(
            Path(name),
            lambda folder: (folder / "text_template.json").touch(),
            option="--output",
            may_replace=partial(check_replaced, overwrite=overwrite),
        )

    export("made")
    follow(lambda: export("made"), lambda: export("new"), says="name another folder")
    follow(
        lambda: export("made"),
        lambda: export("made", overwrite=True),
        says="or replace this export: --overwrite (in Python overwrite=True)",
    )
    notes = Path("made/notes.txt")
    notes.touch()

    def moved():
        notes.rename("notes.txt")
        export("made", overwrite=True)

    follow(lambda: export("made", overwrite=True), moved, says="or move these away first")


def test_what_is_exported(run_folder):
    path, write = run_folder / "best.ckpt", exporting.write_transformers

    def other_weights(encoder, folder):
        write(encoder, folder)
        with torch.no_grad():
            encoder.model.get_input_embeddings().weight.neg_()

    def broken():
        with mock.patch.object(exporting, "write_transformers", other_weights):
            export_encoder(path, "new")

    says = "use the versions of transformers and tokenizers that wrote the checkpoint"
    follow(broken, lambda: export_encoder(path, "new"), says=says)
    follow(
        lambda: export_encoder(path, "named", base_model="../encoder"),
        lambda: export_encoder(path, "named", base_model="sentence-transformers/all-MiniLM-L6-v2"),
        says="for example sentence-transformers/all-MiniLM-L6-v2, or leave it out",
    )


def test_networks_without_an_encoder(run_folder):
    module, content = load_module(run_folder / "best.ckpt")

    def of(backbone):
        built = SimpleNamespace(backbone=backbone)
        other = SimpleNamespace(eval=lambda: SimpleNamespace(built=lambda: built))
        TrainedEncoder.of(other, content, "best.ckpt")

    of_text = lambda: TrainedEncoder.of(module, content, "best.ckpt")  # noqa: E731
    follow(lambda: of(None), of_text, says="train one with ItemEncoder in place of IdItemEncoder")
    broken = lambda: of(SimpleNamespace(model=torch.nn.Linear(1, 1)))  # noqa: E731
    code = refused(broken)[0].remedy.partition(": ")[2]

    def saved():
        assert code.startswith("lit_rec.inference.stored.network.load_module(path)")
        names = {"lit_rec": lit_rec, "path": run_folder / "best.ckpt"}
        torch.save(eval(code, names).state_dict(), "mine.pt")

    follow(broken, saved, says="save this one yourself")


def test_tokens_of_another_tokenizer(run_folder):
    made = TrainedEncoder.of(*load_module(run_folder / "best.ckpt"), "best.ckpt")
    few = SimpleNamespace(weight=torch.zeros(3, 1))

    def tokens(known):
        with mock.patch.object(type(made.model), "get_input_embeddings", return_value=known):
            made.tokens(["red night"])

    whole = made.model.get_input_embeddings()
    follow(
        lambda: tokens(few),
        lambda: tokens(whole),
        says="use a checkpoint as `lit-rec fit` wrote it",
    )


@pytest.mark.parametrize("kind", [BottleneckTuning, PrefixTuning, PromptTuning])
def test_an_encoder_with_parts_of_its_own(run_folder, kind, tmp_path):
    def made(tuning):
        module, content = load_module(run_folder / "best.ckpt")
        backbone = module.built().backbone
        backbone.tuning = tuning
        tuning.apply(backbone.model)
        return TrainedEncoder.of(module, content, "best.ckpt")

    assert kind.__name__ in refused(lambda: made(kind()))[0].problem

    def exported():
        write_transformers(made(LoraTuning(2)), tmp_path)
        assert (tmp_path / "model.safetensors").exists()

    follow(lambda: made(kind()), exported, says="train with LoraTuning and export that")


test_each_remedy_was_followed = each_remedy_of(
    *(f"export/{name}.py" for name in ("comparison", "encoder", "trained_encoder"))
)
