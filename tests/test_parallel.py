"""Several processes started by torchrun, as a user starts them."""
import math
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from rnn_scratch.cli import rnn_scratch_train
from rnn_scratch.checkpoint import read_checkpoint

if not torch.distributed.is_available():
    pytest.skip("this PyTorch was built without torch.distributed", allow_module_level=True)

TORCHRUN = str(Path(sys.executable).with_name("torchrun"))
SMALL = ["--corpus", "en", "--num-hiddens", "16", "--batch-size", "8", "--num-steps", "20", "--max-tokens", "1800", "--device", "cpu"]


def words(size):
    return [TORCHRUN, "--standalone", f"--nproc_per_node={size}", "-m", "--", "rnn_scratch.cli"]


def options():
    return dict(env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}, text=True, encoding="utf-8",
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(folder, size, *args):
    """Train with so many processes."""
    return subprocess.run([*words(size), *SMALL, *args], cwd=folder, timeout=100, **options())


def alone(*args):
    """Train in this process, as the ordinary command does."""
    with pytest.raises(SystemExit) as end:
        rnn_scratch_train([*SMALL, *map(str, args)])
    assert end.value.code == 0


def kept(file):
    return read_checkpoint(file)[2]


def ours(said):
    """What our processes said, without torchrun's report."""
    return [line for line in said.splitlines() if "rnn_scratch_train:" in line or "stopped after" in line]


