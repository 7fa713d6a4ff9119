"""What would be wrong with workshop/corpus.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('workshop/corpus')

MUTANTS = [
    guard('hidden files are read', "if path.name.startswith('.'):", "if path.name.endswith('.'):"),
    guard('links are followed', 'if path.is_symlink():', 'if not path.exists():', test='tests/test_corpus.py -k folders_links'),
    guard('binary files are read', "if b'\\0' in start and not", "if b'\\0\\0' in start and not"),
    truth('folders in the order of the disk', 'sorted(folder.iterdir(), key=lambda path: path.name)', 'sorted(folder.iterdir(), key=lambda path: path.name, reverse=True)'),
    guard('a file is read twice', 'if why is None and file.resolve() in files:', 'if why is None and file in files:', test='tests/test_corpus.py -k given_twice'),
    guard('an address is a path', "re.match('[a-z]+://', str(path), re.I)", "re.match('[a-z]+:///', str(path), re.I)"),
    guard('an empty file is a text', 'if is_blank(file.read(2 ** 16)):', 'if not file.read(2 ** 16):'),
    truth('a return that is cut off is lost', "if piece.endswith('\\r') and piece != held else ''", "if piece.endswith('\\n') and piece != held else ''"),
    guard('zero bytes are text', "if '\\0' in piece:", "if '\\0\\0' in piece:"),
    truth('files fuse', "if last != '\\n':\n                yield '\\n'", "if last != '\\n':\n                yield ''"),
    truth('words are cut where pieces end', "rest = '' if piece[-1].isspace() else words.pop()", "rest = ''"),
    truth('the mark of a text is of its words', "sha1.update(piece.encode('utf-8'))", "sha1.update(piece.strip().encode('utf-8'))"),
    truth('an index type too small', 'if vocab_size - 1 <= torch.iinfo(dtype).max', 'if vocab_size - 2 <= torch.iinfo(dtype).max'),
    truth('an index type too large', 'if vocab_size - 1 <= torch.iinfo(dtype).max', 'if vocab_size <= torch.iinfo(dtype).max'),
    truth('the vocabulary of a part has a token more', 'max(0, vocab_tokens - left)', 'max(0, vocab_tokens - left + 1)'),
    truth('one token more than asked for', 'left = min(left, max_tokens) if', 'left = min(left, max_tokens + 1) if'),
    guard('a text that was replaced', 'if piece is None or hash_of(piece) != was:', 'if piece is None or was is None:', test='tests/test_corpus.py -k replaced_by'),
    guard('one token alone is learned', 'if len(counter) < 2:', 'if len(counter) < 1:'),
    truth('words are told apart by their number', 'hash(piece if isinstance(piece, str) else tuple(piece))', 'hash(piece if isinstance(piece, str) else len(piece))', test='tests/test_corpus.py -k replaced_by'),
]
