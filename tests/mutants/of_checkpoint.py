"""What would be wrong with workshop/checkpoint.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('workshop/checkpoint')

MUTANTS = [
    truth('the names of the GRU for the LSTM', "'lstm': (LSTM_PARAMS,", "'lstm': (LSTM_PARAMS[::-1],"),
    truth('the output bias as long as the state', "return (V,) if name == 'b_q' else (H,)", "return (H,)"),
    truth('shape of the output weights turned round', "V if name == 'W_hq' else H)", "H)"),
    guard('a forward function of its own', 'if net.forward_fn is forward_fn and', 'if (net.forward_fn is forward_fn or kind == "gru") and'),
    guard('a first state of its own', 'net.init_state in (init_state, init_rnn_state if kind == \'gru\' else init_state)', 'net.init_state'),
    guard('a module of PyTorch', 'if not isinstance(net, RNNModelScratch):', 'if net is None:', refused='forward_fn'),
    guard('parameters missing in the file', 'if set(params) != set(names):', 'if set(params) - set(names):'),
    guard('any shape will do', 'if param.shape != param_shape(name, V, H):', 'if param.dim() != len(param_shape(name, V, H)):'),
    truth('the hash of something else', "return hashlib.sha256(with_hash(data, '0' * 64)).hexdigest()", "return hashlib.sha256(data).hexdigest()", refused='SHA-256 differs'),
    truth('the hash put in nowhere', "return HASH_FIELD.sub(", "return data or HASH_FIELD.sub(", refused='SHA-256 differs'),
    guard('a parameter too few', 'if len(net.params) != len(names):', 'if len(net.params) > len(names):'),
    guard('shared memory', 'if len({param.untyped_storage().data_ptr() for param in net.params}) < len(names):', 'if len(net.params) < len(names):', refused='share memory'),
    guard('a tensor with the name of a parameter', 'if set(more) & set(names):', 'if set(more) == set(names):'),
    truth('vocabulary turned round', 'vocab.idx_to_token[1:]', 'vocab.idx_to_token[:0:-1]'),
    truth('<unk> stored twice', 'vocab.idx_to_token[1:]', 'vocab.idx_to_token', refused='reserved_tokens must differ'),
    guard('a pickle not told apart', "if data.startswith((b'PK', b'\\x80'))", "if data.startswith((b'KP', b'\\x81'))"),
    guard('a file of another program', "if not header.get('format', '').startswith('rnn_scratch ') or 'sha256' not in header:", "if 'weights' in names:",
          refused="'sha256'"),
    guard('hash not checked', "if header['sha256'] != checkpoint_hash(data):", "if not header['sha256']:"),
    guard('another version', "if header['format'] != FORMAT:", "if header['format'] > FORMAT:"),
    truth('the last settings for the tokens', "json.loads(header['tokens']), json.loads(header['settings'])", "json.loads(header['settings']), json.loads(header['tokens'])"),
    guard('another kind of cell', "if header['cell'] not in CELLS:", "if not header['cell']:", refused='tree'),
    guard('loaded parameters without gradients', '.to(device).requires_grad_()', '.to(device)'),
    truth('parameters in another order', 'lambda *_: [params[name] for name in names]', 'lambda *_: [params[name] for name in sorted(names)]'),
    truth('always a plain net', "names, init_state, forward_fn = CELLS[header['cell']]", "names, init_state, forward_fn = CELLS['rnn']"),
]
