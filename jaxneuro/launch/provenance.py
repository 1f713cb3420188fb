"""Where stored results come from, and whether that is still what is here."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxneuro.launch import experiments
from jaxneuro.launch.config import Preamble, load
from jaxneuro.launch.directory import config_hash
from jaxneuro.launch.overrides import override
from jaxneuro.launch.reading import read, read_text


def doubts(stored: dict[str, Any], config: Path, overrides: Sequence[str] = ()) -> list[str]:
    """Why results may not be those of the config and the code that are here.

    Args:
        stored: the content of a results.json.
        config: the config that the results are said to be of.
        overrides: what was changed in it. A value of `...` is one that only the user who ran it knows: then the config
            is compared with what it was at the commit of the results.

    Returns:
        A sentence for each reason; none if the config says the same as that of the results, and the experiment has not
        changed since their commit. Comments of a config say nothing.

    Raises:
        ConfigError: there is no such config, or it is wrong.
    """
    document = read(config)
    name = load(Preamble, document).experiment
    experiment = experiments.load(name, config)
    folder, here = experiments.folder_above(config), config.absolute().parent
    files = [folder / f"{name}.py"] if folder else []
    git, found = stored.get("git") or {}, []
    commit = str(git.get("commit", ""))
    if any(text.endswith("=...") for text in overrides):
        then = _git(here, "show", f"{commit}:./{config.name}") if commit else None
        if then is not None and read_text(then, config.name).data != document.data:
            found.append(f"{config.name} changed since commit {commit[:8]}")
    else:
        for text in overrides:
            document = override(document, text)
        hashed = config_hash(load(experiment.config, document).resolved())
        if hashed != stored.get("config_hash"):
            found.append(f"another config ({str(stored.get('config_hash'))[:8]}, not {hashed[:8]})")
    return found + _of_history(git, commit, here, files)


def _of_history(git: dict[str, Any], commit: str, folder: Path, files: Sequence[Path]) -> list[str]:
    if not commit:
        return ["made outside a repository"]
    found = ["made with changes that no commit has"] if git.get("dirty") else []
    if _git(folder, "merge-base", "--is-ancestor", commit, "HEAD") is None:
        return [*found, f"commit {commit[:8]} is not in this history"]
    changed = _git(folder, "diff", "--name-only", commit, "--", *map(str, files)) if files else ""
    return found + [f"{Path(name).name} changed since commit {commit[:8]}" for name in (changed or "").splitlines()]


def _git(folder: Path, *words: str) -> str | None:
    """What git says; None if it fails or is not there."""
    command = ["git", "-C", str(folder), *words]
    try:
        return subprocess.run(command, capture_output=True, check=True, timeout=10).stdout.decode()
    except (OSError, UnicodeError, subprocess.SubprocessError):
        return None
