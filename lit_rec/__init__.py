"""Fine-tune pretrained language models into recommenders."""

__version__ = "0.1.0"
