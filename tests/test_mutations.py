"""Mutations: a notebook whose asserts can't fail proves nothing, so each line below is broken on purpose and has to be caught.

Asserts run against the notebook's own cells, so the mutation goes into the clean cell (the explained one before it stays as it
stands, and the clean one overrides it). The cells then run in order up to the first error, which must be an AssertionError of a
later cell. Where PyTorch, or a figure that checks what it draws, refuses the
mutant before any assert sees it, the mutant names the words."""
import ast, contextlib, io, multiprocessing, warnings
from pathlib import Path
from typing import NamedTuple

import pytest
from execnb.nbio import read_nb
from IPython.core.inputtransformer2 import TransformerManager
from nbdev.process import extract_directives

NBS = Path(__file__).resolve().parents[1]/'nbs'
STORY = '01_text', '02_model', '03_predict', '04_train', '07_gates'
FLAGS = {'slow', 'long', 'gpu'}


class Mutant(NamedTuple):
    name: str
    notebook: str
    line: str  # stands once in the clean cells of the notebook
    becomes: str
    refused: str = ''  # what PyTorch or a figure says, where it doesn't come to an assert


def text(name, line, becomes, refused=''): return Mutant(name, '01_text', line, becomes, refused)
def model(name, line, becomes, refused=''): return Mutant(name, '02_model', line, becomes, refused)
def predict(name, line, becomes): return Mutant(name, '03_predict', line, becomes)
def train(name, line, becomes, refused=''): return Mutant(name, '04_train', line, becomes, refused)

def gates(name, line, becomes, refused=''): return Mutant(name, '07_gates', line, becomes, refused)


# what stands twice in 04 is told apart by the lines around it
BEGIN = '''        if state is None or use_random_iter:
            state = net.begin_state(batch_size=X.shape[0], device=device)
'''
CARRY = '''        else:
            for s in state if isinstance(state, tuple) else (state,):
'''
DETACH = '''                s.detach_()
'''
LABELS = '''        y = Y.T.reshape(-1) '''
EVALUATE = '''    for X, Y in data_iter:                                               # (B, T), (B, T)
'''
STEP = 'pass tensors of one and the same step'

