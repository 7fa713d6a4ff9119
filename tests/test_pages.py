"""What the notebooks become on the site, as nbdev hands it to Quarto, and on Colab; neither of the two is needed."""
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbdev.config import get_config
from nbdev.processors import FilterDefaults

from rnn_scratch.literate import notebooks
from rnn_scratch.pages import Pages, check_pages


def test_nbdev_uses_the_processor():
    assert FilterDefaults().procs()[-1] is Pages


@pytest.mark.filterwarnings('ignore::Warning')  # of libraries that the exported cells import
def test_the_pages_of_all_notebooks(capsys):
    problems = check_pages()
    with capsys.disabled():
        rendered = 'Quarto is installed' if shutil.which('quarto') else 'Quarto is not installed, so nothing was rendered'
        print(f'\n{len(notebooks())} notebooks processed as nbdev does for the site; {rendered}')
    assert not problems, '\n'.join(problems)


COLAB = """
import json, sys, types
from IPython.core.interactiveshell import InteractiveShell
shell, lines = InteractiveShell.instance(), []
shell.register_magic_function(lines.append, 'line', 'pip')
if sys.argv[1] == 'colab': sys.modules['google.colab'] = types.ModuleType('google.colab')
res = []
for cells in json.load(sys.stdin):
    lines.clear()
    for source in cells: shell.run_cell(source).raise_error()
    res.append(list(lines))
print(json.dumps(res))
"""


def test_the_first_cells_install_the_library_on_colab_and_do_nothing_elsewhere():
    """The cells run in IPython as Colab runs them; `%pip` is replaced by a list of what it was asked."""
    first = {}
    for nb in notebooks():
        if not re.match(r'\d\d_', name := Path(nb.path_).name): continue
        code = [c.source for c in nb.cells if c.cell_type == 'code']
        installs = [i for i, source in enumerate(code) if 'google.colab' in source]
        assert len(installs) == 1, name
        first[name] = code[:installs[0] + 1]
        assert not any('rnn_scratch' in source.replace(get_config().git_url, '') for source in first[name]), f'{name}: imports before it installs'
    assert len(first) > 6

    def asked(where):
        return json.loads(subprocess.run([sys.executable, '-c', COLAB, where], input=json.dumps(list(first.values())), capture_output=True, text=True, check=True).stdout)

    assert asked('elsewhere') == [[]] * len(first)
    for name, lines in zip(first, asked('colab')):
        assert [shlex.split(line) for line in lines] == [['install', '-q', f'git+{get_config().git_url}']], name
