"""Peers of the speed benchmarks: workloads for other interpreters, which need not have jaxneuro."""
