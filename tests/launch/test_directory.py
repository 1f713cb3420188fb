import io
import json
import subprocess

import jax.numpy as jnp
import numpy as np
import pytest
import yaml
from rich.console import Console

from jaxneuro.launch.directory import Run, config_hash, git_state, read_arrays, read_metrics, read_results
from jaxneuro.launch.lock import LockedError, RunError

CONFIG = {"experiment": "adding", "seed": 3, "rates": [0.1, 1e-3], "cell": {"kind": "LIF", "tau_ms": 20.0}}


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=40)


def said(console):
    return console.file.getvalue()


def open_run(path, console, config=CONFIG, **options):
    return Run(path / "run", config, console=console, **options)


def test_a_new_run_holds_what_it_was_made_from(tmp_path, console):
    with open_run(tmp_path, console) as run:
        identity = json.loads((run.path / "run.json").read_text())
        assert yaml.safe_load((run.path / "config.yaml").read_text()) == CONFIG
    assert identity["config_hash"] == config_hash(CONFIG)
    assert identity["seed"] == 3
    assert {"python", "jax", "equinox", "optax", "numpy"} <= identity["versions"].keys()


def test_the_config_hash_ignores_the_order_of_keys_and_sees_every_value():
    assert config_hash(dict(reversed(CONFIG.items()))) == config_hash(CONFIG)
    assert config_hash({**CONFIG, "seed": 4}) != config_hash(CONFIG)
    assert config_hash({**CONFIG, "cell": {"kind": "LIF", "tau_ms": 20.5}}) != config_hash(CONFIG)


def test_the_git_commit_is_noted_with_whether_files_differ(tmp_path):
    assert git_state(tmp_path) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert git_state(tmp_path) is None
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    clean = git_state(tmp_path)
    assert clean is not None
    assert len(clean["commit"]) == 40
    assert clean["dirty"] is False
    (tmp_path / "new").touch()
    assert git_state(tmp_path) == {**clean, "dirty": True}


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert git_state(tmp_path) is None


def test_a_directory_of_another_config_is_refused_and_replaced_when_fresh(tmp_path, console):
    with open_run(tmp_path, console) as run:
        run.log(1, {"loss": 1.0})
        run.finish({"score": 1})
        (run.path / "checkpoints" / "net").mkdir(parents=True)
    other = {**CONFIG, "seed": 4}
    with pytest.raises(RunError, match=r"another config .* --out, or replace the run with --fresh"):
        open_run(tmp_path, console, other)
    with open_run(tmp_path, console, other, fresh=True) as run:
        assert run.results() is None
        assert run.history() == {}
        assert not (run.path / "checkpoints").exists()
        assert yaml.safe_load((run.path / "config.yaml").read_text())["seed"] == 4


@pytest.mark.parametrize("fresh", [False, True])
def test_a_directory_that_is_no_run_is_left_alone(tmp_path, console, fresh):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("mine")
    with pytest.raises(RunError, match=r"config\.yaml but no run\.json"):
        open_run(tmp_path, console, fresh=fresh)
    assert (tmp_path / "run" / "config.yaml").read_text() == "mine"


def test_a_run_is_open_once(tmp_path, console):
    with open_run(tmp_path, console), pytest.raises(LockedError):
        open_run(tmp_path, console)
    open_run(tmp_path, console).close()


def test_a_refused_opening_gives_the_lock_back(tmp_path, console):
    open_run(tmp_path, console).close()
    with pytest.raises(RunError):
        open_run(tmp_path, console, {"seed": 9})
    open_run(tmp_path, console).close()


def test_other_versions_are_warned_of(tmp_path, console):
    open_run(tmp_path, console).close()
    file = tmp_path / "run" / "run.json"
    identity = json.loads(file.read_text())
    identity["versions"]["jax"] = "0.0.1"
    file.write_text(json.dumps(identity))
    open_run(tmp_path, console).close()
    assert "began with jax 0.0.1" in said(console)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 2}', b'{"format": 1}', b"\xff"])
