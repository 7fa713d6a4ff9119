"""What notebooks 02, 03 and 04 assert of a model, for every model of the library that has their interface.

The list stands here and not in those notebooks, since RNNModelFast comes later in the story than they do."""
import copy
import math
import random
from functools import partial

import pytest
import torch
from rnn_scratch.bptt import RNNModelFast
from rnn_scratch.checkpoint import load_checkpoint, save_checkpoint
from rnn_scratch.d2l import torch as d2l
from rnn_scratch.model import RNNModelScratch, get_params, init_rnn_state, rnn
from rnn_scratch.predict import predict_ch8
from rnn_scratch.text import SeqDataLoader, Vocab
from rnn_scratch.train import evaluate_perplexity, grad_clipping, train_ch8, train_epoch_ch8, train_epochs
from torch import nn

LETTERS = Vocab(reserved_tokens=list(' abcdefghijklmnopqrstuvwxyz'))
B, T, V, H = 4, 6, len(LETTERS), 16
MODELS = {
    'RNNModelScratch': lambda get=get_params: RNNModelScratch(V, H, 'cpu', get, init_rnn_state, rnn),
    'RNNModelFast': lambda get=get_params: RNNModelFast(V, H, 'cpu', get),
}


@pytest.fixture(params=MODELS)
def make(request):
    torch.manual_seed(0)
    random.seed(0)
    return MODELS[request.param]


@pytest.fixture
def net(make):
    """Weights large enough that every term counts."""
    net = make()
    with torch.no_grad():
        for param in net.params:
            param.normal_(std=0.3)
    return net


def minibatches(count=5, seed=1):
    draw = torch.Generator().manual_seed(seed)
    text = torch.randint(V, (B, count * T + 1), generator=draw)
    return [(text[:, i * T:(i + 1) * T], text[:, i * T + 1:(i + 1) * T + 1]) for i in range(count)]


def twin(net):
    """`nn.RNN` and `nn.Linear` with the same weights."""
    W_xh, W_hh, b_h, W_hq, b_q = [param.detach() for param in net.params]
    layer, linear = nn.RNN(V, H), nn.Linear(H, V)
    for target, value in ((layer.weight_ih_l0, W_xh.T), (layer.weight_hh_l0, W_hh.T), (layer.bias_ih_l0, b_h),
                          (layer.bias_hh_l0, torch.zeros(H)), (linear.weight, W_hq.T), (linear.bias, b_q)):
        target.data = value.clone()
    return layer, linear


# 02: the model

def test_interface(net):
    assert (net.vocab_size, net.num_hiddens, net.init_state, net.forward_fn) == (V, H, init_rnn_state, rnn)
    assert [tuple(param.shape) for param in net.params] == [(V, H), (H, H), (H,), (H, V), (V,)]
    assert all(param.requires_grad and param.is_leaf for param in net.params)
    state = net.begin_state(batch_size=B, device='cpu')
    assert len(state) == 1 and state[0].shape == (B, H) and not state[0].any()
    logits, state = net(minibatches()[0][0], state)
    assert logits.shape == (T * B, V) and len(state) == 1 and state[0].shape == (B, H)


def test_same_seed_same_parameters():
    nets = []
    for make in MODELS.values():
        torch.manual_seed(3)
        nets.append(make())
    assert all(torch.equal(a, b) for a, b in zip(*(net.params for net in nets)))


def test_agrees_with_pytorch(net):
    X, H_0 = minibatches()[0][0], torch.randn(B, H)
    ours, (ours_H,) = net(X, (H_0,))
    layer, linear = twin(net)
    hiddens, theirs_H = layer(nn.functional.one_hot(X.T, V).float(), H_0[None])
    theirs = linear(hiddens).reshape(-1, V)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    torch.testing.assert_close(ours_H, theirs_H[0], rtol=0, atol=1e-5)
    weights = torch.randn_like(ours)
    (ours * weights).sum().backward()
    (theirs * weights).sum().backward()
    for param, grad in zip(net.params, (layer.weight_ih_l0.grad.T, layer.weight_hh_l0.grad.T, layer.bias_ih_l0.grad,
                                        linear.weight.grad.T, linear.bias.grad)):
        torch.testing.assert_close(param.grad, grad, rtol=0, atol=1e-4)
        assert grad.abs().max() > 0.1


