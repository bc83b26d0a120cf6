"""Splits: which behaviors train, validate and test; pure functions of the table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.prepared import ALL_PARTS, GIVE_ORDER, PARTS
from lit_rec.errors import ConfigError, option_of

LABEL_NAME = "label_name"  # event of a row whose text is the name of its label: it always trains


class Split(ABC):
    """A rule that gives each behavior one part; a validation part always exists.

    Example:
        >>> class OddRowsValidate(Split):
        ...     def _assign(self, behaviors: pl.DataFrame, ordered: bool) -> npt.NDArray[np.int8]:
        ...         return (behaviors["row"].to_numpy() % 2).astype(np.int8)
        >>> OddRowsValidate().assign(pl.DataFrame({"row": range(3)})).to_list()
        ['train', 'val', 'train']
    """

    def assign(
        self,
        behaviors: pl.DataFrame,
        *,
        ordered: bool = False,
        target_events: Sequence[str] | None = None,
    ) -> pl.Series:
        """Return ``train``, ``val``, ``test`` or ``shown`` for each row of ``behaviors``, in its order.

        Args:
            behaviors: A clean behaviors table.
            ordered: Whether its rows are declared to be in the order of time.
            target_events: Events that are predicted; None: all rows may be. ``_assign`` finds a column ``predicted``.

        Raises:
            ConfigError: If the training or the validation part is empty.
        """
        if target_events is not None and "event" in behaviors.columns:
            predicted = pl.col("event").cast(pl.String).is_in(list(target_events))
            behaviors = behaviors.with_columns(predicted=predicted.fill_null(False))
        part = self._assign(behaviors, ordered)
        for code, name in ((0, "training"), (1, "validation")):
            if not (part == code).any():
                raise ConfigError(
                    f"{type(self).__name__} leaves no {name} row of {len(behaviors):,}",
                    where=type(self).__name__,
                    rule="training and validation rows exist, and validation is never the test part",
                    remedy=self._ways_to(name, behaviors, ordered),
                )
        return pl.Series("part", ALL_PARTS).gather(part)

    def _ways_to(self, name: str, behaviors: pl.DataFrame, ordered: bool) -> str:
        """Return what gives rows to a part that has none: only ways that this split and these rows have."""
        ways = []
        if name == "validation" and hasattr(self, "validation"):
            ways.append(f"raise {option_of(self, 'validation')}")
        elif name == "training" and hasattr(self, "test"):
            ways.append(f"lower {option_of(self, 'validation')} or {option_of(self, 'test')}")
        ways.append(f"give more {'rows' if ways else f'{name} rows'}")
        drawn = RandomSplit()._assign(behaviors, ordered)
        if type(self) is not RandomSplit and {0, 1} <= set(drawn.tolist()):
            ways.append("use RandomSplit")
        return f"{', '.join(ways[:-1])} or {ways[-1]}" if len(ways) > 1 else ways[0]

    @abstractmethod
    def _assign(self, behaviors: pl.DataFrame, ordered: bool) -> npt.NDArray[np.int8]:
        """Return a place in ``ALL_PARTS`` for each row."""


def check_shares(split: object, validation: float, test: float) -> None:
    """Refuse shares that leave nothing to validate or to train on.

    Args:
        split: The split with these options, for the error.
        validation: Above 0 and below 1.
        test: From 0 and below 1; together below 1.

    Raises:
        ConfigError: If a share is outside its range, or nothing is left to train on.
    """
    for name, share, low in (("validation", validation, 0.0), ("test", test, -1.0)):
        if not low < share < 1 or share < 0:
            raise ConfigError(
                f"{share} is not a usable share",
                where=option_of(split, name),
                rule="a share, above 0 and below 1 (test may be 0)",
                remedy="0.1 is a tenth",
            )
    if validation + test >= 1:
        raise ConfigError(
            f"validation {validation} and test {test} leave nothing to train on",
            where=type(split).__name__,
            rule="together below 1",
            remedy="0.1 and 0.1 leave 80 %",
        )


class RandomSplit(Split):
    """Draw rows at random.

    An impression (rows of one user_id and impression_id) is not divided: one that crosses the end of a share belongs
    to it.

    Args:
        validation: Share of the rows that validate.
        test: Share of the rows that test.
        seed: Seed of the draw.

    Raises:
        ConfigError: If the shares are not usable.

    Example:
        >>> sorted(RandomSplit(0.25, 0.25).assign(pl.DataFrame({"user_id": ["u"] * 8})).to_list())
        ['test', 'test', 'train', 'train', 'train', 'train', 'val', 'val']
    """

    def __init__(self, validation: float = 0.1, test: float = 0.1, seed: int = 0) -> None:
        check_shares(self, validation, test)
        self.validation, self.test, self.seed = validation, test, seed

    def _assign(self, behaviors: pl.DataFrame, ordered: bool) -> npt.NDArray[np.int8]:
        count = len(behaviors)
        num_val, num_test = round(count * self.validation), round(count * self.test)
        drawn = _draw(first_of_impression(behaviors), self.seed, num_test, num_val)
        part: npt.NDArray[np.int8] = np.array([0, 2, 1], np.int8)[drawn]
        return part


class TimeSplit(Split):
    """The newest rows test and the rows before them validate, by one clock for all users.

    So the parts contain new users and new items, as in reality.

    Rows of one timestamp are never divided. An impression (rows of one user_id and impression_id) is not divided
    either: it counts at its first timestamp. In ordered data without a timestamp, the row number is the time.

    Args:
        validation: Share of the rows that validate.
        test: Share of the rows that test.

    Raises:
        ConfigError: If the shares are not usable; or, by ``assign``, if the rows have no order.

    Example:
        >>> frame = pl.DataFrame({"timestamp": [3.0, 1.0, 2.0, 4.0, 5.0]})
        >>> TimeSplit(0.2, 0.2).assign(frame).to_list()
        ['train', 'train', 'train', 'val', 'test']
    """

    def __init__(self, validation: float = 0.1, test: float = 0.1) -> None:
        check_shares(self, validation, test)
        self.validation, self.test = validation, test

    def _assign(self, behaviors: pl.DataFrame, ordered: bool) -> npt.NDArray[np.int8]:
        clock = clock_of(behaviors, ordered, type(self).__name__)
        if "impression_id" in behaviors.columns:
            first = first_of_impression(behaviors)
            clock = earliest(clock, first)[first]
        distinct, counts = np.unique(clock, return_counts=True)
        until = np.cumsum(counts) / len(clock)  # share of rows up to and with each time
        slack = 1e-9
        begins = [
            np.searchsorted(until, 1 - share + slack, side="right")
            for share in (self.test + self.validation, self.test)
        ]
        # a part without rows begins at infinity
        val, test = (distinct[begin] if begin < len(distinct) else np.inf for begin in begins)
        part: npt.NDArray[np.int8] = (clock >= val).astype(np.int8) + (clock >= test)
        return part


class LeaveLastOutSplit(Split):
    """The newest row of each user tests, and the one before validates, for users with three rows or more.

    With ``BehaviorDataModule.target_events`` these are the newest predicted rows, for users with two or more of them
    and an earlier row. A row between the two is of the validation part and one after both is of the test part, so that
    no training row is later than them. Rows of one timestamp are taken in the input's order. All rows of users with
    fewer rows train. An impression (rows of one user_id and impression_id) counts as one row, at its first timestamp,
    and is not divided.

    Raises:
        ConfigError: By ``assign``, if the rows have no order.

    Example:
        >>> frame = pl.DataFrame({"user_id": list("uuuv"), "timestamp": [3.0, 1.0, 2.0, 9.0], "row": range(4)})
        >>> LeaveLastOutSplit().assign(frame).to_list()
        ['test', 'train', 'val', 'train']
    """

    def _assign(self, behaviors: pl.DataFrame, ordered: bool) -> npt.NDArray[np.int8]:
        first = first_of_impression(behaviors)
        clock = earliest(clock_of(behaviors, ordered, type(self).__name__), first)
        whole = np.flatnonzero(first == np.arange(len(first)))  # a place for each impression
        user = behaviors["user_id"].rank("dense").to_numpy()[whole]
        order = np.lexsort((behaviors["row"].to_numpy()[whole], clock[whole], user))
        user, asked = user[order], np.arange(len(order))
        if "predicted" in behaviors.columns:
            predicted = np.zeros(len(first), bool)
            np.logical_or.at(predicted, first, behaviors["predicted"].to_numpy())
            asked = np.flatnonzero(predicted[whole[order]])
        # each user's newest predicted row, and the one before it, which is not the user's first row of all
        newest = np.flatnonzero(np.diff(user[asked], append=0) != 0)
        newest = newest[newest > 0]
        test, val = asked[newest], asked[newest - 1]
        usable = (user[val] == user[test]) & (val > np.searchsorted(user, user[test]))
        begin = np.full((2, int(user.max(initial=0)) + 1), len(user))
        begin[:, user[test[usable]]] = val[usable], test[usable]
        part = np.zeros(len(behaviors), np.int8)
        part[whole[order]] = (np.arange(len(user)) >= begin[:, user]).sum(0)
        of_row: npt.NDArray[np.int8] = part[first]
        return of_row


class GivenSplit(Split):
    """The parts that the data gives; without validation rows, a fixed share of the training rows validates.

    This share is drawn at random, not from texts that are names of labels (see ``LabelledTextReader``). An impression
    (rows of one user_id and impression_id) is not divided.

    Args:
        validation: Share of the training rows that validate, where the data has no validation rows.
        seed: Seed of that draw.

    Raises:
        ConfigError: If the share is not usable; or, by ``assign``, if the data gives no parts, or parts other than
            train, val and test.

    Example:
        >>> GivenSplit().assign(pl.DataFrame({"split": ["train", "val", "test"]})).to_list()
        ['train', 'val', 'test']
    """

    def __init__(self, validation: float = 0.1, seed: int = 0) -> None:
        check_shares(self, validation, 0.0)
        self.validation, self.seed = validation, seed

    def _assign(self, behaviors: pl.DataFrame, ordered: bool) -> npt.NDArray[np.int8]:
        if "split" not in behaviors.columns:
            raise ConfigError(
                "GivenSplit, but the data gives no parts",
                where=type(self).__name__,
                rule="a column mapped to 'split', validation and test files, or a fold of a benchmark",
                remedy="map the column with behavior_columns: {split: NAME}, name the files in the reader, "
                "or use RandomSplit",
            )
        given = behaviors["split"].cast(pl.String)
        unknown = sorted({str(v) for v in given.unique()} - set(PARTS))
        if unknown:
            raise ConfigError(
                f"the split column holds {unknown[:3]}",
                where=type(self).__name__,
                rule="train, val or test",
                remedy="write train, val or test in their place",
            )
        part = given.replace_strict(PARTS, range(len(PARTS)), return_dtype=pl.Int8).to_numpy(
            writable=True
        )
        if not (part == 1).any():
            train = np.flatnonzero((part == 0) & ~is_label_name(behaviors))
            first = first_of_impression(behaviors)[train]
            part[train] = _draw(first, self.seed, round(len(train) * self.validation))
        return part.astype(np.int8)


def is_label_name(behaviors: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which rows are names of labels."""
    if "event" not in behaviors.columns:
        return np.zeros(len(behaviors), bool)
    return (behaviors["event"].cast(pl.String) == LABEL_NAME).fill_null(False).to_numpy()


