"""What would be wrong with 04_train.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('04_train')

# what stands twice in 04 is told apart by the lines around it
BEGIN = '''        if state is None or use_random_iter:
            state = net.begin_state(batch_size=X.shape[0], device=device)
'''
CARRY = '''        else:
            for s in (state,) if isinstance(state, torch.Tensor) else state:
'''
DETACH = '''                s.detach_()
'''
LABELS = '''        y = Y.T.reshape(-1) '''
EVALUATE = '''    for X, Y in data_iter:                                               # (B, T), (B, T)
'''
CHECK_LOSS = '''        if not l.item() < math.log(sys.float_info.max):
            raise FloatingPointError(f'the loss became {l.item()}: try a smaller learning rate')
'''
UPDATE = '''        if isinstance(updater, torch.optim.Optimizer):
            updater.zero_grad()
        l.backward()
        norm = grad_clipping(net, theta)
        if not norm.isfinite():
            raise FloatingPointError(f'the norm of the gradient became {norm.item()}: try a smaller learning rate')
        if isinstance(updater, torch.optim.Optimizer):
            updater.step()
        else:
            updater(batch_size=1)  # the loss is a mean already
'''
EVALUATE_ADD = '''        check_labels(y, y_hat.shape[1])
        metric.add(loss(y_hat, y.long()).item(), y.numel())
'''

MUTANTS = [
    truth('clipping by value', 'grad *= theta / norm', 'grad.clamp_(-theta, theta)'),
    truth('clip factor inverted', 'grad *= theta / norm', 'grad *= norm / theta'),
    truth('short gradients stretched', 'if norm > theta:', 'if norm != theta:'),
    truth('norm without its root', 'norm = torch.sqrt(sum((torch.sum(grad ** 2) for grad in wide), torch.tensor(0.)))', 'norm = sum((torch.sum(grad ** 2) for grad in wide), torch.tensor(0.))'),
    truth('no detach', 's.detach_()', 's.requires_grad', refused='backward through the graph a second time'),
    truth('state never carried', BEGIN + CARRY, BEGIN.replace('state is None or use_random_iter', 'True') + CARRY),
    truth('use_random_iter ignored', BEGIN + CARRY, BEGIN.replace(' or use_random_iter', '') + CARRY),
    truth('labels not transposed', CARRY + DETACH + LABELS, CARRY + DETACH + LABELS.replace('Y.T', 'Y')),
    truth('.sum() for .mean()', 'l = loss(y_hat, y.long()).mean()', 'l = loss(y_hat, y.long()).sum()'),
    guard('a diverged loss goes on', 'if not l.item() < math.log(sys.float_info.max):', 'if not l.item() < math.inf and not l.item():'),
    truth('gradients not cleared', 'updater.zero_grad()', 'updater.state'),
    truth('no clipping', '        norm = grad_clipping(net, theta)\n', '        norm = grad_clipping(net, math.inf)\n'),
    truth('sgd divides twice', 'updater(batch_size=1)', 'updater(batch_size=X.shape[0])'),
    truth('perplexity of another base', 'return math.exp(metric[0] / metric[1])', 'return 2 ** (metric[0] / metric[1])'),
    truth('sample a step too late', 'if epoch % 10 == 0:', 'if epoch % 10 == 1:'),
    truth('evaluation: state not carried', EVALUATE + BEGIN, EVALUATE + BEGIN.replace('state is None or use_random_iter', 'True')),
    truth('evaluation: use_random_iter ignored', EVALUATE + BEGIN, EVALUATE + BEGIN.replace(' or use_random_iter', '')),
    truth('evaluation: mean for sum', "nn.CrossEntropyLoss(reduction='sum')", 'nn.CrossEntropyLoss()'),
    guard('half precision squared as it is', 'wide = [grad.to(torch.promote_types(grad.dtype, torch.float32)) for grad in grads]', 'wide = grads'),
    guard('a parameter without a gradient', 'grads = [p.grad for p in params if p.grad is not None]', 'grads = [p.grad for p in params if p is not None]',
          refused="'NoneType' object has no attribute"),
    guard('labels may be negative', 'if not 0 <= y.min() <= y.max() < vocab_size:', 'if not y.max() < vocab_size:'),
    truth('labels one too many', 'if not 0 <= y.min() <= y.max() < vocab_size:', 'if not 0 <= y.min() <= y.max() <= vocab_size:', refused='out of bounds'),
    truth('perplexity averaged over minibatches', 'metric.add(l.item() * y.numel(), y.numel())', 'metric.add(l.item(), 1)'),
    truth('perplexity weighted by rows', 'metric.add(l.item() * y.numel(), y.numel())', 'metric.add(l.item() * len(X), len(X))'),
    guard('loss checked after the update', CHECK_LOSS + UPDATE, UPDATE + CHECK_LOSS),
    guard('an infinite gradient goes on', 'if not norm.isfinite():', 'if norm.isnan():'),
    guard('an epoch of nothing', "    if metric[1] == 0:\n        raise ValueError('train_iter", "    if metric[1] < 0:\n        raise ValueError('train_iter",
          refused='division by zero'),
    truth('theta of its own', '        norm = grad_clipping(net, theta)\n', '        norm = grad_clipping(net, 1)\n'),
    truth('norms after clipping', 'grad_norms.append(norm.item())', 'grad_norms.append(min(norm.item(), theta))'),
    guard('evaluation of nothing', "    if metric[1] == 0:\n        raise ValueError('data_iter", "    if metric[1] < 0:\n        raise ValueError('data_iter",
          refused='division by zero'),
    truth('evaluation averaged over minibatches', EVALUATE_ADD, EVALUATE_ADD.replace('metric.add(loss(y_hat, y.long()).item(), y.numel())', 'metric.add(loss(y_hat, y.long()).item() / y.numel(), 1)')),
    guard('evaluation takes any label', EVALUATE_ADD, EVALUATE_ADD.replace('check_labels(y, y_hat.shape[1])', 'y')),
    guard('evaluation with gradients', '@torch.no_grad()\ndef evaluate_perplexity(', 'def evaluate_perplexity('),
    truth('an epoch too few', 'for epoch in range(first_epoch, num_epochs + 1):', 'for epoch in range(first_epoch, num_epochs):'),
    truth('epochs count from 1 again', 'for epoch in range(first_epoch, num_epochs + 1):', 'for epoch in range(1, num_epochs + 1):'),
    guard('parameters not checked', 'if not all(param.isfinite().all() for param in params):', 'if not all(param.isfinite().any() for param in params[:0]):'),
    guard('the epoch is not named', "raise FloatingPointError(f'epoch {epoch}: {error}') from None", 'raise'),
    guard('a curve of no epoch', 'check_positive(num_epochs=num_epochs)', 'num_epochs'),
    truth('a curve of its own', 'animator = animator or d2l.Animator(', 'animator = d2l.Animator('),
]
