"""What the notebooks become on the site, as nbdev hands it to Quarto; Quarto itself isn't needed."""
import shutil

import pytest
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
