"""The site's pages of classes: what a YAML may name stands there, and so do base classes and what a page imports."""

import importlib
import sys

import pytest

from tests.class_names import class_named
from tests.test_house_rules import MODULES, ROOT
from tests.test_named_classes import CONFIGURED, nameable, path_of


@pytest.fixture(scope="module")
def public():
    sys.path.insert(0, str(ROOT / "tools/pages"))
    try:
        from public_classes import public_classes
    finally:
        sys.path.pop(0)
    return {f"{module}.{name}" for module, names in public_classes().items() for name in names}


def test_what_a_configuration_can_name_has_its_place(public):
    """The code is parsed for the pages; here it is imported."""
    for path in MODULES:
        if path.stem != "__init__":
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    kinds = nameable(map(class_named, CONFIGURED))
    assert len(kinds) > 60
    # a LitRec that `predict` makes for itself, and a backbone that answers from a checkpoint make
    made = {
        "lit_rec.inference.lists.list_module.ListModule",
        "lit_rec.inference.stored.late_backbone.LateBackbone",
    }
    assert {path_of(kind) for kind in kinds} - public == made


def test_bases_the_public_face_and_what_pages_import(public):
    from lit_rec.data.readers.reader import Reader
    from lit_rec.inference.recommender import Recommender
    from lit_rec.training.callbacks.monitors import DefaultMonitor

    # the base of readers stands in no module that a YAML's short names come from, nor does that of waiting callbacks
    assert {path_of(kind) for kind in (Reader, Recommender, DefaultMonitor)} <= public
    assert "lit_rec.export.encoder.export_encoder" in public  # a function of the package's own page
    assert "lit_rec.data.readers.frames.FrameReader" in public  # docs/python.md imports it
    assert not {name for name in public if name.rpartition(".")[2].startswith("_")}
