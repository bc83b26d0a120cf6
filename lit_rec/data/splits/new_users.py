"""NewUserSplit: some users are new; none of their rows train, and their first rows are shown."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from lit_rec.data.arrays import Int64s
from lit_rec.data.prepared import ALL_PARTS
from lit_rec.data.splits.splits import Split, clock_of, earliest, first_of_impression
from lit_rec.errors import ConfigError, option_of

_SHOWN = ALL_PARTS.index("shown")


class NewUserSplit(Split):
    """Draw users at random: the rows of some users test, the rows of others validate.

    The first ``shown`` rows of each such user do neither: they are shown.

    It measures how well a model predicts for a user who is not in the training rows and of whom little is known. Shown
    rows are only in histories of evaluated rows: they do not train, are not predicted, and count in no figure of the
    training rows. All rows of the other users train. Rows of one timestamp are taken in the input's order. An
    impression (rows of one user_id and impression_id) counts as one row, at its first timestamp, and is not divided.

    A user with ``shown`` rows or fewer would leave nothing to predict: such users are not drawn, and train.

    Under ``TrainingHistory`` an evaluated row sees only the shown rows. Under ``PastHistory`` it sees the strictly
    earlier ones, and also the user's other rows before it.

    Args:
        validation: Users that validate: a share, below 1, of the users that can be drawn, or their number.
        test: Users that test, in the same way; may be 0.
        shown: How many rows of each user are shown; 0 for users of whom nothing is known.
        seed: Seed of the draw.

    Raises:
        ConfigError: If a share, a number, or ``shown`` is not usable, there are too few users, or rows are to be shown
            and have no order.

    Example:
        >>> frame = pl.DataFrame({"user_id": ["a", "b", "a", "c", "b"], "row": range(5)})
        >>> frame = frame.with_columns(timestamp=pl.Series([1.0, 5.0, 2.0, 3.0, 4.0]))
        >>> NewUserSplit(1, 1, shown=1, seed=1).assign(frame).to_list()
        ['shown', 'val', 'test', 'train', 'shown']
    """

    def __init__(
        self, validation: int | float = 0.1, test: int | float = 0.1, shown: int = 5, seed: int = 0
    ) -> None:
        _check_number(self, "validation", validation, least=1)
        _check_number(self, "test", test, least=0)
        if validation < 1 and test < 1 and validation + test >= 1:
            raise ConfigError(
                f"validation {validation} and test {test} leave nobody to train on",
                where=type(self).__name__,
                rule="together below 1",
                remedy="0.1 and 0.1 leave 80 %",
            )
        if shown < 0:
            raise ConfigError(
                f"{shown} rows cannot be shown",
                where=option_of(self, "shown"),
                rule="0 or more",
                remedy="with 5, little is known of a user; with 0, nothing is",
            )
        self.validation, self.test, self.shown, self.seed = validation, test, shown, seed

    def _assign(self, behaviors: pl.DataFrame, ordered: bool) -> npt.NDArray[np.int8]:
        first = first_of_impression(behaviors)
        whole = np.flatnonzero(first == np.arange(len(first)))  # a place for each impression
        # by name, so that the draw does not depend on the order of the rows
        user = behaviors["user_id"].cast(pl.String).rank("dense").cast(pl.Int64).to_numpy() - 1
        count = np.bincount(user[whole])
        of_user = self._drawn(count)
        part = of_user[user[whole]]
        if self.shown and of_user.any():
            option = option_of(self, "shown")
            clock = clock_of(behaviors, ordered, option, "set it to 0")
            clock = earliest(clock, first)[whole]
            order = np.lexsort((behaviors["row"].to_numpy()[whole], clock, user[whole]))
            place = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
            begins = order[place < self.shown]
            part[begins[part[begins] > 0]] = _SHOWN
        of_row = np.empty(len(first), np.int8)
        of_row[whole] = part
        return of_row[first]

    def _drawn(self, count: Int64s) -> npt.NDArray[np.int8]:
        """Return 1 for users that validate, 2 for users that test, else 0; ``count``: the number of rows of each."""
        able = np.flatnonzero(count > self.shown)
        wanted = [_number(share, len(able)) for share in (self.test, self.validation)]
        if sum(wanted) > len(able):
            raise ConfigError(
                f"{wanted[1]:,} users to validate and {wanted[0]:,} to test are more than {len(able):,}",
                where=type(self).__name__,
                rule=f"of {len(count):,} users, those with more than {self.shown} rows can be drawn",
                remedy=f"ask for {len(able):,} or fewer, or lower {option_of(self, 'shown')}"
                if len(able)
                else f"lower {option_of(self, 'shown')}, or give users with more rows",
            )
        ends = np.cumsum(wanted)
        order = np.random.default_rng(self.seed).permutation(able)
        of_user = np.zeros(len(count), np.int8)
        of_user[order[: ends[0]]] = 2
        of_user[order[ends[0] : ends[1]]] = 1
        return of_user


def _check_number(split: object, name: str, value: float, *, least: int) -> None:
    whole = value >= 1 and value == int(value)
    if not (0 < value < 1 or whole or value == least):
        raise ConfigError(
            f"{value} is no number of users",
            where=option_of(split, name),
            rule="a share above 0 and below 1, or a whole number" + " above 0" * least,
            remedy="0.1 is a tenth of the users, 100 a hundred of them",
        )


def _number(wanted: float, users: int) -> int:
    return round(wanted * users) if wanted < 1 else int(wanted)
