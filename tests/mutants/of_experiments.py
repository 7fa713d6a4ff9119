"""What would be wrong with 05_experiments.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('05_experiments')

MUTANTS = [
    truth('best copy aliased, training', "kept['train'] = copy.deepcopy(net.params)", "kept['train'] = net.params"),
    truth('best copy aliased, validation', "kept['val'] = copy.deepcopy(net.params)", "kept['val'] = net.params"),
    truth('worst copy kept, training', "if ppl == min(run['train']):", "if ppl == max(run['train']):"),
    truth('worst copy kept, validation', "min(run['val'].values()):", "max(run['val'].values()):"),
    truth('validated on the training part', 'evaluate_perplexity(net, val_batches, device)', 'evaluate_perplexity(net, train_iter, device)'),
    truth('windows not shuffled', 'batch_size, num_steps, random_windows)', 'batch_size, num_steps, False)'),
    truth('state never reset', 'device, reset_state, theta, norms)', 'device, False, theta, norms)'),
    truth('threshold ignored', 'device, reset_state, theta, norms)', 'device, reset_state, math.inf, norms)'),
    truth('validated after other epochs', 'if epoch % 10 == 0 or', 'if epoch % 10 == 1 or'),
    guard('the same parameters for every seed', 'torch.manual_seed(seed)', 'torch.manual_seed(0)'),
    guard('the same cutting for every seed', '    random.seed(seed)', '    random.seed(0)'),
    guard('a diverged run goes on', "            break\n", "            continue\n"),
]
