"""The installed command, as a newcomer types it in an empty folder."""
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from rnn_scratch.text import shipped_text
from rnn_scratch.train import load_checkpoint

COMMAND = Path(sys.executable).with_name("rnn_scratch_train")
SMALL = ["--epochs", "2", "--num-hiddens", "16", "--device", "cpu"]


def run(folder, *args, **env):
    kept = {name: value for name, value in os.environ.items() if name != "RNN_SCRATCH_DATA"}
    return subprocess.run([COMMAND, *args], cwd=folder, env={**kept, "PYTHONIOENCODING": "utf-8", **env},
                          capture_output=True, text=True, encoding="utf-8")


def test_two_files_and_never_over_another_run(tmp_path):
    done = run(tmp_path, "--corpus", "en", *SMALL)
    assert done.returncode == 0, done.stderr
    assert "困惑度" in done.stdout and "best perplexity" in done.stdout
    assert sorted(file.name for file in tmp_path.iterdir()) == ["rnn_en_seed0.safetensors", "rnn_en_seed0.svg"]
    net, vocab, settings = load_checkpoint(tmp_path / "rnn_en_seed0.safetensors")
    assert (net.num_hiddens, len(vocab), settings["epochs"]) == (16, 28, 2)
    assert ElementTree.parse(tmp_path / "rnn_en_seed0.svg").find(".//{*}title").text
    first = {file: file.read_bytes() for file in tmp_path.iterdir()}

    again = run(tmp_path, "--corpus", "en", *SMALL)
    assert again.returncode == 2 and "--force" in again.stderr and "Traceback" not in again.stderr
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == first

    forced = run(tmp_path, "--corpus", "en", "--force", *SMALL)
    assert forced.returncode == 0, forced.stderr
    other, _, _ = load_checkpoint(tmp_path / "rnn_en_seed0.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(net.params, other.params))  # the same seed, the same run


def test_chinese(tmp_path):
    done = run(tmp_path, "--corpus", "zh", "--random", *SMALL)
    assert done.returncode == 0, done.stderr
    assert shipped_text("zh").read_text(encoding="utf-8").split()[0] in done.stdout


@pytest.mark.parametrize("args, said", [
    (["--epochs", "0"], "epochs must be a whole number of at least 1, got 0"),
    (["--num_hiddens", "-3"], "got -3"),
    (["--batch_size", "0"], "batch_size"),
    (["--num_steps", "0"], "num_steps"),
    (["--lr", "-1"], "--lr must be a positive number, got -1.0"),
    (["--lr", "nan"], "got nan"),
    (["--seed", "-1"], "--seed must be from 0"),
    (["--corpus", "fr"], "--corpus fr is unknown: use time_machine, en or zh"),
    (["--device", "tpu"], "--device tpu does not work on this machine"),
    (["--max_tokens", "500"], "the text has 500 tokens"),
    (["--out", "missing/name"], "missing (No such file or directory)"),
    (["--epochs", "many"], "invalid int value: 'many'"),
])
def test_bad_input_is_one_clear_line(tmp_path, args, said):
    done = run(tmp_path, "--corpus", "en", *args)
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_bad_corpus_setting(tmp_path):
    done = run(tmp_path, *SMALL, RNN_SCRATCH_DATA="data")
    assert done.returncode == 2 and str(tmp_path / "data") in done.stderr
    done = run(tmp_path, *SMALL, RNN_SCRATCH_DATA=str(tmp_path))
    assert done.returncode == 2 and "there is no" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_blows_up_keeps_the_best(tmp_path):
    # 1,500 characters make one minibatch: the epoch's only update leaves parameters whose products overflow in the next
    done = run(tmp_path, "--corpus", "en", "--epochs", "5", "--num_hiddens", "16", "--lr", "1e38", "--max_tokens", "1500")
    assert done.returncode == 1
    assert "error: epoch 2: the loss became" in done.stderr and "Traceback" not in done.stderr
    _, _, settings = load_checkpoint(tmp_path / "rnn_en_seed0.safetensors")
    assert settings["best_epoch"] == 1


def test_without_a_network_it_trains_on_the_english_text_and_says_so(tmp_path):
    closed = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")}
    cache, folder = tmp_path / "cache", tmp_path / "folder"
    folder.mkdir()
    done = run(folder, *SMALL, XDG_CACHE_HOME=str(cache), HOME=str(cache), **closed)
    assert done.returncode == 0, done.stderr
    assert "could not be had" in done.stdout and "using the shipped English text" in done.stdout
    assert (folder / "rnn_en_seed0.safetensors").exists()
    assert not list(cache.rglob("timemachine*"))
