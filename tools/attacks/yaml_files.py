"""Unchecked configurations: changed values and changed texts, given to fit, check and --print_config."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from attacks.cases import Case, numbers, run_cases
from attacks.forks import Room
from attacks.judgement import ended, judge
from attacks.marks import canary, snapshot
from attacks.outcome import Outcome
from attacks.workplace import Workplace, command, make_workplace
from attacks.yaml_changes import changed_text, changed_values, repeats_a_key

_CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


def attack(
    count: int, seed: int, folder: Path, *, only: int | None = None, jobs: int = 1
) -> Outcome:
    """Change ``count`` configurations, and give each to a command.

    Args:
        count: Cases.
        seed: Seed of all changes.
        folder: Where to work.
        only: This case alone.
        jobs: Cases at once.
    """
    place = make_workplace(folder / "shared")
    outcome = Outcome(
        "yaml",
        "changed configurations, given to fit, check and --print_config",
        "every option counts or is named, or the command ends with a sentence; no code run, no hang",
    )
    run = partial(_give, place=place)
    cases = folder / "cases"
    return run_cases(outcome, run, numbers(count, only), seed=seed, folder=cases, jobs=jobs)


def _give(case: Case, place: Workplace) -> None:
    outside, out = case.folder / "outside", case.folder / "out"
    outside.mkdir()
    out.mkdir()
    shown = case.chance.random() < 0.6
    source = case.chance.choice([place.config, *_CONFIGS]) if shown else place.config
    text = source.read_text()
    if case.chance.random() < 0.6:
        new, did = changed_values(case.chance, text, outside)
        content = new.encode(errors="surrogatepass")
    else:
        content, did = changed_text(case.chance, text, outside)
    path = case.folder / "config.yaml"
    path.write_bytes(content)
    (outside / "other.yaml").write_text("seed_everything: 7\n")
    words: list[str | Path] = ["fit", "-c", path, "--print_config"]
    if not shown:
        name = case.chance.choice(["check", "fit"])
        words = [name, "-c", path, *place.options(cache=out / "cache", runs=out / "runs")]
        words += ["--trainer.fast_dev_run=true"] if name == "fit" else []
    case.did = f"{words[0]}{' --print_config' * shown} {source.name}: {did}"
    room = Room(case.folder, [out, outside, case.folder / "cwd"])
    ending = command(words, room, prepare=canary(room.path("canary"), outside))
    case.ending = ended(ending)
    for kind, what in judge(ending, place.usual):
        # a user's own configuration may name any folder and any class
        if kind != "written elsewhere" and "import of" not in what:
            case.found.append((kind, what))
    marks = [Path(path).name for path in snapshot(outside)]
    if found := [name for name in marks if name.startswith("mark") or name == "canary-called"]:
        case.found.append(("code run", f"{found[0]} was made"))
    if ending.code == 0:
        case.found += [
            ("option dropped", what) for what in _dropped(content, ending.out if shown else None)
        ]


class _Texts(yaml.SafeLoader):
    """Plain values; a date stays text, as in the command's parser, also a date that does not exist."""


_Texts.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in known if not tag.endswith(":timestamp")]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _loaded(text: str) -> Any:
    return yaml.load(text, _Texts)  # noqa: S506  (a SafeLoader)


def _dropped(content: bytes, shown: str | None) -> Iterator[str]:
    """Yield options of a configuration that had no effect, although the command ran.

    Args:
        content: The configuration.
        shown: The configuration as the command understood it, if it was asked to show it.
    """
    try:
        text = content.decode("utf-8-sig")
        given = _loaded(text)
    except (ValueError, yaml.YAMLError, RecursionError):
        yield "it ran with a text that is no YAML of plain values"
        return
    if repeats_a_key(text):
        yield "it ran with a key that stands twice"
    elif shown is not None:
        yield from _absent(given, _loaded(shown), ())


def _absent(given: Any, shown: Any, path: tuple[Any, ...]) -> Iterator[str]:
    """Yield leaves that are absent or have another value."""
    if isinstance(given, dict) and isinstance(shown, dict):
        for key, value in given.items():
            if key in shown:
                yield from _absent(value, shown[key], (*path, key))
            elif value not in (None, {}, []):
                yield f"{'.'.join(map(str, (*path, key)))} = {str(value)[:60]!r} is absent"
    elif isinstance(given, list) and isinstance(shown, list) and len(given) == len(shown):
        for place, pair in enumerate(zip(given, shown, strict=True)):
            yield from _absent(*pair, (*path, place))
    elif not _is_same(given, shown):
        yield f"{'.'.join(map(str, path))} = {str(given)[:60]!r} became {str(shown)[:60]!r}"


_NOTHING: tuple[Any, ...] = (None, {}, [])


def _is_same(given: Any, shown: Any) -> bool:
    if isinstance(given, str) and isinstance(shown, dict) and given.startswith("{"):
        return _is_read_again(given, shown)
    if isinstance(given, str) and ("${" in given or str(shown).endswith(f".{given}")):
        return True  # resolved, or the full path of a short name
    if isinstance(shown, dict) and shown.get("class_path") is not None:
        return isinstance(given, str) and str(shown["class_path"]).endswith(given)
    if given == shown or str(given) == str(shown):
        return True
    try:
        return float(given) == float(shown)
    except (TypeError, ValueError, OverflowError):
        return given in (*_NOTHING, "null", "~") and shown in _NOTHING


def _is_read_again(given: str, shown: dict[str, Any]) -> bool:
    """Return whether a text was parsed as YAML again, and all its content is there."""
    try:
        return not [*_absent(_loaded(given), shown, ())]
    except yaml.YAMLError:
        return False
