"""What would be wrong with workshop/files.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('workshop/files')

MUTANTS = [
    guard('written in place', "part = path.with_name(f'{path.name}.{os.getpid()}.part')", 'part = path', refused='No such file'),
    guard('what is half written takes the place', '        replace(part, path)\n    except OSError as error:', '    except OSError as error:', refused='No such file'),
    guard('the part stays', 'part.unlink(missing_ok=True)', 'part.exists()'),
    guard('the error names no file', 'raise OSError(error.errno, error.strerror, os.fspath(path)) from error', 'raise'),
    guard('a file held open is tried once', 'patience=10,', 'patience=1,', refused='Permission denied'),
    truth('line ends of the system', "encoding='utf-8', newline='\\n')", "encoding='utf-8', newline='\\r\\n')"),
    truth('Big5 taken for GB18030', 'return max(shares, key=shares.get, default=None)', 'return min(shares, key=shares.get, default=None)'),
    truth('the commonest characters among all', "if char > '\\x7f']\n        share", "if char]\n        share"),
    truth('UTF-16 the wrong way round', "(('UTF-16LE', start[::2]), ('UTF-16BE', start[1::2]))", "(('UTF-16LE', start[1::2]), ('UTF-16BE', start[::2]))"),
    truth('a cut character is an error', 'codecs.getincrementaldecoder(name)().decode(start)\n        except', 'start.decode(name)\n        except'),
    guard('zero bytes are text', "at = data.find(b'\\0')", 'at = -1', refused="'NoneType' object"),
    guard('damaged UTF-8 is another encoding', "if sum(char > '\\x7f' for char in good) > 2:", "if sum(char > '\\x7f' for char in good) > 200:"),
]
