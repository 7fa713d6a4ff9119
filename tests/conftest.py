"""What all tests share."""


def pytest_addoption(parser):
    parser.addoption('--table', action='store_true', help='print which assert catches which mutant')
