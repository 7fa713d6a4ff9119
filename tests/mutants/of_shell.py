"""What would be wrong with workshop/shell.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('workshop/shell')

MUTANTS = [
    guard('a stream that failed is tried again', 'self.lost = True', 'self.lost = False'),
    guard('a closed stream is written to', 'stream is None\n', 'False\n', refused="'NoneType' object"),
    guard('a broken pipe is talked of', 'if not isinstance(error, BrokenPipeError):', 'if not isinstance(error, MemoryError):'),
    guard('a full disk is not', 'if not isinstance(error, BrokenPipeError):', 'if not isinstance(error, (OSError, ValueError)):'),
    guard('signals that are ignored stop', 'not in (signal.SIG_IGN, None)}', 'is not None}'),
    guard('the second signal stops too', 'signal.signal(other, signal.SIG_IGN)', 'signal.getsignal(other)'),
    guard('signals are not given back', '            signal.signal(number, stop)\n        yield\n    finally:', '            signal.signal(number, stop)\n        yield\n        before = {}\n    finally:'),
    guard('a signal that waited is lost', 'for number in came[:1]:', 'for number in came[1:]:'),
    truth('status without 128', 'self.status = 128 + number', 'self.status = number'),
    truth('names by the encoding of the machine', "return str(value).encode('utf-8', 'surrogateescape')", "return str(value).encode('utf-8', 'replace')"),
    truth('bytes as characters', "f'\\\\x{b:02x}'", 'chr(b)'),
    guard('cmd with single quotes', 'return subprocess.list2cmdline(words)', 'return shlex.join(words)'),
    guard('the backend of the reader', "os.environ['MPLBACKEND'] = 'agg'", "os.environ.get('MPLBACKEND')", test='tests/test_cli.py -k "wrong_backend and sample"'),
    guard('Ctrl-C while it loads is left to Python', 'signal.signal(signal.SIGINT, leave)', 'signal.getsignal(signal.SIGINT)', test='tests/test_cli.py -k while_it_loads'),
]
