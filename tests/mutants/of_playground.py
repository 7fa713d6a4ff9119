"""What would be wrong with 08_playground.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('08_playground')

MUTANTS = [
    guard('other shapes packed', 'if shapes != [(V, H), (H, H), (H,), (H, V), (V,)]:', 'if len(shapes) < 5:'),
    guard('other shapes of five packed', 'if shapes != [(V, H), (H, H), (H,), (H, V), (V,)]:', 'if len(shapes) != 5:'),
    guard('infinite numbers packed', 'if not half.isfinite().all():', 'if half.isnan().any():'),
    truth('numbers column after column', 'half.numpy().astype', 'half.T.numpy().astype'),
    truth('high byte first', "'<f2'", "'>f2'"),
    guard('the hash of the JSON alone', 'PREAMBLE.pack(MAGIC, VERSION, len(content), hashlib.sha256(content).digest())', 'PREAMBLE.pack(MAGIC, VERSION, len(content), hashlib.sha256(header).digest())', refused=''),
    guard('another mark accepted', 'if not MAGIC.startswith(data[:8]):', 'if False:'),
    guard('another version accepted', "if len(data) >= 12 and int.from_bytes(data[8:12], 'little') != VERSION:", "if len(data) >= 12 and int.from_bytes(data[8:12], 'little') > 2:"),
    guard('a byte too many accepted', 'if len(data) != length:', 'if len(data) < length:'),
    guard('the hash not checked', 'if hashlib.sha256(content).digest() != data[16:48]:', 'if not data[16:48]:'),
    truth('read in another order', 'shapes = (V, H), (H, H), (H,), (H, V), (V,)\n    parts', 'shapes = (V, H), (H, H), (V,), (H, V), (H,)\n    parts', refused='could not be broadcast'),
    truth('read as float32', 'dtype=torch.float16).double()', 'dtype=torch.float16).float()', refused='same dtype'),
    truth('the seed not written', 'seed=seed, corpus_sha1=corpus_sha1)', 'seed=None, corpus_sha1=corpus_sha1)'),
    truth('<unk> twice in the vocabulary', "reserved_tokens=header['tokens'][1:]", "reserved_tokens=header['tokens']", refused='reserved_tokens must differ'),
    truth('the forward pass in float32', 'rnn(inputs.double(), tuple(H.double() for H in state), params)', 'rnn(inputs, state, [param.float() for param in params])', refused='same dtype'),
    guard('a missing file in the library\'s words', "except FileNotFoundError:\n        raise FileNotFoundError(f'there is no weights file {path}: make one with write_weights') from None", 'except FileNotFoundError:\n        raise'),
]
