"""slow_bar: there where work is slow and somebody looks at a terminal, and nowhere else."""

import io
import time

import pytest
from lightning.fabric.utilities.rank_zero import rank_zero_only
from rich.console import Console
from rich.progress import Progress

from lit_rec import progress as module
from lit_rec.progress import slow_bar


class Screen(io.StringIO):
    """What stands for stderr: a terminal, or a file."""

    terminal = True

    def isatty(self):
        return self.terminal


@pytest.fixture
def stderr(monkeypatch):
    """Where a console of stderr writes; sys.stderr itself belongs to pytest."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen()

    def console(*, stderr):
        assert stderr
        return Console(file=screen)

    monkeypatch.setattr(module, "Console", console)
    return screen


def until(condition):
    """Wait for what another thread does."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(module, "_DELAY", 0.01)


@pytest.mark.usefixtures("soon")
def test_slow_work_has_a_bar(stderr):
    with slow_bar("tokenising", 40) as advance:
        until(lambda: "tokenising" in stderr.getvalue())
        assert " 0/40" in stderr.getvalue()
        advance(30)
        until(lambda: "30/40" in stderr.getvalue())
    assert stderr.getvalue().endswith("\x1b[2K"), "the line is wiped"


@pytest.mark.usefixtures("soon")
def test_what_was_done_before_it_appears_counts(stderr, monkeypatch):
    monkeypatch.setattr(module, "_DELAY", 0.3)
    with slow_bar("tokenising", 40) as advance:
        advance(10)
        until(lambda: "10/40" in stderr.getvalue())


def test_quick_work_has_none(stderr):
    with slow_bar("tokenising", 40) as advance:
        advance(40)
    assert stderr.getvalue() == ""


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("why", ["no terminal", "another process", "not wanted"])
def test_nobody_to_see_it(stderr, monkeypatch, why):
    stderr.terminal = why != "no terminal"
    if why == "another process":
        monkeypatch.setattr(rank_zero_only, "rank", 1)
    with slow_bar("tokenising", 40, shown=why != "not wanted") as advance:
        time.sleep(0.1)
        advance(20)
    assert stderr.getvalue() == ""


@pytest.mark.usefixtures("soon")
def test_within_a_display_that_is_there(stderr):
    screen = io.StringIO()
    display = Progress(console=Console(file=screen, force_terminal=True), auto_refresh=False)
    with display:
        epoch = display.add_task("Epoch 0", total=5)
        with slow_bar("encoding", 40, within=display) as advance:
            until(lambda: "encoding" in screen.getvalue())
            advance(20)
            assert [task.completed for task in display.tasks] == [0, 20]
        assert [task.visible for task in display.tasks] == [True, False]
        assert display.tasks[epoch].description == "Epoch 0"
        assert display.live.is_started
    assert stderr.getvalue() == ""


@pytest.mark.usefixtures("soon")
def test_an_error_ends_the_bar(stderr):
    def work():
        with slow_bar("tokenising", 40):
            until(lambda: "tokenising" in stderr.getvalue())
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        work()
    assert stderr.getvalue().endswith("\x1b[2K")
