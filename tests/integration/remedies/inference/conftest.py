"""The small networks of the unit tests of inference."""

from tests.unit.inference.conftest import (  # noqa: F401  (fixtures)
    checkpoint,
    cross_checkpoint,
    data,
    network,
    rec,
    text_checkpoints,
    texts,
)
