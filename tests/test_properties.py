"""What must hold for any text, file, size, gradient or type of number, tried on cases that hypothesis makes up."""
import copy
import gzip
import pickle
import random
import tempfile
import warnings
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnn_scratch.model import RNNModelScratch, get_params, init_rnn_state, rnn
from rnn_scratch.predict import predict_ch8
from rnn_scratch.text import (SeqDataLoader, Vocab, count_corpus, load_corpus_text, load_data_text, read_text,
                              seq_data_iter_random, seq_data_iter_sequential, spare_tokens, tokenize)
from rnn_scratch.train import grad_clipping, train_epoch_ch8

# the same cases on every machine, and no clock: machines that run tests are slow and shared
settings.register_profile("rnn-scratch", derandomize=True, deadline=None, max_examples=200)
settings.load_profile("rnn-scratch")

SAMPLERS = (seq_data_iter_random, seq_data_iter_sequential)
sizes = st.tuples(st.integers(0, 400), st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32))


def minibatches(sampler, length, batch_size, num_steps, seed):
    """All minibatches of a text whose tokens are their own positions, or None where the text is too short."""
    random.seed(seed)
    corpus = list(range(length))
    if length < batch_size * num_steps + 1:
        with pytest.raises(ValueError, match=f"the text has {length} tokens"):
            list(sampler(corpus, batch_size, num_steps))
        return None
    return list(sampler(corpus, batch_size, num_steps))


@pytest.mark.parametrize("sampler", SAMPLERS)
@given(sizes)
def test_every_window_is_a_stretch_of_the_text_and_its_label_the_next_token(sampler, drawn):
    length, batch_size, num_steps, seed = drawn
    batches = minibatches(sampler, length, batch_size, num_steps, seed)
    if batches is None:
        return
    assert batches
    for X, Y in batches:
        assert X.shape == Y.shape == (batch_size, num_steps) and X.dtype == Y.dtype == torch.int64
        assert torch.equal(X, X[:, :1] + torch.arange(num_steps))
        assert torch.equal(Y, X + 1)
    seen = torch.cat([X.reshape(-1) for X, _ in batches])
    assert len(seen) == len(seen.unique()) and seen.max() < length - 1


@given(sizes)
def test_random_sampling_uses_every_window_once_and_leaves_out_what_it_says(drawn):
    length, batch_size, num_steps, seed = drawn
    batches = minibatches(seq_data_iter_random, length, batch_size, num_steps, seed)
    if batches is None:
        return
    starts = torch.cat([X[:, 0] for X, _ in batches])
    offset = int(starts[0]) % num_steps  # at most T - 1 tokens are left out at the start
    assert torch.all(starts % num_steps == offset)
    windows = (length - 1 - offset) // num_steps
    assert len(starts) == windows // batch_size * batch_size
    assert windows - len(starts) < batch_size


@given(sizes)
def test_sequential_rows_go_on_and_leave_out_what_they_say(drawn):
    length, batch_size, num_steps, seed = drawn
    batches = minibatches(seq_data_iter_sequential, length, batch_size, num_steps, seed)
    if batches is None:
        return
    for (before, _), (after, _) in zip(batches, batches[1:]):
        assert torch.equal(after[:, 0], before[:, -1] + 1)
    starts = batches[0][0][:, 0]
    offset = int(starts[0])
    assert offset <= num_steps
    row = (length - 1 - offset) // batch_size  # the remainder that B doesn't divide is left out
    assert starts.tolist() == [offset + i * row for i in range(batch_size)]
    assert len(batches) == row // num_steps  # and in each row what is left after the last T columns


@given(sizes)
def test_spare_tokens_counts_what_is_beyond_one_minibatch(drawn):
    length, batch_size, num_steps, _ = drawn
    if length > batch_size * num_steps:
        assert spare_tokens(range(length), batch_size, num_steps) == length - batch_size * num_steps - 1
    else:
        with pytest.raises(ValueError, match="use a longer text"):
            spare_tokens(range(length), batch_size, num_steps)


@settings(max_examples=100)
@given(sizes, st.booleans())
def test_the_length_of_a_loader_is_that_of_every_pass_or_is_refused(drawn, use_random_iter):
    length, batch_size, num_steps, seed = drawn
    if length < batch_size * num_steps + 1:
        return
    vocab = Vocab(list(range(length)))
    loader = SeqDataLoader(batch_size, num_steps, use_random_iter, -1, (torch.arange(1, length + 1), vocab))
    random.seed(seed)
    seen = {len(list(loader)) for _ in range(20)}
    try:
        assert seen == {len(loader)}
    except TypeError as error:
        fewest, most = (int(word) for word in str(error).split() if word.isdigit())
        assert most == fewest + 1 and seen <= {fewest, most}


