"""PartsSummary: how many parameters each part of the network has, and what training them needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightning
from lightning.pytorch.callbacks import ModelSummary

from lit_rec.progress import say
from lit_rec.training.tuned.run_sizes import run_sizes


class PartsSummary(ModelSummary):
    """Print how many parameters each part of the network has, and how many of them are trained; and what that needs.

    Example:
        >>> for line in PartsSummary.lines({"encoder": (0, 22_713_216), "head": (130, 130)}):
        ...     print(line)
        parameters        trained            all
        encoder                 0     22,713,216
        head                  130            130
    """

    def on_fit_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Print it, on the first process."""
        if trainer.is_global_zero:
            parts = parameters_of_parts(pl_module)
            for line in self.lines(parts):
                say(line)
            sizes = run_sizes(pl_module, trainer.datamodule, trainer.callbacks)  # type: ignore[attr-defined]
            say(sizes.line(*parts.get("network", (0, 0))))

    @staticmethod
    def lines(parts: Mapping[str, tuple[int, int]]) -> list[str]:
        """Return a heading and a line for each part."""
        width = max(map(len, (*parts, "parameters")))
        lines = [f"{'parameters':<{width}}  {'trained':>13}  {'all':>13}"]
        for name, (trained, whole) in parts.items():
            lines.append(f"{name:<{width}}  {trained:>13,}  {whole:>13,}")
        return lines


def parameters_of_parts(module: Any) -> dict[str, tuple[int, int]]:
    """Return the trained and all parameters of each part of a module's network, and of the network, by name.

    The encoder is a part of its own, and not counted in the part that holds it; parts without parameters are left out.

    Args:
        module: The ``LitRec``, whose network is built.
    """
    network = module.built()
    counted: set[int] = set()
    found = {}
    named = [("encoder", network.backbone), *network.named_children(), ("network", network)]
    for name, part in named:
        if part is None:
            continue
        own = {id(p): p for p in part.parameters() if name == "network" or id(p) not in counted}
        counted |= own.keys()
        sizes = [(p.numel() if p.requires_grad else 0, p.numel()) for p in own.values()]
        if sizes:
            found[name] = (sum(s for s, _ in sizes), sum(s for _, s in sizes))
    return found
