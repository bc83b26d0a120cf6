"""The environments of peers: each is an extra of pyproject.toml, installed by itself, with exact versions.

`checkpoints/peers-environment` and `checkpoints/peers-rectools-environment` are made on first use, and again if the
extra or its versions change. They do not hold lit_rec, so its own packages have no say in what peers need. There are
two, because RecTools needs NumPy 1 and a build of implicit of its own, and myFM needs NumPy 2.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

from lit_rec.errors import ConfigError
from lit_rec.files.atomic import replace_file

_ROOT = Path(__file__).resolve().parents[3]
_VERSIONS = Path(__file__).parent / "versions"  # one file for each extra: pip freeze
_MADE = ".made"


def requirements(extra: str) -> list[str]:
    """Return what an extra of pyproject.toml names."""
    content = tomllib.loads((_ROOT / "pyproject.toml").read_text())
    found: list[str] = content["project"]["optional-dependencies"][extra]
    return found


def fingerprint(extra: str) -> str:
    """Return a hash of what is installed for an extra."""
    versions = (_VERSIONS / f"{extra}.txt").read_bytes()
    return sha256(repr(requirements(extra)).encode() + versions).hexdigest()


def python_of(extra: str, folder: Path) -> Path:
    """Return the Python of an extra's environment; make the environment if it is not there.

    Args:
        extra: ``peers`` or ``peers-rectools``.
        folder: Folder that holds the environments.

    Raises:
        ConfigError: If its packages cannot be installed.
    """
    place = folder / f"{extra}-environment"
    python, made = place / "bin/python", place / _MADE
    if made.is_file() and made.read_text() == fingerprint(extra) and python.is_file():
        return python
    print(f"making {place} for other libraries (a minute or two, 1.5 GB)", file=sys.stderr)
    versions = _VERSIONS / f"{extra}.txt"
    install = ["-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    words = [*install, "-c", str(versions), *requirements(extra)]
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        subprocess.run([str(python), *words], stdout=sys.stderr, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        quoted = " ".join(f"'{word}'" if "[" in word or ">" in word else word for word in words)
        raise ConfigError(
            f"its packages could not be installed ({type(error).__name__})",
            where=str(place),
            rule="the packages of other libraries, from the network or a folder of wheels",
            remedy=f"{python} {quoted}",
        ) from error
    replace_file(made, lambda path: path.write_text(fingerprint(extra)))
    return python