MUTANTS = [
    text('byte order mark stays', ".removeprefix('\\ufeff')", ''),
    text('corpus hash not checked', "if pooch.file_hash(str(path), alg='sha1') != TIME_MACHINE_SHA1:", 'if not path.exists():'),
    text('capitals stay', ".strip().lower()", ".strip()"),
    text('words for characters', 'return [list(line) for line in lines]', 'return [line.split() for line in lines]',
         refused='must be the tokens of the line'),
    text('vocabulary order', 'key=lambda item: item[1], reverse=True)', 'key=lambda item: item[1])'),
    text('min_freq off by one', 'if freq < min_freq:', 'if freq <= min_freq:'),
    text('unknown token gets the wrong index', 'self.token_to_idx.get(tokens, self.unk)', 'self.token_to_idx.get(tokens, 1)'),
    text('join ignored', 'lines = [join.join(line for line in lines if line)]', "lines = [''.join(line for line in lines if line)]"),
    text('last label not counted', 'needed = batch_size * num_steps + 1', 'needed = batch_size * num_steps'),
    text('random: targets not shifted', 'Y = torch.stack([corpus[j + 1:j + 1 + num_steps]', 'Y = torch.stack([corpus[j:j + num_steps]'),
    text('random: pieces overlap', 'range(offset, offset + num_subseqs * num_steps, num_steps)', 'range(offset, offset + num_subseqs)'),
    text('random: labels of a small type', 'yield X.long(), Y.long()', 'yield X.long(), Y'),
    text('sequential: inputs of a small type', 'yield Xs[:, i:i + num_steps].long(),', 'yield Xs[:, i:i + num_steps],'),
    text('numbered text not shortened', 'self.corpus = corpus[:max_tokens] if max_tokens > 0 else corpus', 'self.corpus = corpus'),
    text('random: seed ignored', 'random.shuffle(starts)', 'random.SystemRandom().shuffle(starts)'),
    text('random: offset ignored', 'offset = min(random.randint(0, num_steps - 1),', 'offset = min(0 * random.randint(0, num_steps - 1),'),
    text('sequential: targets not shifted', 'Ys = corpus[offset + 1:offset + 1 + num_tokens]', 'Ys = corpus[offset:offset + num_tokens]'),
    text('sequential: rows not continued', 'for i in range(0, Xs.shape[1] // num_steps * num_steps, num_steps):',
         'for i in reversed(range(0, Xs.shape[1] // num_steps * num_steps, num_steps)):'),
    text('sequential: offset ignored', 'offset = min(random.randint(0, num_steps),', 'offset = min(0 * random.randint(0, num_steps),'),
    text('samplers swapped', '        if use_random_iter:\n', '        if not use_random_iter:\n'),

    model('weights a hundred times too large', 'torch.randn(size=shape, device=device) * 0.01', 'torch.randn(size=shape, device=device)'),
    model('parameters without gradients', 'param.requires_grad_(True)', 'param.requires_grad_(False)'),
    model('random initial state', 'return (torch.zeros((batch_size, num_hiddens), device=device),)', 'return (torch.randn((batch_size, num_hiddens), device=device),)'),
    model('hidden bias left out', 'torch.tanh(X @ W_xh + H @ W_hh + b_h)', 'torch.tanh(X @ W_xh + H @ W_hh)', refused=STEP),
    model('output bias left out', 'Y = H @ W_hq + b_q  ', 'Y = H @ W_hq  ', refused=STEP),
    model('another activation', 'H = torch.tanh(X @', 'H = torch.sigmoid(X @', refused=STEP),
    model('state not handed from step to step', 'H @ W_hh + b_h)      #', 'state[0] @ W_hh + b_h)      #'),
    model('initial state ignored', '    H, = state\n', '    H, = (torch.zeros_like(state[0]),)\n', refused=STEP),
    model('last state not returned', 'return torch.cat(outputs, dim=0), (H,)', 'return torch.cat(outputs, dim=0), state'),
    model('outputs concatenated along the wrong axis', 'torch.cat(outputs, dim=0)', 'torch.cat(outputs, dim=1)'),
    model('outputs batch first', 'torch.cat(outputs, dim=0)', 'torch.stack(outputs, dim=1).flatten(0, 1)'),
    model('no transpose', 'F.one_hot(X.T.long()', 'F.one_hot(X.long()', refused='must match the size'),
    model('reshape for transpose', 'F.one_hot(X.T.long()', 'F.one_hot(X.reshape(X.T.shape).long()'),
    model('state of the wrong batch size let through', 'if tensor.shape[0] != X.shape[0]:', 'if tensor.shape[0] > X.shape[0]:'),

    predict('argmax over the wrong axis', 'int(logits.argmax(dim=1).reshape(1))', 'int(logits.argmax(dim=0)[0])'),
    predict('state not carried in generation', 'y, state = net(get_input(), state)', 'y, _ = net(get_input(), state)'),
    predict('state not carried in warm-up', '_, state = net(get_input(), state)', 'net(get_input(), state)'),
    predict('warm-up appends its own predictions', 'outputs.append(vocab[token])', 'outputs.append(int(_.argmax(dim=1).reshape(1)))'),
    predict('first character read twice', 'for token in prefix[1:]:', 'for token in prefix:'),
    predict('one token too many', 'for _ in range(num_preds):\n        y,', 'for _ in range(num_preds + 1):\n        y,'),
    predict('a sample for the most likely', 'int(logits.argmax(dim=1).reshape(1))', 'int(torch.multinomial(torch.softmax(logits, dim=1), 1))'),
    predict('temperature upside down', '(scores - scores[0]) / temperature', '(scores - scores[0]) * temperature'),
    predict('top_k ignored', '.topk(top_k or vocab_size)', '.topk(vocab_size)'),
    predict('generator ignored', 'torch.multinomial(p, 1, generator=generator)', 'torch.multinomial(p, 1)'),
    predict('no warning of unknown characters', '    if unknown:\n', '    if unknown and not tokens:\n'),
    predict('words run together', 'return join.join([', "return ''.join(["),
    predict('writer: state not carried in reading', '_, self.state = self.net(', 'self.net('),
    predict('writer: state not carried in writing', 'self.state, self.last = state,', 'self.last ='),
    predict('writer: newest token lost', 'self.state, self.last = state,', 'self.state, _ = state,'),
    predict('writer: read without a word of what is unknown', 'warn_unknown(text, self.vocab)', 'text, self.vocab'),
    predict('writer: begins with another token', "self.read(' ')", "self.read('e')"),
    predict('writer: an error moves the text on', 'y, state = self.net(self.last, self.state)', 'y, state = y, self.state = self.net(self.last, self.state)'),
    predict('writer: the first generator for all rows', 'zip(y.split(1), generators)', 'zip(y.split(1), generators[:1] * self.batch_size)'),
    predict('writer: the first row in all rows', 'zip(y.split(1), generators)', 'zip(y[:1].expand_as(y).split(1), generators)'),
    predict('writer: gradients recorded', '''    @torch.no_grad()
    def write(''', '''    def write('''),
    predict('score: state not carried', 'y, state = net(indices[:, :-1].to(device), state)', 'y, _ = net(indices[:, :-1].to(device), state)'),
    predict('score: a token compared with itself', 'indices[0, 1:]', 'indices[0, :-1]'),
    predict('score: in nats', " / math.log(2))", ")"),
    predict('score: a token lost between two pieces', 'text[i:i + 501]', 'text[i:i + 500]'),
    predict('score: a token of two pieces counted twice', 'range(0, len(text) - 1, 500)', 'range(0, len(text) - 1, 499)'),
    predict('score: a single token', 'if len(text) < 2:', 'if len(text) < 1:'),
    predict('score: silent about what is unknown', 'warn_unknown(text, vocab)', 'text, vocab'),

    train('clipping by value', 'param.grad[:] *= theta / norm', 'param.grad.clamp_(-theta, theta)'),
    train('clip factor inverted', 'param.grad[:] *= theta / norm', 'param.grad[:] *= norm / theta'),
    train('short gradients stretched', 'if norm > theta:', 'if norm != theta:'),
    train('norm without its root', 'norm = torch.sqrt(sum(torch.sum(p.grad ** 2) for p in params))', 'norm = sum(torch.sum(p.grad ** 2) for p in params)'),
    train('no detach', 's.detach_()', 's.requires_grad', refused='backward through the graph a second time'),
    train('state never carried', BEGIN + CARRY, BEGIN.replace('state is None or use_random_iter', 'True') + CARRY),
    train('use_random_iter ignored', BEGIN + CARRY, BEGIN.replace(' or use_random_iter', '') + CARRY),
    train('labels not transposed', CARRY + DETACH + LABELS, CARRY + DETACH + LABELS.replace('Y.T', 'Y')),
    train('.sum() for .mean()', 'l = loss(y_hat, y.long()).mean()', 'l = loss(y_hat, y.long()).sum()'),
    train('a diverged loss goes on', 'if not l.item() < math.log(sys.float_info.max):', 'if not l.item() < math.inf and not l.item():'),
    train('gradients not cleared', 'updater.zero_grad()', 'updater.state'),
    train('sgd without clipping', 'norm = grad_clipping(net, theta)\n            updater(batch_size=1)', 'norm = grad_clipping(net, math.inf)\n            updater(batch_size=1)'),
    train('optimizer without clipping', 'norm = grad_clipping(net, theta)\n            updater.step()', 'norm = grad_clipping(net, math.inf)\n            updater.step()'),
    train('sgd divides twice', 'updater(batch_size=1)', 'updater(batch_size=X.shape[0])'),
    train('perplexity of another base', 'return math.exp(metric[0] / metric[1])', 'return 2 ** (metric[0] / metric[1])'),
    train('sample a step too late', 'if epoch % 10 == 0:', 'if epoch % 10 == 1:'),
    train('evaluation: state not carried', EVALUATE + BEGIN, EVALUATE + BEGIN.replace('state is None or use_random_iter', 'True')),
    train('evaluation: use_random_iter ignored', EVALUATE + BEGIN, EVALUATE + BEGIN.replace(' or use_random_iter', '')),
    train('evaluation: mean for sum', "nn.CrossEntropyLoss(reduction='sum')", 'nn.CrossEntropyLoss()'),
    train('vocabulary turned round in the checkpoint', 'vocab.idx_to_token[1:]', 'vocab.idx_to_token[:0:-1]'),
    train('checkpoint hash not checked', "if metadata.get('sha256') != checkpoint_hash(data):", "if not metadata.get('sha256'):"),
    train('loaded parameters without gradients', '.to(device).requires_grad_()', '.to(device)'),

    gates('parameters not counted', 'if len(params) != len(param_names):', 'if len(params) > len(param_names):'),
    gates('a state of one row let through', 'len(state) != num_states or any(tensor.shape != shape for tensor in state)', 'len(state) != num_states'),
    gates('one gate for two', 'reset_gate = get_params(vocab_size, num_hiddens, device)[:3]', 'reset_gate = update_gate'),
    gates('b_hh not zero', 'b_hh = torch.zeros(num_hiddens,', 'b_hh = torch.ones(num_hiddens,'),
    gates('update gate upside down', 'H = Z * H + (1 - Z) * H_tilde', 'H = (1 - Z) * H + Z * H_tilde'),
    gates('no reset gate', 'past = R * (H @ W_hh + b_hh)', 'past = H @ W_hh + b_hh'),
    gates('reset gate before the product', 'past = R * (H @ W_hh + b_hh)', 'past = (R * H) @ W_hh + b_hh', refused=STEP),
    gates('b_hh outside the reset gate', 'past = R * (H @ W_hh + b_hh)', 'past = R * (H @ W_hh) + b_hh', refused=STEP),
    gates('the book by default', 'reset_after=True,  #', 'reset_after=False,  #', refused=STEP),
    gates('the book not by its formula', 'past = (R * H) @ W_hh + b_hh', 'past = R * (H @ W_hh + b_hh)'),
    gates('gates never see the new state', 'X @ W_xz + H @ W_hz', 'X @ W_xz + state[0] @ W_hz'),
    gates('GRU: last state not returned', 'return torch.cat(outputs, dim=0), (H,)', 'return torch.cat(outputs, dim=0), state'),
    gates('one tensor for two states', 'return H, torch.zeros_like(H) ', 'return H, H '),
    gates('forget and input gate exchanged', 'C = F * C + I * C_tilde', 'C = I * C + F * C_tilde'),
    gates('what is forgotten is written', 'C = F * C + I * C_tilde', 'C = F * C + (1 - F) * C_tilde'),
    gates('no output gate', 'H = O * torch.tanh(C)', 'H = torch.tanh(C)'),
    gates('the memory shown without tanh', 'H = O * torch.tanh(C)', 'H = O * C', refused=STEP),
    gates('sigmoid for the candidate', 'C_tilde = torch.tanh(', 'C_tilde = torch.sigmoid(', refused=STEP),
    gates('states exchanged', 'return torch.cat(outputs, dim=0), (H, C)', 'return torch.cat(outputs, dim=0), (C, H)'),
    gates('batch first let through', ' or rnn_layer.batch_first:', ':'),
    gates('concise: outputs batch first', 'self.linear(Y.reshape(-1, Y.shape[-1]))', 'self.linear(Y.transpose(0, 1).reshape(-1, Y.shape[-1]))'),
    gates('concise: hidden size for both directions', 'self.num_directions * self.num_hiddens, vocab_size', 'self.num_hiddens, vocab_size', refused='cannot be multiplied'),
    gates("PyTorch's order of a GRU's gates kept", '3: [1, 0, 2]', '3: [0, 1, 2]'),
    gates("PyTorch's order of an LSTM's gates kept", '4: [0, 1, 3, 2]', '4: [0, 1, 2, 3]'),
    gates('one bias of two', 'W_h.T, b_x + b_h]', 'W_h.T, b_x]', refused='not have been used in the graph'),
    gates('the biases of the candidate added up', 'params[-1:] = [b_x, b_h]', 'params[-1:] = [b_x + b_h, torch.zeros_like(b_h)]'),
]


