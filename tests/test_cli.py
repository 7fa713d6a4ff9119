"""The installed commands, as a newcomer types them in an empty folder."""
import errno
import io
import json
import multiprocessing
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
import safetensors.torch
import torch

from rnn_scratch import cli, files
from rnn_scratch.cli import HeldOut, rnn_scratch_sample, rnn_scratch_train
from rnn_scratch.model import RNNModelScratch, get_params, init_rnn_state, rnn
from rnn_scratch.text import Vocab, shipped_text
from rnn_scratch.checkpoint import load_checkpoint, read_checkpoint, save_checkpoint
from rnn_scratch.train import evaluate_perplexity

SMALL = ["--epochs", "2", "--num-hiddens", "16", "--device", "cpu"]
TINY = ["--num-hiddens", "16", "--device", "cpu", "--batch-size", "8", "--num-steps", "20", "--max-tokens", "1500"]


def command(name):
    return str(Path(sys.executable).with_name(name))


def environment(**env):
    kept = {name: value for name, value in os.environ.items() if name != "RNN_SCRATCH_DATA"}
    return {**kept, "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1", **env}


def run(folder, *args, name="rnn_scratch_train", **env):
    return subprocess.run([command(name), *args], cwd=folder, env=environment(**env), capture_output=True, text=True,
                          encoding="utf-8")


def typed(command, *args):
    """The exit status of a command typed with these arguments, without a process of its own."""
    with pytest.raises(SystemExit) as end:
        command(list(args))
    return end.value.code


def assert_same_run(a, b):
    """Two checkpoints hold the same weights, best and last, the same history and the same random states."""
    (tensors, tokens, kept), (others, other_tokens, other_kept) = read_checkpoint(a), read_checkpoint(b)
    assert tokens == other_tokens and tensors.keys() == others.keys()
    assert all(torch.equal(tensors[name], others[name]) for name in tensors)
    for name in ("perplexities", "val_perplexities", "best_epoch", "python_random"):
        assert kept[name] == other_kept[name]


def test_two_files_and_never_over_another_run(tmp_path):
    done = run(tmp_path, "--corpus", "en", *SMALL)
    assert done.returncode == 0, done.stderr
    assert "\nperplexity " in done.stdout and " tokens/s, cpu\n" in done.stdout and "best perplexity" in done.stdout
    assert "词元" not in done.stdout  # lines of English are English
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


def test_the_two_models_train_alike(tmp_path):
    perplexities = {}
    for model in ("fast", "plain"):
        done = run(tmp_path, "--corpus", "en", "--model", model, "--out", model, *SMALL)
        assert done.returncode == 0, done.stderr
        perplexities[model] = load_checkpoint(tmp_path / f"{model}.safetensors")[2]["perplexities"]
    assert perplexities["fast"] == pytest.approx(perplexities["plain"], abs=0.02)
    assert perplexities["fast"] != perplexities["plain"]  # rounding tells them apart: the option has an effect


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
    (["--model", "slow"], "--model slow is unknown: use fast or plain"),
    (["--max_tokens", "500"], "the text has 500 tokens"),
    (["--out", "missing/name"], "missing (No such file or directory)"),
    (["--epochs", "many"], "invalid int value: 'many'"),
])
def test_bad_input_is_one_clear_line(tmp_path, monkeypatch, capsys, args, said):
    monkeypatch.chdir(tmp_path)
    assert typed(rnn_scratch_train, "--corpus", "en", *args) == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error
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