def test_a_loader_is_an_iterable_and_nothing_else():
    loader, vocab = load_data_text(["abcabcabcabc"], 2, 2)
    again = copy.deepcopy(loader), pickle.loads(pickle.dumps(loader))
    passes = []
    for each in (loader, loader, *again):
        random.seed(0)
        passes.append([(X.tolist(), Y.tolist()) for X, Y in each])
    assert passes[0] and all(each == passes[0] for each in passes)
    for refused in (lambda: loader[0], lambda: next(loader), lambda: reversed(loader)):
        with pytest.raises(TypeError):
            refused()


@pytest.mark.parametrize("text", ["3141592653589793", "😀😁😀😂🙃" * 4, ".-.-. -... .-." * 2, "⠓⠑⠇⠇⠕⠓⠑⠇", "1. e4 e5 2. Nf3"])
def test_a_text_without_letters_is_a_text(text):
    loader, vocab = load_data_text([text], 2, 3)
    assert "".join(vocab.to_tokens(loader.corpus)) == text


def test_what_can_not_be_learned_from_is_refused():
    for lines, max_tokens in ((["aaaaaaaa"], -1), (["\n" * 9], -1), (["aaaaaaab"], 7)):
        with pytest.raises(ValueError, match="there is nothing to learn"):
            load_data_text(lines, 2, 3, max_tokens=max_tokens)
    load_data_text(["aaaaaaab"], 2, 3, max_tokens=8)


