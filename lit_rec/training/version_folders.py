"""VersionFolders: numbered folders of runs. Each run makes its own, so that no two runs share one."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from lit_rec.files.atomic import remove_unfinished

_NUMBERED = re.compile(r"version_([0-9]+)")


class VersionFolders:
    """The folders ``version_N`` of one run, one in each experiment's folder.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as root:
        ...     first, second = VersionFolders(), VersionFolders()
        ...     print(first.number(Path(root)), second.number(Path(root)), first.number(Path(root)))
        0 1 0
    """

    def __init__(self) -> None:
        self._numbers: dict[Path, int] = {}
        self._made: list[Path] = []  # from the outermost

    def number(self, experiment: Path) -> int:
        """Return the number N of this run's folder. The first call makes it, with the next free number.

        Unfinished files that killed runs left in the other folders are removed.

        Raises:
            OSError: If the folder cannot be made.
        """
        experiment = experiment.absolute()
        if experiment not in self._numbers:
            self._made += reversed([p for p in (experiment, *experiment.parents) if not p.exists()])
            experiment.mkdir(parents=True, exist_ok=True)
            self._numbers[experiment] = self._make(experiment)
        return self._numbers[experiment]

    def _make(self, experiment: Path) -> int:
        found = (_NUMBERED.fullmatch(path.name) for path in experiment.iterdir())
        number = max((int(match[1]) for match in found if match), default=-1) + 1
        for path in experiment.iterdir():
            if _NUMBERED.fullmatch(path.name):
                remove_unfinished(path)
        while True:
            folder = experiment / f"version_{number}"
            try:
                folder.mkdir()
            except FileExistsError:  # another run was faster
                number += 1
            else:
                self._made.append(folder)
                return number

    def remove_empty(self) -> None:
        """Remove the folders that are still empty, where a run ended before it began."""
        for folder in reversed(self._made):
            with suppress(OSError):
                folder.rmdir()
        self._numbers, self._made = {}, []
