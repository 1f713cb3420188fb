"""Running an experiment of the project at a small size, as the command does."""

import io
from pathlib import Path

from rich.console import Console

from jaxneuro.launch import experiments
from jaxneuro.launch.config import load
from jaxneuro.launch.directory import Run, read_arrays
from jaxneuro.launch.overrides import override
from jaxneuro.launch.reading import read
from jaxneuro.launch.report import Section, write_report

ROOT = Path(__file__).parents[2]


def run(config: str, path: Path, *changes: str) -> tuple[dict, list[Section]]:
    """The results and the sections of the report, which is written too."""
    document = read(ROOT / "configs" / config)
    for change in changes:
        document = override(document, change)
    experiment = experiments.load(document.data["experiment"], ROOT / "configs" / config)
    checked = load(experiment.config, document)
    with Run(path, checked.resolved(), console=Console(file=io.StringIO())) as opened:
        opened.finish(experiment.main(checked, opened))
        results = opened.results()
    sections = experiment.page(checked, results, read_arrays(path))
    write_report(path, sections)
    return results, sections
