"""Users in a checkpoint: their histories and profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lit_rec.data.batches.batch import Items, Texts
from lit_rec.data.facts import Facts
from lit_rec.errors import DataError, did_you_mean, excerpt
from lit_rec.inference.requests.texts import NewTexts
from lit_rec.training.checkpoint.content import profiles_of


class StoredUsers:
    """Stored histories, in the form that ``Recommender`` takes.

    Args:
        stored: A checkpoint's ``users``.
        item_ids: Ids of the catalogue.
        facts: The Facts, with the events and labels of training rows.
    """

    def __init__(self, stored: dict[str, Any], item_ids: Sequence[str], facts: Facts) -> None:
        self._stored, self._item_ids, self._facts = stored, item_ids, facts
        self._rows = {id_: row for row, id_ in enumerate(stored["user_id"])}

    def history_of(self, user_id: str) -> list[dict[str, Any]]:
        """Return a user's history, oldest first.

        Raises:
            DataError: If the data had no such user.
        """
        users = self._stored
        if user_id not in self._rows:
            near = did_you_mean(user_id, self._rows, count=3)
            raise DataError(
                f"{excerpt(user_id)} is not among the {len(self._rows):,} users of the data",
                where="user",
                rule="a user_id of the behaviors table",
                remedy=f"{near} For somebody new, give a history instead, [] if there is none".lstrip(),
            )
        row = self._rows[user_id]
        entries = []
        for place in range(int(users["offsets"][row]), int(users["offsets"][row + 1])):
            code = int(users["event"][place])
            event = users["events"][code] if code >= 0 else None
            entries.append(
                {
                    "item_id": self._item_ids[int(users["item"][place])],
                    "rating": float(users["rating"][place]),
                    # the network does not know events that no training row had
                    "event": event if event in self._facts.events else None,
                    "label": self._label(int(users["label"][place])),
                    "timestamp": float(users["timestamp"][place]),
                }
            )
        return entries

    def item_ids(self) -> set[str]:
        """Return the ids of all items in stored histories."""
        return {self._item_ids[item] for item in set(self._stored["item"].tolist())}

    def _label(self, code: int) -> str | None:
        return self._stored["labels"][code] if code >= 0 and self._facts.history_labels else None


class StoredProfiles:
    """Stored profiles by user id, and new ones from requests.

    Args:
        content: A checkpoint's content.
        facts: Its Facts.
    """

    def __init__(self, content: dict[str, Any], facts: Facts) -> None:
        self._profiles = profiles_of(content, facts)
        self._rows = {id_: row for row, id_ in enumerate(content["users"]["user_id"])}
        self._new = NewTexts.of_profiles(content, facts)

    def of(self, user: str | None, given: Mapping[str, Any] | None) -> tuple[Texts, Items] | None:
        """Return a user's profile as texts and fields; None if the network reads no profiles.

        Args:
            user: An id; if the data does not have it, the profile is empty.
            given: Columns of the users table, in place of the stored profile.

        Raises:
            DataError: If the network does not read a column, or a value cannot be read.
        """
        if self._profiles is None:
            if given is not None:
                raise DataError(
                    f"{dict(given)!r} is given, but the model reads no profiles",
                    where="profile",
                    rule="for models whose data has user_text or user_fields",
                    remedy="leave it out",
                )
            return None
        if given is None and user in self._rows:
            return self._profiles.take(np.array([self._rows[user]], np.int64))
        if given is not None:
            self._new.refuse_unknown(given, where="profile")
        catalogue = self._new.catalogue(self._new.render([given or {}], where="profile"))
        return catalogue.take(np.zeros(1, np.int64))
