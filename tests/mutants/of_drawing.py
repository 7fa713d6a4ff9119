"Mutants of workshop/drawing: numbers that a reader reads off a figure, and the checks of a figure."
from mutants import mutants_of

truth, guard = mutants_of('workshop/drawing')
MUTANTS = [
    truth('a minus sign stays before zero', "if float(words) else words.lstrip('-')", 'if words else words'),
    truth('small values lose a decimal', '>= 0.1 else 3', '>= 0.1 else 2'),
    truth('the colour ignores the sign', 'VALUES(0.5 + 0.35 * value / most)', 'VALUES(0.5 + 0.35 * abs(value) / most)'),
    truth('the last row is left out', '[*range(most - 2), None, n - 1]', '[*range(most - 2), None, n - 2]'),
    truth('the font of the package is not used', "return [OWN, *found(), 'DejaVu Sans']", "return [*found(), 'DejaVu Sans']"),
    guard('values keep their graph', 'tensor.detach().cpu() if', 'tensor.cpu() if'),
    guard('a rare character is drawn as a box without a word', '        _say_missing(missing)', '        pass'),
    guard('a value that is not finite is drawn', 'if not all(tensor.isfinite().all()', 'if not all(True'),
]
