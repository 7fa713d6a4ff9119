"""What would be wrong with 07_gates.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('07_gates')

STEP = 'pass tensors of one and the same step'  # what a figure says

MUTANTS = [
    guard('parameters not counted', 'if len(params) != len(param_names):', 'if len(params) > len(param_names):'),
    guard('a state of one row let through', 'len(state) != num_states or any(tensor.shape != shape for tensor in state)', 'len(state) != num_states'),
    truth('one gate for two', 'reset_gate = get_params(vocab_size, num_hiddens, device)[:3]', 'reset_gate = update_gate'),
    truth('b_hh not zero', 'b_hh = torch.zeros(num_hiddens,', 'b_hh = torch.ones(num_hiddens,'),
    truth('update gate upside down', 'H = Z * H + (1 - Z) * H_tilde', 'H = (1 - Z) * H + Z * H_tilde'),
    truth('no reset gate', 'past = R * (H @ W_hh + b_hh)', 'past = H @ W_hh + b_hh'),
    truth('reset gate before the product', 'past = R * (H @ W_hh + b_hh)', 'past = (R * H) @ W_hh + b_hh', refused=STEP),
    truth('b_hh outside the reset gate', 'past = R * (H @ W_hh + b_hh)', 'past = R * (H @ W_hh) + b_hh', refused=STEP),
    truth('the book by default', 'reset_after=True,  #', 'reset_after=False,  #', refused=STEP),
    truth('the book not by its formula', 'past = (R * H) @ W_hh + b_hh', 'past = R * (H @ W_hh + b_hh)'),
    truth('gates never see the new state', 'X @ W_xz + H @ W_hz', 'X @ W_xz + state[0] @ W_hz'),
    truth('GRU: last state not returned', 'return torch.cat(outputs, dim=0), (H,)', 'return torch.cat(outputs, dim=0), state'),
    truth('one tensor for two states', 'return H, torch.zeros_like(H) ', 'return H, H '),
    truth('forget and input gate exchanged', 'C = F * C + I * C_tilde', 'C = I * C + F * C_tilde'),
    truth('what is forgotten is written', 'C = F * C + I * C_tilde', 'C = F * C + (1 - F) * C_tilde'),
    truth('no output gate', 'H = O * torch.tanh(C)', 'H = torch.tanh(C)'),
    truth('the memory shown without tanh', 'H = O * torch.tanh(C)', 'H = O * C', refused=STEP),
    truth('sigmoid for the candidate', 'C_tilde = torch.tanh(', 'C_tilde = torch.sigmoid(', refused=STEP),
    truth('states exchanged', 'return torch.cat(outputs, dim=0), (H, C)', 'return torch.cat(outputs, dim=0), (C, H)'),
    guard('batch first let through', ' or rnn_layer.batch_first:', ':'),
    truth('concise: outputs batch first', 'self.linear(Y.reshape(-1, Y.shape[-1]))', 'self.linear(Y.transpose(0, 1).reshape(-1, Y.shape[-1]))'),
    truth('concise: hidden size for both directions', 'self.num_directions * self.num_hiddens, vocab_size', 'self.num_hiddens, vocab_size', refused='cannot be multiplied'),
    truth("PyTorch's order of a GRU's gates kept", '3: [1, 0, 2]', '3: [0, 1, 2]'),
    truth("PyTorch's order of an LSTM's gates kept", '4: [0, 1, 3, 2]', '4: [0, 1, 2, 3]'),
    truth('one bias of two', 'W_h.T, b_x + b_h]', 'W_h.T, b_x]', refused='not have been used in the graph'),
    truth('the biases of the candidate added up', 'params[-1:] = [b_x, b_h]', 'params[-1:] = [b_x + b_h, torch.zeros_like(b_h)]'),
]
