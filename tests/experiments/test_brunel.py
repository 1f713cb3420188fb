"""Brunel's network in small: two states and what is said of them, and the theory of intervals against its limits."""

import math

import numpy as np
import pytest

import jaxneuro as jn
from experiments.brunel import growth, theory, variation_of_theory
from jaxneuro.launch import brunel_page
from jaxneuro.launch.directory import read_arrays
from jaxneuro.networks import siegert_rate
from tests.experiments.small import run

STATES = (
    "states=[{name: A, relative_inhibition: 3.0, relative_drive: 2.0, milliseconds: 60.0}, "
    "{name: B, relative_inhibition: 6.0, relative_drive: 4.0, milliseconds: 300.0}]"
)
CURVE = "curve={relative_inhibition: [3.0], relative_drive: [2.0], milliseconds: 60.0}"


SMALL = (STATES, CURVE, "sizes=[1000]", "start_ms=100.0", "shown_ms=50.0", "sample=500")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    path = tmp_path_factory.mktemp("brunel") / "run"
    return path, *run("brunel/quick.yaml", path, *SMALL)


@pytest.mark.slow
def test_a_state_that_is_a_clock_and_one_that_is_noisy_are_told_apart(done):
    path, results, sections = done
    clock, noisy = results["states"]
    (clockwork,), (noise,) = clock["sizes"], noisy["sizes"]
    # A volley calls forth the next one a delay of 1.5 ms later, when its own neurons are still refractory: each neuron
    # fires in every second volley.
    assert clockwork["rate_hz"] == pytest.approx([1000 / 3] * 2, rel=0.01)
    assert max(clockwork["variation"]) < 0.05
    assert clockwork["peak_hz"] == pytest.approx([2000 / 3] * 2, rel=0.03)
    assert min(clockwork["synchrony"]) > 0.4
    assert noise["rate_hz"] == pytest.approx([60.7] * 2, rel=0.15)
    assert all(150 <= peak <= 210 for peak in noise["peak_hz"])
    assert min(noise["variation"]) > 0.7
    assert np.mean(noise["rates_hz"], axis=0)[2] == pytest.approx(np.mean(noise["rate_hz"]), rel=0.1)
    assert results["curves"][0]["rate_hz"] == clockwork["rate_hz"][:1]
    assert results["curves"][0]["theory_hz"][0] == pytest.approx(327.0, abs=0.1)
    titles = ["Answer", "States", "Synchrony and size", "Distributions", "Four states", "Rate and drive"]
    assert [section.title for section in sections] == titles
    assert sections[1].rows[1][4] == "60.7"
    assert [row[3] for row in sections[2].rows] == ["regular", "irregular"]
    # The rate that is drawn is that of the spikes of which some are drawn.
    arrays = read_arrays(path)
    assert arrays["B/spikes"].shape == (500, 50)
    assert arrays["A/rate"].mean() == pytest.approx(1000 / 3, rel=0.05)
    assert arrays["A/spikes"].mean() * 10_000 == pytest.approx(1000 / 3, rel=0.05)


@pytest.mark.slow
def test_an_interrupted_run_does_not_measure_again_and_ends_the_same(done, monkeypatch):
    path, results, _ = done
    (path / "results.json").unlink()
    monkeypatch.setattr(jn, "run", None)
    again, sections = run("brunel/quick.yaml", path, *SMALL)
    assert again == results
    assert sections[4].figure


def test_the_variation_of_theory_is_that_of_a_poisson_process_far_below_threshold():
    rate = float(siegert_rate(0.0, 6.0, refractory_ms=0.0))
    assert variation_of_theory(0.0, 6.0, rate) == pytest.approx(1.0, abs=0.01)


def test_the_variation_of_theory_is_that_of_a_deterministic_path_in_weak_noise():
    mean, deviation = 60.0, 0.2
    duration = 20 * math.log((mean - 10) / (mean - 20))
    # The voltage then varies by deviation^2 (1 - exp(-2 T / tau)) / 2, and passes threshold at (mean - theta) / tau.
    spread = math.sqrt(deviation**2 * (1 - math.exp(-2 * duration / 20)) / 2) * 20 / (mean - 20)
    found = variation_of_theory(mean, deviation, 1000 / (duration + 2))
    assert found == pytest.approx(spread / (duration + 2), rel=0.01)


def test_theory_has_the_rates_of_the_papers_table():
    rates = [theory(g, eta)["rate_hz"] for g, eta in ((6.0, 4.0), (5.0, 2.0), (4.5, 0.9))]
    assert rates == pytest.approx([55.8, 38.0, 6.5], abs=0.06)


def test_synchrony_of_independent_neurons_shrinks_as_the_root_of_the_size():
    independent = {size: [0.7 / math.sqrt(size), 0.7 / math.sqrt(size)] for size in (100, 400, 1600)}
    assert growth(independent) == pytest.approx([-0.5, -0.5])
    assert growth({100: [0.3], 400: [0.3]}) == pytest.approx([0.0])
    assert growth({100: [0.3]}) is None


@pytest.mark.parametrize(
    ("exponent", "variation", "name"),
    [(-0.5, 0.8, "asynchronous irregular"), (-0.1, 0.8, "synchronous irregular"), (0.0, 0.1, "synchronous regular")],
)
def test_states_are_called_by_what_size_does_and_by_how_intervals_vary(exponent, variation, name):
    row = {"growth": [exponent] * 2, "sizes": [{"variation": [0.0, 0.0]}, {"variation": [variation, variation, None]}]}
    assert brunel_page.verdict(row) == name


def test_a_silent_network_is_told_without_numbers():
    assert brunel_page.verdict({"growth": None, "sizes": [{"variation": [None, None]}]}) == ""
    assert brunel_page.interval([None, 1.0]) == ""
