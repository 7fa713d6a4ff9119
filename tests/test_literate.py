"""What the notebooks literate.ipynb and checks.ipynb cannot check: its commands as a reader runs them, and the README of the real repository."""
import os, re, shutil, subprocess, sys
from pathlib import Path

import nbformat, pytest
from execnb.nbio import read_nb
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from rnn_scratch.literate import make_readme, run_notebook

ROOT = Path(__file__).resolve().parents[1]
INDEX, README = ROOT/'nbs'/'index.ipynb', ROOT/'README.md'


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch): monkeypatch.chdir(ROOT)


def literate(*args, cwd=ROOT, **env):
    "Run `python -m rnn_scratch.literate` in `cwd`."
    return subprocess.run([sys.executable, '-m', 'rnn_scratch.literate', *map(str, args)], cwd=cwd, text=True, encoding='utf-8',
                          capture_output=True, env={**os.environ, 'PYTHONIOENCODING': 'utf-8', **env})


def write(path, *cells):
    "A notebook at `path`; a string is a code cell, its outputs may stand beside it in a tuple."
    cells = [c if isinstance(c, (str, tuple)) else nbformat.from_dict(c) for c in cells]
    cells = [new_code_cell(c) if isinstance(c, str) else new_code_cell(c[0], outputs=c[1]) if isinstance(c, tuple) else c for c in cells]
    kernel = {'display_name': 'Elsewhere', 'language': 'python', 'name': 'elsewhere'}
    nbformat.write(new_notebook(cells=cells, metadata={'kernelspec': kernel}), path)
    return path


def stream(text, name='stdout'): return new_output('stream', name=name, text=text)


def shown(path, i):
    "The texts that cell `i` of the notebook at `path` shows."
    return [''.join(o.get('text') or o.data['text/plain']) for o in read_nb(path).cells[i].outputs]


# importing

@pytest.mark.parametrize('missing', ['nbdev', 'execnb', 'nbclient', 'nbformat'])
def test_import_without_the_development_requirements(tmp_path, missing):
    (tmp_path/missing).mkdir()
    (tmp_path/missing/'__init__.py').write_text('raise ImportError("hidden by a test")')
    ran = subprocess.run([sys.executable, '-c', 'import rnn_scratch.literate'], cwd=tmp_path, text=True, capture_output=True,
                         env={**os.environ, 'PYTHONPATH': str(tmp_path)})
    assert ran.returncode == 1
    last = ran.stderr.strip().splitlines()[-1]
    assert re.match(r'ImportError: rnn_scratch\.(literate|checks) needs the development requirements', last)
    assert 'hidden by a test' in last and last.endswith("pip install -e '.[dev]'")


# run

@pytest.fixture(scope='module')
def ran(tmp_path_factory):
    "Five notebooks run by one command, on a machine whose `python3` kernel is another one."
    folder = tmp_path_factory.mktemp('run')
    spec = folder/'share'/'kernels'/'python3'
    spec.mkdir(parents=True)
    (spec/'kernel.json').write_text('{"argv": ["/no/such/python", "{connection_file}"], "display_name": "wrong", "language": "python"}')
    figure = 'fig, ax = plt.subplots(); ax.plot([1, 2]); plt.show()'
    good = write(folder/'good.ipynb',
        'import os, sys, time\nprint(sys.executable)\nprint(os.getcwd())',
        '%matplotlib inline\nimport matplotlib_inline.backend_inline as b, matplotlib.pyplot as plt\nb.set_matplotlib_formats("svg")',
        f'{figure}\n{figure}',
        'h = display("step 0", display_id=True)\nfor i in range(1, 50): h.update(f"step {i}")',
        'for i in range(20): print("\\r", i, end="", file=sys.stderr)\nprint(file=sys.stderr)\nlambda: 0',
        'from IPython.display import clear_output\nfor i in range(9):\n    clear_output(wait=True)\n    print("epoch", i)',
        ('#| slow\n1/0', [stream('from the slow run\n')]),
        ('#| eval: false\n1/0', [stream('by hand\n')]),
        ('"fresh"', [stream('stale\n')]),
        new_code_cell('"tagged"', metadata={'tags': ['skip-execution'], 'collapsed': True}))
    bad = write(folder/'bad.ipynb', 'print("before")', 'def f(): raise KeyError("the_reason")\nf()', 'print("after")')
    dead = write(folder/'dead.ipynb', 'import os; os._exit(3)')
    allowed = write(folder/'allowed.ipynb', new_code_cell('1/0', metadata={'tags': ['raises-exception']}))
    never = write(folder/'never.ipynb', 'print("ran")', '#| slow\nx = 1\nprint("now")')
    before = {f: f.read_bytes() for f in (good, bad, dead, allowed, never)}
    files = bad, dead, allowed, never, good
    return before, files, literate('run', *files, JUPYTER_PATH=str(folder/'share'))


