"""What would be wrong with workshop/parallel.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('workshop/parallel')

MUTANTS = [
    truth('a row belongs to two', 'slice(batch_size * rank // size, batch_size * (rank + 1) // size)', 'slice(batch_size * rank // size, batch_size * (rank + 1) // size + 1)'),
    truth('the last row belongs to none', 'batch_size * (rank + 1) // size)', 'batch_size // size * (rank + 1))'),
    guard('more processes than rows', 'if size > batch_size:', 'if size > batch_size + 1:'),
    truth('the mean of means', 'return total / n', 'return total / 2 / count * 1.01'),
    truth('each gradient counts whole', 'return None, ctx.share * grad, None', 'return None, grad, None'),
    truth('gradients are not added up', 'flat = ctx.ranks.sum(torch.cat([grad.flatten() for grad in grads]))', 'flat = torch.cat([grad.flatten() for grad in grads])'),
    truth('gradients in another order', 'for part, grad in zip(parts, grads))', 'for part, grad in zip(parts[::-1], grads))'),
    guard('one process alone begins', 'if not dist.is_torchelastic_launched():', 'if dist.is_torchelastic_launched():'),
]
