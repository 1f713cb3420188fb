"""What processes take, put together and tell each other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro import processes


@pytest.mark.parametrize(("place", "share"), [(0, "adg"), (1, "be"), (2, "cf")])
def test_shares_are_dealt_in_turn(monkeypatch, place, share):
    monkeypatch.setattr(jax, "process_index", lambda: place)
    monkeypatch.setattr(jax, "process_count", lambda: 3)
    assert processes.own_share("abcdefg") == list(share)
    assert processes.is_first() == (place == 0)


def test_rows_are_taken_from_those_who_filled_them(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    monkeypatch.setattr(processes.multihost_utils, "process_allgather", lambda rows: np.stack([rows, -rows]))
    assert processes.put_together(np.arange(10).reshape(5, 2)).tolist() == [[0, 1], [-2, -3], [4, 5], [-6, -7], [8, 9]]


def test_a_process_alone_has_all_and_tells_itself():
    assert processes.own_share([1, 2]) == [1, 2]
    assert processes.put_together(np.asarray([0.5, np.inf])).tolist() == [0.5, np.inf]
    assert processes.told_by_first({"text": "ü", "numbers": [1, None, 0.1]}) == {"text": "ü", "numbers": [1, None, 0.1]}


@pytest.mark.parametrize("lanes", [1, 5])
def test_lanes_that_are_shared_come_back_in_order_with_the_same_bits(monkeypatch, lanes):
    tree = {
        "key": jax.random.split(jax.random.key(0), lanes),
        "weights": jax.random.normal(jax.random.key(1), (lanes, 2, 3)).at[0, 0, 0].set(jnp.nan),
        "half": jnp.arange(lanes, dtype=jnp.bfloat16),
        "on": jnp.arange(lanes) % 2 == 0,
        "nothing": jnp.zeros((lanes, 0, 2)),
    }
    monkeypatch.setattr(jax, "process_count", lambda: 3)
    own = []
    for place in range(3):
        monkeypatch.setattr(jax, "process_index", lambda place=place: place)
        own.append(processes.own_lanes(tree))
    wanted = [[min(place + 3 * turn, lanes - 1) for turn in range(-(-lanes // 3))] for place in range(3)]
    assert [part["half"].tolist() for part in own] == wanted
    sent = []
    monkeypatch.setattr(processes, "of_each", lambda packed: sent.append(packed) or np.stack([packed] * 3))
    for part in own:
        processes.all_lanes(part, lanes)
    monkeypatch.setattr(processes, "of_each", lambda packed: np.stack(sent))
    for part in own:
        found = processes.all_lanes(part, lanes)
        assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), found) == jax.tree.map(
            lambda leaf: (leaf.shape, leaf.dtype), tree
        )
        assert (jax.random.key_data(found.pop("key")) == jax.random.key_data(tree["key"])).all()
        for name, leaf in found.items():
            assert np.asarray(leaf).tobytes() == np.asarray(tree[name]).tobytes()


def test_lanes_without_leaves_have_nothing_to_share():
    assert processes.all_lanes({}, 3) == {}


def test_what_one_process_does_alone_needs_no_other():
    assert not processes.several()
    assert processes.by_first(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        processes.by_first(lambda: 1 // 0)
    processes.leave(1)


@pytest.fixture
def told(monkeypatch):
    """What the first process of two tells."""
    heard = []

    def from_first(content):
        if processes.is_first():
            heard.append(content)
        return heard[-1]

    monkeypatch.setattr(processes, "several", lambda: True)
    monkeypatch.setattr(processes, "bytes_of_first", from_first)


def be(monkeypatch, place):
    monkeypatch.setattr(jax, "process_index", lambda: place)


def test_what_the_first_process_has_done_all_know(monkeypatch, told):
    be(monkeypatch, 0)
    assert processes.by_first(lambda: {"steps": [1, 2]}) == {"steps": [1, 2]}
    be(monkeypatch, 1)
    assert processes.by_first(lambda: pytest.fail("this is for the first")) == {"steps": [1, 2]}


def test_a_failure_of_the_first_process_is_one_of_all(monkeypatch, told):
    be(monkeypatch, 0)
    with pytest.raises(ZeroDivisionError):
        processes.by_first(lambda: 1 // 0)
    be(monkeypatch, 1)
    with pytest.raises(processes.PeerError, match="the first process failed: integer division"):
        processes.by_first(lambda: None)


def test_a_process_that_is_gone_is_said_to_be(monkeypatch):
    def gone(rows):
        raise ValueError("Connection closed by peer\nat a line of C++")

    monkeypatch.setattr(processes.multihost_utils, "process_allgather", gone)
    with pytest.raises(processes.PeerError, match=r"is gone \(Connection closed by peer\). Start all again"):
        processes.of_each(np.zeros(3))
