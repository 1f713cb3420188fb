import sys

import pytest

from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.config import ExperimentConfig
from jaxneuro.launch.peers import Peer, beside, started
from tests.experiments.small import ROOT

SERVER = """
import sys
print("ready", flush=True)
for line in sys.stdin:
    print(len(line.strip()) + len(sys.argv), flush=True)
"""


class Config(ExperimentConfig):
    other_python: str | None = None
    absent_python: str | None = None


def config(python):
    return Config(experiment="some", other_python=python)


def test_a_program_gets_its_words_and_answers(tmp_path):
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    worker = started(config(sys.executable), "other_python", script, "program", 3)
    assert worker is not None
    assert [worker.time("run"), worker.time("value")] == [6, 8]
    worker.close()
    assert worker.process.returncode == 0


def test_peers_are_timed_beside_ours_and_say_what_they_found(tmp_path):
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    peers = {
        "there": Peer("other_python", ("program", 3), {"": "run", ", longer": "runs long"}),
        "not there": Peer("absent_python", ("program",)),
    }
    found = beside(config(sys.executable), script, peers, {"ours": lambda: 2.0, "slow": lambda: 5.0}, rounds=3, warm=1)
    assert found["milliseconds"] == {"ours": 2, "slow": 5, "there": 6, "there, longer": 12}
    assert {name: ratio["median"] for name, ratio in found["peer_over_ours"].items()} == {
        "slow": 2.5,
        "there": 3,
        "there, longer": 6,
    }
    assert found["answers"] == {"there": 8}


def test_without_an_interpreter_there_is_no_peer(tmp_path):
    assert started(config(None), "other_python", tmp_path / "server.py") is None


def test_an_interpreter_that_is_not_there_is_named_by_its_field(tmp_path):
    with pytest.raises(ConfigError, match="other_python: /no/python does not run"):
        started(config("/no/python"), "other_python", tmp_path / "server.py")


@pytest.mark.parametrize(
    ("library", "program"),
    [("brainpy", "brainpy_lif 9 9 0"), ("nest", "nest 9 9 1"), ("neuron", "neuron_membranes 9 9 1")],
)
def test_an_interpreter_without_the_peer_is_named_by_its_field(library, program, tmp_path, monkeypatch, capfd):
    # Before any library of this name that the interpreter may have.
    (tmp_path / f"{library}.py").write_text(f"raise ModuleNotFoundError(\"No module named '{library}'\")")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ConfigError, match=f"other_python: .*speed_peers.py {program} is not ready"):
        started(config(sys.executable), "other_python", ROOT / "experiments" / "speed_peers.py", *program.split())
    assert f"No module named '{library}" in capfd.readouterr().err
