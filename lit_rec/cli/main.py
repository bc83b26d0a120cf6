"""The command line ``lit-rec``: runs a command, and shows an error as a message of a few lines."""

from __future__ import annotations

import errno
import os
import re
import sys
import threading
import warnings
from collections.abc import Sequence

from lit_rec import __version__
from lit_rec.cli.commands import COMMANDS, usage
from lit_rec.cli.options.option_paths import by_sections
from lit_rec.cli.options.own_modules import modules_of_folder
from lit_rec.errors import ConfigError, LitRecError, causes, did_you_mean
from lit_rec.files.atomic import NO_ROOM, disk_reason
from lit_rec.stopping import Stop, Stopped, stoppable

_ADDRESSES = (
    1_900_000_000  # bytes: a fit of 200 rows had 2.2 GB at its peak, and ended well with 2.0
)
_FILES = (errno.EMFILE, errno.ENFILE)
_NO_MEMORY = re.compile(
    r"(can't|[Cc]annot) allocate memory|can't start new thread|bad_alloc|failed to map segment|unable to mmap"
)
# errors of a disk: full, no permission, not a folder
_DISK = (*NO_ROOM, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; exit with code 2 and a message of a few lines where the input is wrong.

    Args:
        args: The words after ``lit-rec``; those of the process by default.
    """
    words = list(sys.argv[1:] if args is None else args)
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        return
    if words[0] == "--version":
        print(f"lit-rec {__version__}")
        return
    debug = os.environ.get("LIT_REC_DEBUG") == "1"
    with stoppable() as stop:
        _run_to_end(words, stop, debug=debug)


def _run_to_end(words: list[str], stop: Stop, *, debug: bool) -> None:
    try:
        _run(words)
    except Stopped as stopped:
        _end(stop, stopped)
    except Exception as error:
        if stop.asked is not None and not debug:  # such as of a worker that got the signal as well
            _end(stop, Stopped(stop.asked))
        message = message_of(error)
        if message is None and (message := _lost(error)) is not None:
            print(f"lit_rec: {message}", file=sys.stderr)
            raise SystemExit(1) from None
        if debug or message is None:
            raise
        _fail(message)


def message_of(error: BaseException | None) -> str | None:
    """Return the message of an error that the user can correct, even if a library has wrapped it; None: our bug."""
    exhausted = _exhausted_message(error)
    if exhausted is not None:
        return exhausted
    # only the error itself: as the cause of another, it may be about a file that a library just tried
    if isinstance(error, FileNotFoundError) and error.filename:
        return _disk_message(error)
    for one in causes(error):
        if isinstance(one, LitRecError):
            return str(by_sections(one))
        if isinstance(one, OSError) and one.errno in _DISK:
            return _disk_message(one)
        if type(one).__name__ == "MisconfigurationException":  # Lightning's, not loaded here
            return str(
                ConfigError(
                    " ".join(str(one).split()).rstrip(".")[:240],
                    where="trainer",
                    rule="a combination of options that Lightning takes",
                    remedy="correct the option named above",
                )
            )
    reason = disk_reason(error)
    return None if reason is None else _full_message(reason, "a file of this run")


def _end(stop: Stop, stopped: Stopped) -> None:
    if stopped.code:
        print(f"lit_rec: {stop.sentence(stopped)}", file=sys.stderr)
    raise SystemExit(stopped.code) from None


def _lost(error: BaseException) -> str | None:
    """Return the message where another process of the run has died; None: none has."""
    if (found := sys.modules.get("lit_rec.training.strategies.lost_process")) is None:
        return None
    message: str | None = found.lost_process(error)
    return message


def _run(words: list[str]) -> None:
    command = COMMANDS.get(words[0])
    if command is None:
        raise ConfigError(
            f"'{words[0]}' is not a subcommand",
            where="lit-rec",
            rule=f"one of {', '.join(COMMANDS)}",
            remedy=did_you_mean(words[0], COMMANDS, "see `lit-rec --help`", shown="`lit-rec {}`"),
        )
    quieten()
    if command.uses_torch:
        _refuse_little_memory()
    with modules_of_folder(command.name, words[1:]):
        command.function(words[1:])


def _fail(message: str) -> None:
    print(f"lit_rec: {message}", file=sys.stderr)
    raise SystemExit(2) from None


def _refuse_little_memory() -> None:
    """Stop before a compiled library ends the process with an error that cannot be caught."""
    try:
        import resource  # not on Windows
    except ImportError:
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _ADDRESSES:
        raise ConfigError(
            f"a process may have {limit / 1e9:.1f} GB of addresses (ulimit -v {limit // 1024})",
            where="this process",
            rule=f"{_ADDRESSES / 1e9:.1f} GB for the libraries alone, and room for data and model",
            remedy="ulimit -v unlimited, or at least 4000000; a batch system has an option for it",
        )


def _exhausted_message(error: BaseException | None) -> str | None:
    """Return the message where the process may have no more memory, threads or open files; None: another error.

    Causes of our own errors count, too: an encoder that cannot be read because memory is short is not wrong.
    """
    if isinstance(error, LitRecError) and "out of memory" in error.problem:
        return None  # its own message says more
    for one in causes(error):
        code = one.errno if isinstance(one, OSError) else None
        if code in _FILES:
            return str(
                ConfigError(
                    f"no more files can be opened ({os.strerror(code)})",
                    where="this process",
                    rule="open files up to the system's limit (ulimit -n); each process of data.num_workers takes some",
                    remedy="lower data.num_workers, or raise the limit",
                )
            )
        is_ours = isinstance(one, LitRecError)
        if isinstance(one, MemoryError) or (not is_ours and _NO_MEMORY.search(str(one))):
            reason = str(one).partition("\n")[0][-100:] or "MemoryError"
            return str(
                ConfigError(
                    f"there is not enough memory ({reason})",
                    where="this process",
                    rule="about 2 GB for the libraries, and room for data and model; ulimit -v shows a limit",
                    remedy="raise the limit, end other programs, or use a machine with more memory",
                )
            )
    return None


def _full_message(reason: str, where: str) -> str:
    return str(
        ConfigError(
            f"cannot be written ({reason})",
            where=where,
            rule="a folder with room that this user can write, also the system's for temporary files (TMPDIR)",
            remedy="make room or choose another folder (trainer.logger.init_args.save_dir, data.cache_folder)",
        )
    )


def _disk_message(error: OSError) -> str:
    if error.errno in NO_ROOM:
        return _full_message(str(error.strerror), str(error.filename or "the run's folder"))
    return str(
        ConfigError(
            f"cannot be opened ({error.strerror})",
            where=str(error.filename or "a file of this run"),
            rule="input that is there and that this user may read, and folders that this user may write",
            remedy="check the path and its permissions, or name another in the option that it comes from",
        )
    )


def _of_a_thread(args: threading.ExceptHookArgs) -> None:
    """Hide that TensorBoard's writing thread found a full disk: the error is raised again where the run writes."""
    if not (isinstance(args.exc_value, OSError) and args.exc_value.errno in NO_ROOM):
        threading.__excepthook__(args)


def quieten() -> None:
    """Hide messages of libraries that are not about this run."""
    threading.excepthook = _of_a_thread
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("JSONARGPARSE_DEPRECATION_WARNINGS", "off")  # Lightning's own calls
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    for message in (
        "LeafSpec",
        "does not have many workers",
        "exists and is not empty",
        "args parameter is intended",
        "callbacks used to create the checkpoint",
        "WeightAveraging callback with a model that overrides",  # each process has the whole network
        "SWA is currently only supported every epoch",  # as intended: it replaces the schedule
        "smaller than the logging interval",
        "module\\(s\\) in eval mode",  # intended for a frozen encoder
        "Encountered `nan` values",  # a run that diverges ends with a message of its own
    ):
        warnings.filterwarnings("ignore", message=f".*{message}.*")