def cells(notebook):
    "The code cells of a notebook that run without a flag: (number, is it clean, source)."
    code = [(i, c) for i, c in enumerate(read_nb(NBS/f'{notebook}.ipynb').cells, 1) if c.cell_type == 'code']
    return [(i, 'clean' in c.metadata.get('tags', []), c.source) for i, c in code if not FLAGS & extract_directives(c, remove=False).keys()]


def mutated(notebook, line=None, becomes=None):
    "The cells of a notebook with one line replaced, and the number of the cell that has it."
    found = [i for i, clean, source in cells(notebook) for _ in range(source.count(line)) if clean] if line else [0]
    assert len(found) == 1, f'{line!r} stands {len(found)} times in the clean cells of {notebook}: mend the mutant'
    return [(i, source.replace(line, becomes) if i == found[0] else source) for i, _, source in cells(notebook)], found[0]


def run(mutant):
    "Run the cells up to the first error: the number of the mutated cell, of the cell that fails, the error's name and its message."
    import torch
    torch.set_num_threads(1)
    code, at = mutated(mutant.notebook, mutant.line, mutant.becomes)
    names = {'__name__': '__main__'}
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        for i, source in code:
            try: exec(compile(TransformerManager().transform_cell(source), f'<{mutant.notebook}, cell {i}>', 'exec'), names)
            except Exception as error: return at, i, type(error).__name__, str(error)
    return at, None, '', ''


