"""AdaLoRA: LoRA whose ranks go to the linear maps that need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lit_rec.errors import CheckpointError, ConfigError, option_of
from lit_rec.models.text.adapters.layer_parts import Targets
from lit_rec.models.text.adapters.peft_tuning import PeftTuning
from lit_rec.models.text.adapters.rank_budget import BudgetPlan, Factors, RankBudget
from lit_rec.ranges import count, not_negative, positive, share

_ADAPTER = "default"  # peft's name of the only one


class AdaLoraTuning(PeftTuning):
    """Train a product beside each linear map whose rank is found while training (AdaLoRA); the encoder is frozen.

    Zhang et al., 2023 (https://arxiv.org/abs/2303.10512). The product is kept as singular values and vectors. All
    linear maps have ``first_rank`` values at first. Those that the loss depends on least are set to 0, until ``rank``
    for each map on average are left: some maps then have more, some none. It wants a rate of 1e-3 to 1e-2. The first
    pass gives exactly what the encoder gives. Needs the extra ``peft``.

    The plan follows the run's optimizer steps. A run that ends before its ranks are settled says so. Averaged weights
    (``EMAWeightAveraging``) are of a higher rank until the average has forgotten the values that were set to 0.

    Args:
        rank: Rank of a product at the end, on average.
        first_rank: Rank of each product at the beginning; half as much again by default.
        alpha: The product is multiplied by ``alpha / first_rank``.
        dropout: Share of the product's input that is dropped while training.
        layers: In how many of the top layers; in all by default. What is below may be cached.
        targets: ``all`` linear maps of a layer, or those of its ``attention``.
        begin: Share of the steps until which all values stay.
        settle: Share of the steps, the last ones, in which values do not change places any more.
        every: Optimizer steps from one choice to the next.
        orthogonality: Weight of how far singular vectors are from being orthogonal, which is added to the loss, but not
            to the loss that is shown: the sum of ``||P'P - I||^2 + ||QQ' - I||^2`` over all products.
        sensitivity: Decay of the average of ``|number * gradient|``.
        uncertainty: Decay of the average of how far that is from its average.

    Raises:
        ConfigError: If an option is out of its range, ``first_rank`` is below ``rank``, ``begin`` and ``settle`` leave
            no step between them, or as ``PeftTuning`` does; before the first step, if the encoder is divided
            among processes.

    Example:
        >>> from lit_rec.models.text.backbone import model_of_config
        >>> sizes = {"hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 2, "num_attention_heads": 1}
        >>> model = model_of_config({"model_type": "bert", "vocab_size": 9, **sizes})
        >>> AdaLoraTuning(rank=2, targets="attention", layers=1).apply(model)  # 3 values, 3 x 4 and 4 x 3, four times
        >>> sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        108
    """

    def __init__(
        self,
        rank: int = 8,
        first_rank: int | None = None,
        alpha: float = 16.0,
        dropout: float = 0.0,
        layers: int | None = None,
        targets: Targets = "all",
        begin: float = 0.1,
        settle: float = 0.5,
        every: int = 10,
        orthogonality: float = 0.1,
        sensitivity: float = 0.85,
        uncertainty: float = 0.85,
    ) -> None:
        self.rank = count(self, "rank", rank)
        first = -(-3 * rank // 2) if first_rank is None else first_rank
        self.first_rank = count(self, "first_rank", first, rank)
        self.begin, self.settle = share(self, "begin", begin), share(self, "settle", settle)
        if begin + settle >= 1:
            raise ConfigError(
                f"begin {begin:g} and settle {settle:g} leave no step to choose ranks in",
                where=option_of(self, "settle"),
                rule="less than 1 together",
                remedy="leave both out for their defaults, 0.1 and 0.5",
            )
        self.every = count(self, "every", every)
        self.orthogonality = not_negative(self, "orthogonality", orthogonality)
        self.sensitivity = share(self, "sensitivity", sensitivity)
        self.uncertainty = share(self, "uncertainty", uncertainty)
        options = {
            "init_r": self.first_rank,
            "target_r": self.rank,
            "lora_alpha": positive(self, "alpha", alpha),
            "lora_dropout": share(self, "dropout", dropout),
            "total_step": 1,  # of peft's own plan, which is not used
        }
        super().__init__("adalora", options, targets, layers)
        self._budget: RankBudget | None = None

    def begin_training(self, model: nn.Module, steps: int) -> None:
        """Plan the ranks.

        Raises:
            ConfigError: As the class says.
        """
        parts = _parts(model)
        if any(hasattr(factors.values, "device_mesh") for factors in parts.values()):
            raise ConfigError(
                "AdaLoraTuning in an encoder that is divided among processes",
                where=option_of("Trainer", "strategy"),
                rule="each process has all of the encoder",
                remedy=f"set {option_of('Trainer', 'strategy')} to ddp, or use LoraTuning",
            )
        begin = int(self.begin * steps)
        end = max(steps - int(self.settle * steps), begin + 1)
        ranks = self.first_rank * len(parts), self.rank * len(parts)
        plan = BudgetPlan(*ranks, begin, end, self.every)
        self._budget = RankBudget(plan, self.sensitivity, self.uncertainty)
        self._budget.begin(parts)

    def penalty(self, model: nn.Module) -> Tensor | None:
        """Return how far singular vectors are from being orthogonal."""
        if not self.orthogonality:
            return None
        away = [
            (product - torch.eye(len(product), device=product.device)).square().sum()
            for factors in _parts(model).values()
            for product in (factors.left.T @ factors.left, factors.right @ factors.right.T)
        ]
        return self.orthogonality * torch.stack(away).sum()

    def after_step(self, model: nn.Module, step: int) -> None:
        """Follow the importance of all numbers, and set values to 0."""
        if self._budget is not None:
            self._budget.after_step(_parts(model), step)

    def end_training(self, model: nn.Module, step: int) -> str | None:
        """Return a remark if the ranks were not settled."""
        if self._budget is None or step >= self._budget.plan.end:
            return None
        plan = self._budget.plan
        return (
            f"AdaLoraTuning: the run ended at step {step:,}, before its ranks settled at step {plan.end:,}: "
            f"{self._budget.left():,} of {plan.first:,} values stayed, {plan.last:,} are planned"
        )

    def training_state(self) -> dict[str, Tensor]:
        """Return averages, and the values that stay."""
        return {} if self._budget is None else dict(self._budget.state)

    def restore_training(self, state: Mapping[str, Any]) -> None:
        """Go on with the averages of a checkpoint.

        Raises:
            CheckpointError: If they are of other linear maps or ranks.
        """
        if self._budget is None:
            raise ValueError("training has not begun")
        own = self._budget.state
        for name, held in own.items():
            found = state.get(name)
            if not isinstance(found, Tensor) or (found.shape, found.dtype) != (
                held.shape,
                held.dtype,
            ):
                raise CheckpointError(
                    f"it holds no averages of {name} as AdaLoraTuning has them here",
                    where="--ckpt_path, tuning",
                    rule="a run goes on with the tuning that it began with",
                    remedy="name a last.ckpt that `lit-rec fit` wrote with this tuning, or start a new run",
                )
        for name, held in own.items():
            held.copy_(state[name])


def _parts(model: nn.Module) -> dict[str, Factors]:
    """Return the products of an encoder, in its own order."""
    return {
        name: Factors(
            module.lora_A[_ADAPTER],
            module.lora_E[_ADAPTER],
            module.lora_B[_ADAPTER],
        )
        for name, module in model.named_modules()
        if hasattr(module, "lora_E")
    }