def test_run_reports_and_goes_on(ran):
    before, (bad, dead, allowed, never, good), result = ran
    assert result.returncode == 1, result.stderr
    for f in bad, dead, allowed: assert f.read_bytes() == before[f]
    for f in never, good: assert f.read_bytes() != before[f]
    assert sorted(p.name for p in good.parent.iterdir()) == sorted([*(f.name for f in before), 'share'])
    for text in ('bad.ipynb, cell 2 (def f(): raise KeyError("the_reason")): failed', 'Traceback', "KeyError: 'the_reason'",
                 'dead.ipynb, cell 1', 'Kernel died', 'allowed.ipynb, cell 1', 'never.ipynb, cell 2 (x = 1): never ran'):
        assert text in result.stdout
    assert 'good.ipynb' not in result.stdout and '\x1b' not in result.stdout


def test_run_uses_this_python_in_the_notebooks_folder(ran):
    *_, good = ran[1]
    assert shown(good, 0) == [f'{sys.executable}\n{good.parent}\n']


def test_run_keeps_what_a_reader_sees(ran):
    *_, good = ran[1]
    figures = read_nb(good).cells[2].outputs
    assert ['image/svg+xml' in o.data for o in figures] == [True, True]
    assert shown(good, 3) == ["'step 49'"]
    assert shown(good, 4)[0] == ' 19\n' and '0x' not in shown(good, 4)[1]
    assert shown(good, 5) == ['epoch 8\n']
    assert shown(good, 6) == ['from the slow run\n'] and shown(good, 7) == ['by hand\n']
    assert shown(good, 8) == ["'fresh'"] and shown(good, 9) == ["'tagged'"]
    assert read_nb(good).cells[9].metadata == {'tags': ['skip-execution']}


def test_run_leaves_nothing_to_clean(ran):
    *_, never, good = ran[1]
    for f in never, good:
        was = f.read_bytes()
        subprocess.run([str(Path(sys.executable).with_name('nbdev_clean')), '--fname', str(f)], cwd=ROOT, check=True)
        assert f.read_bytes() == was
        assert not any(c.get('execution_count') for c in read_nb(f).cells)


def test_run_with_flags_and_again(tmp_path):
    file = write(tmp_path/'flags.ipynb', '#| slow\nx = 1\nprint(x)', '#| gpu\n1/0', 'x + 1')
    problem, = run_notebook(file, ['slow', 'gpu'])
    assert 'cell 2 (1/0): failed' in problem
    file = write(file, '#| slow\nx = 1\nprint(x)', 'x + 1')
    assert run_notebook(file, ['slow']) == []
    assert (shown(file, 0), shown(file, 1)) == (['1\n'], ['2'])
    was = file.read_bytes()
    assert run_notebook(file, ['slow']) == [] and file.read_bytes() == was


@pytest.mark.parametrize('args, says', [
    (['run', '--flags', 'slow quick'], "'quick' is no test flag; settings.ini has slow, long, gpu"),
    (['run', 'nbs/none.ipynb'], 'there is no notebook nbs/none.ipynb'),
    (['walk'], 'invalid choice'), ([], 'required')])
def test_wrong_arguments(args, says):
    ran = literate(*args)
    assert ran.returncode == 2 and says in ran.stderr


def test_help_names_every_command():
    ran = literate('--help')
    assert ran.returncode == 0 and all(c in ran.stdout for c in ('check', 'run', 'readme'))
    assert 'slow gpu' in literate('run', '--help').stdout


# check and readme, in a project of their own

@pytest.fixture
def project(tmp_path):
    "A small project with the real settings."
    shutil.copy(ROOT/'settings.ini', tmp_path)
    (tmp_path/'nbs').mkdir()
    svg = new_output('display_data', data={'image/svg+xml': '<svg><title>Loop</title></svg>', 'text/plain': '<Figure>'})
    write(tmp_path/'nbs'/'index.ipynb', new_markdown_cell('# rnn-scratch {#home}'),
        new_markdown_cell('见[许可](../LICENSE)。\n\n第二段。', metadata={'tags': ['zh']}),
        new_markdown_cell('See the [license](../LICENSE).\n\nSecond.', metadata={'tags': ['en']}),
        ('#| hide\nsecret = 1', [stream('hidden\n')]), ('draw()', [svg, stream('done\n')]))
    (tmp_path/'LICENSE').touch()
    return tmp_path


def test_check_command(project):
    ran = literate('check', cwd=project/'nbs')
    assert (ran.returncode, ran.stdout) == (0, ''), ran.stderr
    write(project/'nbs'/'01_page.ipynb', new_markdown_cell('# Home {#home}'), new_markdown_cell('Words.'), 'import re\nx = 1')
    ran = literate('check', cwd=project)
    lines = ran.stdout.splitlines()
    assert ran.returncode == 1 and len(lines) == 3, ran
    for line, text in zip(lines, ('put its imports', 'has sentences', 'id home is taken')): assert text in line


