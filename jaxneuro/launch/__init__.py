"""Experiments from the command line: configs, run directories, checkpoints, reports."""
