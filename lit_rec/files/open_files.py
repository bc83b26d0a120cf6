"""How many files a process may have open: loader processes send each tensor as an open file."""

from __future__ import annotations

from lit_rec.errors import ConfigError, option_of

try:
    import resource
except ImportError:  # not on Windows, where nothing limits it
    resource = None  # type: ignore[assignment]

# Each tensor of a waiting batch is an open file. With batches of 19 tensors, 100 files were open at once with two
# processes and 172 with four; fields add tensors. With too few files the loader hangs.
_FOR_ONESELF = 64
_FOR_A_WORKER = 64


def allow_open_files(workers: int) -> None:
    """Raise the process's own limit to what ``workers`` loader processes need.

    Raises:
        ConfigError: If the system does not allow it: the run would hang.
    """
    if resource is None or not workers:
        return
    wanted = _FOR_ONESELF + _FOR_A_WORKER * workers
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        fitting = max(0, (hard - _FOR_ONESELF) // _FOR_A_WORKER)
        raise ConfigError(
            f"{workers} processes need {wanted} open files, and this system allows {hard} (ulimit -Hn)",
            where=option_of("BehaviorDataModule", "num_workers"),
            rule=f"{_FOR_ONESELF} open files, and {_FOR_A_WORKER} for each process",
            remedy=f"set BehaviorDataModule.num_workers to {fitting}, or raise the limit to {wanted}",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
