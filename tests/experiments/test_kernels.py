import pytest

from jaxneuro.launch.advice import ConfigError
from tests.experiments.small import run

NAMES = ("JAXNEURO_CUDA_PYTHON", "JAXNEURO_TPU_PYTHON")


def test_without_a_compiler_both_variables_and_what_to_install_are_named(tmp_path, monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError) as caught:
        run("benchmark/kernels.yaml", tmp_path / "run")
    for word in (*NAMES, "jax-cuda13-plugin", "libtpu"):
        assert word in str(caught.value)
