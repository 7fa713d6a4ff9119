"""The table of mutants: one file for each notebook, `of_<module>.py`, with a list MUTANTS of `truth(...)` and `guard(...)`.

A mutant that breaks a **truth** makes the lesson wrong (a gradient, a label, a probability); one that breaks a **guard**
takes away a safety (bad input, a damaged file, an error's moment). What catches it is either a later cell of the notebook
(the default), or, where `test=` says so, tests: then the line is broken in a copy of the module, and pytest runs on the copy."""
import importlib
from functools import partial
from pathlib import Path
from typing import NamedTuple


class Mutant(NamedTuple):
    name: str
    notebook: str  # '01_text' or 'workshop/cli'
    kind: str  # 'truth' or 'guard'
    line: str  # stands once in the clean cells of the notebook
    becomes: str
    refused: str = ''  # what PyTorch or a figure says, where it doesn't come to an assert
    test: str = ''  # arguments for pytest, for example 'tests/test_cli.py -k validation': the tests that catch it


def mutants_of(notebook):
    "`truth` and `guard`: make a mutant of this notebook from name, line, becomes and, by keyword, refused or test."
    def make(kind, name, line, becomes, refused='', test=''): return Mutant(name, notebook, kind, line, becomes, refused, test)
    return partial(make, 'truth'), partial(make, 'guard')


def table():
    "All mutants, in the order of the files."
    names = sorted(path.stem for path in Path(__file__).parent.glob('of_*.py'))
    return [mutant for name in names for mutant in importlib.import_module(f'mutants.{name}').MUTANTS]