@pytest.fixture(scope='module')
def result(request):
    "The result of a mutant. Two processes at a time, a new one for each, all forked from one that has imported what takes long."
    method = 'forkserver' if 'forkserver' in multiprocessing.get_all_start_methods() else 'spawn'
    context = multiprocessing.get_context(method)
    if method == 'forkserver': context.set_forkserver_preload(['rnn_scratch.train', 'torch.testing', 'nbdev.process', 'IPython'])
    wanted = [item.callspec.params['mutant'] for item in request.session.items if 'mutant' in getattr(item, 'fixturenames', ())]
    with context.Pool(2, maxtasksperchild=1) as pool:
        running = {mutant: pool.apply_async(run, [mutant]) for mutant in wanted}
        yield lambda mutant: running[mutant].get(timeout=300)


@pytest.mark.parametrize('mutant', [Mutant('as it stands', notebook, '', '') for notebook in STORY], ids=STORY)
def test_the_notebook_as_it_stands_passes(mutant, result):
    at, failed, error, message = result(mutant)
    assert failed is None, f'cell {failed} of {mutant.notebook}: {error}: {message}'


@pytest.mark.parametrize('mutant', MUTANTS, ids=[f'{m.notebook}: {m.name}' for m in MUTANTS])
def test_the_mutant_is_caught(mutant, result):
    at, failed, error, message = result(mutant)
    assert failed, f'{mutant.notebook} passes with {mutant.becomes!r} for {mutant.line!r}: an assert is missing'
    assert failed > at, f'cell {failed} fails, before or in the mutated cell {at}: {error}: {message}'
    if mutant.refused: assert mutant.refused in message, f'{error}: {message}'
    else: assert error == 'AssertionError', f'cell {failed} fails, but not by an assert: {error}: {message}'


@pytest.mark.parametrize('mutant', MUTANTS, ids=[f'{m.notebook}: {m.name}' for m in MUTANTS])
def test_the_mutant_is_another_program(mutant):
    code, at = mutated(mutant.notebook, mutant.line, mutant.becomes)
    was, now = dict((i, source) for i, _, source in cells(mutant.notebook))[at], dict(code)[at]
    assert ast.dump(ast.parse(was)) != ast.dump(ast.parse(now))


def test_most_are_caught_by_an_assert():
    assert len({m.name for m in MUTANTS}) == len(MUTANTS) and sum(not m.refused for m in MUTANTS) >= 50
