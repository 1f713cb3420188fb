"""The classifier against the closed numbers of the first program's tests, and against a plain loop."""

from collections import defaultdict, deque

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

htm = jn.htm


def labelled(records, inputs, on, learn=True):
    """Records of on-bits, bucket and value as inputs of all steps."""
    patterns = [[*bits, *[inputs] * (on - len(bits))] for bits, _, _ in records]
    return htm.Labelled(
        jnp.asarray(patterns, jnp.int32),
        jnp.asarray([bucket for _, bucket, _ in records], jnp.int32),
        jnp.asarray([float(value) for _, _, value in records], jnp.result_type(float)),
        jnp.broadcast_to(jnp.asarray(learn), (len(records),)),
    )


def test_several_patterns_with_several_values(float64):
    records = [([1, 5, 9], 4, 34.7), ([0, 6, 9, 11], 5, 41.7), ([6, 9], 5, 44.9), ([1, 5, 9], 4, 42.9)]
    machine = htm.SDRClassifier(12, 8, 4, rate=1.0, value_rate=0.1)
    _, found = jn.run(machine, labelled([*records, ([1, 5, 9], 4, 34.7)], 12, 4))
    expected = [0.034234, 0.034234, 0.034234, 0.034234, 0.093058, 0.770004, 0, 0]
    np.testing.assert_allclose(found.probabilities[-1, 0], expected, rtol=0, atol=1e-6)
    assert float(found.values[-1, 4]) == pytest.approx(35.52)
    assert float(found.values[-1, 5]) == pytest.approx(42.02)
    assert float(found.likeliest()[-1, 0]) == pytest.approx(42.02)
    values = np.array([34.7] * 4 + [35.52, 42.02])
    assert float(found.expected()[-1, 0]) == pytest.approx(values @ expected[:6], abs=1e-4)


def test_a_first_prediction_knows_one_bucket_only():
    machine = htm.SDRClassifier(12, 8, 4, rate=0.1)
    _, found = jn.run(machine, labelled([([1, 5, 9], 0, 34.7), ([1, 5, 9], 3, 20.0)], 12, 4))
    np.testing.assert_allclose(found.probabilities[0, 0], [1] + [0] * 7, rtol=0, atol=0)
    np.testing.assert_allclose(found.values[0], [34.7] * 8, rtol=1e-6)
    np.testing.assert_allclose(found.values[1], [34.7] + [20.0] * 7, rtol=1e-6)


class Plain:
    """Weights by horizon and bit, in lists that grow with the highest bucket."""

    def __init__(self, horizons, rate, value_rate):
        self.horizons, self.rate, self.value_rate = horizons, rate, value_rate
        self.weights, self.values, self.past = defaultdict(lambda: defaultdict(float)), {}, deque(maxlen=20)
        self.count = 1

    def probabilities(self, horizon, bits):
        totals = [sum(self.weights[horizon, bit][bucket] for bit in bits) for bucket in range(self.count)]
        powers = np.exp(np.asarray(totals))
        return powers / powers.sum()

    def step(self, bits, bucket, value, learn):
        found = [self.probabilities(horizon, bits) for horizon in self.horizons]
        values = {seen: self.values[seen] for seen in self.values}
        self.past.appendleft(bits)
        if learn:
            self.count = max(self.count, bucket + 1)
            old = self.values.get(bucket, value)
            self.values[bucket] = (1 - self.value_rate) * old + self.value_rate * value
            for horizon in self.horizons:
                if horizon < len(self.past):
                    bits_then = self.past[horizon]
                    error = np.eye(self.count)[bucket] - self.probabilities(horizon, bits_then)
                    for bit in bits_then:
                        for other in range(self.count):
                            self.weights[horizon, bit][other] += self.rate * error[other]
        return found, values


@pytest.mark.parametrize("horizons", [(1,), (0,), (1, 5), (3, 0, 2)])
def test_equals_a_plain_loop(horizons, float64):
    generator = np.random.default_rng(len(horizons))
    records, learns = [], generator.uniform(size=60) < 0.8
    for _ in range(60):
        bits = sorted(generator.choice(30, generator.integers(0, 6), replace=False).tolist())
        bucket = int(generator.integers(0, 7))
        records.append((bits, bucket, bucket + generator.normal()))
    plain = Plain(horizons, 0.2, 0.3)
    _, found = jn.run(htm.SDRClassifier(30, 9, 6, horizons, rate=0.2, value_rate=0.3), labelled(records, 30, 6, learns))
    for time, (record, learn) in enumerate(zip(records, learns, strict=True)):
        expected, values = plain.step(*record, learn)
        for row, chances in enumerate(expected):
            padded = np.pad(chances, (0, 9 - len(chances)))
            np.testing.assert_allclose(found.probabilities[time, row], padded, rtol=0, atol=1e-12)
        for bucket in range(9):
            assert float(found.values[time, bucket]) == pytest.approx(values.get(bucket, record[2]), abs=1e-12)


def test_learns_what_comes_some_steps_later():
    period, steps = 7, 700
    records = [([t % period], (t % period), float(t % period)) for t in range(steps)]
    _, found = jn.run(htm.SDRClassifier(period, period, 1, (1, 3), rate=0.5), labelled(records, period, 1))
    later = np.asarray(found.likeliest())[-period:]
    now = np.arange(steps - period, steps)
    np.testing.assert_allclose(later, np.stack([(now + 1) % period, (now + 3) % period], axis=1), atol=1e-3)
    assert np.asarray(found.probabilities)[-1].max(axis=-1).min() > 0.9


def test_without_learning_nothing_changes(key):
    machine = htm.SDRClassifier(5, 4, 2, rate=1.0)
    start = machine.init(key)
    state, _ = jn.run(machine, labelled([([1, 2], 3, 1.0)] * 4, 5, 2, learn=False), state=start)
    for name in ("weights", "values", "seen", "highest"):
        np.testing.assert_array_equal(getattr(state, name), getattr(start, name))
    assert jax.tree.structure(state) == jax.tree.structure(start)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="none below 0"):
        htm.SDRClassifier(5, 4, 2, (1, -1))
    with pytest.raises(ValueError, match="at least 1"):
        htm.SDRClassifier(5, 0)
