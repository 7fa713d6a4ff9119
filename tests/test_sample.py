"""Reading out: `Writer` and `score` over every kind of net, and `rnn_scratch_sample` as it is typed."""
import io
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from rnn_scratch.bptt import RNNModelFast
from rnn_scratch.checkpoint import save_checkpoint
from rnn_scratch.cli import rnn_scratch_sample
from rnn_scratch.gates import RNNModel, get_gru_params, get_lstm_params, gru, init_gru_state, init_lstm_state, lstm
from rnn_scratch.model import RNNModelScratch, get_params, init_rnn_state, rnn
from rnn_scratch.predict import Writer, predict_ch8, score
from rnn_scratch.text import Vocab
from rnn_scratch.train import evaluate_perplexity
from torch import nn

LETTERS = Vocab(reserved_tokens=list(" abcdefghijklmnopqrstuvwxyz"))
WORDS = Vocab("the moon rose over the still lake and the boats".split())
V, H = len(LETTERS), 16
NETS = {
    "RNNModelScratch": lambda: RNNModelScratch(V, H, "cpu", get_params, init_rnn_state, rnn),
    "RNNModelFast": lambda: RNNModelFast(V, H, "cpu"),
    "GRU": lambda: RNNModelScratch(V, H, "cpu", get_gru_params, init_gru_state, gru),
    "LSTM": lambda: RNNModelScratch(V, H, "cpu", get_lstm_params, init_lstm_state, lstm),  # a state of two tensors
    "nn.RNN": lambda: RNNModel(nn.RNN(V, H), V),  # a state that is a tensor
    "nn.LSTM": lambda: RNNModel(nn.LSTM(V, H, num_layers=2), V),
}


def loud(net, seed=0):
    """The net with random weights so large that all it reads counts."""
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for param in net.parameters() if isinstance(net, nn.Module) else net.params:
            param.copy_(torch.randn(param.shape, generator=draw) * 0.5)
    return net


@pytest.fixture(params=NETS)
def net(request):
    return loud(NETS[request.param]())