def test_a_damaged_run_json_is_named(tmp_path, console, content):
    open_run(tmp_path, console).close()
    (tmp_path / "run" / "run.json").write_bytes(content)
    with pytest.raises(RunError, match=r"run\.json|format 2|another config"):
        open_run(tmp_path, console)


def test_metrics_are_read_back_as_logged(tmp_path, console):
    with open_run(tmp_path, console) as run:
        run.log(
            10, {"loss": jnp.asarray([0.5, jnp.nan]), "count": np.int32(3), "bf": jnp.ones(2, jnp.bfloat16)}, name="net"
        )
        run.log(20, {"loss": [0.25, np.inf], "count": 4, "bf": [1, 2]}, name="net")
        run.log(0, {"note": "é"})
        history = run.history("net")
        run.log(1, {"note": "b", "other": 1})
        assert list(run.history()) == ["step", "note"]
    assert read_metrics(run.path) == read_metrics(run.path / "metrics.jsonl")
    assert read_metrics(run.path)[0] == {"name": "net", "step": 10, "loss": [0.5, None], "count": 3, "bf": [1.0, 1.0]}
    assert read_metrics(run.path)[2] == {"name": "", "step": 0, "note": "é"}
    assert list(history) == ["step", "loss", "count", "bf"]
    assert history["step"].tolist() == [10, 20]
    np.testing.assert_array_equal(history["loss"], [[0.5, np.nan], [0.25, np.nan]])


def test_records_are_what_was_logged_now_and_in_a_later_session(tmp_path, console):
    logged = [{"text": "a", "losses": [0.1, None], "number": 0}, {"text": "b", "losses": [], "number": 1}]
    with open_run(tmp_path, console) as run:
        for entry in logged:
            run.log(entry["number"], entry, name="search")
        run.log(0, {"loss": 1.0}, name="net")
        assert run.records("search") == logged
    with open_run(tmp_path, console) as run:
        assert run.records("search") == logged
        assert [list(entry) for entry in run.records("search")] == [list(entry) for entry in logged]


def test_a_metric_may_not_take_a_field_of_the_journal(tmp_path, console):
    with open_run(tmp_path, console) as run, pytest.raises(ValueError, match="'step'"):
        run.log(1, {"step": 2})


def test_what_json_cannot_hold_is_named(tmp_path, console):
    with open_run(tmp_path, console) as run:
        with pytest.raises(TypeError, match=r"results\.curves\[1\] is a set"):
            run.finish({"curves": [1, {2}]})
        with pytest.raises(TypeError, match=r"results\.z is a complex"):
            run.finish({"z": np.complex64(1j)})
        assert run.results() is None


def test_a_torn_last_line_is_dropped_with_a_warning_and_written_again(tmp_path, console):
    for torn in range(1, 30, 4):
        console.file.truncate(0)
        with open_run(tmp_path, console, fresh=True) as run:
            run.log(1, {"loss": 1.0})
            run.log(2, {"loss": 0.5})
        file = run.path / "metrics.jsonl"
        whole = file.read_bytes()
        file.write_bytes(whole[:-torn])
        with open_run(tmp_path, console) as run:
            assert run.history()["step"].tolist() == [1]
            assert f"{file}: the last line was torn" in said(console)
            run.log(1, {"loss": 1.0})
            run.log(2, {"loss": 0.5})
        assert file.read_bytes() == whole


