"""What the sdist and the wheel hold, and how the installed wheel behaves.

Run by .ci/run in an environment that has only the wheel:
    python tests/installed_wheel.py DIST.tar.gz DIST.whl"""
import importlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

DEVELOPERS = {"checks", "literate", "pages"}  # they need the development requirements, and say so
MODULES = DEVELOPERS | {"all", "bench", "bptt", "checkpoint", "cli", "corpus", "curves", "d2l", "drawing", "figures", "files",
                         "gates", "machines", "model", "outline", "parallel", "playground", "predict", "shell", "text", "threads", "train"}


def check_contents(sdist, wheel):
    wanted = {f"rnn_scratch/{name}.py" for name in MODULES | {"__init__", "_modidx"}}
    wanted |= {"rnn_scratch/data/en.txt", "rnn_scratch/data/zh.txt", "rnn_scratch/data/figures.otf", "rnn_scratch/data/OFL.txt"}
    with zipfile.ZipFile(wheel) as file:
        in_wheel = {name for name in file.namelist() if ".dist-info/" not in name}
    assert in_wheel == wanted, f"the wheel differs by {in_wheel ^ wanted}"
    with tarfile.open(sdist) as file:
        in_sdist = {name.partition("/")[2] for name in file.getnames()}
    assert wanted | {"settings.ini", "LICENSE", "README.md"} <= in_sdist, wanted - in_sdist
    assert not [name for name in in_sdist if name.endswith(".ipynb") or name.startswith("tests")]


def check_imports():
    import rnn_scratch

    assert "torch" not in sys.modules, "import rnn_scratch brings torch"
    installed = Path(rnn_scratch.__file__).parent
    assert "site-packages" in installed.parts, f"{installed} is not the installed wheel"
    for name in sorted(MODULES - DEVELOPERS):
        importlib.import_module(f"rnn_scratch.{name}")
    for name in sorted(DEVELOPERS):
        try:
            importlib.import_module(f"rnn_scratch.{name}")
        except ImportError as error:
            assert "pip install -e '.[dev]'" in str(error), error
        else:
            raise AssertionError(f"{name} imports without the development requirements")


def check_training_without_a_network():
    with tempfile.TemporaryDirectory() as folder:
        closed = "http://127.0.0.1:9"
        env = {**os.environ, "XDG_CACHE_HOME": folder, "HOME": folder, "http_proxy": closed, "https_proxy": closed,
               "HTTP_PROXY": closed, "HTTPS_PROXY": closed, "ALL_PROXY": closed}
        command = Path(sys.executable).with_name("rnn_scratch_train")
        done = subprocess.run([command, "--epochs", "2", "--num_hiddens", "32"], cwd=folder, env=env,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        print(done.stdout)
        (checkpoint,), (_,) = Path(folder).glob("*.safetensors"), Path(folder).glob("*.svg")
        command = Path(sys.executable).with_name("rnn_scratch_sample")
        done = subprocess.run([command, checkpoint, "--length", "20", "--prefix", "the "], cwd=folder, env=env,
                              capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout.startswith("the "), done.stderr
        command = Path(sys.executable).with_name("rnn_scratch_bench")
        assert subprocess.run([command, "--help"], cwd=folder, env=env, capture_output=True).returncode == 0


if __name__ == "__main__":
    check_contents(*sys.argv[1:])
    check_imports()
    check_training_without_a_network()
    print("3 passed, 0 failed")
