"""What would be wrong with workshop/cli.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('workshop/cli')

HELD_OUT = dict(test='tests/test_cli.py -k validation_reads')
BEST = dict(test='tests/test_cli.py -k "best_epoch_and or validation_reads"')
PLACES = dict(test='tests/test_cli.py -k "bad_input_of_the_new_options and (out or log)"')
RIVAL = dict(test='tests/test_cli.py -k two_runs')
FULL = dict(test='tests/test_cli.py -k "full_disk or stays_full"')

MUTANTS = [
    # what is held out, and what validates
    truth('validates on the training text', 'threads.steady(training.val_batches)', 'threads.steady(training.train_iter)', **HELD_OUT),
    truth('trains on what is held out', 'train_iter.corpus, val_batches = hold_out(train_iter.corpus,', '_, val_batches = hold_out(train_iter.corpus,', test='tests/test_cli.py -k validation_reads'),
    truth('validates on the part it trains on', 'HeldOut(corpus[num_kept:], rows, num_steps)', 'HeldOut(corpus[:num_kept], rows, num_steps)'),
    truth('the parts overlap by a token', 'return corpus[:num_kept], HeldOut(', 'return corpus[:num_kept + 1], HeldOut('),
    truth('labels are the inputs', 'for i in (0, 1)]', 'for i in (0, 0)]'),
    truth('the last held-out minibatch is dropped', 'return self.Xs.shape[1] // self.num_steps', 'return self.Xs.shape[1] // self.num_steps - 1'),
    truth('rows of the batch size, however short', 'rows = max(1, min(batch_size, num_held // (10 * num_steps)))', 'rows = batch_size'),
    truth('the vocabulary is counted on the held-out part too', 'settings[\'min_freq\'], num_kept if num_held else None)', "settings['min_freq'])", **HELD_OUT),
    guard('a part too short by one', 'num_kept <= batch_size * num_steps or num_held <= num_steps', 'num_kept < batch_size * num_steps or num_held < num_steps'),
    guard('the whole text may be held out', 'if not 0 <= fraction < 1:', 'if not 0 <= fraction <= 1:'),
    # the best epoch, and what is remembered
    truth('best is the worst', 'new.scores[-1] < min(self.scores)', 'new.scores[-1] > max(self.scores)'),
    truth('an equal epoch is better', 'if self.scores and not new.scores[-1] < min(self.scores):', 'if self.scores and new.scores[-1] > min(self.scores):'),
    truth('best by training where a part is held out', 'return self.val_perplexities or self.perplexities', 'return self.perplexities or self.val_perplexities'),
    truth('best epoch counted from 0', 'best_epoch=len(new.perplexities), best=last)', 'best_epoch=len(self.perplexities), best=last)'),
    truth('the best parameters go on changing', 'last = tuple(param.detach().clone() for param in params)', 'last = tuple(param.detach() for param in params)'),
    truth('patience waits one more', '>= patience', '> patience'),
    truth('resumed from the best, not from the last', 'for param, last in zip(net.params, self.last):', 'for param, last in zip(net.params, self.best):'),
    truth('the generator of PyTorch is not put back', 'torch.set_rng_state(self.torch_random)', 'torch.get_rng_state()'),
    truth('the generator of Python is not put back', 'random.setstate(self.python_random)', 'random.getstate()'),
    # the checkpoint
    truth('the last is saved for the best', 'best_net.params = progress.best\n', 'best_net.params = progress.last\n'),
    truth('best perplexity of the last epoch', 'progress.scores[progress.best_epoch - 1] if progress.scores', 'progress.scores[-1] if progress.scores', **BEST),
    truth('best and last exchanged on reading', 'tuple(tensors[name] for name in PARAM_NAMES), tuple(tensors[f\'last.{name}\'] for name in PARAM_NAMES)', 'tuple(tensors[f\'last.{name}\'] for name in PARAM_NAMES), tuple(tensors[name] for name in PARAM_NAMES)'),
    guard('resumed with other settings', 'if names:\n        differ', 'if not names:\n        differ', refused='was trained with'),
    guard('resumed with another vocabulary', 'if tokens != vocab.idx_to_token[1:]:', 'if len(tokens) == 0:'),
    guard('resumed though it has all epochs', "if settings['epochs'] <= epochs:", "if settings['epochs'] < epochs:"),
    guard('resumed though it was stuck', "if progress.is_stuck(settings.get('patience')):", "if progress.is_stuck(None):"),
    # the log
    truth('lines behind the checkpoint stay', "entry.get('epoch', math.inf) <= epochs", "entry.get('epoch', math.inf) <= epochs + 1"),
    guard('infinity in JSON', 'not math.isfinite(value) else value', 'math.isnan(value) else value', refused='JSON compliant'),
    guard('half a line stays', 'file.truncate(size)', 'file.tell()'),
    guard('what could not be written is forgotten', '        self.waiting.append(entry)\n', '        self.waiting = [entry]\n'),
    guard('the log of another run is written to', 'if mark(self.path) != self.mark:', 'if self.mark is None:', refused='Expecting value'),
    # the curve
    truth('the curve is marked at its highest', 'best = min(epochs, key=', 'best = max(epochs, key='),
    truth('the title tells of training where a part is held out', "if val_perplexities else ('training', '训练', perplexities)", "if not val_perplexities else ('training', '训练', perplexities)", refused='out of range'),
    # what is known of the outputs
    guard('a file in the way is replaced', 'if there and not replaceable:', 'if there and replaceable:'),
    guard('the log may be the checkpoint', 'if log and str(Path(log).resolve()).casefold() in', 'if log and str(Path(log).resolve()) in', **PLACES),
    guard('a name too long for its new name', "whole_file(file.with_name(f'new_{file.name}'))", 'whole_file(file)', test='tests/test_cli.py -k longest_name'),
    guard('a full memory is a fault of the program', "isinstance(error, RuntimeError) and 'memory' in str(error)", "isinstance(error, RuntimeError) and 'storage' in str(error)", test='tests/test_cli.py -k "whatever_error or can_not_hold"'),
    guard('memory is not asked for', 'if there is not None and needed(num_hiddens) > there:', 'if there is None and needed(num_hiddens) > 0:'),
    truth('what fits is off by one', 'bisect.bisect_right(range(1, num_hiddens), there, key=needed)', 'bisect.bisect_right(range(num_hiddens), there, key=needed)'),
    # what may happen around a run
    guard('another run is written over', 'if any(is_now not in (None, was)', 'if any(is_now == 0', **RIVAL),
    guard('its own file looks like another\'s', '        self.found, self.saved = (mark(self.checkpoint), mark(self.curve)), True', '        self.saved = True', test='tests/test_cli.py -k tried_again'),
    guard('a full disk ends the run', '        except OSError as error:\n            print(f\'{error.filename} could not be written ({error.strerror}): going on\'', '        except MemoryError as error:\n            print(f\'{error} could not be written: going on\'', **FULL),
    guard('a signal while the last files are written', 'with contextlib.suppress(KeyboardInterrupt), undisturbed():', 'with contextlib.suppress(KeyboardInterrupt):', test='tests/test_cli.py -k signal_while'),
    guard('an unknown error loses the epochs', 'except (Exception, KeyboardInterrupt) as error:', 'except (FloatingPointError, KeyboardInterrupt) as error:', test='tests/test_cli.py -k whatever_error'),
    guard('a fault of the program is kept quiet', 'not isinstance(stopped, EXPECTED) and not is_full(stopped):', 'not stopped:', test='tests/test_cli.py -k whatever_error'),
    guard('standard output that fails', 'with contextlib.redirect_stdout(Steady(sys.stdout)):\n        return', 'with contextlib.nullcontext():\n        return', test='tests/test_cli.py -k "streams and full"'),
    truth('the first epoch resumed in its middle', '    if training.progress.perplexities:  # else', '    if training.progress.last:  # else', test='tests/test_cli.py -k long_first'),
    guard('written before the options are checked', "    choose_token(torch.zeros(1, len(vocab)), settings['temperature'], settings['top_k'], torch.Generator())  # options first\n", '', test='tests/test_sample.py -k options_are_checked'),
    # the writer of the shell
    truth('all samples from one seed', '{seed: torch.Generator().manual_seed(seed) for seed in seeds}', '{seed: torch.Generator().manual_seed(seeds[0]) for seed in seeds}', test='tests/test_sample.py -k test_samples'),
    truth('prompts are forgotten', '(row[i] for row in rows) if i else first()', '(row[0] for row in rows) if i else first()', test='tests/test_sample.py -k test_samples'),
    truth('perplexity by another base', 'perplexity {2 ** mean:.3f}', 'perplexity {math.exp(mean):.3f}', test='tests/test_sample.py -k score_on'),
    truth('the surprise of the token before', '[None, *bits.tolist()]', '[*bits.tolist(), None]', test='tests/test_sample.py -k score_on'),
]