def first_of_impression(behaviors: pl.DataFrame) -> Int64s:
    """Return, for each row, the place of the first row of its impression; its own place where it has none."""
    place = np.arange(len(behaviors), dtype=np.int64)
    if "impression_id" not in behaviors.columns:
        return place
    first = pl.col("place").min().over("user_id", "impression_id")
    alone = pl.col("impression_id").is_null()
    placed = behaviors.select("user_id", "impression_id", place=place)
    return placed.select(pl.when(alone).then("place").otherwise(first)).to_series().to_numpy()


def earliest(clock: Float64s, first: Int64s) -> Float64s:
    """Return ``clock`` with the earliest time of each impression at the place of its first row.

    Args:
        clock: ``[R]`` the time of each row.
        first: ``[R]``, what ``first_of_impression`` returns.
    """
    first_time = clock.copy()
    np.minimum.at(first_time, first, clock)
    return first_time


def _draw(group: Int64s, seed: int, *wanted: int) -> npt.NDArray[np.int8]:
    """Draw whole groups at random, until each of the ``wanted`` numbers of rows is reached.

    Args:
        group: ``[R]`` the group of each row; a group is not divided.
        seed: Seed of the draw; groups of single rows are drawn like a permutation of the rows.
        wanted: Numbers of rows.

    Returns:
        ``[R]``: 1 for rows of the first draw, 2 for rows of the second, ...; 0 for the others.
    """
    distinct, row, size = np.unique(group, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(distinct))
    before = np.concatenate([[0], np.cumsum(size[order])])  # rows drawn before each group
    drawn = np.zeros(len(distinct), np.int8)
    start = 0
    for code, count in enumerate(wanted, 1):
        stop = int(np.searchsorted(before, before[start] + count))
        drawn[order[start:stop]] = code
        start = min(stop, len(distinct))
    return drawn[row]


def clock_of(
    behaviors: pl.DataFrame, ordered: bool, split: str, otherwise: str = "use RandomSplit"
) -> Float64s:
    """Return the time of each row: seconds, or its place in ordered data without a timestamp.

    Args:
        behaviors: The rows.
        ordered: Whether they are declared to be in the order of time.
        split: Name of the split, or of its option that needs the order, for the error.
        otherwise: What to do where the rows cannot be ordered.

    Raises:
        ConfigError: If the rows have no order.
    """
    if "timestamp" in behaviors.columns:
        return behaviors["timestamp"].to_numpy().astype(np.float64)
    if ordered:
        return behaviors["row"].to_numpy().astype(np.float64)
    raise ConfigError(
        f"{split}, but the behaviors have no timestamp column",
        where=split,
        rule="a timestamp, or data that declares itself ordered",
        remedy=f"{GIVE_ORDER}, or {otherwise}",
    )