@pytest.mark.parametrize("options", [[], ["--random", "--val-fraction", "0.2"]])
def test_twenty_epochs_and_ten_and_ten(tmp_path, options):
    (tmp_path / "书.txt").write_text(shipped_text("zh").read_text(encoding="utf-8"), encoding="utf-8")
    options = ["--text", "书.txt", *TINY, *options]
    straight = run(tmp_path, *options, "--epochs", "20", "--out", "straight")
    assert straight.returncode == 0, straight.stderr
    half = run(tmp_path, *options, "--epochs", "10", "--out", "halves")
    assert half.returncode == 0 and "书 (SHA-1" in half.stdout, half.stderr
    whole = run(tmp_path, *options, "--epochs", "20", "--out", "halves", "--resume", "--save-every", "3")
    assert whole.returncode == 0 and "going on after epoch 10" in whole.stdout, whole.stderr
    assert_same_run(tmp_path / "straight.safetensors", tmp_path / "halves.safetensors")
    kept = read_checkpoint(tmp_path / "halves.safetensors")[2]
    assert len(kept["perplexities"]) == 20
    if "--val-fraction" in options:
        assert "1200 characters and 300 held out of " in whole.stdout and ", validation " in whole.stdout
        assert kept["best_perplexity"] == min(kept["val_perplexities"])
        assert "验证困惑度" in ElementTree.parse(tmp_path / "halves.svg").find(".//{*}title").text

    drawn = run(tmp_path, "halves.safetensors", "--prefix", "江", "--length", "30", name="rnn_scratch_sample")
    assert drawn.returncode == 0 and drawn.stderr == "", drawn.stderr
    assert len(drawn.stdout.replace("<unk>", "?").removesuffix("\n")) == 31 and drawn.stdout[0] == "江"


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path):
    args = ["--corpus", "en", *TINY, "--epochs", "1000000", "--save-every", "1", "--out", "the run"]
    training = subprocess.Popen([command("rnn_scratch_train"), *args], cwd=tmp_path, env=environment(), text=True,
                                encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # a background job ignores it
    try:
        while training.poll() is None and not (tmp_path / "the run.safetensors").exists():
            time.sleep(0.02)
        training.send_signal(signal.SIGINT)
        printed, said = training.communicate(timeout=60)
    finally:
        training.kill()
    assert training.returncode == 130 and "Traceback" not in said, said
    epochs = len(read_checkpoint(tmp_path / "the run.safetensors")[2]["perplexities"])
    assert f"stopped after epoch {epochs}; go on with: rnn_scratch_train" in said and "wrote the run.safetensors" in printed
    assert sorted(file.name for file in tmp_path.iterdir()) == ["the run.safetensors", "the run.svg"]

    words = shlex.split(said.split("go on with: ")[1].splitlines()[0])
    resumed = run(tmp_path, *words[1:], "--epochs", str(epochs + 2))
    assert resumed.returncode == 0, resumed.stderr
    straight = run(tmp_path, *args, "--epochs", str(epochs + 2), "--out", "straight", "--save-every", "1000")
    assert straight.returncode == 0, straight.stderr
    assert_same_run(tmp_path / "the run.safetensors", tmp_path / "straight.safetensors")


def test_ctrl_c_before_an_epoch_is_done_saves_nothing(tmp_path, monkeypatch, capsys):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rnn_scratch.cli.train_epochs", interrupted)
    assert typed(rnn_scratch_train, "--corpus", "en", *TINY) == 130
    assert "stopped after epoch 0; nothing was saved" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no fork server")
def test_killed_twenty_times(tmp_path):
    """`kill -9` at random moments: the checkpoint is whole each time, and the chain of runs equals one in one go."""
    process = multiprocessing.get_context("forkserver")
    process.set_forkserver_preload(["rnn_scratch.cli"])  # torch is imported once, not twenty times
    file = tmp_path / "killed.safetensors"
    args = ["--corpus", "en", *TINY, "--save-every", "1", "--epochs", "1000000", "--out", str(file)]
    moments, epochs = random.Random(0), 0
    for _ in range(20):
        before = file.stat().st_mtime_ns if file.exists() else 0
        training = process.Process(target=rnn_scratch_train, args=([*args, *(["--resume"] if before else [])],))
        training.start()
        while training.is_alive() and (not file.exists() or file.stat().st_mtime_ns == before):
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.1))
        assert training.is_alive()
        training.kill()
        training.join()
        load_checkpoint(file)
        done = len(read_checkpoint(file)[2]["perplexities"])
        assert done > epochs
        epochs = done
        left = {other.name for other in tmp_path.iterdir()} - {file.name}
        assert all(name.endswith(".part") for name in left)

    (tmp_path / f"{file.name}.1.part").write_bytes(b"half")  # as a kill in the middle of writing leaves it
    last = ["--epochs", str(epochs + 2)]
    resumed = run(tmp_path, *args, *last, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert sorted(other.name for other in tmp_path.iterdir()) == [file.name, "killed.svg"]
    straight = run(tmp_path, *args, *last, "--out", "straight", "--save-every", "1000")
    assert straight.returncode == 0, straight.stderr
    assert_same_run(file, tmp_path / "straight.safetensors")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    assert typed(rnn_scratch_train, "--corpus", "en", *TINY, "--epochs", "2", "--out", str(folder / "small")) == 0
    return folder / "small.safetensors"


@pytest.mark.parametrize("args, said", [
    (["--text", "missing.txt"], "missing.txt could not be read (No such file or directory)"),
    (["--text", "."], "would become part of the text in .: choose another folder with --out"),
    (["--text", "short.txt", "--out", "short", "--log", "short.txt"], "short.txt would become part of the text in short.txt"),
    (["--text", "empty"], "empty has no text file in it (it is empty): give a folder with UTF-8 text files"),
    (["--text", "gbk.txt"], "gbk.txt is not UTF-8: byte 2 is 0xbc"),
    (["--text", "short.txt", "gbk.txt"], "gbk.txt is not UTF-8: byte 2 is 0xbc"),
    (["--text", "blank.txt"], "blank.txt is empty: give a file with text in it"),
    (["--text", "mark.txt"], "mark.txt is empty: give a file with text in it"),
    (["--text", "ones.txt"], "the text has only one token, '1': there is nothing to learn from it"),
    (["--text", "-"], "'-' is no file: standard input can not be read twice; write the text to a file first"),
    (["--text", "https://host/novel.txt"], "https://host/novel.txt is an address, and only files are read: download it first"),
    (["--text", "utf16.txt"], "utf16.txt is no text: byte 1 is zero; it seems to be text in UTF-16LE"),
    (["--corpus", "en", "--num-hiddens", "3000000"], "hidden units fit"),
    (["--corpus", "en", "--out", "c", "--log", "c.safetensors"], "--log c.safetensors is a file that --out c writes"),
    (["--corpus", "en", "--out", "c", "--log", "C.svg"], "--log C.svg is a file that --out c writes"),
    (["--corpus", "en", "--out", "月" * 80], "a name of 252 bytes is too long for"),
    (["--corpus", "en", "--out", "x" * 238], "choose a shorter one with --out"),
    (["--corpus", "en", "--log", "x" * 250], "choose a shorter one with --log"),
    (["--corpus", "en", "--out", "empty/"], "--out 'empty/' names no file"),
    (["--corpus", "en", "--log", "empty"], "empty is a folder: choose another name with --log"),
    (["--corpus", "en", "--token", "letter"], "--token letter is unknown: use char or word"),
    (["--corpus", "en", "--min-freq", "0"], "min_freq must be a whole number of at least 1, got 0"),
    (["--corpus", "en", "--min-freq", "9999"], "min_freq=9999 leaves no token"),
    (["--corpus", "en", "--patience", "0"], "patience must be a whole number of at least 1, got 0"),
    (["--corpus", "en", "--patience", "3"], "--patience 3 waits for a better validation perplexity: hold out a part with --val-fraction"),
    (["--corpus", "en", "--log", "no/log"], "choose another folder with --log"),
    (["--corpus", "en", "--log", "short.txt"], "short.txt exists: replace it with --force"),
    (["--text", "short.txt"], "the text has 6 tokens"),
    (["--text", "short.txt", "--corpus", "en"], "not allowed with argument"),
    (["--corpus", "en", "--val-fraction", "1"], "--val-fraction must be at least 0 and less than 1, got 1.0"),
    (["--corpus", "en", "--val-fraction", "-0.1"], "got -0.1"),
    (["--corpus", "en", "--val-fraction", "nan"], "got nan"),
    (["--corpus", "en", "--val-fraction", "0.95"], "leaves 75 to train on and 1425 to validate on; batch_size=8 and num_steps=20 "
                                                   "need at least 161 and 21"),
    (["--corpus", "en", "--val-fraction", "0.01"], "leaves 1485 to train on and 15 to validate on"),
    (["--corpus", "en", "--save-every", "0"], "save_every must be a whole number of at least 1, got 0"),
    (["--corpus", "en", "--resume"], "there is no rnn_en_seed0.safetensors to resume"),
])
def test_bad_input_of_the_new_options(tmp_path, monkeypatch, capsys, args, said):
    monkeypatch.chdir(tmp_path)
    Path("gbk.txt").write_bytes("时间".encode("gbk"))
    Path("blank.txt").write_text(" \n")
    Path("short.txt").write_text("六个字的文本", encoding="utf-8")
    Path("mark.txt").write_bytes(b"\xef\xbb\xbf")
    Path("utf16.txt").write_bytes(("it is late\n" * 200).encode("utf-16-le"))
    Path("ones.txt").write_text("1" * 5000)
    Path("empty").mkdir()
    assert typed(rnn_scratch_train, *TINY, *args) == 2
    assert said in capsys.readouterr().err
    assert len(list(tmp_path.iterdir())) == 7  # nothing was left by the trial


@pytest.mark.parametrize("args, said", [
    (["--num-hiddens", "32"], "was trained with --num-hiddens 16 (now 32): resume with the same settings"),
    (["--lr", "0.5", "--random"], "--lr 1.0 (now 0.5), --random False (now True)"),
    (["--val-fraction", "0.2"], "--val-fraction 0.0 (now 0.2)"),
    (["--seed", "1"], "--seed 0 (now 1)"),
    (["--model", "plain"], "--model fast (now plain)"),
    (["--token", "word"], "--token char (now word)"),
    (["--min-freq", "2"], "--min-freq 1 (now 2)"),
    (["--corpus", "zh"], "was trained with a text of SHA-1 cbbf"),
    (["--epochs", "2"], "has 2 epochs already: give more with --epochs"),
])
def test_resuming_with_other_settings_says_which(trained, capsys, args, said):
    before = trained.read_bytes()
    corpus = [] if "--corpus" in args else ["--corpus", "en"]
    assert typed(rnn_scratch_train, *corpus, *TINY, "--out", str(trained), "--resume", *args) == 2
    assert said in capsys.readouterr().err
    assert trained.read_bytes() == before


def test_the_same_file_read_as_it_stands_is_another_text(trained, capsys):
    args = ["--text", str(shipped_text("en")), *TINY, "--epochs", "3", "--out", str(trained), "--resume"]
    assert typed(rnn_scratch_train, *args) == 2
    assert "has another vocabulary than this text" in capsys.readouterr().err


def test_a_model_without_its_training_is_not_resumed(trained, tmp_path, capsys):
    net, vocab, settings = load_checkpoint(trained)
    save_checkpoint(tmp_path / "model.safetensors", net, vocab, **settings)
    assert typed(rnn_scratch_train, "--corpus", "en", *TINY, "--out", str(tmp_path / "model"), "--resume") == 2
    assert "holds a model and no training to resume" in capsys.readouterr().err


def test_checkpoints_that_are_none(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("cut").write_bytes(trained.read_bytes()[:-100])
    safetensors.torch.save_file({"weight": torch.zeros(2)}, "foreign")
    torch.save({"weight": torch.zeros(2)}, "pickle")
    for name, said in (("cut", "is not a whole safetensors file"), ("foreign", "was not written by save_checkpoint"),
                       ("pickle", "is a pickle; loading one can run any code, so it is never loaded"),
                       ("missing", "missing could not be read"), (".", "could not be read")):
        assert typed(rnn_scratch_sample, name) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1
    Path("cut.safetensors").write_bytes(Path("cut").read_bytes())
    assert typed(rnn_scratch_train, "--corpus", "en", *TINY, "--out", "cut", "--resume") == 2
    assert "is not a whole safetensors file" in capsys.readouterr().err


def test_files_and_folders_of_words(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("shelf").mkdir()
    Path("shelf/.hidden").write_text("not this")
    for name in ("shelf/b.txt", "one.txt", "two.txt"):
        Path(name).write_text(shipped_text("en").read_text(encoding="utf-8"), encoding="utf-8")
    small = [option for option in TINY if option not in ("--max-tokens", "1500")]
    args = ["--text", "shelf", "one.txt", "--text", "two.txt", "--token", "word", "--min-freq", "3", *small]
    assert typed(rnn_scratch_train, *args, "--epochs", "1") == 0
    printed = capsys.readouterr().out
    assert "left out, hidden: " + str(Path("shelf/.hidden")) in printed
    total = 3 * len(shipped_text("en").read_text(encoding="utf-8").split())
    assert f"{total} words of {total}, " in printed  # all of a text of one's own, unless --max-tokens says less
    net, vocab, settings = load_checkpoint("rnn_shelf_and_2_more_seed0.safetensors")
    assert (settings["token"], settings["text"], settings["max_tokens"]) == ("word", ["shelf", "one.txt", "two.txt"], 0)
    assert "the" in vocab.token_to_idx and f"{len(vocab)} in the vocabulary" in printed
    assert typed(rnn_scratch_train, *args, "--epochs", "2", "--resume", "--max-tokens", "0") == 0
    assert "going on after epoch 1" in capsys.readouterr().out


def test_a_text_may_be_read_from_its_own_folder_if_the_files_go_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("shelf").mkdir()
    Path("shelf/a.txt").write_text(shipped_text("en").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir("shelf")
    assert typed(rnn_scratch_train, "--text", ".", *TINY, "--epochs", "1", "--out", "../run") == 0
    assert [file.name for file in Path(".").iterdir()] == ["a.txt"] and Path("../run.safetensors").exists()


def log_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_log_of_a_killed_and_resumed_run_has_each_epoch_once(tmp_path):
    args = ["--corpus", "en", *TINY, "--val-fraction", "0.2", "--save-every", "2"]
    halves, straight = tmp_path / "halves.jsonl", tmp_path / "straight.jsonl"
    assert typed(rnn_scratch_train, *args, "--epochs", "4", "--out", str(tmp_path / "halves"), "--log", str(halves)) == 0
    with open(halves, "ab") as file:  # as a kill leaves it: further than the checkpoint, and torn
        file.write(b'{"epoch": 5, "perplexity": 1.0}\n{"epoch": 6, "perp')
    assert typed(rnn_scratch_train, *args, "--epochs", "8", "--out", str(tmp_path / "halves"), "--log", str(halves), "--resume") == 0
    assert typed(rnn_scratch_train, *args, "--epochs", "8", "--out", str(tmp_path / "straight"), "--log", str(straight)) == 0
    assert_same_run(tmp_path / "halves.safetensors", tmp_path / "straight.safetensors")
    kept = read_checkpoint(tmp_path / "halves.safetensors")[2]
    for log in (halves, straight):
        first, *lines = log_lines(log)
        assert first["settings"]["epochs"] == 8 and [line["epoch"] for line in lines] == list(range(1, 9))
        assert [line["perplexity"] for line in lines] == kept["perplexities"]
        assert [line["validation"] for line in lines] == kept["val_perplexities"]
        assert lines[-1]["best_epoch"] == kept["best_epoch"] and lines[-1]["best"] == min(kept["val_perplexities"])
        assert all(line["seconds"] > 0 and line["tokens_per_second"] > 0 for line in lines)


def held_out_text(tmp_path):
    """A text whose last fifth is in the opposite order, with another letter: the better the rest is learned, the worse it gets."""
    (tmp_path / "text.txt").write_text("abcd" * 400 + "dcbz" * 100, encoding="utf-8")
    return ["--text", str(tmp_path / "text.txt"), *TINY[:-2], "--val-fraction", "0.2"]


def test_patience_stops_an_interrupted_run_at_the_same_epoch(tmp_path, capsys):
    args = [*held_out_text(tmp_path), "--patience", "3", "--save-every", "1"]
    assert typed(rnn_scratch_train, *args, "--epochs", "300", "--out", str(tmp_path / "straight")) == 0
    kept = read_checkpoint(tmp_path / "straight.safetensors")[2]
    epochs, best = len(kept["perplexities"]), kept["best_epoch"]
    assert epochs == best + 3 < 300 and f"no better validation perplexity since epoch {best}" in capsys.readouterr().out
    assert typed(rnn_scratch_train, *args, "--epochs", str(epochs - 1), "--out", str(tmp_path / "halves")) == 0
    assert typed(rnn_scratch_train, *args, "--epochs", "300", "--out", str(tmp_path / "halves"), "--resume") == 0
    assert_same_run(tmp_path / "straight.safetensors", tmp_path / "halves.safetensors")
    assert typed(rnn_scratch_train, *args, "--epochs", "300", "--out", str(tmp_path / "halves"), "--resume") == 2
    assert f"has stopped already: epoch {best} of {epochs} was the best" in capsys.readouterr().err


def test_the_home_pages_commands_on_a_text_of_ones_own(tmp_path):
    """As the README has them, only with a small model and few epochs."""
    readme = (Path(__file__).parents[1]/"README.md").read_text(encoding="utf-8")
    block = next(block for block in readme.split("```sh\n") if block.startswith("rnn_scratch_train --text"))
    text = shipped_text("en").read_text(encoding="utf-8")
    (tmp_path/"novel.txt").write_text(text[:3000], encoding="utf-8")
    (tmp_path/"notes").mkdir()
    (tmp_path/"notes"/"today.txt").write_text(text[3000:5000], encoding="utf-8")
    (tmp_path/"draft.txt").write_text("It was late.", encoding="utf-8")
    lines = block.partition("```")[0].splitlines()
    assert len(lines) == 5
    for line in lines:
        words = shlex.split(line)
        if "--text" in words:
            words += ["--epochs", "2", "--num-hiddens", "8", "--batch-size", "4", "--num-steps", "20", "--device", "cpu"]
        ran = subprocess.run([command(words[0]), *words[1:]], cwd=tmp_path, env=environment(), input="It was\n",
                             capture_output=True, text=True, encoding="utf-8", timeout=100)
        assert ran.returncode == 0 and ran.stdout, (line, ran.stderr)
    assert len((tmp_path/"novel.jsonl").read_text(encoding="utf-8").splitlines()) == 3  # the settings, and two epochs
    assert {"novel.safetensors", "novel.svg", "together.safetensors"} <= {path.name for path in tmp_path.iterdir()}


# what may happen around a run

EN = ["--corpus", "en", *TINY, "--save-every", "1000"]


def epochs_of(path):
    return len(read_checkpoint(path)[2]["perplexities"])


def during(monkeypatch, happens):
    """Let something happen behind each epoch: `happens(epoch)`."""
    real_epochs = cli.train_epochs

    def watched(*args, **options):
        for numbers in real_epochs(*args, **options):
            yield numbers
            happens(numbers[0])

    monkeypatch.setattr(cli, "train_epochs", watched)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are not bytes")
@pytest.mark.parametrize("name, env", [(b"caf\xe9", {}), ("书".encode(), dict(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii"))])
def test_names_that_are_no_text(tmp_path, name, env):
    (tmp_path / os.fsdecode(name)).write_bytes(shipped_text("en").read_bytes()[:3000])
    options = [b"--text", name, b"--out", name + b" it's", b"--log", name + b".log", *(option.encode() for option in TINY)]
    command_bytes = command("rnn_scratch_train").encode()
    done = subprocess.run([command_bytes, *options, b"--epochs", b"2"], cwd=tmp_path, env=environment(**env), capture_output=True)
    assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr
    checkpoint = tmp_path / os.fsdecode(name + b" it's.safetensors")
    assert read_checkpoint(checkpoint)[2]["text"] == [name.decode("utf-8", "replace")]
    assert len((tmp_path / os.fsdecode(name + b".log")).read_text(encoding="utf-8").splitlines()) == 3
    more = subprocess.run([command_bytes, *options, b"--epochs", b"3", b"--resume"], cwd=tmp_path, env=environment(**env))
    assert more.returncode == 0 and epochs_of(checkpoint) == 3


def test_a_reader_that_is_gone_costs_nothing(tmp_path):
    training = subprocess.Popen([command("rnn_scratch_train"), *EN, "--epochs", "60", "--out", "run"], cwd=tmp_path,
                                env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    training.stdout.close()  # before the first line
    assert training.wait(timeout=100) == 0 and training.stderr.read() == b""
    assert epochs_of(tmp_path / "run.safetensors") == 60 and (tmp_path / "run.svg").exists()


@pytest.mark.skipif(os.name == "nt", reason="the streams of another shell")
@pytest.mark.parametrize("streams, status, said", [("<&- >&- 2>&-", 0, ""), ("2>&-", 0, ""), (">/dev/full", 0, "going on without it")])
def test_streams_that_are_closed_or_full(tmp_path, streams, status, said):
    if "full" in streams and not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    line = f"{shlex.join([command('rnn_scratch_train'), *EN, '--epochs', '3', '--log', 'log', '--out', 'run'])} {streams}"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True)
    assert done.returncode == status and said in done.stderr and "Traceback" not in done.stderr
    assert epochs_of(tmp_path / "run.safetensors") == 3 and len(log_lines(tmp_path / "log")) == 4


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_any_signal_to_stop_saves_what_is_finished(tmp_path, monkeypatch, capsys, name):
    if not hasattr(signal, name):
        pytest.skip(f"no {name} here")
    number = getattr(signal, name)
    before = signal.getsignal(number)
    if before is signal.SIG_IGN:
        monkeypatch.setattr("rnn_scratch.shell.signal.getsignal", lambda number: signal.SIG_DFL)
    during(monkeypatch, lambda epoch: epoch == 3 and signal.raise_signal(number))
    assert typed(rnn_scratch_train, *EN, "--out", str(tmp_path / "run")) == 128 + number
    assert "stopped after epoch 3; go on with: rnn_scratch_train" in capsys.readouterr().err
    assert epochs_of(tmp_path / "run.safetensors") == 3 and (tmp_path / "run.svg").exists()
    if before is not signal.SIG_IGN:
        assert signal.getsignal(number) == before


@pytest.mark.parametrize("save_every, epochs, status", [("1", 1, 143), ("1000", 2, 0)])  # in the first epoch, and at the end
def test_a_signal_while_a_file_is_written_waits(tmp_path, monkeypatch, save_every, epochs, status):
    def written(part, path):
        os.replace(part, path)
        signal.raise_signal(signal.SIGTERM)  # the file is there, and nobody has noted it yet

    monkeypatch.setattr(files, "replace", written)
    args = [*EN[:-1], save_every, "--epochs", "2", "--out", str(tmp_path / "run")]
    assert typed(rnn_scratch_train, *args) == status
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.safetensors", "run.svg"]  # and no new_run
    assert epochs_of(tmp_path / "run.safetensors") == epochs


@pytest.mark.parametrize("error, status", [(RuntimeError("of a library"), None), (RuntimeError("DefaultCPUAllocator: not enough memory"), 1),
                                           (MemoryError(), 1), (OSError(5, "Input/output error", "disk"), 1)])
def test_whatever_error_comes_the_finished_epochs_are_saved(tmp_path, monkeypatch, capsys, error, status):
    def happens(epoch):
        if epoch == 2:
            raise error

    during(monkeypatch, happens)
    args = [*EN, "--epochs", "5", "--out", str(tmp_path / "run")]
    if status is None:  # a fault of the program: it is shown in full, after saving
        with pytest.raises(type(error)):
            rnn_scratch_train(args)
    else:
        assert typed(rnn_scratch_train, *args) == status
    assert epochs_of(tmp_path / "run.safetensors") == 2


def full_disk(monkeypatch, is_full):
    """A disk that is full where `is_full(path)` says so."""
    def replace(part, path):
        if is_full(Path(path)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.replace(part, path)

    monkeypatch.setattr(files, "replace", replace)


def test_a_full_disk_is_tried_again(tmp_path, monkeypatch, capsys):
    now = []
    during(monkeypatch, now.append)
    full_disk(monkeypatch, lambda path: len(now) in (2, 3))
    assert typed(rnn_scratch_train, *EN[:-1], "1", "--epochs", "6", "--out", str(tmp_path / "run")) == 0
    said = capsys.readouterr().err
    assert said.count(f"{tmp_path / 'run.safetensors'} could not be written ({os.strerror(errno.ENOSPC)}): going on") == 2
    assert epochs_of(tmp_path / "run.safetensors") == 6


def test_a_disk_that_stays_full(tmp_path, monkeypatch, capsys):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    (tmp_path / "run").mkdir()
    full_disk(monkeypatch, lambda path: path.parent.name == "run")
    assert typed(rnn_scratch_train, *EN, "--epochs", "3", "--out", str(tmp_path / "run" / "small")) == 1
    printed = capsys.readouterr()
    saved, = tmp_path.glob("elsewhere/*/small.safetensors")
    assert f"saving to {saved.parent} instead" in printed.err and f"wrote {saved}" in printed.out
    assert epochs_of(saved) == 3 and list((tmp_path / "run").iterdir()) == []


def test_a_net_that_the_memory_can_not_hold(tmp_path, monkeypatch, capsys):
    def refused(*args):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory")

    monkeypatch.setattr(cli, "memory_of", lambda device: None)  # as where it can't be asked for
    monkeypatch.setattr(cli, "make_net", refused)
    assert typed(rnn_scratch_train, *EN, "--out", str(tmp_path / "run")) == 2
    assert "--num-hiddens 16 needs more memory than cpu has left" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_two_runs_that_may_replace_keep_both(tmp_path, monkeypatch, capsys, trained):
    args = [*EN, "--epochs", "4", "--force", "--out", str(tmp_path / "run")]
    assert typed(rnn_scratch_train, *args) == 0
    during(monkeypatch, lambda epoch: epoch == 2 and (tmp_path / "run.safetensors").write_bytes(trained.read_bytes()))
    assert typed(rnn_scratch_train, *args) == 0
    assert "was written by another program meanwhile: this run goes on as" in capsys.readouterr().err
    assert (tmp_path / "run.safetensors").read_bytes() == trained.read_bytes()  # of the other run, whole
    assert epochs_of(tmp_path / "new_run.safetensors") == 4
    monkeypatch.undo()
    assert typed(rnn_scratch_train, *args) == 0  # alone it replaces its own files
    assert epochs_of(tmp_path / "run.safetensors") == 4


def test_a_checkpoint_that_is_held_open_as_on_windows(tmp_path, monkeypatch, capsys):
    def refused(part, path):
        if Path(path).name == "run.safetensors":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        os.replace(part, path)

    monkeypatch.setattr(files, "replace", refused)
    assert typed(rnn_scratch_train, *EN, "--epochs", "2", "--out", str(tmp_path / "run")) == 0
    assert "run.safetensors could not be replaced (Permission denied)" in capsys.readouterr().err
    assert epochs_of(next(tmp_path.glob("*.safetensors"))) == 2


def test_a_long_epoch_tells_of_itself_and_changes_nothing(tmp_path, monkeypatch, capsys):
    args = [option for option in EN if option not in ("--max-tokens", "1500")] + ["--epochs", "3"]
    assert typed(rnn_scratch_train, *args, "--out", str(tmp_path / "silent")) == 0
    monkeypatch.setattr(cli, "MINUTE", 0)
    assert typed(rnn_scratch_train, *args, "--out", str(tmp_path / "telling")) == 0
    assert "epoch 2, minibatch 9 of 62  time traveller" in capsys.readouterr().out
    assert_same_run(tmp_path / "silent.safetensors", tmp_path / "telling.safetensors")


def test_stopped_in_a_long_first_epoch(tmp_path, monkeypatch, capsys):
    args = [option for option in EN if option not in ("--max-tokens", "1500")] + ["--epochs", "2"]
    real = cli.Reporter.meanwhile

    def interrupted(reporter, done, total):
        real(reporter, done, total)
        if done == 9:
            raise KeyboardInterrupt

    monkeypatch.setattr(cli, "MINUTE", 0)
    monkeypatch.setattr(cli.Reporter, "meanwhile", interrupted)
    run = str(tmp_path / "run")
    assert typed(rnn_scratch_train, *args, "--out", run) == 130
    assert "stopped after epoch 0; " in (said := capsys.readouterr().err) and "holds what the first epoch has learned so far" in said
    net, _, kept = load_checkpoint(f"{run}.safetensors")
    assert (kept["perplexities"], kept["best_epoch"], kept["best_perplexity"]) == ([], 0, None)
    assert typed(rnn_scratch_sample, f"{run}.safetensors", "--length", "5") == 0
    monkeypatch.undo()
    assert typed(rnn_scratch_train, *args, "--out", run, "--resume") == 0
    assert typed(rnn_scratch_train, *args, "--out", str(tmp_path / "straight")) == 0
    assert_same_run(f"{run}.safetensors", tmp_path / "straight.safetensors")


def test_a_notebook_is_told_how_to_call_it(tmp_path, monkeypatch):
    import builtins
    monkeypatch.setattr(builtins, "get_ipython", lambda: None, raising=False)
    with pytest.raises(ValueError, match="a notebook has no command line: give the arguments as a list, rnn_scratch_train"):
        rnn_scratch_train()
    assert rnn_scratch_train([*EN, "--epochs", "1", "--out", str(tmp_path / "run")]) is None  # and no SystemExit


@pytest.mark.skipif(os.name == "nt", reason="there it is the whole path that may be too long")
def test_the_longest_name_that_a_file_may_get(tmp_path, capsys):
    """A name that fits, but not with the `new_` that a rival would force on it, is refused before the first step."""
    longest = os.pathconf(tmp_path, "PC_NAME_MAX") - len(f".safetensors.{os.getpid()}.part")
    assert typed(rnn_scratch_train, *EN, "--epochs", "1", "--out", str(tmp_path / ("x" * (longest - 3)))) == 2
    assert "is too long for" in capsys.readouterr().err
    assert typed(rnn_scratch_train, *EN, "--epochs", "1", "--out", str(tmp_path / ("x" * (longest - 4)))) == 0


@pytest.mark.parametrize("name", ["rnn_scratch_train", "rnn_scratch_sample"])
def test_help_without_docstrings_without_chinese_and_with_a_wrong_backend(name):
    done = subprocess.run([sys.executable, "-OO", "-c", f"from rnn_scratch.shell import {name}; {name}()", "--help"], capture_output=True,
                          encoding="ascii", env=environment(MPLBACKEND="nonsense", PYTHONIOENCODING="ascii"))
    assert (done.returncode, done.stderr) == (0, "") and "--seed" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="Windows ends it by another number")
def test_ctrl_c_while_it_loads():
    script = ("import signal, rnn_scratch.shell as shell; signal.signal(signal.SIGINT, signal.default_int_handler); "
              "shell.importlib.import_module = lambda name: signal.raise_signal(signal.SIGINT); shell.rnn_scratch_train()")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "rnn_scratch_train: stopped\n")


# what a reader of its numbers relies on

def test_validation_reads_the_held_out_part_alone(tmp_path, capsys):
    args = held_out_text(tmp_path)
    assert typed(rnn_scratch_train, *args, "--epochs", "30", "--out", str(tmp_path / "run")) == 0
    assert "1600 characters and 400 held out of 2000, 5 in the vocabulary" in capsys.readouterr().out  # z is not one of them
    tensors, tokens, kept = read_checkpoint(tmp_path / "run.safetensors")
    assert sorted(tokens) == list("abcd")
    net, vocab, _ = load_checkpoint(tmp_path / "run.safetensors")
    held = HeldOut(torch.tensor(vocab[list("dcbz" * 100)]), 2, 20)  # rows of at least ten minibatches
    assert kept["best_perplexity"] == min(kept["val_perplexities"]) == pytest.approx(evaluate_perplexity(net, held, "cpu"), rel=1e-4)
    assert kept["val_perplexities"].index(min(kept["val_perplexities"])) == kept["best_epoch"] - 1
    assert kept["perplexities"][-1] < 2 < kept["val_perplexities"][-1]  # by heart, and of no use


def test_the_best_epoch_and_the_last_are_two(tmp_path):
    args = [*held_out_text(tmp_path), "--epochs", "9", "--out", str(tmp_path / "run")]
    assert typed(rnn_scratch_train, *args) == 0
    tensors, _, kept = read_checkpoint(tmp_path / "run.safetensors")
    best = kept["best_epoch"]
    assert best < 9 and kept["best_perplexity"] == min(kept["val_perplexities"]) == kept["val_perplexities"][best - 1]
    assert typed(rnn_scratch_train, *args[:-1], str(tmp_path / "best"), "--epochs", str(best)) == 0
    until_best, _, _ = read_checkpoint(tmp_path / "best.safetensors")
    for name in ("W_xh", "W_hh", "b_h", "W_hq", "b_q"):
        assert torch.equal(tensors[name], until_best[f"last.{name}"]) and not torch.equal(tensors[name], tensors[f"last.{name}"])


def test_a_return_alone_is_not_printed(tmp_path, capsys):
    (tmp_path / "mac.txt").write_bytes(b"one\rtwo\rthree\r" * 200)
    assert typed(rnn_scratch_train, "--text", str(tmp_path / "mac.txt"), *TINY, "--epochs", "3", "--out", str(tmp_path / "run")) == 0
    assert "\r" not in capsys.readouterr().out
