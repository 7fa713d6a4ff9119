"""What would be wrong with 06_bptt.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('06_bptt')

LARGE = '''    if len(W_xh) > len(place):
'''

MUTANTS = [
    # forward_states
    truth('the first state left out', 'hiddens = [H]', 'hiddens = [torch.zeros_like(H)]'),
    truth('states: no bias', 'W_xh.index_select(0, x) + hiddens[-1] @ W_hh + b_h', 'W_xh.index_select(0, x) + hiddens[-1] @ W_hh'),
    guard('a negative index counts from the end', 'hiddens.append(torch.tanh(W_xh.index_select(0, x)', 'hiddens.append(torch.tanh(W_xh[x]'),
    # softmax_gradient
    truth('1 taken off in the columns of all labels', 'G[torch.arange(len(y)), y] -= 1', 'G[:, y] -= 1'),
    truth('a sum for a mean in the gradient', 'return l, G / len(y)', 'return l, G'),
    truth('mean over the vocabulary', 'return l, G / len(y)', 'return l, G / logits.shape[1]'),
    # bptt
    truth('derivative of tanh of the state before', '* (1 - hiddens[t + 1] ** 2)', '* (1 - hiddens[t] ** 2)'),
    truth('time forwards on the way back', 'for t in reversed(range(T)):', 'for t in range(T):'),
    truth('nothing comes back through time', 'D[t] = (D[t] + grad_H)', 'D[t] = D[t]'),
    truth('W_hh not transposed on the way back', 'grad_H = D[t] @ W_hh.T', 'grad_H = D[t] @ W_hh'),
    truth('W_hh from the states after', 'grad_W_hh = before.T @ D', 'grad_W_hh = after.T @ D'),
    truth('the bias over the wrong axis', 'grad_b_q = G.sum(dim=0)', 'grad_b_q = G.sum(dim=1)'),
    truth('a token read twice counts once', 'index_add_(0, tokens.flatten(), D)   # (V, H)', 'index_copy_(0, tokens.flatten(), D)   # (V, H)'),
    # BPTT
    truth('autograd: rows before time', 'logits = torch.addmm(params[4], hiddens[1:].flatten(0, 1), params[3])   # (T*B, V)', 'logits = torch.addmm(params[4], hiddens[1:].transpose(0, 1).flatten(0, 1), params[3])', refused='Jacobian mismatch'),
    truth('autograd: the last state gets no gradient', 'bptt(tokens, hiddens, G, params, grad_H)\n', 'bptt(tokens, hiddens, G, params, 0)\n', refused='Jacobian mismatch'),
    truth('autograd: the first state gets no gradient', 'return None, grad_H_0, *grads', 'return None, None, *grads', refused='Jacobian mismatch'),
    guard('the last state is a view', 'return logits, hiddens[-1].clone()', 'return logits, hiddens[-1]', refused="Can't detach views in-place"),
    # Buffers
    guard('Buffers can be copied', "raise TypeError('Buffers cannot be copied or pickled: make new ones with Buffers(B, T, params)')", 'return object.__reduce__(self)'),
    truth('rows for all the vocabulary', 'new(sum(sizes) + min(V, T * B) * H), min(V, T * B)', 'new(sum(sizes) + V * H), V'),
    truth('not averaged at the labels', 'new(T * B, 1).fill_(-1 / (T * B))', 'new(T * B, 1).fill_(-1 / B)'),
    # step_forward
    truth('fast: the first state left out', '    hiddens[0] = H\n', '    hiddens[0] = 0 * H\n'),
    truth('fast: no bias with a large vocabulary', 'out=after).add_(b_h)', 'out=after)'),
    truth('fast: no bias with a small vocabulary', 'torch.index_select(W_xh + b_h, 0,', 'torch.index_select(W_xh, 0,'),
    # step_loss
    guard('exp may overflow', 'G.sub_(G.amax(dim=1, keepdim=True))', 'G.sub_(0)'),
    truth('the largest over the wrong axis', 'G.sub_(G.amax(dim=1, keepdim=True))', 'G.sub_(G.amax(dim=0, keepdim=True))'),
    truth('the loss a sum', '(total.log() - right).mean().item()', '(total.log() - right).sum().item()'),
    truth('fast: a sum for a mean in the gradient', 'G.div_(total.mul_(len(y)))', 'G.div_(total)'),
    # step_backward
    truth('W_hh copied once', 'W_hh_T = buffers.W_hh_T.copy_(W_hh.T)', 'W_hh_T = buffers.W_hh_T.copy_(W_hh)'),
    truth('fast: no tanh', 'D_next = tanh_backward(D_t, H, grad_input=D_t)', 'D_next = D_t'),
    truth('the gradient of the last step is still there', '.zero_().index_add_(0, place, D)', '.index_add_(0, place, D)'),
    truth('rows by token in a large vocabulary', LARGE + '        buffers.read, place = place.unique(return_inverse=True)', LARGE + '        buffers.read, place = place.unique(), place % len(place)'),
    # step_update
    truth('fast: clipped to another norm', 'theta / norm if norm > theta else 1', 'theta / norm ** 2 if norm > theta else 1'),
    truth('short gradients stretched', 'theta / norm if norm > theta else 1', 'theta / norm'),
    truth('the norm without W_xh', 'buffers.flat[:len(buffers.flat) + rows.numel() - buffers.rows.numel()]', 'buffers.flat[:len(buffers.flat) - buffers.rows.numel()]'),
    truth('uphill', 'factor = -lr *', 'factor = lr *'),
    # train_step
    guard('labels below the vocabulary', 'if low < 0 or high >= len(params[4]):', 'if high >= len(params[4]):', refused='out of bounds'),
    guard('labels one above the vocabulary', 'high >= len(params[4]):', 'high > len(params[4]):', refused='out of bounds'),
    guard('a loss beyond a float goes on', 'if not l < math.log(sys.float_info.max):', 'if not l < math.inf:'),
    guard('a loss stops too early', 'if not l < math.log(sys.float_info.max):', 'if not l < math.log(sys.float_info.max) - 1:', refused='the loss became 709'),
    guard('the loss is looked at after the update', '''    if not l < math.log(sys.float_info.max):
        raise FloatingPointError(f'the loss became {l}: try a smaller learning rate')
    step_backward(tokens, params, buffers)
    norm = step_update(params, lr, theta, buffers)
''', '''    step_backward(tokens, params, buffers)
    norm = step_update(params, lr, theta, buffers)
    if not l < math.log(sys.float_info.max):
        raise FloatingPointError(f'the loss became {l}: try a smaller learning rate')
'''),
    truth('fast: labels not transposed', 'l = step_loss(Y.T.reshape(-1), buffers)', 'l = step_loss(Y.reshape(-1), buffers)'),
    guard('the state is our memory', 'return l, norm, buffers.hiddens[-1].clone()', 'return l, norm, buffers.hiddens[-1]'),
    # generate
    truth('<unk> is written', 'x = scores[:, 1:].argmax(dim=1).add_(1)', 'x = scores.argmax(dim=1)'),
    truth('one index too low', 'argmax(dim=1).add_(1)', 'argmax(dim=1)'),
    truth('the last of the prefix read twice', '*prefix, x = torch.tensor(indices, device=W_xh.device).split(1)', '*prefix, x = torch.tensor([*indices, indices[-1]], device=W_xh.device).split(1)'),
    guard('NaN is written on', 'if num_preds and scores.max().isnan():', 'if num_preds < 0:'),
    # why_plain and RNNModelFast
    guard('autocast not noticed', 'if product.dtype != H.dtype:', 'if product.dtype == torch.float16:', refused="'NoneType' is not iterable"),
    guard('other shapes not noticed', 'if shapes != [(V, num), (num, num), (num,), (num, V), (V,)]:', 'if len(shapes) != 5:', refused='warn'),
    guard('a state too narrow not noticed', 'if H.dim() != 2 or H.shape[1] != num:', 'if H.dim() != 2:', refused='NoneType'),
    guard('it says so again and again', 'if reason and reason not in self.told:', 'if reason:'),
    guard('memory goes along with a copy', "return {**self.__dict__, 'buffers': None}", 'return dict(self.__dict__)', refused='Buffers cannot be copied'),
    guard('a frozen parameter moves', 'free = [param for param in self.params if param.requires_grad]', 'free = self.params'),
    guard('computed parameters are trained', 'if not all(param.is_leaf for param in self.params):', 'if not self.params:'),
    guard('no minibatch', 'if metric[1] == 0:', 'if metric[1] < 0:', refused='float division by zero'),
    truth('perplexity over minibatches', 'metric.add(l * Y.numel(), Y.numel())', 'metric.add(l, 1)'),
    truth('speed in minibatches', 'metric[1] / timer.stop()', 'metric[0] / timer.stop()'),
    truth('fast: the state never carried', '            if state is None or use_random_iter:\n                state = self.begin_state(X.shape[0], device)\n            check_batch', '            if True:\n                state = self.begin_state(X.shape[0], device)\n            check_batch'),
    truth('fast: use_random_iter ignored', '            if state is None or use_random_iter:\n                state = self.begin_state(X.shape[0], device)\n            check_batch', '            if state is None:\n                state = self.begin_state(X.shape[0], device)\n            check_batch'),
    guard('one state for all rows', "            check_batch(X, state, self.params)\n            sizes =", "            sizes ="),
]
