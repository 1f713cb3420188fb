"""Files of reconstructed neurons: what they hold by hand-made geometry, and what is refused."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxneuro.neurons.dendritic.morphology import Branch, tree
from jaxneuro.neurons.dendritic.swc import morphology, points, read_swc

FORK = """# a soma, a dendrite of 60 um that forks
1 1 0 0 0 10 -1
2 3 10 0 0 1.0 1   # at the surface of the soma
3 3 70 0 0 1.0 2
4 3 70 30 0 0.5 3
5 3 70 0 45 0.75 3
"""


def test_a_file_is_the_tree_of_its_branches(tmp_path):
    (tmp_path / "cell.swc").write_text(FORK)
    found = read_swc(tmp_path / "cell.swc", longest_um=20.0)
    expected = tree(
        [
            Branch(-1, 20.0, 20.0),
            Branch(0, 60.0, 2.0, 3, "middle"),
            Branch(1, 30.0, 1.5, 2),
            Branch(1, 45.0, 1.75, 3),
        ]
    )
    assert found.parents == expected.parents
    np.testing.assert_allclose(found.lengths_um, expected.lengths_um, rtol=1e-6)
    # The tips become narrower along their way, or wider: their means are the expected diameters, the area is the same.
    np.testing.assert_allclose(found.diameters_um[:5], expected.diameters_um[:5], rtol=1e-6)
    np.testing.assert_allclose(found.areas_cm2().sum(), expected.areas_cm2().sum(), rtol=1e-6)
    np.testing.assert_allclose(found.diameters_um[5:7], [1.75, 1.25], rtol=1e-6)


def test_a_soma_of_three_points_is_a_sphere():
    three = "1 1 0 0 0 7 -1\n2 1 0 -7 0 7 1\n3 1 0 7 0 7 1\n4 3 7 0 0 1 1\n5 3 27 0 0 1 4\n"
    found = morphology(points(three))
    assert found.parents == (-1, 0)
    np.testing.assert_allclose(found.areas_cm2()[0], 4 * np.pi * 49 * 1e-8, rtol=1e-6)
    np.testing.assert_allclose(found.lengths_um, [14, 20], rtol=1e-6)


def test_a_soma_of_an_outline_is_a_cable():
    outline = "1 1 0 0 0 5 -1\n2 1 10 0 0 8 1\n3 1 20 0 0 5 2\n4 3 50 0 0 1 3\n"
    found = morphology(points(outline), longest_um=100.0)
    assert found.parents == (-1,)
    assert float(found.lengths_um[0]) == 50
    assert float(found.diameters_um[0]) == pytest.approx((10 * 13 + 10 * 13 + 30 * 6) / 50)


def test_points_in_one_place_make_no_compartments_without_length():
    doubled = (
        "1 3 0 0 0 1 -1\n2 3 9 0 0 1 1\n3 3 9 0 0 1 2\n4 3 9 5 0 1 3\n5 3 9 0 5 1 3\n6 3 9 0 5 1 5\n7 3 9 0 5 1 5\n"
    )
    found = morphology(points(doubled))
    lengths = np.asarray(found.lengths_um)
    assert sorted(lengths[lengths > 0]) == [5, 5, 9]
    assert bool(jnp.isfinite(found.axial_us(jnp.asarray(100.0))).all())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "text has no points; each line must have: number type x y z radius parent"),
        ("# nothing\n\n", "has no points"),
        ("1 1 0 0 0 1", r"line 1 has 6 columns: '1 1 0 0 0 1'; it must have 7"),
        ("1 1 0 0 0 1 -1 9", "line 1 has 8 columns"),
        ("\n1.5 1 0 0 0 1 -1", "line 2: number is '1.5'; it must be a whole number"),
        ("1 1 zero 0 0 1 -1", "line 1: x is 'zero'; it must be a number of at most 1e\\+06 um"),
        ("1 1 nan 0 0 1 -1", "line 1: x is 'nan'"),
        ("1 1 0 1e400 0 1 -1", "line 1: y is '1e400'"),
        ("1 1 0 0 1_0 1 -1", "line 1: z is '1_0'"),
        ("1 1 0 0 0 0 -1", "line 1: radius is '0'; it must be above 0 um"),
        ("1 1 0 0 0 -2 -1", "line 1: radius is '-2'"),
        ("1 1 0 0 0 1 2\n2 1 0 0 0 1 1", "line 1: parent is 2; it must be the number of a line above, or -1"),
        ("1 1 0 0 0 1 1", "line 1: parent is 1"),
        ("1 1 0 0 0 1 -1\n1 1 0 0 0 1 1", "line 2: number 1 is that of line 1 too"),
        ("1 1 0 0 0 1 -1\n2 1 0 0 0 1 -1", "line 2: parent is -1, the root's; line 1 is the root already"),
        ("1 3 0 0 0 1 -1\n2 3 0 0 0 1 1", "no two points are apart, and there is no soma"),
        ("1 3 0 0 0 1 -1\n2 3 1000000 0 0 1 1", "too many|more than 100000"),
        (f"{'9' * 5000} 1 0 0 0 1 -1", r"number is '9{40}\.\.\.'"),
    ],
)
def test_a_wrong_file_is_told_with_its_line_and_what_is_allowed(text, message):
    with pytest.raises(ValueError, match=message):
        morphology(points(text), 1.0)


def test_a_file_that_is_not_text_or_too_large_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "cell.swc"
    path.write_bytes(b"1 1 0 0 0 \xff -1")
    with pytest.raises(ValueError, match=r"cell\.swc is not text in UTF-8"):
        read_swc(path)
    monkeypatch.setattr("jaxneuro.neurons.dendritic.swc.LARGEST_BYTES", 10)
    with pytest.raises(ValueError, match="has 14 bytes; a morphology may have 10"):
        read_swc(path)
    with pytest.raises(ValueError, match="longest_um=0"):
        morphology(points(FORK), 0.0)


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet="0123456789.-+ e\n#\x00aÿ", max_size=120)
    | st.binary(max_size=80).map(lambda b: b.decode("latin-1"))
)
def test_nothing_but_a_clear_refusal_comes_of_what_is_no_morphology(text):
    try:
        found = morphology(points(text), 20.0)
    except ValueError as error:
        assert str(error).startswith("text")  # noqa: PT017
    else:
        assert found.compartments >= 1
