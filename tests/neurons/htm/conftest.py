import pytest

import jaxneuro as jn
from tests.neurons.htm.memories import JaxMemory, OracleMemory


@pytest.fixture(params=[OracleMemory, JaxMemory], ids=["oracle", "machine"])
def memory(request):
    """Makes a temporal memory of one of the two kinds."""
    if request.param is JaxMemory and not hasattr(jn, "htm"):
        pytest.skip("there is no temporal memory yet")
    return request.param
