import numpy as np
import pytest

from jaxneuro.launch.directory import read_arrays
from tests.experiments.small import run

# As tests/neurons/spiking/test_izhikevich.py and test_patterns.py have them.
PUBLISHED = [5, 1, 28, 6, 6, 6, 10, 14, 1, 1, 1, 1, 1, 7, 1, 5, 1, 1, 3, 12]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    path = tmp_path_factory.mktemp("patterns") / "run"
    return path, *run("firing_patterns/quickstart.yaml", path)


@pytest.mark.slow
def test_all_published_counts_are_found_and_nine_are_not_those_of_the_equations(done):
    _, results, _ = done
    assert [row["spikes"] for row in results["published"]] == PUBLISHED
    assert [row["first_ms"] for row in results["published"][:3]] == [13.0, 43.75, 25.0]
    assert results["changed"] == list("CDEHNPQST")
    assert [row["spikes"] for row in results["adex"]] == [60, 12, 12, 11, 45, 32, 1, 33]


@pytest.mark.slow
def test_the_report_has_both_tables_and_a_figure_of_every_pattern_in_less_than_a_megabyte(done):
    path, _, sections = done
    assert len(sections) == 2 + 20 + 8
    assert sections[2].title == "Izhikevich A: tonic spiking"
    assert sections[-1].title == "AdEx 8: irregular"
    assert [len(section.rows) for section in sections[:2]] == [20, 8]
    assert all(section.figure for section in sections[2:])
    assert (path / "report.html").stat().st_size < 1_000_000


@pytest.mark.slow
def test_every_spike_is_drawn_up_to_its_peak(done):
    path, results, _ = done
    for letter, values in read_arrays(path).items():
        times, voltages, _ = values
        peak = 30 if letter.isalpha() else 0
        rows = results["published"] if letter.isalpha() else results["adex"]
        row = next(row for row in rows if row["pattern"] == letter)
        assert (voltages == peak).sum() == row["spikes"]
        assert times[np.flatnonzero(voltages == peak)[0]] == pytest.approx(row["first_ms"], abs=0.5)


@pytest.mark.slow
def test_the_paper_config_gives_the_counts_in_its_header(tmp_path):
    results, _ = run("firing_patterns/paper.yaml", tmp_path / "run")
    assert [row["spikes"] for row in results["published"]] == PUBLISHED
    assert [row["spikes"] for row in results["adex"]] == [60, 12, 12, 11, 45, 32, 1, 33, 62, 12, 12, 11, 46, 32, 1, 32]
    # Pattern D at a finer step: the equations' counts do not change.
    assert [row["spikes"] for row in results["equations"]][2:5] == [29, 8, 7]
