"""What is installed here, as constraints for a reader to whom the newest of something is no use:

    python .ci/constraints.py > constraints.txt    # in the environment of the README's second command"""
from configparser import ConfigParser
from importlib.metadata import distributions

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

settings = ConfigParser()
settings.read("settings.ini", encoding="utf-8")
OLDEST = settings["DEFAULT"]["min_python"]
LEFT_OUT = {settings["DEFAULT"]["lib_name"], "pip", "setuptools", "wheel"}
NUMPY_2 = {"numpy", "pandas", "torch"}  # Intel Macs have no torch that understands numpy 2
NO_INTEL_MAC = 'sys_platform!="darwin" or platform_machine!="x86_64"'

print("# Written by .ci/constraints.py: all that stood beside the code when CI last passed.")
for distribution in sorted(distributions(), key=lambda found: canonicalize_name(found.name)):
    name = canonicalize_name(distribution.name)
    # what has left the oldest Python is free there: it makes no new releases for it
    pythons = SpecifierSet(distribution.metadata["Requires-Python"] or "")
    least = [python.version for python in pythons if python.operator == ">="]
    markers = [f'python_full_version>="{version}"' for version in least if not pythons.contains(OLDEST)]
    if name in NUMPY_2:
        markers.append(f"({NO_INTEL_MAC})" if markers else NO_INTEL_MAC)
    if name not in LEFT_OUT:
        print(f"{name}=={distribution.version.partition('+')[0]}", " and ".join(markers), sep=";" if markers else "")
