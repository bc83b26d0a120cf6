"""Fine-tune pretrained language models into recommenders.

The main classes are named here. They are imported when they are first used, since PyTorch and Lightning take seconds.

Example:
    >>> import lit_rec
    >>> lit_rec.Recommender.__module__
    'lit_rec.inference.recommender'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lit_rec.data.datamodule import BehaviorDataModule
    from lit_rec.data.text_datamodule import ItemTextDataModule
    from lit_rec.export.encoder import export_encoder
    from lit_rec.inference.acquirer import Acquirer
    from lit_rec.inference.classifier import Classifier
    from lit_rec.inference.recommender import Recommender
    from lit_rec.inference.reranker import Reranker
    from lit_rec.training.lit_rec import LitRec

__version__ = "0.1.0"
__all__ = [
    "Acquirer",
    "BehaviorDataModule",
    "Classifier",
    "ItemTextDataModule",
    "LitRec",
    "Recommender",
    "Reranker",
    "__version__",
    "export_encoder",
]
_MODULES = {
    "Acquirer": "lit_rec.inference.acquirer",
    "BehaviorDataModule": "lit_rec.data.datamodule",
    "Classifier": "lit_rec.inference.classifier",
    "ItemTextDataModule": "lit_rec.data.text_datamodule",
    "LitRec": "lit_rec.training.lit_rec",
    "Recommender": "lit_rec.inference.recommender",
    "Reranker": "lit_rec.inference.reranker",
    "export_encoder": "lit_rec.export.encoder",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'lit_rec' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
