"""Versions as constraints, which `pip install -c FILE` reads.

    python .ci/constraints.py > constraints.txt  # all that is installed here
    python .ci/constraints.py floor > floor.txt  # the oldest that settings.ini allows"""
import sys
from configparser import ConfigParser
from importlib.metadata import distributions

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

config = ConfigParser()
config.read("settings.ini", encoding="utf-8")
settings = config["DEFAULT"]
NOT_PINNED = {settings["lib_name"], "pip", "setuptools", "wheel"}
NUMPY_2 = {"numpy", "pandas", "torch"}  # Intel Macs have no torch that understands it
NO_INTEL_MAC = '(sys_platform!="darwin" or platform_machine!="x86_64")'


def least(specifiers):
    return [part.version for part in specifiers if part.operator == ">="]


def line(name, version, markers):
    return f"{name}=={version}" + (";" + " and ".join(markers) if markers else "")


def floor():
    for requirement in map(Requirement, settings["requirements"].split()):
        for version in least(requirement.specifier):
            marker = requirement.marker
            yield line(requirement.name, version, [str(marker)] if marker else [])


def installed():
    yield "# Written by .ci/constraints.py: all that was installed when CI last passed."
    for found in sorted(distributions(), key=lambda one: canonicalize_name(one.name)):
        name, version = canonicalize_name(found.name), found.version.partition("+")[0]
        # what has left the oldest Python is free there: it makes no new releases for it
        pythons = SpecifierSet(found.metadata["Requires-Python"] or "")
        new = not pythons.contains(settings["min_python"])
        markers = [f'python_full_version>="{oldest}"' for oldest in least(pythons) if new]
        if name in NUMPY_2:
            markers.append(NO_INTEL_MAC)
        if name not in NOT_PINNED:
            yield line(name, version, markers)


print(*(floor() if sys.argv[1:] == ["floor"] else installed()), sep="\n")
