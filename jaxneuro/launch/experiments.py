"""Experiments: files in the nearest `experiments/` folder, with a `Config`, a `main` and a `page`."""

import ast
import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from jaxneuro.launch.advice import ConfigError, unknown
from jaxneuro.launch.config import ExperimentConfig


class Experiment(NamedTuple):
    """What an experiment's file defines.

    Attributes:
        config: what it may be told.
        main: `(config, run) -> results`.
        page: `(config, results, arrays) -> sections` of the report.
    """

    config: type[ExperimentConfig]
    main: Callable[..., Any]
    page: Callable[..., Any]


def folder_above(start: Path, name: str = "experiments") -> Path | None:
    """The nearest folder of this name beside or above a file."""
    above = start.absolute().parents if start.is_file() else (start.absolute(), *start.absolute().parents)
    return next((parent / name for parent in above if (parent / name).is_dir()), None)


def listed(folder: Path | None) -> dict[str, Path]:
    """The experiments in a folder, by name."""
    found = sorted(folder.glob("*.py")) if folder else []
    return {path.stem: path for path in found if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_]*", path.stem)}


def load(name: str, near: Path) -> Experiment:
    """Load an experiment's file.

    Args:
        name: its name.
        near: the config; the file is in the nearest `experiments` folder beside or above it, or else beside or above
            the working directory.

    Returns:
        What it defines.

    Raises:
        ConfigError: there is no such experiment, or its file lacks a part.
    """
    folder = folder_above(near) or folder_above(Path.cwd())
    known = listed(folder)
    if folder is None:
        raise ConfigError(f"{near}: experiment is {name}; there is no folder `experiments` beside or above this file.")
    if name not in known:
        raise ConfigError(f"{near}: experiment {name} {unknown(name, known, f'experiment of {folder}')}")
    return _complete(_module(name, known[name]), known[name])


def _module(name: str, path: Path) -> Any:
    # Pydantic and dataclasses look a class's module up by name.
    full = f"experiments.{name}"
    spec = importlib.util.spec_from_file_location(full, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} cannot be loaded as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[full]
        raise
    return module


def _complete(module: Any, path: Path) -> Experiment:
    config, main, page = (vars(module).get(part) for part in ("Config", "main", "page"))
    if not (isinstance(config, type) and issubclass(config, ExperimentConfig)):
        raise ConfigError(f"{path} must define `class Config(jaxneuro.launch.config.ExperimentConfig)`.")
    if not callable(main) or not callable(page):
        raise ConfigError(f"{path} must define `def main(config, run)` and `def page(config, results, arrays)`.")
    return Experiment(config, main, page)


def summary(path: Path) -> str:
    """The first paragraph of a Python file's docstring; the file is not run."""
    try:
        told = ast.get_docstring(ast.parse(path.read_bytes())) or ""
    except (OSError, SyntaxError, ValueError):
        return "cannot be read as Python"
    return " ".join(told.split("\n\n")[0].split())
