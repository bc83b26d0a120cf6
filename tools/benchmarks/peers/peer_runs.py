"""Run a peer in a process of its own, in its own environment; what is finished is not run again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from lit_rec.data.arrays import Float64s
from tools.benchmarks.peers.environments import fingerprint, python_of
from tools.benchmarks.peers.exchange import Array, Line, is_finished, read_lines, write_lines

_ROOT = Path(__file__).resolve().parents[3]
_FITS = Path(__file__).parent / "fits"
_SHARED = re.compile(r"^from tools\.benchmarks\.peers\.fits\.(\w+) import", re.MULTILINE)
_SETTINGS = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "TQDM_DISABLE": "1",
}


@dataclass(frozen=True)
class Peer:
    """Another library.

    Args:
        script: Its file in ``fits``, without the ending.
        extra: The extra of pyproject.toml that installs it.
    """

    script: str
    extra: str = "peers"


def lines_of(
    peer: Peer,
    rows: Path,
    folder: Path,
    environments: Path,
    stored: Callable[[Array], Float64s],
) -> list[Line]:
    """Return what a peer predicts; it is run unless it has finished with these rows, packages and this script.

    Args:
        peer: Which one.
        rows: Folder of the rows.
        folder: Folder of the case; the peer's folder is in it.
        environments: Folder of the environments.
        stored: What is kept of a peer's predictions: of scores ``[R, I]``, for instance, the ranks ``[R, 2]``.

    Raises:
        ConfigError: If its environment cannot be made.
        subprocess.CalledProcessError: If it fails.
    """
    own = folder / peer.script / _key(peer, rows)
    if not is_finished(own):
        shutil.rmtree(own.parent, ignore_errors=True)
        work = own.parent / "work"
        python = python_of(peer.extra, environments)
        print(f"{peer.script}: fitting", file=sys.stderr)
        module = f"tools.benchmarks.peers.fits.{peer.script}"
        # warnings are about the libraries' own code
        subprocess.run(
            [str(python), "-W", "ignore", "-m", module, str(rows), str(work)],
            env={**os.environ, **_SETTINGS, "PYTHONPATH": str(_ROOT)},
            stdout=sys.stderr,
            check=True,
        )
        write_lines(own, _kept(read_lines(work), stored))
        shutil.rmtree(work)
    return read_lines(own)


def _kept(lines: list[Line], stored: Callable[[Array], Float64s]) -> Iterator[Line]:
    for line in lines:
        yield replace(line, predicted=stored(line.predicted))


def _key(peer: Peer, rows: Path) -> str:
    """Return a hash of the rows, the peer's script, what it imports of ours, and its packages."""
    digest = sha256(fingerprint(peer.extra).encode())
    script = _FITS / f"{peer.script}.py"
    imported = [_FITS / f"{name}.py" for name in _SHARED.findall(script.read_text())]
    for path in (script, *imported, _FITS.parent / "exchange.py", rows / "rows.npz"):
        digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
