"""What would be wrong with 02_model.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('02_model')

STEP = 'pass tensors of one and the same step'  # what a figure says

MUTANTS = [
    truth('weights a hundred times too large', 'torch.randn(size=shape, device=device) * 0.01', 'torch.randn(size=shape, device=device)'),
    truth('parameters without gradients', 'param.requires_grad_(True)', 'param.requires_grad_(False)'),
    truth('random initial state', 'return (torch.zeros((batch_size, num_hiddens), device=device),)', 'return (torch.randn((batch_size, num_hiddens), device=device),)'),
    truth('hidden bias left out', 'torch.tanh(X @ W_xh + H @ W_hh + b_h)', 'torch.tanh(X @ W_xh + H @ W_hh)', refused=STEP),
    truth('output bias left out', 'Y = H @ W_hq + b_q  ', 'Y = H @ W_hq  ', refused=STEP),
    truth('another activation', 'H = torch.tanh(X @', 'H = torch.sigmoid(X @', refused=STEP),
    truth('state not handed from step to step', 'H @ W_hh + b_h)      #', 'state[0] @ W_hh + b_h)      #'),
    truth('initial state ignored', '    H, = state\n', '    H, = (torch.zeros_like(state[0]),)\n', refused=STEP),
    truth('last state not returned', 'return torch.cat(outputs, dim=0), (H,)', 'return torch.cat(outputs, dim=0), state'),
    truth('outputs concatenated along the wrong axis', 'torch.cat(outputs, dim=0)', 'torch.cat(outputs, dim=1)'),
    truth('outputs batch first', 'torch.cat(outputs, dim=0)', 'torch.stack(outputs, dim=1).flatten(0, 1)'),
    truth('no transpose', 'F.one_hot(X.T.long()', 'F.one_hot(X.long()', refused='must match the size'),
    truth('reshape for transpose', 'F.one_hot(X.T.long()', 'F.one_hot(X.reshape(X.T.shape).long()'),
    guard('state of the wrong batch size let through', 'if tensor.shape[0] != X.shape[0]:', 'if tensor.shape[0] > X.shape[0]:'),
]
