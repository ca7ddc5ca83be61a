"""Puts this folder on the import path, so that the tests run from anywhere."""
