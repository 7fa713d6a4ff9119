"""What would be wrong with 03_predict.ipynb, and is caught."""
from mutants import mutants_of

truth, guard = mutants_of('03_predict')

MUTANTS = [
    truth('argmax over the wrong axis', 'int(logits.argmax(dim=1).reshape(1))', 'int(logits.argmax(dim=0)[0])'),
    truth('state not carried in generation', 'y, state = net(get_input(), state)', 'y, _ = net(get_input(), state)'),
    truth('state not carried in warm-up', '_, state = net(get_input(), state)', 'net(get_input(), state)'),
    truth('warm-up appends its own predictions', 'outputs.append(vocab[token])', 'outputs.append(int(_.argmax(dim=1).reshape(1)))'),
    truth('first character read twice', 'for token in prefix[1:]:', 'for token in prefix:'),
    truth('one token too many', 'for _ in range(num_preds):\n        y,', 'for _ in range(num_preds + 1):\n        y,'),
    truth('a sample for the most likely', 'int(logits.argmax(dim=1).reshape(1))', 'int(torch.multinomial(torch.softmax(logits, dim=1), 1))'),
    truth('temperature upside down', '(scores - scores[0]) / temperature', '(scores - scores[0]) * temperature'),
    truth('top_k ignored', '.topk(top_k or vocab_size)', '.topk(vocab_size)'),
    truth('generator ignored', 'torch.multinomial(p, 1, generator=generator)', 'torch.multinomial(p, 1)'),
    guard('no warning of unknown characters', '    if unknown:\n', '    if unknown and not tokens:\n'),
    truth('words run together', 'return join.join([', "return ''.join(["),
    truth('writer: state not carried in reading', '_, self.state = self.net(', 'self.net('),
    truth('writer: state not carried in writing', 'self.state, self.last = state,', 'self.last ='),
    truth('writer: newest token lost', 'self.state, self.last = state,', 'self.state, _ = state,'),
    guard('writer: read without a word of what is unknown', 'warn_unknown(text, self.vocab)', 'text, self.vocab'),
    truth('writer: begins with another token', "self.read(' ')", "self.read('e')"),
    guard('writer: an error moves the text on', 'y, state = self.net(self.last, self.state)', 'y, state = y, self.state = self.net(self.last, self.state)'),
    truth('writer: the first generator for all rows', 'zip(y.split(1), generators)', 'zip(y.split(1), generators[:1] * self.batch_size)'),
    truth('writer: the first row in all rows', 'zip(y.split(1), generators)', 'zip(y[:1].expand_as(y).split(1), generators)'),
    guard('writer: gradients recorded', '''    @torch.no_grad()
    def write(''', '''    def write('''),
    truth('score: state not carried', 'y, state = net(indices[:, :-1].to(device), state)', 'y, _ = net(indices[:, :-1].to(device), state)'),
    truth('score: a token compared with itself', 'indices[0, 1:]', 'indices[0, :-1]'),
    truth('score: in nats', " / math.log(2))", ")"),
    truth('score: a token lost between two pieces', 'text[i:i + 501]', 'text[i:i + 500]'),
    truth('score: a token of two pieces counted twice', 'range(0, len(text) - 1, 500)', 'range(0, len(text) - 1, 499)'),
    guard('score: a single token', 'if len(text) < 2:', 'if len(text) < 1:'),
    guard('score: silent about what is unknown', 'warn_unknown(text, vocab)', 'text, vocab'),
]