def seeded(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def text_of(writer, num_preds, **how):
    return "".join(token for token, in writer.write(num_preds, **how))


# Writer

def test_two_prompts_are_one_text(net):
    writer, text = Writer(net, LETTERS, "cpu"), []
    for prompt in ("the moon ", "and the lake ", ""):
        writer.read(prompt)
        text += [*prompt, *(token for token, in writer.write(15))]
    for end in (24, 52, 67):  # where each of the three stops
        assert "".join(text[:end]) == predict_ch8(text[:end - 15], 15, net, LETTERS, "cpu")


def test_rows_are_what_each_would_be_alone(net):
    writer = Writer(net, LETTERS, "cpu", batch_size=3)
    writer.read("the moon ")
    rows = ["".join(row) for row in zip(*writer.write(20, 1, None, seeded(4, 5, 4)))]
    assert rows[0] == rows[2] != rows[1]
    for row, seed in zip(rows, (4, 5)):
        assert "the moon " + row == predict_ch8("the moon ", 20, net, LETTERS, "cpu", 1, generator=seeded(seed)[0])


def test_stopping_half_way_loses_nothing(net):
    whole, parts = Writer(net, LETTERS, "cpu"), Writer(net, LETTERS, "cpu")
    for writer in (whole, parts):
        writer.read("the ")
    text = ""
    for num in (1, 7, 3):
        for token, in parts.write(100):
            text += token
            num -= 1
            if not num:
                break
    assert text == text_of(whole, 11)


def test_a_long_prompt_takes_one_token_at_a_time(net):
    sizes = []

    class Watching:
        begin_state = staticmethod(net.begin_state)

        def __call__(self, X, state):
            sizes.append(tuple(X.shape))
            return net(X, state)

    Writer(Watching(), LETTERS, "cpu", 2).read("the moon " * 100)
    assert sizes == [(2, 1)] * 899
    sizes.clear()
    score(Watching(), "the moon " * 300, LETTERS, "cpu")
    assert sizes == [(1, 500)] * 5 + [(1, 199)]


def test_words(recwarn):
    net = loud(RNNModelScratch(len(WORDS), 8, "cpu", get_params, init_rnn_state, rnn))
    prefix = "the moon rose".split()
    writer = Writer(net, WORDS, "cpu")
    writer.read(prefix)
    written = [token for token, in writer.write(5)]
    assert " ".join(prefix + written) == predict_ch8(prefix, 5, net, WORDS, "cpu", join=" ")
    assert len(score(net, prefix + written, WORDS, "cpu")) == 7
    assert not recwarn.list


# score

def test_score_is_what_evaluation_says(net):
    indices = torch.randint(1, V, (1, 1301), generator=torch.Generator().manual_seed(2))
    bits = score(net, LETTERS.to_tokens(indices[0]), LETTERS, "cpu")
    assert bits.shape == (1300,) and (bits >= 0).all() and not bits.requires_grad
    expected = evaluate_perplexity(net, [(indices[:, :-1], indices[:, 1:])], "cpu")
    assert 2 ** bits.mean().item() == pytest.approx(expected, rel=1e-4)


def test_score_of_a_character_is_its_own_probability(net):
    state = net.begin_state(batch_size=1, device="cpu")
    logits, _ = net(torch.tensor([LETTERS[list("moo")]]), state)
    bits = -torch.log_softmax(logits.detach().double(), dim=1)[range(3), LETTERS[list("oon")]] / math.log(2)
    torch.testing.assert_close(score(net, "moon", LETTERS, "cpu"), bits)


# the fast way is for those who have it

def test_a_foreign_generate_is_left_alone():
    class Foreign(RNNModel):
        """As the nets of other libraries: methods of these names, for something else."""
        def generate(self, *args, **kwargs): raise AssertionError("asked")
        def is_fast(self, *args, **kwargs): raise AssertionError("asked")

    torch.manual_seed(0)
    assert predict_ch8("the ", 9, loud(Foreign(nn.RNN(V, H), V)), LETTERS, "cpu") == \
        predict_ch8("the ", 9, loud(RNNModel(nn.RNN(V, H), V)), LETTERS, "cpu")


def test_a_fast_model_that_is_not_fast_now_writes_the_plain_way():
    half = RNNModelFast(V, H, "cpu", lambda *sizes: [param.detach().to(torch.bfloat16) for param in get_params(*sizes)])
    fast = loud(RNNModelFast(V, H, "cpu"))
    assert fast.is_fast(fast.begin_state(1, "cpu"))
    half.init_state = lambda *sizes: (init_rnn_state(*sizes)[0].bfloat16(),)
    half.forward_fn = lambda inputs, state, params: rnn(inputs.bfloat16(), state, params)
    with pytest.warns(UserWarning, match="RNNModelFast falls back to the plain way") as caught:
        text = predict_ch8("the ", 9, half, LETTERS, "cpu")
    assert text.startswith("the ") and len(caught) == 1


# the command

@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    net = loud(RNNModelScratch(V, H, "cpu", get_params, init_rnn_state, rnn))
    return str(save_checkpoint(tmp_path_factory.mktemp("small") / "small.safetensors", net, LETTERS))


@pytest.fixture(scope="module")
def of_words(tmp_path_factory):
    net = loud(RNNModelScratch(len(WORDS), 8, "cpu", get_params, init_rnn_state, rnn))
    return str(save_checkpoint(tmp_path_factory.mktemp("words") / "words.safetensors", net, WORDS, token="word"))


@pytest.fixture
def typed(capsys, monkeypatch):
    """What the command prints when it is typed with these arguments and this standard input."""
    def run(*args, stdin="", status=0):
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as end:
            rnn_scratch_sample(list(args))
        printed = capsys.readouterr()
        assert end.value.code == status, printed.err
        return printed.err if status else printed.out
    return run


@pytest.mark.parametrize("args, said", [
    (["--temperature", "-0.5"], "temperature must be a finite number of at least 0, got -0.5"),
    (["--temperature", "nan"], "got nan"),
    (["--top-k", "0"], "top_k must be a whole number of at least 1, got 0"),
    (["--top-k", "29"], "top_k must be at most 28, the size of the vocabulary, got 29"),
    (["--top-k", "0", "--temperature", "0"], "top_k must be a whole number of at least 1, got 0"),
    (["--length", "0"], "length must be a whole number of at least 1, got 0"),
    (["--seed", "-1"], "--seed must be from 0"),
    (["--samples", "0"], "samples must be a whole number of at least 1, got 0"),
    (["--samples", "-2"], "got -2"),
    (["--samples", "2", "--seed", str(2**63 - 1)], "--seed must be from 0"),
    (["--prefix", "a", "--prompts"], "not allowed with argument"),
    (["--score", "text", "--prompts"], "not allowed with argument"),
    (["--score", "missing"], "missing could not be read (No such file or directory)"),
    (["--score", "."], ". could not be read"),
    (["--score", "utf16"], "utf16 is no text: byte 1 is zero; it seems to be text in UTF-16LE"),
    (["--score", "blank"], "blank is empty"),
    (["--score", "one"], "the text has 1 tokens, and the first has no prediction: give at least 2"),
    (["--score", "gbk"], "gbk is not UTF-8"),
])
def test_bad_input_is_one_clear_line(checkpoint, typed, tmp_path, monkeypatch, args, said):
    monkeypatch.chdir(tmp_path)
    Path("blank").write_text(" \n")
    Path("one").write_text("a")
    Path("utf16").write_bytes("it is late\n".encode("utf-16-le"))
    Path("gbk").write_bytes("时间".encode("gbk"))
    error = typed(checkpoint, *args, status=2)
    assert said in error.replace("\n", " ")


def test_options_are_checked_before_the_prompt_is_printed(checkpoint, capsys):
    for wrong in (["--temperature", "-1"], ["--top-k", "29"]):
        with pytest.raises(SystemExit):
            rnn_scratch_sample([checkpoint, "--prefix", "the moon", *wrong])
        assert capsys.readouterr().out == ""


def test_sampling_is_the_same_for_the_same_seed(checkpoint, typed, capsys):
    texts = [typed(checkpoint, "--prefix", "the moon", *args)
             for args in (["--seed", "1"], ["--seed", "1"], ["--seed", "2"], ["--temperature", "0"], ["--top-k", "1", "--seed", "5"])]
    assert texts[0] == texts[1] != texts[2] and texts[3] == texts[4] and texts[0].startswith("the moon")
    with pytest.raises(SystemExit):
        rnn_scratch_sample([checkpoint, "--prefix", "月亮"])
    assert capsys.readouterr().err == "not in the vocabulary, read as <unk>: '亮' '月'\n"


def test_samples(checkpoint, typed):
    printed = typed(checkpoint, "--samples", "3", "--seed", "8", "--prefix", "the ", "--length", "50")
    alone = [typed(checkpoint, "--seed", str(seed), "--prefix", "the ", "--length", "50") for seed in (8, 9, 10)]
    assert printed == "".join(f"==> seed {seed} <==\n{text}" for seed, text in zip((8, 9, 10), alone))


def test_prompts_are_remembered(checkpoint, typed):
    greedy = "--length", "20", "--temperature", "0"
    first, second, third = typed(checkpoint, "--prompts", *greedy, stdin="the moon \nand \n\n").splitlines()
    assert (first[:9], second[:4]) == ("the moon ", "and ")
    assert [first + "\n", first + second + "\n", first + second + third + "\n"] == [
        typed(checkpoint, "--prefix", prefix, *greedy) for prefix in ("the moon ", first + "and ", first + second)]
    assert typed(checkpoint, "--prompts", stdin="") == ""
    assert typed(checkpoint, "--prompts", *greedy, stdin="the moon ") == first + "\n"  # the last line may lack its end
    blocks = typed(checkpoint, "--prompts", "--samples", "2", "--length", "9", stdin="the moon \nand \n").split("==> seed ")
    assert [block[0] for block in blocks[1:]] == list("0101")


def test_words_on_the_command_line(of_words, typed, tmp_path):
    written = typed(of_words, "--prefix", "the  moon\n", "--length", "6", "--temperature", "0").split(" ")
    assert written[:2] == ["the", "moon"] and len(written) == 8 and {word.strip() for word in written} <= set(WORDS.idx_to_token)
    assert typed(of_words, "--length", "1").startswith("the ")
    (tmp_path / "text").write_text("the moon\n rose", encoding="utf-8")
    scored = [json.loads(line) for line in typed(of_words, "--score", str(tmp_path / "text")).splitlines()]
    assert [line["token"] for line in scored] == ["the", "moon", "rose"]


def test_score_on_the_command_line(checkpoint, tmp_path, capsys):
    (tmp_path / "text").write_bytes('\ufeffa "b"\t月\r\nc'.encode())
    with pytest.raises(SystemExit) as end:
        rnn_scratch_sample([checkpoint, "--score", str(tmp_path / "text")])
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert end.value.code == 0 and "".join(line["token"] for line in lines) == 'a "b"\t月\nc'
    bits = [line["bits"] for line in lines]
    assert bits[0] is None and min(bits[1:]) >= 0
    unknown, mean = printed.err.splitlines()
    assert unknown == """not in the vocabulary, read as <unk>: '\\t' '\\n' '"' '月'"""
    assert mean.startswith(f"8 surprises, {sum(bits[1:]) / 8:.3f} bits on average: perplexity {2 ** (sum(bits[1:]) / 8):.3f}")


def test_prompts_that_can_not_be_read(checkpoint, monkeypatch, capsys):
    for stdin, said in ((None, "--prompts reads standard input, which is closed"),
                        (io.TextIOWrapper(io.BytesIO(b"the \xe9\n"), encoding="utf-8"), "standard input is not utf-8: byte 4")):
        monkeypatch.setattr("sys.stdin", stdin)
        with pytest.raises(SystemExit) as end:
            rnn_scratch_sample([checkpoint, "--prompts"])
        assert end.value.code == 2 and said in capsys.readouterr().err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_output_that_can_not_be_written(checkpoint):
    with open("/dev/full", "w") as full:
        done = subprocess.run([str(Path(sys.executable).with_name("rnn_scratch_sample")), checkpoint], stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and "No space left on device" in done.stderr and "Traceback" not in done.stderr


def test_scores_are_json_in_any_encoding(checkpoint, tmp_path):
    (tmp_path / "text").write_text("月ab", encoding="utf-8")
    done = subprocess.run([str(Path(sys.executable).with_name("rnn_scratch_sample")), checkpoint, "--score", str(tmp_path / "text")],
                          capture_output=True, text=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert [json.loads(line)["token"] for line in done.stdout.splitlines()] == ["月", "a", "b"]


# the command as a process

ENDLESS = "--length", "100000000"


def started(*args, **pipes):
    """The command as a process of its own, with standard output in a pipe."""
    default = {} if os.name == "nt" else {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # a background job ignores it
    return subprocess.Popen([str(Path(sys.executable).with_name("rnn_scratch_sample")), *args], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env={**os.environ, "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1"},
                            **pipes, **default)


@pytest.fixture
def process():
    running = []
    yield lambda *args, **pipes: running.append(started(*args, **pipes)) or running[-1]
    for one in running:
        one.kill()
        one.communicate()


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
@pytest.mark.parametrize("more", [[], ["--samples", "2"]])
def test_it_streams_into_a_pipe_and_ctrl_c_keeps_the_text(checkpoint, process, more):
    writing = process(checkpoint, "--prefix", "the moon ", *ENDLESS, *more)
    head = writing.stdout.read(60)  # comes long before the end does
    assert writing.poll() is None
    assert head.removeprefix(b"==> seed 0 <==\n").startswith(b"the moon ")
    writing.send_signal(signal.SIGINT)
    rest, said = writing.communicate(timeout=60)
    assert writing.returncode == 130 and rest.endswith(b"\n") and said == b"rnn_scratch_sample: stopped\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGPIPE")
def test_a_reader_that_has_had_enough_ends_it_quietly(checkpoint, process):
    writing = process(checkpoint, *ENDLESS)
    writing.stdout.read(20)
    writing.stdout.close()
    assert writing.wait(timeout=60) == 141 and writing.stderr.read() == b""


def test_a_prompt_is_answered_before_the_next_is_typed(checkpoint, process):
    talking = process(checkpoint, "--prompts", "--length", "10", stdin=subprocess.PIPE)
    for prompt in (b"the moon", b"and"):
        talking.stdin.write(prompt + os.linesep.encode())
        talking.stdin.flush()
        assert talking.stdout.readline().startswith(prompt)
    assert talking.communicate()[0] == b"" and talking.returncode == 0
