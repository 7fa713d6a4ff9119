"Mutants of workshop/machines: a row that changes nothing would be green for nothing."
from mutants import mutants_of

truth, guard = mutants_of('workshop/machines')
MUTANTS = [
    truth('a failure is counted as passed', "sum(line['passed'] for line in ran)", 'len(ran)'),
    truth('the oldest result counts', 'for l in lines}.values()', 'for l in lines[::-1]}.values()'),
    guard('a row without an effect is not marked', "return 'no effect here'", "return 'this machine'"),
    guard('a line written half way is read', "if l.endswith('}')", 'if l',
          refused='Unterminated string'),
]
