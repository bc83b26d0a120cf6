"""RefitHead: a head fitted again on the trained encoder before each validation."""

from __future__ import annotations

from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback, StochasticWeightAveraging, WeightAveraging

from lit_rec.errors import ConfigError, option_of
from lit_rec.models.heads.value_heads import LinearHead
from lit_rec.models.linear.softmax_regression import fitted_at_most
from lit_rec.training.closed_forms import begin_at_labels
from lit_rec.training.self_training.self_training import SelfTraining


class RefitHead(Callback):
    """Fit a ``LinearHead`` again, as it began, on what the encoder has become; before each validation of a training.

    Training has moved the vectors of texts under the head. The logistic regression of these vectors, with the penalty
    that was chosen before training, replaces the head; training goes on from it. It costs a pass of the encoder over
    all training texts for each validation, so it suits few labels.

    Raises:
        ConfigError: By ``on_fit_start``, if the head does not begin at logistic regression, or if weights are averaged:
            these are validated, and the present ones would be fitted.

    Reference:
        Tunstall et al. 2022, Efficient few-shot learning without prompts (SetFit), https://arxiv.org/abs/2209.11055.

    Example:
        >>> RefitHead().state_dict()
        {'inverse_penalty': None}
    """

    def __init__(self) -> None:
        self._inverse_penalty: float | None = None

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Check the head."""
        head = getattr(pl_module.built(), "head", None)
        if not isinstance(head, LinearHead) or not head.looks_at_labels:
            way = f"set {option_of(LinearHead, 'begin')} to logistic_regression"
            if not isinstance(head, LinearHead):
                way = "use LinearHead with begin: logistic_regression"
            raise ConfigError(
                f"RefitHead beside {type(head).__name__}",
                where=type(self).__name__,
                rule="a head that begins at logistic regression",
                remedy=f"{way}, or leave RefitHead out",
            )
        averaged = (WeightAveraging, StochasticWeightAveraging)
        if any(isinstance(callback, averaged) for callback in trainer.callbacks):  # type: ignore[attr-defined]
            raise ConfigError(
                "RefitHead beside averaged weights",
                where=type(self).__name__,
                rule="one of both: averaged weights are validated, and the present ones would be fitted",
                remedy="leave one of them out",
            )
        # of a resumed run; otherwise None, and the penalty is chosen when training begins
        head.inverse_penalty = self._inverse_penalty

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Fit the head."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._refit(trainer, pl_module)

    def _refit(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        network, data = pl_module.built(), trainer.datamodule  # type: ignore[attr-defined]
        begin_at_labels(network, data, pl_module.device)
        layer = network.head.linear
        # together with the labelled rows, as many as a regression is fitted on: none of these is left out
        most = fitted_at_most(layer.in_features, layer.out_features) - sum(data.facts.label_counts)
        for other in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(other, SelfTraining) and other.reads_unlabelled and most > 0:
                supposed = other.supposed_labels(pl_module, most)
                begin_at_labels(network, data, pl_module.device, supposed)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Remember the penalty that was chosen."""
        self._inverse_penalty = pl_module.built().head.inverse_penalty

    def state_dict(self) -> dict[str, Any]:
        """Return the penalty."""
        return {"inverse_penalty": self._inverse_penalty}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Use the penalty of the resumed run."""
        self._inverse_penalty = state_dict["inverse_penalty"]