def test_readme_command(project):
    stale = project/'index_files'/'gone-0.svg'
    stale.parent.mkdir()
    stale.touch()
    ran = literate('readme', cwd=project)
    assert (ran.returncode, ran.stdout) == (0, ''), ran.stderr
    picture, = stale.parent.iterdir()
    assert picture.read_text() == '<svg><title>Loop</title></svg>'
    text = (project/'README.md').read_text('utf-8')
    assert f'![Loop](https://raw.githubusercontent.com/rnn-scratch/rnn-scratch/main/index_files/{picture.name})' in text
    assert missing_from(text, read_nb(project/'nbs'/'index.ipynb')) == [] and relative_in(text) == []
    assert 'secret' not in text and 'hidden' not in text


# the README of the repository

def missing_from(readme, nb):
    "The paragraphs, commands and outputs of `nb` that `readme` lacks; where a link leads does not count."
    def plain(text): return re.sub(r'\]\([^)]*\)|(src|href)="[^"]*"', ']()', text)
    def lines(text): return '\n'.join(l for l in text.splitlines() if not l.startswith('#|')).strip()
    readme, wanted = plain(readme), []
    for c in nb.cells:
        directives = '\n'.join(l for l in c.source.split('\n') if l.startswith('#|'))
        if c.cell_type == 'markdown': wanted += re.sub(r' *\{#[^}]*\}', '', c.source).split('\n\n')
        elif c.cell_type == 'code' and not re.search(r'#\| *(hide|default_exp|export|exporti)\b', directives):
            wanted += [] if 'echo: false' in directives else [lines(c.source)]
            wanted += [''.join(o.get('text') or o.data['text/plain']).strip() for o in c.outputs
                       if 'text' in o or not any(k.startswith('image') for k in o.data)]
    return [w for w in wanted if plain(w).strip() not in readme]


def relative_in(readme):
    "The links and pictures of `readme`, outside its code, that are not absolute."
    text = re.sub(r'```.*?```|`[^`\n]*`', '', readme, flags=re.S)
    found = [a or b for a, b in re.findall(r'\]\(([^)\s]*)|(?:src|href)="([^"]*)"', text)]
    return [l for l in found if not re.match(r'https?://|mailto:', l)]


def test_readme_tests_can_fail(project):
    nb = read_nb(project/'nbs'/'index.ipynb')
    nb.path_ = str(INDEX)
    text = make_readme(nb)
    assert missing_from(text, nb) == [] == relative_in(text)
    for part in ('第二段。', 'Second.', 'draw()', 'done', '# rnn-scratch'):
        assert [part in m for m in missing_from(text.replace(part, ''), nb)] == [True], part
    assert relative_in('[a](b.md) ![c](d.svg) <a href="#e"> [f](https://g.h) `[i](j)`') == ['b.md', 'd.svg', '#e']


def test_readme_is_made_from_the_home_page():
    assert README.read_text('utf-8') == make_readme(read_nb(INDEX)), 'run python -m rnn_scratch.literate readme'


def test_readme_is_complete():
    text, nb = README.read_text('utf-8'), read_nb(INDEX)
    assert len(nb.cells) > 3
    assert missing_from(text, nb) == []


def test_readme_links_are_absolute_and_its_pictures_exist():
    text = README.read_text('utf-8')
    assert relative_in(text) == []
    local = re.findall(r'https://raw\.githubusercontent\.com/[^/]+/[^/]+/[^/]+/([^)"\s]+)', text)
    assert [p for p in local if not (ROOT/p).is_file()] == []


def test_all_notebooks_pass():
    ran = literate('check')
    assert (ran.returncode, ran.stdout) == (0, ''), ran.stdout


def test_the_readme_counts_the_lines_of_today():
    "Within a tenth: not every change to a module has to touch the home page."
    counted = {name: int(n) for line in re.findall(r'^ *\d+ lines: (.+)$', README.read_text('utf-8'), re.M)
               for name, n in (item.split() for item in line.split(', '))}
    scope = {}
    exec('import ast, io, tokenize as lexer\n' + next(c.source for c in read_nb(INDEX).cells if 'def code_lines' in c.source), scope)
    lines = {path.stem: scope['code_lines'](path.read_text('utf-8')) for path in (ROOT/'rnn_scratch').glob('[a-z]*.py')}
    way_out = 'python -m rnn_scratch.literate run nbs/index.ipynb, then python -m rnn_scratch.literate readme'
    assert counted.keys() == lines.keys(), way_out
    total, said = sum(lines.values()), sum(counted.values())
    assert abs(total - said) < said / 10, f'{total} lines of code, but the README says {said}: {way_out}'
