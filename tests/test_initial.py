"""What a layer's arguments are checked for."""

import pytest

from jaxneuro.initial import check_choice


def test_a_word_that_a_layer_does_not_know_is_refused_with_those_that_it_knows():
    check_choice("RNN", "activation", "relu", ("tanh", "relu"))
    with pytest.raises(ValueError, match=r"^RNN got activation='sine'; it must be 'tanh' or 'relu'\.$"):
        check_choice("RNN", "activation", "sine", ("tanh", "relu"))
