"""Shapes of neurons against the geometry of cylinders, and Rall's equivalent cylinder."""

import numpy as np
import pytest

from jaxneuro.neurons.dendritic.morphology import Branch, Morphology, ball_and_stick, cylinder, rall_tree, tree


def test_areas_and_resistances_are_those_of_cylinders():
    shape = Morphology([20.0, 100.0, 30.0], [20.0, 2.0, 1.0], (-1, 0, 1))
    np.testing.assert_allclose(shape.areas_cm2(), np.pi * np.array([400, 200, 30]) * 1e-8, rtol=1e-6)

    def half_mohm(length_um, diameter_um):
        ohm = 150 * length_um * 1e-4 / 2 / (np.pi * (diameter_um * 1e-4) ** 2 / 4)
        return ohm * 1e-6

    halves = [half_mohm(20, 20), half_mohm(100, 2), half_mohm(30, 1)]
    expected = [0, 1 / (halves[0] + halves[1]), 1 / (halves[1] + halves[2])]
    np.testing.assert_allclose(shape.axial_us(np.float32(150.0) + 0 * shape.lengths_um[0]), expected, rtol=1e-6)


def test_a_branch_point_is_put_where_several_branches_grow_from_one_end():
    branches = [Branch(-1, 10.0, 10.0), Branch(0, 40.0, 2.0, 2), Branch(1, 9.0, 1.0, 3), Branch(1, 8.0, 1.0)]
    shape = tree([*branches, Branch(0, 5.0, 1.0, 1, "middle")])
    assert shape.parents == (-1, 0, 1, 2, 3, 4, 5, 3, 0)
    np.testing.assert_array_equal(shape.lengths_um, [10, 20, 20, 0, 3, 3, 3, 8, 5])


def test_the_stick_grows_from_the_ball():
    shape = ball_and_stick(12.0, 100.0, 1.0, 4)
    assert shape.parents == (-1, 0, 1, 2, 3)
    assert float(shape.areas_cm2()[0]) == pytest.approx(4 * np.pi * 6**2 * 1e-8)


def test_diameters_of_a_rall_tree_keep_the_power_of_three_halves():
    shape = rall_tree(100.0, 4.0, 4, 1)
    branches = np.asarray(shape.lengths_um) > 0
    diameters, lengths = np.asarray(shape.diameters_um)[branches], np.asarray(shape.lengths_um)[branches]
    assert branches.sum() == 15
    for level in range(4):
        own = slice(2**level - 1, 2 ** (level + 1) - 1) if level else slice(0, 1)
        in_order = np.sort(diameters)[::-1][own]
        assert (in_order**1.5).sum() == pytest.approx(8.0, rel=1e-5)
    np.testing.assert_allclose(lengths / diameters**0.5, 50.0, rtol=1e-5)
    np.testing.assert_array_equal(cylinder(60.0, 2.0, 3).lengths_um, [20, 20, 20])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Morphology([1.0], [1.0], (0,)), r"starts with \(0,\); the first must be -1"),
        (lambda: Morphology([1.0, 1.0], [1.0, 1.0], (-1, 1)), r"parents\[1\] is 1; it must be 0 to 0"),
        (lambda: Morphology([1.0, 1.0], [1.0], (-1, 0)), r"diameters_um has shape \(1,\); there are 2 parents"),
        (lambda: Morphology([1.0], [0.0], (-1,)), "diameters_um is 0; it must be above 0 um"),
        (lambda: Morphology([0.0, 0.0], [1.0, 1.0], (-1, 0)), "compartments 0 and 1 have no length"),
        (lambda: tree([Branch(-1, 1.0, 1.0, 0)]), "branch 0 has 0 compartments"),
        (lambda: tree([Branch(-1, 1.0, 1.0), Branch(1, 1.0, 1.0)]), "branch 1 has parent 1; it must be 0 to 0"),
        (lambda: tree([Branch(-1, 1.0, 1.0), Branch(0, 1.0, 1.0, 1, "side")]), "grows from 'side'"),
    ],
)
def test_an_impossible_shape_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
