"""The examples in the docstrings are true, and none is skipped."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import synthmob

MODULES = sorted(module.name for module in pkgutil.walk_packages(synthmob.__path__, "synthmob."))


def test_there_are_examples_to_run() -> None:
    finder = doctest.DocTestFinder()
    examples = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(examples) >= 20


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0
