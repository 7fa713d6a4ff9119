"""What must hold for any text, size or gradient, tried on cases that hypothesis makes up."""
import random
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnn_scratch.model import RNNModelScratch, get_params, init_rnn_state, rnn
from rnn_scratch.predict import predict_ch8
from rnn_scratch.text import (Vocab, load_corpus_text, seq_data_iter_random, seq_data_iter_sequential, spare_tokens,
                              tokenize)
from rnn_scratch.train import grad_clipping

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
def test_random_sampling_uses_every_piece_once_and_leaves_out_what_it_says(drawn):
    length, batch_size, num_steps, seed = drawn
    batches = minibatches(seq_data_iter_random, length, batch_size, num_steps, seed)
    if batches is None:
        return
    starts = torch.cat([X[:, 0] for X, _ in batches])
    offset = int(starts[0]) % num_steps  # at most T - 1 tokens are left out at the start
    assert torch.all(starts % num_steps == offset)
    pieces = (length - 1 - offset) // num_steps
    assert len(starts) == pieces // batch_size * batch_size
    assert pieces - len(starts) < batch_size


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