BOOK = "The weather is fine.\nIt won’t last, he said.\n" * 20
SPRING = "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。\n" * 20
FILES = {
    "UTF-16": BOOK.encode("utf-16"), "UTF-16LE": BOOK.encode("utf-16-le"), "UTF-16BE": BOOK.encode("utf-16-be"),
    "windows-1252": BOOK.encode("cp1252"), "GB18030": SPRING.encode("gb18030"),
    "Shift_JIS": "吾輩は猫である。名前はまだ無い。\n".encode("shift_jis") * 20,
    "Big5": "他說我們在這裡的時候，有一個人不知道什麼是大的。\n".encode("big5") * 20,
    "a gzip archive": gzip.compress(BOOK.encode()), "a zip archive": b"PK\x03\x04\x14\0\0\0\x08\0" + bytes(range(256)),
    "a PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_no_utf8_text_is_told_what_it_seems_to_be(kind, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_bytes(FILES[kind])
    with pytest.raises(ValueError, match=rf"mine\.txt is not (UTF-8|text): byte \d+ is 0x..; it seems to be .*{kind}"):
        read_text(path)


@given(st.one_of(st.binary(max_size=40), st.text(max_size=40).map(str.encode)))
def test_any_file_gives_a_text_or_a_word(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.txt"
        path.write_bytes(data)
        try:
            text = read_text(path)
        except ValueError as error:
            assert str(error).startswith(f"{path} is ") and type(error) is ValueError
            try:
                decoded = data.decode("utf-8")
            except UnicodeDecodeError as fault:
                assert f"is not UTF-8: byte {fault.start} is " in str(error)
                return
            assert "\0" in decoded or not decoded.removeprefix("\ufeff").strip()
            return
    assert text.strip() and "\r" not in text and "\0" not in text
    assert text.split("\n") == data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


@given(st.lists(st.one_of(st.text(max_size=3), st.tuples(st.text(max_size=2), st.text(max_size=2))), max_size=20))
def test_a_vocabulary_is_a_mapping_from_tokens_to_indices(tokens):
    vocab = Vocab(tokens)
    plain = dict(vocab)
    assert plain == vocab.token_to_idx == {token: index for index, token in enumerate(vocab.idx_to_token)}
    assert list(vocab) == list(vocab.keys()) == vocab.idx_to_token and list(vocab.values()) == list(range(len(vocab)))
    assert dict(vocab.items()) == plain and vocab == plain and vocab
    for token in tokens:
        assert token in vocab and vocab[token] == vocab.get(token) == plain[token]
    assert vocab.get("none of these") is None and "none of these" not in vocab and [] not in vocab
    for same in (copy.copy(vocab), copy.deepcopy(vocab), pickle.loads(pickle.dumps(vocab))):
        assert same == vocab and same.idx_to_token == vocab.idx_to_token and same.token_freqs == vocab.token_freqs


def test_what_a_vocabulary_is_not_is_refused():
    vocab = Vocab("time")
    for refused in (lambda: hash(vocab), lambda: reversed(vocab), lambda: vocab[1.5], lambda: vocab[None], lambda: vocab[:2],
                    lambda: vocab[["t", 3]], lambda: vocab[torch.tensor([1])], lambda: Vocab(vocab), lambda: count_corpus({"a": 1})):
        with pytest.raises(TypeError):
            refused()
    with pytest.raises(TypeError):
        vocab["t"] = 5
    for reserved in (["a", "a"], ["<unk>"]):
        with pytest.raises(ValueError, match="must differ"):
            Vocab(reserved_tokens=reserved)


@given(st.text(min_size=1))
def test_any_text_comes_back_from_its_vocabulary(text):
    corpus, vocab = load_corpus_text([text])
    assert "".join(vocab.to_tokens(corpus)) == text
    assert vocab.unk not in corpus and sorted(set(corpus)) == list(range(1, len(vocab)))
    frequencies = [frequency for _, frequency in vocab.token_freqs]
    assert frequencies == sorted(frequencies, reverse=True) and sum(frequencies) == len(text)


@given(st.text(), st.text())
def test_tokens_that_the_vocabulary_lacks_become_unknown(known, text):
    vocab = Vocab(tokenize([known], "char"))
    read = vocab.to_tokens(vocab[list(text)])
    assert read == [token if token in known else "<unk>" for token in text]


@given(st.text(max_size=40), st.integers(0, 5))
def test_any_prefix_stands_unchanged_before_what_is_written(prefix, num_preds):
    vocab = Vocab(list("time traveller"))
    torch.manual_seed(0)
    net = RNNModelScratch(len(vocab), 4, "cpu", get_params, init_rnn_state, rnn)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        written = predict_ch8(prefix, num_preds, net, vocab, "cpu")
    unknown = {token for token in prefix if token not in vocab.token_to_idx}
    assert len(caught) == bool(unknown)
    start = "".join("<unk>" if token in unknown else token for token in prefix or " ")
    assert written.startswith(start)
    assert len(written[len(start):].replace("<unk>", "?")) == num_preds


LARGE = 2.0**59  # the square of anything above 2**64 is infinite in float32
gradients = st.lists(
    st.lists(st.one_of(st.floats(-LARGE, LARGE, width=32), st.sampled_from((0.0, float("inf"), -float("inf"))),
                       st.floats(-2, 2, width=32)),
             min_size=1, max_size=6),
    min_size=1, max_size=4)


@given(gradients, st.sampled_from((0.1, 1.0, 5.0)))
def test_clipping_is_pytorchs_own_for_any_gradient(values, theta):
    def params():
        made = [nn.Parameter(torch.zeros(len(row))) for row in values]
        for param, row in zip(made, values):
            param.grad = torch.tensor(row, dtype=torch.float32)
        return made

    class Net:
        pass

    ours, theirs = Net(), params()
    ours.params = params()
    norm = grad_clipping(ours, theta)
    expected = nn.utils.clip_grad_norm_(theirs, theta)
    torch.testing.assert_close(norm, expected, rtol=1e-5, atol=1e-18)  # squares of less vanish in float32
    for a, b in zip(ours.params, theirs):  # an infinite norm makes 0 of every finite number, in both
        torch.testing.assert_close(a.grad, b.grad, rtol=2e-5, atol=1e-37, equal_nan=True)


@pytest.fixture
def default_float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def trained(net, dtype, loader):
    """An epoch with the plain model: its parameters keep their type, and move."""
    before = [param.detach().clone() for param in net.params]
    random.seed(0)
    perplexity, _ = train_epoch_ch8(net, loader, nn.CrossEntropyLoss(), torch.optim.SGD(net.params, 0.5), "cpu", False)
    assert all(param.dtype == dtype and param.isfinite().all() for param in net.params)
    assert any((param != old).any() for param, old in zip(net.params, before))
    return perplexity


def test_the_plain_model_trains_with_float64_for_the_default(default_float64):
    loader, vocab = load_data_text(["the time traveller " * 20], 4, 5)
    net = RNNModelScratch(len(vocab), 8, "cpu", get_params, init_rnn_state, rnn)
    assert 1 < trained(net, torch.float64, loader) < 2 * len(vocab)
    predict_ch8("time", 3, net, vocab, "cpu")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_the_plain_model_trains_in_the_type_of_its_parameters(dtype):
    loader, vocab = load_data_text(["the time traveller " * 20], 4, 5)
    torch.manual_seed(0)
    params = [param.detach().type(dtype).requires_grad_() for param in get_params(len(vocab), 8, "cpu")]
    net = RNNModelScratch(len(vocab), 8, "cpu", lambda *_: params, init_rnn_state, rnn)
    assert net.begin_state(2, "cpu")[0].dtype == dtype
    assert 1 < trained(net, dtype, loader) < 2 * len(vocab)


def test_the_plain_model_trains_in_mixed_precision():
    loader, vocab = load_data_text(["the time traveller " * 20], 4, 5)
    torch.manual_seed(0)
    net = RNNModelScratch(len(vocab), 8, "cpu", get_params, init_rnn_state, rnn)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert 1 < trained(net, torch.float32, loader) < 2 * len(vocab)
