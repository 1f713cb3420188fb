import json
import subprocess

import pytest

from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.config import load
from jaxneuro.launch.directory import config_hash
from jaxneuro.launch.experiments import load as load_experiment
from jaxneuro.launch.provenance import doubts
from jaxneuro.launch.reading import read

EXPERIMENT = """
from jaxneuro.launch.config import ExperimentConfig


class Config(ExperimentConfig):
    size: int = 3


def main(config, run):
    return {}


def page(config, results, arrays):
    return []
"""


@pytest.fixture
def made(tmp_path):
    """A config in a repository, a way to ask git there, and results of both."""
    for folder in ("experiments", "configs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "experiments" / "counting.py").write_text(EXPERIMENT)
    config = tmp_path / "configs" / "counting.yaml"
    config.write_text("experiment: counting\nsize: 5\n")

    def git(*words):
        named = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        return subprocess.run(["git", *named, *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    resolved = load(load_experiment("counting", config).config, read(config)).resolved()
    commit = git("rev-parse", "HEAD").strip()
    return config, git, {"config_hash": config_hash(resolved), "git": {"commit": commit, "dirty": False}}


def test_results_of_what_is_here_are_beyond_doubt(made):
    config, git, stored = made
    assert doubts(stored, config) == []
    # Other files may change.
    (config.parent / "other.yaml").write_text("experiment: counting\n")
    git("add", "-A")
    git("commit", "-qm", "second")
    assert doubts(json.loads(json.dumps(stored)), config) == []


def test_another_config_is_said(made):
    config, _, stored = made
    (doubt,) = doubts(stored, config, ["size=6"])
    assert doubt.startswith(f"another config ({stored['config_hash'][:8]}, not ")
    assert doubts(stored, config, ["size=..."]) == []


@pytest.mark.parametrize("overrides", [(), ("size=...",)])
def test_comments_of_a_config_change_nothing(made, overrides):
    config, _, stored = made
    config.write_text("# Expected: 5\nexperiment: counting\nsize: 5\n")
    assert doubts(stored, config, overrides) == []


def test_a_config_whose_overrides_are_not_known_is_compared_with_what_it_was(made):
    config, _, stored = made
    commit = stored["git"]["commit"][:8]
    config.write_text("experiment: counting\nsize: 4\n")
    assert doubts(stored, config, ["size=..."]) == [f"counting.yaml changed since commit {commit}"]
    another = config.rename(config.with_name("another.yaml"))
    assert doubts(stored, another, ["size=..."]) == [f"another.yaml changed since commit {commit}"]


@pytest.mark.parametrize("committed", [False, True])
def test_an_experiment_that_has_changed_since_is_said(made, committed):
    config, git, stored = made
    file = config.parents[1] / "experiments" / "counting.py"
    file.write_text(EXPERIMENT + "# another\n")
    if committed:
        git("commit", "-qam", "second")
    assert doubts(stored, config) == [f"counting.py changed since commit {stored['git']['commit'][:8]}"]


def test_results_that_no_commit_stands_for_are_said(made):
    config, _, stored = made
    assert doubts(stored | {"git": None}, config) == ["made outside a repository"]
    assert doubts(stored | {"git": stored["git"] | {"dirty": True}}, config) == ["made with changes that no commit has"]
    assert doubts(stored | {"git": {"commit": "0" * 40}}, config) == ["commit 00000000 is not in this history"]


def test_a_config_that_is_not_there_is_refused(made):
    config, _, stored = made
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        doubts(stored, config.parent / "nowhere.yaml")
