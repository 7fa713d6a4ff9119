"""What would be wrong with workshop/threads.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('workshop/threads')

MUTANTS = [
    guard('the variables not looked at', 'not any(name in os.environ for name in CHOSEN_BY)', 'True'),
    guard('torchrun not noticed', "'OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'TORCHELASTIC_RUN_ID'", "'OMP_NUM_THREADS', 'MKL_NUM_THREADS'"),
    guard('torch.set_num_threads not noticed', 'torch.get_num_threads() == AT_START > 1', 'AT_START > 1'),
    guard('chosen with one thread', 'torch.get_num_threads() == AT_START > 1', 'torch.get_num_threads() == AT_START'),
    guard('chosen on a GPU', "torch.device(device).type == 'cpu'", "torch.device(device).type"),
    truth('the slower one kept', 'if pace < self.pace:', 'if pace > self.pace:'),
    truth('more threads at first', 'self.number = self.given = 1', 'self.number = self.given = AT_START'),
    truth('never tried again', 'elif now >= self.again or self.number > 1', 'elif self.pace is None or self.number > 1'),
    truth('a busy machine not noticed', 'elif now >= self.again or self.number > 1 and pace > 1.5 * self.pace:', 'elif now >= self.again:'),
    truth('tried without a pause', 'self.trying, self.again = False, now + self.pause', 'self.trying = False'),
    truth('the pause does not double', 'max(min(2 * self.pause, 60), 20 * self.seconds)', 'max(min(self.pause, 60), 20 * self.seconds)'),
    truth('pauses without end', 'min(2 * self.pause, 60)', '2 * self.pause'),
    truth('an expensive trial is no reason to wait', 'max(min(2 * self.pause, 60), 20 * self.seconds)', 'min(2 * self.pause, 60)'),
    truth('a trial goes on though it is slow', 'if self.seconds < STRETCH:', 'if self.tokens < 100_000:'),
    truth('stretches run into one another', '            self.switch()\n        self.seconds = self.tokens = 0\n', '            self.switch()\n'),
    guard('not restored after an error', '''        try:
            yield self.timed(train_iter)
        finally:
            if torch.get_num_threads() == self.given:
                torch.set_num_threads(before)
''', '''        yield self.timed(train_iter)
        if torch.get_num_threads() == self.given:
            torch.set_num_threads(before)
'''),
    guard("the reader's number overwritten at the end", 'if torch.get_num_threads() == self.given:\n                torch.set_num_threads(before)', 'if True:\n                torch.set_num_threads(before)'),
    guard("the reader's number overwritten on the way", 'free = torch.get_num_threads() == self.given', 'free = True'),
    guard('another iterable where nothing is chosen', 'yield train_iter\n', 'yield iter(train_iter)\n'),
]
