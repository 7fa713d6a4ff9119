"""The calls of d2l's chapter, run once with d2l 0.17's own names and once with the names here."""
import io
import random
import re
from contextlib import redirect_stdout
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import rnn_scratch.all as ours
from rnn_scratch.d2l import torch as d2l


@pytest.fixture(scope="module")
def theirs():
    """d2l's functions, reading the same lines; `get_params` and others the book defines but d2l does not keep."""
    kept = d2l.read_time_machine
    d2l.read_time_machine = ours.read_time_machine
    names = {name: getattr(d2l, name) for name in ours.__all__ if hasattr(d2l, name)}
    yield SimpleNamespace(**{**{name: getattr(ours, name) for name in ours.__all__}, **names})
    d2l.read_time_machine = kept


def chapter(lib, net_kind, use_random_iter):
    """Sections 8.2 to 8.6 of the book, call by call; returns every result a reader would see."""
    seen = []
    random.seed(0)
    torch.manual_seed(0)
    device = torch.device("cpu")
    lines = lib.read_time_machine()
    seen += [lines, lib.tokenize(lines), lib.tokenize(lines, "char")]
    vocab = lib.Vocab(seen[1])
    seen += [vocab.token_freqs[:10], vocab.to_tokens([1, 2, 3]), vocab[["time", "no such word"]], len(vocab)]
    seen += [sorted(lib.count_corpus(seen[2]).items())]
    corpus, vocab = lib.load_corpus_time_machine()
    seen += [corpus, list(vocab.token_to_idx.items())]
    my_seq = list(range(35))
    for sampler in (lib.seq_data_iter_random, lib.seq_data_iter_sequential):
        seen += [[X.tolist(), Y.tolist()] for X, Y in sampler(my_seq, batch_size=2, num_steps=5)]
    train_iter, vocab = lib.load_data_time_machine(32, 35)
    loader = lib.SeqDataLoader(16, 10, use_random_iter, 3000)
    seen += [[X.tolist() for X, _ in loader], [Y.tolist() for _, Y in train_iter]]
    X = torch.arange(10).reshape((2, 5))
    seen += [F.one_hot(X.T, 28).shape]
    if net_kind is None:
        net = lib.RNNModelScratch(len(vocab), 64, device, lib.get_params, lib.init_rnn_state, lib.rnn)
        state = net.begin_state(X.shape[0], device)
    else:
        net = d2l.RNNModel(net_kind(len(vocab), 64), len(vocab))
        state = net.begin_state(device, batch_size=X.shape[0])
    Y, state = net(X, state)
    seen += [Y.shape, len(state), Y.tolist()]
    seen += [lib.predict_ch8("time traveller ", 10, net, vocab, device)]
    nn.CrossEntropyLoss()(Y, X.T.reshape(-1)).backward()
    lib.grad_clipping(net, 0.1)
    params = list(net.parameters()) if isinstance(net, nn.Module) else net.params
    seen += [[param.grad.tolist() for param in params]]
    for param in params:
        param.grad.zero_()
    updater = torch.optim.SGD(params, 1)
    ppl, _ = lib.train_epoch_ch8(net, loader, nn.CrossEntropyLoss(), updater, device, use_random_iter)
    with redirect_stdout(io.StringIO()) as printed:
        lib.train_ch8(net, loader, vocab, 1, 10, device, use_random_iter=use_random_iter)
    texts = printed.getvalue().splitlines()
    closing = re.fullmatch(r"(?:perplexity|困惑度) (\d+\.\d), \d+\.\d (?:tokens/sec on|词元/秒) cpu", texts[1])
    return seen + [round(ppl, 3), texts[0], closing[1], texts[2:], [param.detach() for param in params]]


@pytest.mark.parametrize("use_random_iter", [False, True])
@pytest.mark.parametrize("net_kind", [None, nn.RNN, nn.GRU, nn.LSTM])
def test_each_call_of_the_chapter_gives_the_same(theirs, net_kind, use_random_iter):
    a, b = chapter(ours, net_kind, use_random_iter), chapter(theirs, net_kind, use_random_iter)
    assert len(a) == len(b)
    for i, (x, y) in enumerate(zip(a[:-1], b[:-1])):
        assert x == y or '<unk>' in str(y) and '<unk>' not in str(x), f"result {i} differs"  # d2l may write <unk>
    for x, y in zip(a[-1], b[-1]):
        torch.testing.assert_close(x, y, rtol=0, atol=1e-5)
