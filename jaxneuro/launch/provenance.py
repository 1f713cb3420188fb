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
    git, found = stored.get("git") or {}, []
    unknown = any(text.endswith("=...") for text in overrides)
    if not unknown:
        for text in overrides:
            document = override(document, text)
        hashed = config_hash(load(experiment.config, document).resolved())
        if hashed != stored.get("config_hash"):
            found.append(f"another config ({str(stored.get('config_hash'))[:8]}, not {hashed[:8]})")
    commit = str(git.get("commit", ""))
    if not commit:
        return [*found, "made outside a repository"]
    if git.get("dirty"):
        found.append("made with changes that no commit has")
    here = config.absolute().parent
    if _git(here, "merge-base", "--is-ancestor", commit, "HEAD") is None:
        return [*found, f"commit {commit[:8]} is not in this history"]
    changed = []
    if unknown:
        then = _git(here, "show", f"{commit}:./{config.name}")
        if then is None or read_text(then, config.name).data != document.data:
            changed.append(config.name)
    folder = experiments.folder_above(config)
    if folder and _git(here, "diff", "--name-only", commit, "--", str(folder / f"{name}.py")):
        changed.append(f"{name}.py")
    return found + [f"{file} changed since commit {commit[:8]}" for file in changed]


def _git(folder: Path, *words: str) -> str | None:
    """What git says; None if it fails or is not there."""
    command = ["git", "-C", str(folder), *words]
    try:
        return subprocess.run(command, capture_output=True, check=True, timeout=10).stdout.decode()
    except (OSError, UnicodeError, subprocess.SubprocessError):
        return None