def test_a_changed_bit_in_the_middle_is_refused_with_its_line(tmp_path, console):
    with open_run(tmp_path, console) as run:
        for step in range(3):
            run.log(step, {"loss": 1.0})
    file = run.path / "metrics.jsonl"
    whole = file.read_bytes()
    start = whole.index(b"\n") + 1
    for place in range(start, whole.index(b"\n", start)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        file.write_bytes(changed)
        # A bit can also turn a character into the newline that makes two damaged lines of one.
        with pytest.raises(RunError, match=r"metrics\.jsonl, line 2"):
            open_run(tmp_path, console)


def test_rewinding_drops_later_lines_of_one_name_only(tmp_path, console):
    with open_run(tmp_path, console) as run:
        for step in (10, 20, 30):
            run.log(step, {"loss": 1.0}, name="a")
            run.log(step, {"loss": 2.0}, name="b")
        run.rewind("a", 10)
        run.log(20, {"loss": 3.0}, name="a")
        assert run.history("a")["loss"].tolist() == [1.0, 3.0]
        assert run.history("b")["loss"].tolist() == [2.0, 2.0, 2.0]
    assert [(line["name"], line["step"]) for line in read_metrics(run.path)] == [
        ("a", 10), ("b", 10), ("b", 20), ("b", 30), ("a", 20)
    ]  # fmt: skip


def test_lines_logged_again_after_a_resume_are_not_written_twice(tmp_path, console):
    def log_all(run):
        run.log(0, {"size": 3})
        run.log(0, {"size": 3})
        run.log(1, {"size": 4})

    with open_run(tmp_path, console) as run:
        log_all(run)
        whole = (run.path / "metrics.jsonl").read_bytes()
    assert whole.count(b"\n") == 3
    with open_run(tmp_path, console) as run:
        log_all(run)
        assert (run.path / "metrics.jsonl").read_bytes() == whole
        run.log(1, {"size": 4})
    assert len(read_metrics(run.path)) == 4


def test_seconds_add_up_over_resumes(tmp_path, console, monkeypatch):
    clock = iter(np.arange(0.0, 1000.0, 5.0).tolist())
    monkeypatch.setattr("jaxneuro.launch.directory.time.monotonic", lambda: next(clock))
    with open_run(tmp_path, console) as run:
        assert run.seconds == 5.0
        run.sync()
    with open_run(tmp_path, console) as run:
        assert run.seconds == 15.0


def test_results_are_found_with_their_provenance_and_nan_as_null(tmp_path, console):
    with open_run(tmp_path, console) as run:
        assert run.results() is None
        run.finish({"score": np.float32(0.5), "lost": float("nan"), "curve": jnp.arange(3), "pair": (1, None)})
        assert run.results() == {"score": 0.5, "lost": None, "curve": [0, 1, 2], "pair": [1, None]}
    found = json.loads((run.path / "results.json").read_text())
    assert found["config_hash"] == config_hash(CONFIG)
    assert found["device"]["platform"] == "cpu"
    assert {"seed", "versions", "git", "seconds"} <= found.keys()
    assert read_results(run.path) == found["results"]


@pytest.mark.parametrize("flags", ["--xla_cpu_enable_fast_math=false", ""])
def test_results_say_what_xla_was_told(tmp_path, console, monkeypatch, flags):
    monkeypatch.setenv("XLA_FLAGS", flags)
    with open_run(tmp_path, console) as run:
        run.finish({})
    assert json.loads((run.path / "results.json").read_text())["device"].get("xla_flags", "") == flags


def test_arrays_are_read_back_and_equal_arrays_give_equal_bytes(tmp_path, console):
    arrays = {
        "file": np.arange(6, dtype=np.int16).reshape(2, 3),
        "allow_pickle": np.asarray(1 + 2j, np.complex64),
        "bf": jnp.full(3, 1.5, jnp.bfloat16),
        "nothing": np.zeros((0, 2)),
    }
    with open_run(tmp_path, console) as run:
        assert read_arrays(run.path) == {}
        run.save_arrays(arrays)
        first = (run.path / "arrays.npz").read_bytes()
        run.save_arrays(arrays)
        assert (run.path / "arrays.npz").read_bytes() == first
    back = read_arrays(run.path)
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        assert back[name].dtype == (np.float32 if name == "bf" else array.dtype)
        np.testing.assert_array_equal(back[name], np.asarray(array).astype(back[name].dtype))


def test_arrays_that_would_need_pickle_are_refused(tmp_path, console):
    with open_run(tmp_path, console) as run:
        with pytest.raises(ValueError, match="allow_pickle=False"):
            run.save_arrays({"things": np.asarray([{}, None], dtype=object)})
        np.savez(run.path / "arrays.npz", things=np.asarray([{}, None], dtype=object))
        with pytest.raises(RunError, match=r"arrays\.npz.*allow_pickle=False"):
            read_arrays(run.path)