def test_gradient_through_the_state(net):
    X, H_0 = minibatches()[0][0], torch.randn(B, H, requires_grad=True)
    _, (last,) = net(X, (H_0,))
    ours, = torch.autograd.grad(last.sum(), H_0)
    layer, _ = twin(net)
    theirs, = torch.autograd.grad(layer(nn.functional.one_hot(X.T, V).float(), H_0[None])[1].sum(), H_0)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    assert theirs.abs().max() > 1e-3


def test_state_carried_equals_the_whole(net):
    X, H_0 = minibatches()[0][0], torch.randn(B, H)
    whole, (whole_H,) = net(X, (H_0,))
    first, state = net(X[:, :2], (H_0,))
    second, (carried_H,) = net(X[:, 2:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole, rtol=0, atol=1e-6)
    torch.testing.assert_close(carried_H, whole_H, rtol=0, atol=1e-6)
    reset, _ = net(X[:, 2:], net.begin_state(B, 'cpu'))
    assert (reset - whole[2 * B:]).abs().max() > 0.1


@pytest.mark.parametrize('X, state, message', [
    (torch.zeros(2, 5).long(), (torch.zeros(1, H),), 'the state has 1 rows, but X has 2'),
    (torch.zeros(2, 5), (torch.zeros(2, H),), r'got \(2, 5\) of torch.float32'),
    (torch.zeros(5).long(), (torch.zeros(2, H),), r'got \(5,\)'),
    (torch.zeros(2, 5, device='meta').long(), (torch.zeros(2, H),), 'X is on meta'),
    (torch.zeros(2, 5).long(), (torch.zeros(2, H, device='meta'),), 'the state is on meta'),
])
def test_what_does_not_go_together(net, X, state, message):
    with pytest.raises(ValueError, match=message):
        net(X, state)


@pytest.mark.filterwarnings('ignore:RNNModelFast falls back')
@pytest.mark.parametrize('X, state', [
    (torch.full((2, 5), V), torch.zeros(2, H)),  # no such token
    (torch.full((2, 5), -1), torch.zeros(2, H)),
    (torch.zeros(2, 0).long(), torch.zeros(2, H)),  # no time step
    (torch.zeros(2, 5).long(), torch.zeros(2, H + 1)),
    (torch.zeros(2, 5).long(), torch.zeros(2, H, dtype=torch.float64)),
])
def test_an_error_never_a_wrong_number(net, X, state):
    with pytest.raises((RuntimeError, IndexError, ValueError)):
        net(X, (state,))


@pytest.mark.parametrize('dtype', [torch.int8, torch.uint8, torch.int32])
def test_small_integers_are_indices_too(net, dtype):
    X = minibatches()[0][0]
    assert torch.equal(net(X.to(dtype), net.begin_state(B, 'cpu'))[0], net(X, net.begin_state(B, 'cpu'))[0])


# 03: prediction

def test_predict(net):
    with torch.no_grad():
        net.params[4][0] = -100  # d2l would write <unk>
    text = predict_ch8('time traveller ', 10, net, LETTERS, 'cpu')
    assert text.startswith('time traveller ') and len(text) == 25
    assert text == d2l.predict_ch8('time traveller ', 10, net, LETTERS, 'cpu')  # which knows of no fast way
    assert predict_ch8('time', 0, net, LETTERS, 'cpu') == 'time'
    for empty in ('', []):
        assert predict_ch8(empty, 5, net, LETTERS, 'cpu') == predict_ch8(' ', 5, net, LETTERS, 'cpu')
    assert predict_ch8('time', 30, net, LETTERS, 'cpu') == predict_ch8('time', 30, net, LETTERS, 'cpu')
    assert predict_ch8('ab e', 20, net, LETTERS, 'cpu')[-20:] != predict_ch8('zq e', 20, net, LETTERS, 'cpu')[-20:]
    with pytest.warns(UserWarning, match='read as <unk>'):
        assert predict_ch8('时间', 3, net, LETTERS, 'cpu').startswith('<unk><unk>')


@pytest.mark.parametrize('temperature', [0, 1, 100])
def test_unk_is_never_written(net, temperature):
    with torch.no_grad():
        net.params[4][0] = 100  # the highest score at every step
    text = predict_ch8('time', 200, net, LETTERS, 'cpu', temperature, generator=torch.Generator().manual_seed(0))
    assert len(text) == 204 and '<unk>' not in text


def test_what_was_written_can_be_read_again(net):
    text = predict_ch8('time', 20, net, LETTERS, 'cpu')
    assert predict_ch8(text, 20, net, LETTERS, 'cpu') == predict_ch8('time', 40, net, LETTERS, 'cpu')


@pytest.mark.parametrize('temperature', [0, 1])
def test_a_broken_model_writes_nothing(net, temperature):
    with torch.no_grad():
        net.params[4][3] = math.nan
    with pytest.raises(FloatingPointError, match='score is nan|scores became NaN'):
        predict_ch8('time', 5, net, LETTERS, 'cpu', temperature)


def test_predict_draws(net):
    def draw(seed, **how):
        return predict_ch8('ab', 20, net, LETTERS, 'cpu', generator=torch.Generator().manual_seed(seed), **how)
    assert draw(1, temperature=1) == draw(1, temperature=1) != draw(2, temperature=1)
    assert draw(1, temperature=1, top_k=1) == predict_ch8('ab', 20, net, LETTERS, 'cpu')
    with pytest.raises(ValueError, match='top_k'):
        draw(1, top_k=0)


def test_both_models_write_the_same():
    texts = []
    for make in MODELS.values():
        torch.manual_seed(5)
        net = make()
        with torch.no_grad():
            for param in net.params:
                param.normal_(std=0.5)
        texts.append(predict_ch8('traveller', 500, net, LETTERS, 'cpu'))
    assert texts[0] == texts[1] and len(set(texts[0])) > 3


# 04: training

def test_grad_clipping(net):
    for param in net.params:
        param.grad = torch.randn_like(param)
    reference = [param.grad.clone() for param in net.params]
    norm = grad_clipping(net, 1)
    assert abs(norm - torch.cat([grad.flatten() for grad in reference]).norm()) < 1e-3
    for param, grad in zip(net.params, reference):
        torch.testing.assert_close(param.grad, grad / norm, rtol=0, atol=1e-5)


@pytest.mark.parametrize('label', [-100, -1, V])
def test_labels_that_are_no_tokens(net, label):
    before = [param.clone() for param in net.params]
    batches = [(X, torch.full_like(Y, label)) for X, Y in minibatches(2)]
    for run in (lambda: list(train_epochs(net, batches, 1, 1, 'cpu')), lambda: evaluate_perplexity(net, batches, 'cpu')):
        with pytest.raises(ValueError, match=f'labels must be from 0 to {V - 1}, got {label}'):
            run()
    assert all(torch.equal(a, b) for a, b in zip(net.params, before))


def test_no_minibatch(net):
    for run in (lambda: list(train_epochs(net, [], 1, 1, 'cpu')), lambda: evaluate_perplexity(net, [], 'cpu')):
        with pytest.raises(ValueError, match='gave no minibatch'):
            run()


def test_an_epoch_under_autocast(net):
    """Losses and gradients in bfloat16 are near those in float32, and sums over tokens lose nothing."""
    with torch.autocast('cpu', torch.bfloat16):
        half = evaluate_perplexity(net, minibatches(), 'cpu')
    assert half == pytest.approx(evaluate_perplexity(net, minibatches(), 'cpu'), rel=0.02)
    twin = copy.deepcopy(net)
    with torch.autocast('cpu', torch.bfloat16):
        a = train_epoch_ch8(net, minibatches(), nn.CrossEntropyLoss(), partial(d2l.sgd, net.params, 0.1), 'cpu', False)[0]
    b = train_epoch_ch8(twin, minibatches(), nn.CrossEntropyLoss(), partial(d2l.sgd, twin.params, 0.1), 'cpu', False)[0]
    assert a == pytest.approx(b, rel=0.1)


@pytest.mark.parametrize('use_random_iter', [False, True])
def test_an_epoch_in_step_with_d2l(make, use_random_iter):
    ours = make()
    theirs = copy.deepcopy(ours)
    a = [train_epoch_ch8(ours, minibatches(), nn.CrossEntropyLoss(), partial(d2l.sgd, ours.params, 1), 'cpu', use_random_iter)[0]
         for _ in range(2)]
    b = []
    for _ in range(2):
        state, total = None, 0.
        for X, Y in minibatches():
            state = (state[0].detach(),) if state and not use_random_iter else theirs.begin_state(B, 'cpu')
            logits, state = rnn(nn.functional.one_hot(X.T, V).float(), state, theirs.params)
            l = nn.functional.cross_entropy(logits, Y.T.reshape(-1))
            l.backward()
            grad_clipping(theirs, 1)
            d2l.sgd(theirs.params, 1, 1)
            total += l.item()
        b.append(math.exp(total / 5))
    assert a == pytest.approx(b, rel=1e-5) and a[1] < a[0]


def test_any_optimizer(make):
    net = make()
    found = [train_epoch_ch8(net, minibatches(), nn.CrossEntropyLoss(), torch.optim.Adam(net.params, 0.01), 'cpu', False)[0]
             for _ in range(3)]
    assert found[2] < found[1] < found[0]


def test_a_kept_state_stays(net):
    X, Y = minibatches()[0]
    logits, state = net(X, net.begin_state(B, 'cpu'))
    kept, values, scores = state[0], state[0].clone(), logits.clone()
    for _ in range(2):
        train_epoch_ch8(net, minibatches(), nn.CrossEntropyLoss(), partial(d2l.sgd, net.params, 1), 'cpu', False)
        if hasattr(net, 'train_epoch'):
            net.train_epoch(minibatches(), 1)
    assert torch.equal(kept, values) and torch.equal(logits, scores)


def test_a_change_before_backward_is_an_error(net):
    logits, _ = net(minibatches()[0][0], net.begin_state(B, 'cpu'))
    with torch.no_grad():
        net.params[1].add_(1)
    with pytest.raises(RuntimeError, match='modified by an inplace operation'):
        logits.sum().backward()


def test_train_ch8(make, capsys):
    net = make()
    animator = d2l.Animator(xlim=[10, 20])
    train_ch8(net, minibatches(), LETTERS, 1, 20, 'cpu', animator=animator)
    assert animator.X == [[10, 20]] and animator.Y[0][1] < animator.Y[0][0] < V
    assert '困惑度' in capsys.readouterr().out
    with pytest.raises(FloatingPointError, match='epoch 1: the loss became'):
        train_ch8(net, minibatches(), LETTERS, 1e38, 5, 'cpu')


def test_evaluate_perplexity(net):
    before = [param.clone() for param in net.params]
    assert evaluate_perplexity(net, minibatches(), 'cpu') > V  # random and loud
    assert all(torch.equal(a, b) for a, b in zip(net.params, before))


def test_checkpoint(net, tmp_path):
    path = save_checkpoint(tmp_path/'net.safetensors', net, LETTERS, lr=1)
    loaded, vocab, settings = load_checkpoint(path)
    assert settings == {'lr': 1} and vocab.idx_to_token == LETTERS.idx_to_token
    assert all(torch.equal(a, b) for a, b in zip(loaded.params, net.params))
    assert predict_ch8('time', 50, loaded, vocab, 'cpu') == predict_ch8('time', 50, net, LETTERS, 'cpu')


def test_a_deep_copy_is_its_own(make):
    net = make()
    train_ch8(net, minibatches(), LETTERS, 1, 1, 'cpu')
    other = copy.deepcopy(net)
    train_ch8(other, minibatches(), LETTERS, 1, 1, 'cpu')
    assert not torch.equal(net.params[1], other.params[1])


def test_minibatches_of_several_shapes(make):
    net = make()
    batches = minibatches(2) + [(X[:3], Y[:3]) for X, Y in minibatches(2)] + minibatches(1)
    expected = MODELS['RNNModelScratch'](lambda *_: copy.deepcopy(net.params))
    for model in (net, expected):
        train_ch8(model, batches, LETTERS, 1, 1, 'cpu', use_random_iter=True)
    for a, b in zip(net.params, expected.params):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


def test_on_the_corpus(make):
    """The data loader of the chapter, so that its iterators and tensors are met as well."""
    loader = SeqDataLoader(B, T, False, 2000)
    net = (RNNModelScratch(len(loader.vocab), H, 'cpu', get_params, init_rnn_state, rnn) if 'Scratch' in type(make()).__name__
           else RNNModelFast(len(loader.vocab), H, 'cpu'))
    animator = d2l.Animator(xlim=[10, 20])
    train_ch8(net, loader, loader.vocab, 1, 20, 'cpu', animator=animator)
    assert animator.Y[0][1] < animator.Y[0][0] < 28
