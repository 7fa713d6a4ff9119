"""What would be wrong with 04_train.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('04_train')

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

MUTANTS = [
    truth('clipping by value', 'param.grad[:] *= theta / norm', 'param.grad.clamp_(-theta, theta)'),
    truth('clip factor inverted', 'param.grad[:] *= theta / norm', 'param.grad[:] *= norm / theta'),
    truth('short gradients stretched', 'if norm > theta:', 'if norm != theta:'),
    truth('norm without its root', 'norm = torch.sqrt(sum(torch.sum(p.grad ** 2) for p in params))', 'norm = sum(torch.sum(p.grad ** 2) for p in params)'),
    truth('no detach', 's.detach_()', 's.requires_grad', refused='backward through the graph a second time'),
    truth('state never carried', BEGIN + CARRY, BEGIN.replace('state is None or use_random_iter', 'True') + CARRY),
    truth('use_random_iter ignored', BEGIN + CARRY, BEGIN.replace(' or use_random_iter', '') + CARRY),
    truth('labels not transposed', CARRY + DETACH + LABELS, CARRY + DETACH + LABELS.replace('Y.T', 'Y')),
    truth('.sum() for .mean()', 'l = loss(y_hat, y.long()).mean()', 'l = loss(y_hat, y.long()).sum()'),
    guard('a diverged loss goes on', 'if not l.item() < math.log(sys.float_info.max):', 'if not l.item() < math.inf and not l.item():'),
    truth('gradients not cleared', 'updater.zero_grad()', 'updater.state'),
    truth('sgd without clipping', 'norm = grad_clipping(net, theta)\n            updater(batch_size=1)', 'norm = grad_clipping(net, math.inf)\n            updater(batch_size=1)'),
    truth('optimizer without clipping', 'norm = grad_clipping(net, theta)\n            updater.step()', 'norm = grad_clipping(net, math.inf)\n            updater.step()'),
    truth('sgd divides twice', 'updater(batch_size=1)', 'updater(batch_size=X.shape[0])'),
    truth('perplexity of another base', 'return math.exp(metric[0] / metric[1])', 'return 2 ** (metric[0] / metric[1])'),
    truth('sample a step too late', 'if epoch % 10 == 0:', 'if epoch % 10 == 1:'),
    truth('evaluation: state not carried', EVALUATE + BEGIN, EVALUATE + BEGIN.replace('state is None or use_random_iter', 'True')),
    truth('evaluation: use_random_iter ignored', EVALUATE + BEGIN, EVALUATE + BEGIN.replace(' or use_random_iter', '')),
    truth('evaluation: mean for sum', "nn.CrossEntropyLoss(reduction='sum')", 'nn.CrossEntropyLoss()'),
    truth('vocabulary turned round in the checkpoint', 'vocab.idx_to_token[1:]', 'vocab.idx_to_token[:0:-1]'),
    guard('checkpoint hash not checked', "if metadata.get('sha256') != checkpoint_hash(data):", "if not metadata.get('sha256'):"),
    guard('loaded parameters without gradients', '.to(device).requires_grad_()', '.to(device)'),
]
