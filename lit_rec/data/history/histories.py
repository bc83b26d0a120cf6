"""Which earlier behaviors a row may see. The YAML chooses a rule; it is never guessed from the columns."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Int64s
from lit_rec.data.history.rule import (
    BoundHistory,
    BoundOrderedHistory,
    History,
    OrderedHistory,
    Where,
)
from lit_rec.data.history.sequences import BoundSequences, PastSequences, RowSequences
from lit_rec.data.history.windows import HistoryDraws, HistoryRows, SeenRows, flat, newest, window
from lit_rec.data.prepared import ALL_PARTS, GIVE_ORDER, Prepared
from lit_rec.errors import ConfigError, option_of

# the parts that a row of each part sees
_PAST = {
    "train": ("train",),
    "val": ("train", "val", "shown"),
    "test": ALL_PARTS,
    "shown": ("train", "shown"),
}
_TRAINING = {part: ("train",) if part == "train" else ("train", "shown") for part in ALL_PARTS}


class PastHistory(OrderedHistory):
    """The user's behaviors with a strictly smaller timestamp; in data that is declared ordered, the earlier rows.

    Rows of the same second, and of the target's own impression, are left out: their order is unknown. A training row
    sees training rows only. A validation row sees earlier training, shown and validation rows. A test row sees every
    earlier row of its user, as a deployed model would. So later evaluation rows of a user may see an evaluation row,
    but training rows never do.

    Example:
        >>> import pathlib, tempfile, polars as pl
        >>> from lit_rec.data import prepared
        >>> from lit_rec.data.tables import tables
        >>> from lit_rec.data.texts import template as text_template
        >>> rows = pl.DataFrame({"user_id": "u", "item_id": ["a", "b", "c"], "row": range(3)})
        >>> rows = rows.with_columns(timestamp=pl.Series([5.0, 6.0, 6.0]))  # b and c are of one second
        >>> template = text_template.TextTemplate(["title"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     both = tables.Tables(rows, rows.select("item_id", title="item_id"))
        ...     prepared.prepare(both, pl.Series(["train"] * 3), template, pathlib.Path(folder))
        ...     PastHistory().bind(Prepared.open(pathlib.Path(folder))).of(np.arange(3)).mask.tolist()
        [[False], [True], [True]]
    """

    def bind(self, prepared: Prepared) -> BoundOrderedHistory:
        """Bind the rule to a data set.

        Raises:
            ConfigError: If the behaviors have neither a timestamp nor a declared order.
        """
        if not prepared.has_order:
            raise ConfigError(
                "PastHistory, but the behaviors have no timestamp column",
                where=type(self).__name__,
                rule="PastHistory needs a timestamp, or data that declares itself ordered",
                remedy=f"{GIVE_ORDER}, or use TrainingHistory where ratings or labels are predicted",
            )
        return _BoundPast(prepared, self)

    def sequences(self, prepared: Prepared) -> BoundSequences:
        """Return one sequence per user.

        Raises:
            ConfigError: As ``bind`` does.
        """
        self.bind(prepared)
        train = prepared.part == 0
        counts, targets = (where.mask(prepared) & train for where in (self.where, self.targets))
        return PastSequences(prepared, counts, self.max_length, targets)


class _BoundPast(BoundOrderedHistory):
    def __init__(self, prepared: Prepared, rule: PastHistory) -> None:
        self._prepared, self._max_length = prepared, rule.max_length
        counts, taken = rule.where.mask(prepared), rule.takes(prepared)
        self._seen = self._taken = SeenRows(prepared, counts, _PAST)
        if not np.array_equal(counts, taken):
            self._taken = SeenRows(prepared, taken, _PAST)

    def of(self, rows: Int64s, rng: np.random.Generator | None = None) -> HistoryRows:
        """Return the histories of ``rows``; nothing is random here."""
        low, high = self._seen.spans(rows, self._prepared.past_end[rows])
        low = np.maximum(low, high - self._max_length)
        return window(self._prepared, self._seen.places, low, high)

    def seen(self, rows: Int64s) -> tuple[Int64s, Int64s]:
        """Return all seen items before ``rows``."""
        row, index = flat(*self._taken.spans(rows, self._prepared.past_end[rows]))
        return row, np.asarray(self._prepared.item[self._taken.places[index]], np.int64)


class TrainingHistory(History):
    """The user's training rows without the target, for random and fold splits; evaluation rows are never included.

    An evaluated row also sees the shown rows of its user (``NewUserSplit``); a training row never does. Rows of the
    target's own impression are left out: where one item of an impression was clicked, the labels of the others would
    reveal whether it was the target.

    In training, a random subset is drawn each time: from "all rows but the target" a model with a parameter of the
    user could compute the target.

    Args:
        max_length: Longest history H; older rows are left out.
        where: Which behaviors count.
        keep: Probability that a training row is drawn into a history in training.
        oldest: Take the oldest rows instead of the newest: training then sees of its users what ``NewUserSplit`` shows
            of others.
        together: Draw items once for all rows of a batch, instead of rows for each history: an item that is not drawn
            is in no history of the batch, so fewer distinct texts have to be encoded.

    Raises:
        ConfigError: If ``keep`` is not above 0 and at most 1.

    Example:
        In the YAML, as ``data.history``:
        ``{class_path: lit_rec.data.history.histories.TrainingHistory, init_args: {max_length: 20, keep: 0.3}}``
    """

    def __init__(
        self,
        max_length: int = 50,
        where: Where | None = None,
        keep: float = 0.5,
        oldest: bool = False,
        together: bool = False,
    ) -> None:
        super().__init__(max_length, where)
        if not 0 < keep <= 1:
            raise ConfigError(
                f"{keep} is not a usable probability",
                where=option_of(self, "keep"),
                rule="above 0 and at most 1",
                remedy="0.5 draws half of the user's rows each time",
            )
        self.keep, self.oldest, self.together = keep, oldest, together

    def bind(self, prepared: Prepared) -> BoundHistory:
        """Bind the rule to a data set.

        Raises:
            ConfigError: If ``oldest`` is set and the behaviors have no order.
        """
        if self.oldest and not prepared.has_order:
            raise ConfigError(
                "the oldest rows, but the behaviors have no timestamp column",
                where=option_of(self, "oldest"),
                rule="a timestamp, or data that declares itself ordered",
                remedy=f"{GIVE_ORDER}, or leave the option out",
            )
        return _BoundTraining(prepared, self)


class _BoundTraining(BoundHistory):
    def __init__(self, prepared: Prepared, rule: TrainingHistory) -> None:
        self._prepared, self._rule = prepared, rule
        self._seen = SeenRows(prepared, rule.where.mask(prepared), _TRAINING)
        shown = np.asarray(prepared.impression)[self._seen.places]
        # no impression may keep more rows out of a history
        self._largest = int(np.bincount(shown[shown >= 0]).max(initial=0))
        # more than max_length, since the target and its impression may be among them
        self._enough = rule.max_length + max(self._largest, 1)
        self._draws = HistoryDraws(
            prepared, self._seen.places, rule.keep, self._enough, rule.oldest
        )
        self._items = int(np.max(prepared.item, initial=-1)) + 1

    def of(self, rows: Int64s, rng: np.random.Generator | None = None) -> HistoryRows:
        """Return the histories of ``rows``; a random subset where ``rng`` is given."""
        prepared = self._prepared
        low, high = self._seen.spans(rows, prepared.offsets[prepared.user[rows] + 1])
        if rng is not None:
            full = self._drawn(low, high, rng)
        elif self._rule.oldest:
            full = window(prepared, self._seen.places, low, np.minimum(high, low + self._enough))
        else:
            full = window(prepared, self._seen.places, np.maximum(low, high - self._enough), high)
        keep = full.mask & (full.source != rows[:, None])
        if self._largest:
            impression = prepared.impression[rows][:, None]
            keep &= (impression < 0) | (prepared.impression[full.source] != impression)
        if self._rule.oldest:
            keep &= np.cumsum(keep, 1) <= self._rule.max_length
        return newest(full, keep, self._rule.max_length)

    def _drawn(self, low: Int64s, high: Int64s, rng: np.random.Generator) -> HistoryRows:
        if self._rule.together:
            return self._draws.of_all(low, high, self._items, rng)
        return self._draws.of_each(low, high, rng)


class NoHistory(History):
    """Empty histories: for texts that have no user, and to measure how much histories help.

    Example:
        >>> NoHistory().bind(None).of(np.arange(2)).mask.tolist()  # two rows, of any data
        [[False], [False]]
    """

    def __init__(self) -> None:
        super().__init__(max_length=1)

    def bind(self, prepared: Prepared) -> BoundHistory:
        """Bind the rule to a data set."""
        return _BoundNone()

    def tells_labels(self, prepared: Prepared) -> bool:
        """Return False: histories are empty."""
        return False


class _BoundNone(BoundHistory):
    def of(self, rows: Int64s, rng: np.random.Generator | None = None) -> HistoryRows:
        """Return empty histories."""
        shape = (len(rows), 1)
        none = np.zeros(shape, np.int64)
        return HistoryRows(none - 1, none, np.zeros(shape, bool))


class GivenHistory(OrderedHistory):
    """The histories that the data gives: a list of item ids in each behavior, oldest first.

    Args:
        max_length: Longest history H; earlier ids are left out.

    Example:
        >>> from types import SimpleNamespace
        >>> item, offsets, index = np.array([7, 8, 9]), np.array([0, 3]), np.array([0, 0])
        >>> prepared = SimpleNamespace(  # what it reads of Prepared: one list of three items, for two rows
        ...     has_given=True, given_item=item, given_offsets=offsets, given_index=index
        ... )
        >>> GivenHistory(max_length=2).bind(prepared).of(np.arange(2)).item.tolist()
        [[8, 9], [8, 9]]
    """

    def __init__(self, max_length: int = 50) -> None:
        super().__init__(max_length)

    def bind(self, prepared: Prepared) -> BoundOrderedHistory:
        """Bind the rule to a data set.

        Raises:
            ConfigError: If the behaviors have no history column.
        """
        if not prepared.has_given:
            raise ConfigError(
                "GivenHistory, but the behaviors have no history column",
                where=type(self).__name__,
                rule="GivenHistory reads the column mapped to 'history'",
                remedy="map it with behavior_columns: {history: NAME}, or use PastHistory",
            )
        return _BoundGiven(prepared, self.max_length)

    def sequences(self, prepared: Prepared) -> BoundSequences:
        """Return one sequence per training row that is predicted.

        Raises:
            ConfigError: As ``bind`` does.
        """
        return RowSequences(prepared, self.bind(prepared).of, self.targets.mask(prepared))

    def tells_labels(self, prepared: Prepared) -> bool:
        """Return False: the lists hold only ids."""
        return False


class _BoundGiven(BoundOrderedHistory):
    def __init__(self, prepared: Prepared, max_length: int) -> None:
        self._prepared, self._max_length = prepared, max_length

    def of(self, rows: Int64s, rng: np.random.Generator | None = None) -> HistoryRows:
        """Return the histories of ``rows``; nothing is random here."""
        low, high = self._span(rows)
        low = np.maximum(low, high - self._max_length)
        length = high - low
        step = np.arange(max(int(length.max(initial=0)), 1))
        mask = step < length[:, None]
        index = np.where(mask, low[:, None] + step, 0)
        given = self._prepared.given_item
        item = np.where(mask, given[index] if len(given) else 0, 0).astype(np.int64)
        return HistoryRows(np.full(mask.shape, -1, np.int64), item, mask)

    def seen(self, rows: Int64s) -> tuple[Int64s, Int64s]:
        """Return the lists of ``rows``, uncut."""
        row, index = flat(*self._span(rows))
        return row, np.asarray(self._prepared.given_item[index], np.int64)

    def _span(self, rows: Int64s) -> tuple[Int64s, Int64s]:
        of_row = self._prepared.given_index[rows]
        offsets = self._prepared.given_offsets
        return np.asarray(offsets[of_row], np.int64), np.asarray(offsets[of_row + 1], np.int64)
