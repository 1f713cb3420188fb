import pytest

from jaxneuro.launch import doctor

LINUX = "MemTotal:       16000 kB\nMemFree:  1 kB\nMemAvailable:    8000 kB\nodd line\n"


def test_memory_is_read_as_linux_tells_it(tmp_path):
    (tmp_path / "meminfo").write_text(LINUX)
    assert doctor.memory(tmp_path / "meminfo") == (16000 * 1024, 8000 * 1024)


@pytest.mark.parametrize("content", [None, "", "MemTotal: many kB\n", "MemFree: 3 kB"])
def test_where_linux_does_not_tell_the_system_is_asked_for_the_total(tmp_path, content):
    if content is not None:
        (tmp_path / "meminfo").write_text(content)
    total, available = doctor.memory(tmp_path / "meminfo")
    assert total is not None
    assert total > 0
    assert available is None


def test_a_system_that_tells_nothing_has_unknown_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.os, "sysconf", lambda name: (_ for _ in ()).throw(ValueError(name)))
    assert doctor.memory(tmp_path / "meminfo") == (None, None)


def test_the_speed_check_measures_three_things(monkeypatch):
    monkeypatch.setattr(doctor, "SECONDS", 0.01)
    monkeypatch.setattr(doctor, "STEPS", 10)
    found = doctor.speed()
    assert [unit.split()[-1] for unit in found.values()] == ["GF/s", "steps/s", "microseconds"]
