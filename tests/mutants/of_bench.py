"""What would be wrong with workshop/bench.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('workshop/bench')

MUTANTS = [
    truth('plain at another learning rate', 'partial(d2l.sgd, net.params, 1), minibatches(V, B, T)', 'partial(d2l.sgd, net.params, 0.5), minibatches(V, B, T)'),
    truth('labels are the inputs', 'text[:, i * T + 1:(i + 1) * T + 1]', 'text[:, i * T:(i + 1) * T]'),
    truth('nn.RNN never updated', '            updater.step()\n', '            updater.state\n'),
    truth('always the same one first', 'names.append(names.pop(0))', 'names.append(names.pop())'),
    truth('the first runs are timed', 'for step in [*steps.values()] * 2:', 'for step in []:'),
    guard('ends too early', 'while len(times[names[0]]) < rounds or time.perf_counter() - start < seconds:', 'while len(times[names[0]]) < rounds:'),
    guard('garbage is never collected again', '    finally:\n        gc.enable()', '    finally:\n        gc.isenabled()'),
    truth('ratio upside down', '[a / b for a, b in zip(times[slow], times[fast])]', '[b / a for a, b in zip(times[slow], times[fast])]'),
    truth('another percentile', 'torch.tensor([0.1, 0.5, 0.9]', 'torch.tensor([0.1, 0.6, 0.9]'),
    truth('share turned round', "ratio(paces, 'quiet', name) for name", "ratio(paces, name, 'quiet') for name"),
    truth('epochs not counted', 'paces[name].append(passed / (epoch * STEPS * B * T))', 'paces[name].append(passed * 0 + epoch)'),
    guard('busy processes go on', '            process.kill()\n            process.wait()', '            process.poll()'),
    guard('busy without end', 'while time.monotonic() < end: pass', 'while True: pass', refused='timed out'),
    truth('only one is busy', 'for _ in range(count):', 'for _ in range(min(count, 1)):'),
    guard('a folder that is missing', "if path and not os.access(path.absolute().parent, os.W_OK):", "if path and not path:"),
    guard('nothing to draw', "if not tables:\n        raise ValueError", "if tables is None:\n        raise ValueError"),
]
