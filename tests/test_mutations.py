"""Mutations: a notebook whose asserts can't fail proves nothing, so each line of `mutants` is broken on purpose and has to be caught.

Asserts run against the notebook's own cells, so the mutation goes into the clean cell (the explained one before it stays as it
stands, and the clean one overrides it). The cells then run in order up to the first error, which must be an AssertionError of a
later cell. Where PyTorch, or a figure that checks what it draws, refuses the mutant before any assert sees it, the mutant names
the words. What a notebook can't check is broken in a copy of the module, and the tests that the mutant names have to fail there.

`python -m pytest tests/test_mutations.py --table` prints which assert caught which; with `--share 1/4` it takes every fourth
mutant, beginning with the first."""
import ast, contextlib, functools, io, multiprocessing, os, re, shlex, shutil, subprocess, sys, tempfile, warnings
from pathlib import Path

import pytest
from execnb.nbio import read_nb
from IPython.core.inputtransformer2 import TransformerManager
from mutants import Mutant, table
from nbdev.process import extract_directives

ROOT = Path(__file__).resolve().parents[1]
NBS = ROOT/'nbs'
FLAGS = {'slow', 'long', 'gpu'}
MUTANTS = table()
BY_CELLS = sorted({mutant.notebook for mutant in MUTANTS if not mutant.test})
IDS = [f'{m.notebook}: {m.name}' for m in MUTANTS]


@functools.lru_cache
def cells(notebook):
    "The code cells of a notebook that run without a flag: (number, is it clean, source)."
    code = [(i, c) for i, c in enumerate(read_nb(NBS/f'{notebook}.ipynb').cells, 1) if c.cell_type == 'code']
    found = [(i, c, extract_directives(c, remove=False).keys()) for i, c in code]
    return [(i, 'clean' in c.metadata.get('tags', []) or bool({'export', 'exports'} & words), c.source)
            for i, c, words in found if not FLAGS & words]


def mutated(notebook, line=None, becomes=None):
    "The cells of a notebook with one line replaced, and the number of the cell that has it."
    found = [i for i, clean, source in cells(notebook) for _ in range(source.count(line)) if clean] if line else [0]
    found = found or [i for i, _, source in cells(notebook) for _ in range(source.count(line))]  # a helper of the notebook
    assert len(found) == 1, f'{line!r} stands {len(found)} times in the clean cells of {notebook}: mend the mutant'
    return [(i, source.replace(line, becomes) if i == found[0] else source) for i, _, source in cells(notebook)], found[0]


def run_tests(mutant):
    "Run the tests that a mutant names on a copy with the mutant in its module: as `run`, with the failed test for the error."
    _, at = mutated(mutant.notebook, mutant.line, mutant.becomes)
    module = f"{re.sub(r'^[0-9]+_', '', Path(mutant.notebook).name)}.py"
    source = (ROOT/'rnn_scratch'/module).read_text(encoding='utf-8')
    assert source.count(mutant.line) == 1, f'{mutant.line!r} stands {source.count(mutant.line)} times in {module}'
    with tempfile.TemporaryDirectory() as folder:
        for part in 'rnn_scratch', 'tests': shutil.copytree(ROOT/part, Path(folder)/part, ignore=shutil.ignore_patterns('__pycache__'))
        for part in 'nbs', 'README.md', 'settings.ini', 'pyproject.toml', 'setup.py': os.symlink(ROOT/part, Path(folder)/part)
        (Path(folder)/'rnn_scratch'/module).write_text(source.replace(mutant.line, mutant.becomes), encoding='utf-8')
        command = [sys.executable, '-m', 'pytest', '-x', '-q', '--tb=line', '-p', 'no:cacheprovider', *shlex.split(mutant.test)]
        end = subprocess.run(command, cwd=folder, env={**os.environ, 'PYTHONPATH': folder, 'OMP_NUM_THREADS': '1'}, timeout=300,
                             capture_output=True, text=True, encoding='utf-8', errors='replace')
    if end.returncode == 0: return at, None, '', ''
    failed = re.search(r'^FAILED (\S+)(?: - (.*))?', end.stdout, re.M)
    if end.returncode != 1 or not failed: return at, at, 'pytest', end.stdout[-2000:] + end.stderr[-2000:]
    return at, failed[1], 'AssertionError', failed[2] or ''


