"""A checkpoint is read whole and as it was written, or not at all: any vocabulary, any damage, any other file."""
import json
import os
import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnn_scratch.bptt import RNNModelFast
from rnn_scratch.checkpoint import (CELLS, FORMAT, PARAM_NAMES, checkpoint_hash, load_checkpoint, read_checkpoint, read_whole,
                                    save_checkpoint, with_hash)
from rnn_scratch.gates import get_gru_params, get_lstm_params
from rnn_scratch.model import RNNModelScratch, get_params, init_rnn_state, rnn
from rnn_scratch.text import Vocab


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("checkpoint") / "small.safetensors"


def small_net(vocab_size, num_hiddens=2):
    return RNNModelScratch(vocab_size, num_hiddens, "cpu", get_params, init_rnn_state, rnn)


@pytest.fixture(scope="module")
def whole(file):
    torch.manual_seed(0)
    vocab = Vocab(list("aab 月"))
    save_checkpoint(file, small_net(len(vocab)), vocab, {"more": torch.arange(3)}, lr=0.5, perplexities=[3.0, 2.0])
    return file.read_bytes()


def refused(file, data):
    file.write_bytes(data)
    with pytest.raises(ValueError) as said:
        load_checkpoint(file)
    return str(said.value)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_cut_anywhere(file, whole, data):
    assert str(file) in refused(file, whole[:data.draw(st.integers(0, len(whole) - 1))])


@given(st.data())
@settings(max_examples=1000, deadline=None)
def test_a_byte_changed_anywhere(file, whole, data):
    i = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[i]))
    assert str(file) in refused(file, whole[:i] + bytes([byte]) + whole[i + 1:])


def test_every_single_bit(file, whole):
    for i in range(len(whole)):
        refused(file, whole[:i] + bytes([whole[i] ^ 1 << i % 8]) + whole[i + 1:])


@given(st.data(), st.binary(min_size=1, max_size=20))
@settings(max_examples=200, deadline=None)
def test_bytes_put_in_anywhere(file, whole, data, more):
    i = data.draw(st.integers(0, len(whole)))
    refused(file, whole[:i] + more + whole[i:])


@given(st.binary(max_size=200))
@example(b"")
@settings(deadline=None)
def test_any_other_bytes(file, data):
    refused(file, data)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), unique=True, max_size=20).filter(lambda t: "<unk>" not in t),
       st.dictionaries(st.from_regex("[a-z_]{1,9}", fullmatch=True), st.text(st.characters(codec="utf-8")) | st.floats(allow_nan=False)))
@example(['"sha256":"' + "0" * 64 + '"'], {"sha256": "0" * 64, "note": '"sha256":"' + "f" * 64 + '"'})
@settings(max_examples=100, deadline=None)
def test_any_vocabulary_and_settings_come_back(file, tokens, kept):
    kept = {name: value for name, value in kept.items() if name not in ("path", "net", "vocab", "more_tensors")}
    vocab = Vocab(reserved_tokens=tokens)
    net = small_net(len(vocab))
    save_checkpoint(file, net, vocab, **kept)
    loaded, loaded_vocab, loaded_settings = load_checkpoint(file)
    assert loaded_vocab.idx_to_token == vocab.idx_to_token and loaded_settings == kept
    assert all(torch.equal(a, b) for a, b in zip(loaded.params, net.params))


class Trap:
    """Makes a file when it is unpickled."""
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_never_loaded(file, tmp_path, protocol):
    said = refused(file, pickle.dumps(Trap(tmp_path / "caught"), protocol))
    assert protocol < 2 or "is a pickle" in said
    assert not (tmp_path / "caught").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_saves_is_never_loaded(file, tmp_path, zipped):
    torch.save(Trap(tmp_path / "caught"), file, _use_new_zipfile_serialization=zipped)
    assert "is a pickle; loading one can run any code" in refused(file, file.read_bytes())
    assert not (tmp_path / "caught").exists()


@pytest.mark.parametrize("name", PARAM_NAMES)
def test_another_size(file, whole, name):
    file.write_bytes(whole)
    tensors, tokens, _ = read_checkpoint(file)
    tensors[name] = torch.zeros(*tensors[name].shape, 2)
    metadata = {"format": FORMAT, "cell": "rnn", "tokens": json.dumps(tokens), "settings": "{}", "sha256": "0" * 64}
    data = safetensors.torch.save(tensors, metadata)
    assert "must have the shape" in refused(file, with_hash(data, checkpoint_hash(data)))


def test_another_vocabulary(tmp_path):
    with pytest.raises(ValueError, match=r"with 3 tokens and 2 hidden units W_xh must have the shape \(3, 2\), not \(5, 2\)"):
        save_checkpoint(tmp_path / "other", small_net(5), Vocab(list("ab")))
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("kind, make", [("rnn", get_params), ("gru", get_gru_params), ("lstm", get_lstm_params)])
def test_training_goes_on_as_if_never_saved(file, kind, make):
    """Three steps at once, and one, saving, two more: the same parameters, exactly."""
    _, init_state, forward_fn = CELLS[kind]
    vocab = Vocab(list("abc "))
    X = torch.arange(12).reshape(2, 6) % len(vocab)

    def steps(net, count):
        for _ in range(count):
            logits, _ = net(X, net.begin_state(2, "cpu"))
            grads = torch.autograd.grad(logits.square().mean(), net.params)
            with torch.no_grad():
                for param, grad in zip(net.params, grads):
                    param -= grad
        return net

    torch.manual_seed(0)
    net = RNNModelScratch(len(vocab), 4, "cpu", make, init_state, forward_fn)
    with torch.no_grad():
        for param in net.params:
            param.normal_()
    save_checkpoint(file, steps(net, 1), vocab)
    loaded, _, _ = load_checkpoint(file)
    assert all(torch.equal(a, b) for a, b in zip(steps(loaded, 2).params, steps(net, 2).params))


def test_plain_and_fast_write_the_same_file(tmp_path):
    plain = small_net(4)
    fast = RNNModelFast(4, 2, "cpu", lambda *_: plain.params)
    files = [save_checkpoint(tmp_path / name, net, Vocab(list("abc")), lr=1) for name, net in (("a", plain), ("b", fast))]
    (a, of_plain), (b, of_fast) = (read_whole(file) for file in files)
    assert all(torch.equal(a[name], b[name]) for name in PARAM_NAMES) and len(a) == len(b) == 5
    assert {**of_plain, "sha256": ""} == {**of_fast, "sha256": ""}  # safetensors puts the lines of the header in any order


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_who_may_read_it_is_as_for_any_new_file(tmp_path, umask):
    before = os.umask(umask)
    try:
        path = save_checkpoint(tmp_path / "mode.safetensors", small_net(2), Vocab(["a"]))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask
