"""What is known of a user beside the history: from a checkpoint, or as a request brings it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lit_rec.data.batches.batch import Items, Texts
from lit_rec.data.facts import Facts
from lit_rec.errors import DataError
from lit_rec.inference.requests.texts import NewTexts
from lit_rec.training.checkpoint.content import profiles_of


class StoredProfiles:
    """Profiles by user id.

    Args:
        content: A checkpoint's content.
        facts: Its Facts.
    """

    def __init__(self, content: dict[str, Any], facts: Facts) -> None:
        self._profiles = profiles_of(content, facts)
        self._rows = {id_: row for row, id_ in enumerate(content["users"]["user_id"])}
        self._new = NewTexts.of_profiles(content, facts)

    def of(self, user: str | None, given: Mapping[str, Any] | None) -> tuple[Texts, Items] | None:
        """Return a user's profile as texts and fields; None where the network reads none.

        Args:
            user: An id; nothing is known of one that the data does not have.
            given: Columns of the users table, which count in place of what the data has.

        Raises:
            DataError: If a column is not one that the network reads, or a value cannot be read.
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