def run(mutant):
    "Run the cells up to the first error: the number of the mutated cell, of the cell that fails, the error's name and its message."
    if mutant.test: return run_tests(mutant)
    import torch
    torch.set_num_threads(1)
    code, at = mutated(mutant.notebook, mutant.line, mutant.becomes)
    os.chdir((NBS/mutant.notebook).parent)  # as nbdev_test does
    names = {'__name__': '__main__'}
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        for i, source in code:
            try: exec(compile(TransformerManager().transform_cell(source), f'<{mutant.notebook}, cell {i}>', 'exec'), names)
            except Exception as error: return at, i, type(error).__name__, str(error)
    return at, None, '', ''


def to_run(session):
    "The mutants that the chosen tests ask the result of, each once."
    return list(dict.fromkeys(item.callspec.params['mutant'] for item in session.items
                              if {'mutant', 'result'} <= set(getattr(item, 'fixturenames', ()))))


@pytest.fixture(scope='module')
def result(request):
    "The result of a mutant. Two processes at a time, a new one for each, all forked from one that has imported what takes long."
    method = 'forkserver' if 'forkserver' in multiprocessing.get_all_start_methods() else 'spawn'
    context = multiprocessing.get_context(method)
    if method == 'forkserver': context.set_forkserver_preload(['rnn_scratch.train', 'torch.testing', 'nbdev.process', 'IPython'])
    wanted = to_run(request.session)
    with context.Pool(2, maxtasksperchild=1) as pool:
        running = {mutant: pool.apply_async(run, [mutant]) for mutant in wanted}
        yield lambda mutant: running[mutant].get(timeout=900)


@pytest.mark.parametrize('mutant', [Mutant('as it stands', notebook, 'truth', '', '') for notebook in BY_CELLS], ids=BY_CELLS)
def test_the_notebook_as_it_stands_passes(mutant, result):
    at, failed, error, message = result(mutant)
    assert failed is None, f'cell {failed} of {mutant.notebook}: {error}: {message}'


@pytest.mark.parametrize('mutant', MUTANTS, ids=IDS)
def test_the_mutant_is_caught(mutant, result):
    at, failed, error, message = result(mutant)
    assert failed, f'{mutant.notebook} passes with {mutant.becomes!r} for {mutant.line!r}: an assert is missing'
    if mutant.test:
        assert error == 'AssertionError', f'the tests did not run: {message}'
        return
    assert failed > at, f'cell {failed} fails, before or in the mutated cell {at}: {error}: {message}'
    if mutant.refused: assert mutant.refused in message, f'{error}: {message}'
    else: assert error == 'AssertionError', f'cell {failed} fails, but not by an assert: {error}: {message}'


@pytest.mark.parametrize('mutant', MUTANTS, ids=IDS)
def test_the_mutant_is_another_program(mutant):
    code, at = mutated(mutant.notebook, mutant.line, mutant.becomes)
    was, now = dict((i, source) for i, _, source in cells(mutant.notebook))[at], dict(code)[at]
    assert ast.dump(ast.parse(was)) != ast.dump(ast.parse(now))


def test_each_is_named_once():
    assert len(set(IDS)) == len(IDS) and {m.kind for m in MUTANTS} == {'truth', 'guard'}


def test_the_table(request, result, capsys):
    "Which assert caught which, for `--table`; and most are caught by an assert, not by an error that came first."
    assert sum(not m.refused for m in MUTANTS) > 0.8 * len(MUTANTS)
    if not request.config.getoption('--table'): pytest.skip('--table prints the table of which assert caught which')
    with capsys.disabled():
        for m in (m for m in to_run(request.session) if m.line):
            at, failed, error, message = result(m)
            print(f"\n{m.notebook} | {m.kind} | {m.name} | {failed if m.test else f'cell {failed}'} | {(message.splitlines() or [error])[0][:100]}", end='')
