"""Neurons that send each other code: packets of instructions that change the receiver's transition function."""
