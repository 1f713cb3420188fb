"""The command line: `jaxneuro run`, `list`, `doctor`, `report`.

Exit status: 0 done, 1 the run failed, 2 the config or the command is wrong, 130 Ctrl-C, 143 SIGTERM. Failures that a
user can mend are one message; anything else is a bug and keeps its traceback.
"""

import argparse
import shlex
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from rich.console import Console

from jaxneuro.launch.advice import ConfigError, unknown
from jaxneuro.launch.lock import RunError

if TYPE_CHECKING:
    from jaxneuro.launch.config import ExperimentConfig
    from jaxneuro.launch.directory import Run
    from jaxneuro.launch.experiments import Experiment
    from jaxneuro.launch.report import Section

WRONG, FAILED, INTERRUPTED, TERMINATED = 2, 1, 130, 143


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line says.

    Args:
        words: the command line without the program's name; by default that of this process.

    Returns:
        The exit status.
    """
    arguments = _parsed(words)
    joined = getattr(arguments, "processes", None) is not None
    try:
        status = _status(arguments)
    except Exception:
        if not joined:
            raise
        # Python would show it only after JAX has waited for the other processes.
        traceback.print_exc()
        status = FAILED
    if joined:
        from jaxneuro.processes import leave

        leave(status)
    return status


def _status(arguments: argparse.Namespace) -> int:
    from jaxneuro.processes import PeerError
    from jaxneuro.tasks.data import DataError

    try:
        return COMMANDS[arguments.command](arguments)
    except ConfigError as error:
        return _complain(str(error), WRONG)
    except (RunError, DataError, PeerError) as error:
        return _complain(str(error), FAILED)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"{where}{error.strerror or error}", FAILED)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)


def _complain(message: str, status: int) -> int:
    sys.stderr.write(f"jaxneuro: {message}\n")
    return status


def _parsed(words: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    arguments, rest = parser.parse_known_args(words)
    # argparse takes positional words up to the first option only.
    if rest and (arguments.command != "run" or any(word.startswith("-") for word in rest)):
        parser.error(f"unrecognized arguments: {shlex.join(rest)}")
    if rest:
        arguments.overrides += rest
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jaxneuro", description="Experiments on neurons as state machines.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run an experiment, or go on with it", description=_run.__doc__)
    run.add_argument("config", type=Path, help="a YAML file, such as configs/quickstart.yaml")
    run.add_argument("overrides", nargs="*", metavar="path.to.field=value", help="values to change")
    run.add_argument("--out", type=Path, metavar="DIR", help="the run's directory; runs/NAME-HASH unless given")
    run.add_argument("--fresh", action="store_true", help="start over, removing what an earlier run left there")
    joint = run.add_argument_group("several processes", "that share the work; each is started by such a command")
    joint.add_argument("--processes", metavar="N|auto", help="how many; auto: as Slurm, Open MPI, ... say")
    joint.add_argument("--process", type=int, metavar="I", help="which this is, from 0; the first writes the files")
    joint.add_argument("--coordinator", metavar="HOST:PORT", help="address of the first, and a free port there")
    lists = commands.add_parser("list", help="show neurons, experiments and configs")
    lists.add_argument("what", nargs="?", metavar="neurons|experiments|configs", help="only these")
    doctor = commands.add_parser("doctor", help="show devices, versions, memory, speed")
    doctor.add_argument("--quick", action="store_true", help="leave the speed check out")
    report = commands.add_parser("report", help="write the report of a finished run again")
    report.add_argument("run", type=Path, metavar="RUN|claims", help="a run's directory; `claims`: of all results")
    report.add_argument("--figures", type=Path, metavar="DIR", help="write each figure there too, as an SVG file")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    """Run an experiment. The same command again goes on where it stopped, or shows the finished results."""
    from jaxneuro.launch import devices, experiments
    from jaxneuro.launch.config import Preamble, load
    from jaxneuro.launch.overrides import override
    from jaxneuro.launch.reading import read

    document = read(arguments.config)
    for text in arguments.overrides:
        document = override(document, text)
    preamble = load(Preamble, document)
    devices.prepare(preamble.devices, preamble.whole_loops)
    _join(arguments)
    devices.keep_compiled()
    experiment = experiments.load(preamble.experiment, arguments.config)
    config = load(experiment.config, document)
    devices.require(config.devices)

    from jaxneuro.launch.directory import config_hash

    resolved = config.resolved()
    path = arguments.out or Path("runs") / f"{arguments.config.stem}-{config_hash(resolved)[:8]}"
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        with _opened(path, resolved, experiment, arguments) as run:
            _finish(run, experiment, config)
    except (KeyboardInterrupt, SystemExit) as stop:
        status = stop.code if isinstance(stop, SystemExit) else INTERRUPTED
        if status not in (INTERRUPTED, TERMINATED):
            raise
        return _complain(f"stopped; go on with\n  {_again(arguments)}", int(status))
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def _join(arguments: argparse.Namespace) -> None:
    if arguments.processes is not None:
        from jaxneuro.launch.together import join

        join(arguments.processes, arguments.process, arguments.coordinator)
    elif arguments.process is not None or arguments.coordinator is not None:
        raise ConfigError("--process and --coordinator need --processes: how many there are.")


def _opened(path: Path, resolved: dict[str, Any], experiment: "Experiment", arguments: argparse.Namespace) -> "Run":
    from jaxneuro import processes
    from jaxneuro.launch.directory import Run

    if not processes.several():
        return Run(path, resolved, fresh=arguments.fresh)
    from jaxneuro.launch.together import opened, require_shared

    require_shared(resolved["experiment"], experiment.main)
    return opened(path, resolved, fresh=arguments.fresh)


def _finish(run: "Run", experiment: "Experiment", config: "ExperimentConfig") -> None:
    """Compute the results unless they are there, and show them."""
    from jaxneuro import processes
    from jaxneuro.launch import tables

    results = run.results()
    if results is None:
        run.finish(experiment.main(config, run))
        results = run.results() or {}
    else:
        run.say(f"{run.path} has finished before; --fresh would start it over")
    if not processes.is_first():
        return
    for table in tables.results(results):
        run.console.print(table)
    _write_report(run.path, experiment, config, results)
    run.say(f"report: {run.path / 'report.html'}")


def _write_report(
    path: Path, experiment: "Experiment", config: "ExperimentConfig", results: dict[str, Any]
) -> "list[Section]":
    from jaxneuro.launch.directory import read_arrays
    from jaxneuro.launch.report import write_report

    sections = experiment.page(config, results, read_arrays(path))
    write_report(path, sections)
    return sections


def _again(arguments: argparse.Namespace) -> str:
    out = ["--out", str(arguments.out)] if arguments.out else []
    joint = [(f"--{name}", getattr(arguments, name)) for name in ("processes", "process", "coordinator")]
    out += [word for name, value in joint if value is not None for word in (name, str(value))]
    return shlex.join(["jaxneuro", "run", str(arguments.config), *arguments.overrides, *out])


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)


def _list(arguments: argparse.Namespace) -> int:
    from jaxneuro.launch.tables import LISTS

    if arguments.what not in (None, *LISTS):
        raise ConfigError(f"list: {arguments.what} {unknown(arguments.what, LISTS, 'list')}")
    for name in LISTS if arguments.what is None else (arguments.what,):
        Console().print(LISTS[name]())
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from jaxneuro.launch.doctor import examine

    examine(Console(), measure=not arguments.quick)
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from jaxneuro.launch import experiments
    from jaxneuro.launch.config import Preamble, load
    from jaxneuro.launch.directory import read_results
    from jaxneuro.launch.reading import read

    if str(arguments.run) == "claims" and not arguments.run.is_dir():
        folder = experiments.folder_above(Path.cwd(), "configs")
        return _run(_parsed(["run", str((folder or Path("configs")) / "claims.yaml"), "--fresh"]))
    file = arguments.run / "config.yaml"
    if not file.is_file():
        raise RunError(f"{arguments.run} is not a run's directory: it has no config.yaml.")
    document = read(file)
    experiment = experiments.load(load(Preamble, document).experiment, file)
    results = read_results(arguments.run)
    if results is None:
        raise RunError(f"{arguments.run} has no results yet; finish it by the command that began it.")
    sections = _write_report(arguments.run, experiment, load(experiment.config, document), results)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(f"report: {arguments.run / 'report.html'}")
    if arguments.figures is not None:
        from jaxneuro.launch.report import write_figures

        for path in write_figures(arguments.figures, sections):
            console.print(f"figure: {path}")
    return 0


COMMANDS = {"run": _run, "list": _list, "doctor": _doctor, "report": _report}
