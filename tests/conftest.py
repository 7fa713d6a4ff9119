"""What all tests share."""


def pytest_addoption(parser):
    parser.addoption('--table', action='store_true', help='print which assert catches which mutant')
    parser.addoption('--share', default='1/1', help='run a share of the mutants: 2/4 takes every fourth, beginning with the second')


def pytest_collection_modifyitems(config, items):
    first, every = map(int, config.getoption('--share').split('/'))
    if every == 1: return
    mutants = list(dict.fromkeys(item.callspec.params['mutant'] for item in items
                                 if item.name.startswith('test_the_mutant_is_caught')))
    left_out = {mutant for i, mutant in enumerate(mutants) if i % every != first - 1}
    dropped = [item for item in items if item.name.startswith('test_the_mutant_is_caught')
               and item.callspec.params['mutant'] in left_out]
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if item not in dropped]