def children(launcher):
    """The processes that torchrun started, by rank."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"\nPPid:\t{launcher.pid}\n" in (folder / "status").read_text():
                environment = (folder / "environ").read_bytes().split(b"\0")
                found.update({int(value[5:]): int(folder.name) for value in environment if value.startswith(b"RANK=")})
        except OSError:  # gone meanwhile
            pass
    return found


def assert_same(one, several, atol=5e-5):
    """The same loss in each epoch, the same parameters, and the same random state at the end."""
    (tensors, _, a), (others, _, b) = read_checkpoint(one), read_checkpoint(several)
    for name in ("perplexities", "val_perplexities"):
        losses, other_losses = ([math.log(ppl) for ppl in found[name]] for found in (a, b))
        assert losses == pytest.approx(other_losses, rel=0, abs=atol) and len(losses) == len(other_losses)
    assert a["python_random"] == b["python_random"]
    for name in set(tensors) - {"torch_random"}:
        torch.testing.assert_close(tensors[name], others[name], rtol=0, atol=1e-4)


@pytest.mark.parametrize("size, extra", [
    (2, ["--epochs", "50", "--max-tokens", "180"]),  # an epoch of one minibatch: the loss of each of 50 steps
    (2, ["--epochs", "5"]),  # five epochs of ten or eleven, with the state carried
    (3, ["--epochs", "5", "--random", "--val-fraction", "0.2", "--model", "plain"]),  # 8 rows for 3: not the same for each
])
def test_several_processes_train_as_one(tmp_path, capsys, size, extra):
    alone(*extra, "--out", tmp_path / "one")
    several = run(tmp_path, size, *extra, "--out", "several")
    assert several.returncode == 0, several.stderr
    assert_same(tmp_path / "one.safetensors", tmp_path / "several.safetensors")
    lines, others = capsys.readouterr().out.splitlines(), several.stdout.splitlines()
    assert len(lines) == len(others) and [line for line in others if line.startswith("best perplexity")]  # once each
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "one.safetensors", "one.svg", "several.safetensors", "several.svg"]


def test_resumed_with_another_number_of_processes(tmp_path):
    extra = ["--random", "--val-fraction", "0.2"]
    alone(*extra, "--epochs", "6", "--out", tmp_path / "one")
    half = run(tmp_path, 3, *extra, "--epochs", "3", "--out", "half")
    assert half.returncode == 0, half.stderr
    whole = run(tmp_path, 2, *extra, "--epochs", "6", "--out", "half", "--resume")
    assert whole.returncode == 0 and whole.stdout.count("going on after epoch 3") == 1, whole.stderr
    assert_same(tmp_path / "one.safetensors", tmp_path / "half.safetensors")


@pytest.mark.parametrize("size, extra, status, said", [
    (3, ["--batch-size", "2"], 2, "3 processes can not share a minibatch of 2 rows: start at most 2"),
    (2, ["--lr", "0"], 2, "--lr must be a positive number, got 0.0"),
])
def test_every_process_says_what_is_wrong(tmp_path, size, extra, status, said):
    done = run(tmp_path, size, *extra)
    lines = ours(done.stderr)
    assert done.returncode == 1 and len(lines) == size and all(said in line for line in lines), done.stderr
    codes = re.findall(r"exitcode {2}: (-?\d+)", done.stderr)  # torchrun's report of each
    assert codes == [str(status)] * size, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_where_one_process_can_not_go_on_none_does(tmp_path):
    (tmp_path / "run.svg").write_text("of another run")
    done = run(tmp_path, 2, "--out", "run")  # process 0 alone looks at the files
    lines = sorted(ours(done.stderr))
    assert done.returncode == 1 and len(lines) == 2, done.stderr
    assert "process 0 can not go on; it says why" in lines[0] and "run.svg exists: replace it with --force" in lines[1]
    assert [file.name for file in tmp_path.iterdir()] == ["run.svg"]


def test_processes_that_were_started_differently_do_not_begin(tmp_path):
    script = tmp_path / "differ.py"
    script.write_text("import os, sys\nfrom rnn_scratch.cli import rnn_scratch_train\n"
                      "rnn_scratch_train([*sys.argv[1:], '--seed', os.environ['RANK']])")
    done = subprocess.run([TORCHRUN, "--standalone", "--nproc_per_node=2", str(script), *SMALL], cwd=tmp_path, timeout=100, **options())
    lines = ours(done.stderr)
    assert done.returncode == 1 and len(lines) == 2, done.stderr
    assert all("process 1 has another text or other options than process 0" in line for line in lines)


def test_a_loss_that_blows_up_stops_all(tmp_path):
    done = run(tmp_path, 2, "--epochs", "5", "--lr", "1e38", "--max-tokens", "180", "--out", "run")
    assert done.returncode == 1, done.stderr
    line, = ours(done.stderr)  # process 0 alone says it
    assert "error: epoch 2: the loss became" in line
    assert kept(tmp_path / "run.safetensors")["best_epoch"] == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the processes are found through /proc")
@pytest.mark.parametrize("rank, number", [(None, signal.SIGINT), (None, signal.SIGTERM), (0, signal.SIGINT),
                                          (1, signal.SIGKILL), (0, signal.SIGKILL)])
def test_one_that_stops_leaves_none_hanging(tmp_path, rank, number):
    """A signal for torchrun (None) or for one process: all end soon, and the last whole epoch that was saved is there."""
    args = ["--epochs", "1000000", "--save-every", "1", "--out", "run"]
    launcher = subprocess.Popen([*words(2), *SMALL, *args], cwd=tmp_path, **options(),
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # a background job ignores it
    found = {}
    try:
        while launcher.poll() is None and not (tmp_path / "run.safetensors").exists():
            time.sleep(0.02)
        found = children(launcher)
        assert sorted(found) == [0, 1]
        os.kill(launcher.pid if rank is None else found[rank], number)
        _, said = launcher.communicate(timeout=25)  # torchrun would kill after 30 seconds
    finally:
        for process in (launcher.pid, *found.values()):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
    assert launcher.returncode != 0
    assert len(kept(tmp_path / "run.safetensors")["perplexities"]) >= 1
    lines = ours(said)
    if (rank, number) == (0, signal.SIGKILL):  # it can say and save no more; the other may be ended before it speaks
        assert all("the connection to another process broke" in line for line in lines), said
        return
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.safetensors", "run.svg"]
    if rank is None:
        assert len(lines) == 1, said
        line, = lines
        assert "go on with: torchrun --nproc_per_node=2 -m -- rnn_scratch.cli" in line
        command = shlex.split(line.split("go on with: ")[1])
        epochs = len(kept(tmp_path / "run.safetensors")["perplexities"])
        resumed = subprocess.run([TORCHRUN, "--standalone", *command[1:], "--epochs", str(epochs + 1)], cwd=tmp_path, timeout=100,
                                 **options())
        assert resumed.returncode == 0 and f"going on after epoch {epochs}" in resumed.stdout, resumed.stderr


def test_early_stopping_stops_all(tmp_path):
    (tmp_path / "text").write_text("abcd" * 400 + "dcba" * 100)  # the better it is learned, the worse the held-out part gets
    done = subprocess.run([*words(2), "--text", "text", *SMALL[2:], "--max-tokens", "0", "--epochs", "1000", "--val-fraction", "0.2",
                           "--patience", "1", "--out", "run", "--log", "log"], cwd=tmp_path, timeout=100, **options())
    assert done.returncode == 0 and "no better validation perplexity since epoch" in done.stdout, done.stderr
    epochs = len(kept(tmp_path / "run.safetensors")["val_perplexities"])
    assert 1 < epochs < 1000
    assert (tmp_path / "log").read_text().count('"epoch"') == epochs  # process 0 alone writes it
