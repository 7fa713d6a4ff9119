"""settings.ini says what is needed, constraints.txt one set that has it: they agree."""
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ConfigParser()
SETTINGS.read(ROOT/'settings.ini', encoding='utf-8')
KEYS = 'requirements', 'dev_requirements'
WORDS = [word for key in KEYS for word in SETTINGS['DEFAULT'][key].split()]
NEEDED = [Requirement(word) for word in WORDS]
LINES = (ROOT/'constraints.txt').read_text(encoding='utf-8').splitlines()
PINS = [Requirement(line) for line in LINES if not line.startswith('#')]
MACHINES = [('linux', 'x86_64'), ('linux', 'aarch64'), ('win32', 'AMD64'),
            ('darwin', 'arm64'), ('darwin', 'x86_64')]


def holding(requirements, platform, machine, python):
    "The requirements that hold on a machine, by name."
    where = {'sys_platform': platform, 'platform_machine': machine,
             'python_version': python, 'python_full_version': f'{python}.9'}
    hold = [r for r in requirements if not r.marker or r.marker.evaluate(where)]
    return [(canonicalize_name(r.name), r) for r in hold]


@pytest.mark.parametrize('python', ['3.10', '3.11', '3.12', '3.13', '3.14'])
@pytest.mark.parametrize('platform, machine', MACHINES)
def test_the_constraints_are_what_the_settings_allow(platform, machine, python):
    pins = dict(holding(PINS, platform, machine, python))
    needed = holding(NEEDED, platform, machine, python)
    assert [name for name, _ in needed].count('torch') == 1
    for name, requirement in needed:
        if name not in pins: continue  # what the newest may have left: see below
        (pin,) = pins[name].specifier
        assert pin.operator == '==' and requirement.specifier.contains(pin.version)


def test_everything_has_one_version():
    pins = dict(holding(PINS, 'linux', 'x86_64', '3.11'))
    assert len(pins) == len(PINS) == len(LINES) - 1
    assert dict(holding(NEEDED, 'linux', 'x86_64', '3.11')).keys() <= pins.keys()


def test_intel_macs_keep_the_numpy_that_their_torch_understands():
    needed = dict(holding(NEEDED, 'darwin', 'x86_64', '3.12'))
    assert needed['torch'].specifier.contains('2.2.2')
    assert not needed['numpy'].specifier.contains('2.0.0')
    pins = dict(holding(PINS, 'darwin', 'x86_64', '3.12'))
    assert not {'torch', 'numpy', 'pandas'} & pins.keys()
