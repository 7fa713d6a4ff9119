"""What would be wrong with 02_model.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('02_model')

STEP = 'pass tensors of one and the same step'  # what a figure says

MUTANTS = [
    # init_rnn_params, get_params
    truth('weights a hundred times too large', 'torch.randn(size=shape, device=device) * 0.01', 'torch.randn(size=shape, device=device)'),
    truth('weights uniform', 'torch.randn(size=shape, device=device) * 0.01', 'torch.rand(size=shape, device=device) * 0.01'),
    truth('a bias that is not zero', 'b_q = torch.zeros(num_outputs, device=device)', 'b_q = torch.ones(num_outputs, device=device)'),
    truth('parameters without gradients', 'param.requires_grad_(True)', 'param.requires_grad_(False)'),
    guard('no hidden units', 'check_positive(num_inputs=num_inputs, num_hiddens=num_hiddens, num_outputs=num_outputs)', 'pass'),
    truth('outputs as many as hidden units', 'return init_rnn_params(vocab_size, num_hiddens, vocab_size, device)', 'return init_rnn_params(vocab_size, num_hiddens, num_hiddens, device)'),
    truth('inputs as many as hidden units', 'return init_rnn_params(vocab_size, num_hiddens, vocab_size, device)', 'return init_rnn_params(num_hiddens, num_hiddens, vocab_size, device)'),
    # init_rnn_state
    truth('random initial state', 'return (torch.zeros((batch_size, num_hiddens), device=device),)', 'return (torch.randn((batch_size, num_hiddens), device=device),)'),
    truth('initial state that is learned', 'return (torch.zeros((batch_size, num_hiddens), device=device),)',
          'return (torch.zeros((batch_size, num_hiddens), device=device, requires_grad=True),)', refused="Can't call numpy() on Tensor that requires grad"),
    guard('a state without rows', '    check_positive(batch_size=batch_size, num_hiddens=num_hiddens)\n', ''),
    # rnn
    truth('hidden bias left out', 'torch.tanh(X @ W_xh + H @ W_hh + b_h)', 'torch.tanh(X @ W_xh + H @ W_hh)', refused=STEP),
    truth('output bias left out', 'Y = H @ W_hq + b_q  ', 'Y = H @ W_hq  ', refused=STEP),
    truth('another activation', 'H = torch.tanh(X @', 'H = torch.sigmoid(X @', refused=STEP),
    truth('no activation', 'H = torch.tanh(X @ W_xh + H @ W_hh + b_h)', 'H = X @ W_xh + H @ W_hh + b_h', refused=STEP),
    truth('recurrent weights transposed', 'H @ W_hh + b_h)      #', 'H @ W_hh.T + b_h)      #', refused=STEP),
    truth('outputs from the state before', 'Y = H @ W_hq + b_q  ', 'Y = (outputs[-1] if outputs else H @ W_hq + b_q)  '),
    truth('state not handed from step to step', 'H @ W_hh + b_h)      #', 'state[0] @ W_hh + b_h)      #'),
    truth('state cut off at each step', 'H @ W_hh + b_h)      #', 'H.detach() @ W_hh + b_h)      #'),
    truth('initial state ignored', '    H, = state\n', '    H, = (torch.zeros_like(state[0]),)\n', refused=STEP),
    truth('last state not returned', 'return torch.cat(outputs, dim=0), (H,)', 'return torch.cat(outputs, dim=0), state'),
    truth('outputs concatenated along the wrong axis', 'torch.cat(outputs, dim=0)', 'torch.cat(outputs, dim=1)'),
    truth('outputs batch first', 'torch.cat(outputs, dim=0)', 'torch.stack(outputs, dim=1).flatten(0, 1)'),
    truth('time backwards', '    for X in inputs:  ', '    for X in inputs.flip(0):  '),
    # check_batch
    guard('state of the wrong batch size let through', 'if tensor.shape[0] != X.shape[0]:', 'if tensor.shape[0] > X.shape[0]:'),
    guard('one-hot vectors for indices', 'if X.dim() != 2 or', 'if'),
    guard('numbers that are no indices', 'if X.dim() != 2 or X.is_floating_point():', 'if X.dim() != 2:'),
    guard('the device of the state is not looked at', "(('X', [X]), ('the state', state))", "(('X', [X]),)"),
    guard('the device of the inputs is not looked at', "(('X', [X]), ('the state', state))", "(('the state', state),)"),
    # RNNModelScratch
    truth('no transpose', 'F.one_hot(X.T.long()', 'F.one_hot(X.long()', refused='must match the size'),
    truth('reshape for transpose', 'F.one_hot(X.T.long()', 'F.one_hot(X.reshape(X.T.shape).long()'),
    guard('nothing is looked at before it is computed', '        check_batch(X, state, self.params)\n', ''),
    guard('inputs in another type than the parameters', '.type(self.params[0].dtype)  # (T, B, V)', '.type(torch.float32)  # (T, B, V)', refused='same dtype'),
    guard('state in another type than the parameters', 'return tuple(tensor.type(self.params[0].dtype) for tensor in state)', 'return state', refused='same dtype'),
    truth('a state of one row', 'self.init_state(batch_size, self.num_hiddens, device)', 'self.init_state(1, self.num_hiddens, device)', refused='the state has 1 rows'),
]
