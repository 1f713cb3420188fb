import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxneuro.launch import command
from jaxneuro.launch.directory import Run

EXPERIMENT = '''
"""Does adding up work?

More about it.
"""

import time

import jax
import jax.numpy as jnp
import numpy as np

from jaxneuro.launch import devices
from jaxneuro.launch.config import ConfigError, Count, ExperimentConfig
from jaxneuro.launch.lock import RunError
from jaxneuro.tasks.data import DataError


class Config(ExperimentConfig):
    lanes: Count = 4
    fault: str = "none"


def main(config, run):
    faults = {
        "config": ConfigError("lanes: too many"),
        "run": RunError("no good checkpoint is left"),
        "data": DataError("no data"),
        "disk": OSError(28, "No space left on device", "x.bin"),
        "ctrl-c": KeyboardInterrupt(),
        "bug": ZeroDivisionError("a bug"),
    }
    if config.fault in faults:
        raise faults[config.fault]
    if config.fault == "slow":
        run.say("working")
        time.sleep(60)
    numbers = devices.place_lanes(jnp.arange(config.lanes, dtype=jnp.float32), config.devices)
    total = jax.jit(lambda x: (x * config.seed).sum())(numbers)
    run.save_arrays({"numbers": np.asarray(numbers)})
    used = len(numbers.sharding.device_set)
    return {"rows": [{"name": "a", "sum": float(total)}], "used": used, "devices": jax.device_count()}


def page(config, results, arrays):
    assert arrays["numbers"].shape == (config.lanes,)
    return []
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project with one experiment and one config, as the working directory; JAX's settings are left alone."""
    for name in ("JAX_COMPILATION_CACHE_DIR", *(option.upper() for option in command_settings())):
        monkeypatch.setenv(name, str(tmp_path / "cache") if name.endswith("DIR") else "0")
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "adding.py").write_text(EXPERIMENT)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "add.yaml").write_text("# Adds up.\n# Quickly.\nexperiment: adding\nseed: 2\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command_settings():
    from jaxneuro.launch.devices import CACHE_OPTIONS

    return CACHE_OPTIONS


def run_directory(folder: Path) -> Path:
    (found,) = (folder / "runs").iterdir()
    return found


def test_a_run_leaves_results_and_report_and_shows_them(folder, capsys):
    assert command.main(["run", "configs/add.yaml"]) == 0
    path = run_directory(folder)
    assert path.name.startswith("add-")
    assert json.loads((path / "results.json").read_text())["results"]["rows"] == [{"name": "a", "sum": 12.0}]
    assert (path / "report.html").exists()
    shown = capsys.readouterr().out
    assert "12" in shown
    assert str(path.relative_to(folder) / "report.html") in shown


def test_the_same_command_again_shows_the_results_without_running(folder, capsys):
    command.main(["run", "configs/add.yaml"])
    before = (run_directory(folder) / "results.json").stat().st_mtime_ns
    assert command.main(["run", "configs/add.yaml", "devices=1"]) == 0
    assert (run_directory(folder) / "results.json").stat().st_mtime_ns == before
    assert "has finished before" in capsys.readouterr().out
    assert command.main(["run", "configs/add.yaml", "--fresh"]) == 0
    assert (run_directory(folder) / "results.json").stat().st_mtime_ns > before


def test_overrides_may_come_before_and_after_options(folder):
    words = ["run", "configs/add.yaml", "seed=3", "--out", "here/it", "lanes=2"]
    assert command.main(words) == 0
    assert json.loads((folder / "here" / "it" / "results.json").read_text())["results"]["rows"][0]["sum"] == 3.0


def test_the_report_can_be_written_again(folder, capsys):
    command.main(["run", "configs/add.yaml", "--out", "it"])
    (folder / "it" / "report.html").unlink()
    assert command.main(["report", "it"]) == 0
    assert (folder / "it" / "report.html").exists()
    assert capsys.readouterr().out.strip().endswith("report: it/report.html")


def test_the_ledger_of_claims_is_made_anew_each_time(folder, capsys):
    (folder / "configs" / "claims.yaml").write_text("experiment: adding\nseed: 3\n")
    for _ in range(2):
        assert command.main(["report", "claims"]) == 0
        assert "finished before" not in capsys.readouterr().out
    assert (run_directory(folder) / "report.html").exists()


@pytest.mark.parametrize("words", [["report", "configs"], ["report", "nowhere"]])
def test_a_report_of_no_run_is_refused(folder, capsys, words):
    assert command.main(words) == 1
    assert "is not a run's directory" in capsys.readouterr().err


def test_a_report_of_an_unfinished_run_is_refused(folder, capsys):
    with Run(folder / "it", {"experiment": "adding", "seed": 0}):
        pass
    assert command.main(["report", "it"]) == 1
    assert "has no results yet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [
        ("config", 2, "jaxneuro: lanes: too many"),
        ("run", 1, "jaxneuro: no good checkpoint is left"),
        ("data", 1, "jaxneuro: no data"),
        ("disk", 1, "jaxneuro: x.bin: No space left on device"),
        ("ctrl-c", 130, "stopped; go on with\n  jaxneuro run configs/add.yaml fault=ctrl-c --out 'it is'"),
    ],
)
def test_a_failure_that_a_user_can_mend_is_one_message(folder, capsys, fault, status, message):
    assert command.main(["run", "configs/add.yaml", f"fault={fault}", "--out", "it is"]) == status
    assert message in capsys.readouterr().err


def test_a_bug_keeps_its_traceback(folder):
    with pytest.raises(ZeroDivisionError):
        command.main(["run", "configs/add.yaml", "fault=bug"])


def test_a_second_process_is_refused_while_the_first_writes(folder, capsys):
    config = {"experiment": "adding", "seed": 2, "devices": 1, "sweep": {}, "lanes": 4, "fault": "none"}
    with Run(folder / "it", config):
        assert command.main(["run", "configs/add.yaml", "--out", "it"]) == 1
    assert "is in use by" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "configs/none.yaml"], "configs/none.yaml: there is no such file."),
        (["run", "configs/add.yaml", "experiment=addding"], "experiment addding is not a known experiment"),
        (["run", "configs/add.yaml", "experiment=addding"], "Did you mean adding? Allowed: adding."),
        (["run", "configs/add.yaml", "lane=3"], "lane is not a known field. Did you mean lanes?"),
        (["run", "configs/add.yaml", "devices=512"], "devices is 512; this machine has"),
        (["list", "neuron"], "list: neuron is not a known list. Did you mean neurons?"),
    ],
)
def test_a_wrong_command_is_one_message(folder, capsys, words, message):
    assert command.main(words) in (1, 2)
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("jaxneuro: ")


@pytest.mark.parametrize("words", [[], ["runn"], ["run"], ["run", "configs/add.yaml", "--fast"], ["doctor", "x"]])
def test_words_that_are_no_command_give_the_usage(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(words)
    assert "usage: jaxneuro" in capsys.readouterr().err


@pytest.mark.parametrize("part", ["Config", "main", "page"])
def test_an_experiment_that_lacks_a_part_is_refused(folder, capsys, part):
    (folder / "experiments" / "adding.py").write_text(EXPERIMENT + f"\ndel {part}\n")
    assert command.main(["run", "configs/add.yaml"]) == 2
    assert "adding.py must define" in capsys.readouterr().err


def test_a_config_without_experiments_around_it_uses_those_of_the_working_directory(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "add.yaml"
    elsewhere.write_text("experiment: adding\n")
    assert command.main(["run", str(elsewhere), "--out", "it"]) == 0


def test_lists_show_neurons_experiments_and_configs(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert command.main(["list"]) == 0
    shown = capsys.readouterr().out
    for words in ("LIF", "Lapicque 1907", "adding", "Does adding up work?", "configs/add.yaml", "Adds up.", "Quickly."):
        assert words in shown
    assert "More about it" not in shown


def test_lists_of_nothing_say_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for what in ("experiments", "configs"):
        assert command.main(["list", what]) == 0
        assert "none: there is no" in capsys.readouterr().out


def test_the_doctor_tells_versions_and_what_to_install(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert command.main(["doctor", "--quick"]) == 0
    shown = capsys.readouterr().out
    for words in (jax.__version__, np.__version__, "float32", str(folder / "cache"), "GiB", "jaxneuro[cuda13]"):
        assert words in shown


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": str(folder / "cache")}
    command = [sys.executable, "-m", "jaxneuro", *words]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_sigterm_stops_a_run_with_its_own_status_and_the_command_to_go_on(folder):
    process = start(folder, "run", "configs/add.yaml", "fault=slow", "--out", "it")
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "stopped; go on with\n  jaxneuro run configs/add.yaml fault=slow --out it" in error
    assert "Traceback" not in error


def test_lanes_are_spread_over_virtual_devices_and_the_numbers_stay_the_same(folder):
    process = start(folder, "run", "configs/add.yaml", "devices=4", "lanes=6", "--out", "it")
    _, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    results = json.loads((folder / "it" / "results.json").read_text())["results"]
    assert results == {"rows": [{"name": "a", "sum": 30.0}], "used": 3, "devices": 4}
    assert any((folder / "cache").iterdir())
