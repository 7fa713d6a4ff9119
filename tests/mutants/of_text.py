"""What would be wrong with 01_text.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('01_text')

MUTANTS = [
    guard('byte order mark stays', ".removeprefix('\\ufeff')", ''),
    guard('corpus hash not checked', "if pooch.file_hash(str(path), alg='sha1') != TIME_MACHINE_SHA1:", 'if not path.exists():'),
    truth('capitals stay', ".strip().lower()", ".strip()"),
    truth('words for characters', 'return [list(line) for line in lines]', 'return [line.split() for line in lines]',
         refused='must be the tokens of the line'),
    truth('vocabulary order', 'key=lambda item: item[1], reverse=True)', 'key=lambda item: item[1])'),
    truth('min_freq off by one', 'if freq < min_freq:', 'if freq <= min_freq:'),
    truth('unknown token gets the wrong index', 'self.token_to_idx.get(tokens, self.unk)', 'self.token_to_idx.get(tokens, 1)'),
    truth('join ignored', 'lines = [join.join(line for line in lines if line)]', "lines = [''.join(line for line in lines if line)]"),
    guard('last label not counted', 'needed = batch_size * num_steps + 1', 'needed = batch_size * num_steps'),
    truth('random: targets not shifted', 'Y = torch.stack([corpus[j + 1:j + 1 + num_steps]', 'Y = torch.stack([corpus[j:j + num_steps]'),
    truth('random: pieces overlap', 'range(offset, offset + num_subseqs * num_steps, num_steps)', 'range(offset, offset + num_subseqs)'),
    guard('random: labels of a small type', 'yield X.long(), Y.long()', 'yield X.long(), Y'),
    guard('sequential: inputs of a small type', 'yield Xs[:, i:i + num_steps].long(),', 'yield Xs[:, i:i + num_steps],'),
    truth('numbered text not shortened', 'self.corpus = corpus[:max_tokens] if max_tokens > 0 else corpus', 'self.corpus = corpus'),
    truth('random: seed ignored', 'random.shuffle(starts)', 'random.SystemRandom().shuffle(starts)'),
    truth('random: offset ignored', 'offset = min(random.randint(0, num_steps - 1),', 'offset = min(0 * random.randint(0, num_steps - 1),'),
    truth('sequential: targets not shifted', 'Ys = corpus[offset + 1:offset + 1 + num_tokens]', 'Ys = corpus[offset:offset + num_tokens]'),
    truth('sequential: rows not continued', 'for i in range(0, Xs.shape[1] // num_steps * num_steps, num_steps):',
         'for i in reversed(range(0, Xs.shape[1] // num_steps * num_steps, num_steps)):'),
    truth('sequential: offset ignored', 'offset = min(random.randint(0, num_steps),', 'offset = min(0 * random.randint(0, num_steps),'),
    truth('samplers swapped', '        if use_random_iter:\n', '        if not use_random_iter:\n'),
]
