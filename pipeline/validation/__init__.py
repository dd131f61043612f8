"""Checks of the input, a module for each sort of file."""
