import pytest

from tests.neurons.htm.memories import JaxMemory, OracleMemory


@pytest.fixture(params=[OracleMemory, JaxMemory], ids=["oracle", "machine"])
def memory(request):
    """Makes a temporal memory of one of the two kinds."""
    return request.param
