"""The outcome of an attack: what it tried and what broke, as figures, a table row and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

EXAMPLES = 3  # shown of each kind of failure


@dataclass(frozen=True)
class Failure:
    """One broken promise.

    Args:
        kind: What kind, in a few words that many failures share, such as ``traceback``.
        number: The case, which ``--only NUMBER`` with the same seed repeats.
        what: What was done and what was seen, in one or a few lines.
        folder: Holds the case's input and output, if they were left there.
    """

    kind: str
    number: int
    what: str
    folder: str | None = None


@dataclass
class Outcome:
    """What one attack tried and found.

    Args:
        name: The attack, such as ``tables``.
        what: What was tried, in words for a table.
        must: What has to hold, in words for a table.
        tried: Cases, or whatever ``what`` counts.
        failures: Everything that broke; one case may have several.
        endings: How cases ended, such as ``{"ran": 20, "refused": 80}``.
        seconds: How long the attack took.

    Example:
        >>> found = Outcome("threads", "reads next to adds", "0 wrong", tried=10_000)
        >>> found.failures.append(Failure("wrong list", 17, "item 3 came twice"))
        >>> found.counts(), found.holds
        ({'wrong list': 1}, False)
    """

    name: str
    what: str
    must: str
    tried: int = 0
    failures: list[Failure] = field(default_factory=list)
    endings: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether something was tried and nothing broke."""
        return self.tried > 0 and not self.failures

    def counts(self) -> dict[str, int]:
        """Return how many failures there are of each kind, the most frequent first."""
        return dict(Counter(failure.kind for failure in self.failures).most_common())

    def examples(self) -> list[Failure]:
        """Return the first failures of each kind."""
        return [
            failure
            for kind in self.counts()
            for failure in [f for f in self.failures if f.kind == kind][:EXAMPLES]
        ]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "holds": self.holds, "counts": self.counts()}


def table(outcomes: Iterable[Outcome]) -> str:
    """Return the outcomes as a Markdown table.

    Example:
        >>> print(table([Outcome("threads", "reads next to adds", "0 wrong", tried=10_000, seconds=3)]))
        | attack | tried | ended | broken | seconds |
        | --- | --- | --- | --- | --- |
        | threads: reads next to adds | 10,000 |  | 0 | 3 |
    """
    lines = ["| attack | tried | ended | broken | seconds |", "| --- | --- | --- | --- | --- |"]
    for found in outcomes:
        endings = ", ".join(f"{name} {count:,}" for name, count in found.endings.items())
        broken = ", ".join(f"{kind} {count:,}" for kind, count in found.counts().items())
        lines.append(
            f"| {found.name}: {found.what} | {found.tried:,} | {endings} | {broken or 0} | {found.seconds:.0f} |"
        )
    return "\n".join(lines)
