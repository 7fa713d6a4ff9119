"""What figures, curves and outline cannot check in themselves: every figure in one list, and the pictures of the committed notebooks."""
import random, re, runpy, xml.etree.ElementTree as ET
from pathlib import Path

import pytest, torch
from execnb.nbio import read_nb
from torch.nn import functional as F

from rnn_scratch import curves, figures, outline
from rnn_scratch import drawing as module
from rnn_scratch.curves import *
from rnn_scratch.figures import *
from rnn_scratch.outline import *
from rnn_scratch.gates import get_gru_params, get_lstm_params, gru, lstm
from rnn_scratch.text import Vocab, seq_data_iter_random, seq_data_iter_sequential

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1]/'nbs').rglob('[!.]*.ipynb'))
TITLE = '{http://purl.org/dc/elements/1.1/}title'

text = 'the time machine by h g wells the time traveller for so it will be convenient'
vocab = Vocab(list(text))
corpus = vocab[list(text)]
X, Y = next(seq_data_iter_sequential(corpus, 2, 5))
places = range(35)
EXAMPLES = {
    'step1_raw_text': lambda lang: step1_raw_text([text, '', text], lang),
    'step2_tokenization': lambda lang: step2_tokenization(text[:29], text[:29].split(), list(text[:29]), lang),
    'step3_vocabulary': lambda lang: step3_vocabulary(vocab, lang),
    'step4_batches': lambda lang: step4_batches(X, Y, vocab, lang),
    'step4_batches_both_methods': lambda lang: step4_batches_both_methods(
        list(seq_data_iter_sequential(places, 2, 5)), list(seq_data_iter_random(places, 2, 5)), corpus[:35], vocab, lang),
    'step5_transpose': lambda lang: step5_transpose(X, vocab, lang),
    'step6_onehot': lambda lang: step6_onehot(X, F.one_hot(X.T, len(vocab)), vocab, lang),
    'onehot_matrix': lambda lang: onehot_matrix(F.one_hot(torch.tensor([0, 2]), len(vocab)), vocab, lang),
}
torch.manual_seed(0)
params = W_xh, W_hh, b_h, W_hq, b_q = [torch.randn(shape) / 2 for shape in ((len(vocab), 4), (4, 4), (4,), (4, len(vocab)), (len(vocab),))]
inputs, states, outputs = F.one_hot(X.T, len(vocab)).float(), [torch.zeros(2, 4)], []
for page in [*inputs, *inputs]:  # one minibatch, twice
    states.append(torch.tanh(page @ W_xh + states[-1] @ W_hh + b_h))
    outputs.append(states[-1] @ W_hq + b_q)
states, logits = torch.stack(states), torch.cat(outputs[:5])
length = torch.stack([param.norm() for param in params]).norm()
headings = chapter_headings(NOTEBOOKS[0].parent)
steps, points = torch.arange(1, 61), torch.arange(5, 61, 5)
runs = [dict(name=('顺序分区', 'sequential'), train=(1 + 27 * torch.exp(-steps / 9))[None], val=(9 + 20 * torch.exp(-points / 8))[None],
             val_epochs=points, norms=0.4 + torch.sin(torch.arange(240.0)).abs().reshape(60, 4))]
into_logits, into_sums = torch.randn(10, len(vocab)), [torch.zeros(2, 4)]
for t in reversed(range(5)):  # back through time, as 06 does it
    into_sums.insert(0, (into_logits[2 * t:2 * t + 2] @ W_hq.T + into_sums[0] @ W_hh.T) * (1 - states[t + 1] ** 2))
gru_params, lstm_params = ([torch.randn_like(param) for param in make(len(vocab), 4, 'cpu')] for make in (get_gru_params, get_lstm_params))
_, (gru_H,) = gru(inputs[:1], (states[1],), gru_params)
_, lstm_state = lstm(inputs[:1], (states[1], states[2]), lstm_params)
EXAMPLES |= {
    'step7a_onehot_input': lambda lang: step7a_onehot_input(X, inputs, vocab, 1, lang),
    'step7b_rnn_cell': lambda lang: step7b_rnn_cell(inputs[0], states[0], params, states[1], outputs[0], lang),
    'step7c_sequential': lambda lang: step7c_sequential((X, X), states, vocab, lang),
    'step7d_output_concat': lambda lang: step7d_output_concat(logits, Y, vocab, lang),
    'hidden_updates': lambda lang: hidden_updates(X, states[:6], vocab, lang),
    'forward_shapes': lambda lang: forward_shapes(X, inputs, (states[0],), params, logits, (states[5],), lang),
    'surprise': lambda lang: surprise(text, torch.arange(1., len(text)) % 11, lang),
    'hidden_heatmap': lambda lang: hidden_heatmap(states[1:, 0], list('time machi'), 4, lang),
    'gradient_by_distance': lambda lang: gradient_by_distance([0.5, 2], torch.tensor([[0.5 ** k for k in range(9)], [2.0 ** k for k in range(9)]]), lang),
    'clipped_update': lambda lang: clipped_update(params, [param / length for param in params], 1, lang),
    'training_curves': lambda lang: training_curves(runs, 28, lang),
    'gradient_norms': lambda lang: gradient_norms(runs, 1, lang),
    'training_spike': lambda lang: training_spike(runs[0]['train'][0], runs[0]['norms'], 20, 1, runs[0]['name'], lang),
    'bptt_flow': lambda lang: bptt_flow(states[:6], into_logits, torch.stack(into_sums[:5]), W_hh, W_hq, lang),
    'gru_cell': lambda lang: gru_cell(inputs[0], states[1], gru_params, gru_H, lang),
    'lstm_cell': lambda lang: lstm_cell(inputs[0], (states[1], states[2]), lstm_params, lstm_state, lang),
    'accuracy_by_delay': lambda lang: accuracy_by_delay([2, 40], [dict(name=('普通', 'plain'), accuracy=torch.tensor([[1, 0.125]]))], 1 / 8, lang),
    'mind_map': lambda lang: mind_map('一章 · A chapter', headings, lang),
}
NOT_DRAWN = {'chapter_headings', 'mind_map_mermaid'}
LARGE = {'mind_map'}  # every heading of the chapter in Chinese: many glyphs
each = pytest.mark.parametrize('name', EXAMPLES)
in_each_language = pytest.mark.parametrize('lang', ['zh', 'en', 'both'])


def chinese(words): return re.search('[\u4e00-\u9fff]', words)


def both_languages(alt):
    zh, _, en = alt.partition(' / ')
    return chinese(zh) and re.search('[a-z]{3}', en)


def test_every_figure_has_an_example():
    assert set(EXAMPLES) == {*figures.__all__, *curves.__all__, *outline.__all__} - NOT_DRAWN


@each
@in_each_language
def test_sound(name, lang):
    drawing = EXAMPLES[name](lang)
    assert drawing.overlaps() == []
    assert drawing.missing_glyphs() == []
    assert both_languages(drawing.alt), drawing.alt
    assert ET.fromstring(drawing.svg).findtext(f'.//{TITLE}') == drawing.alt
    assert len(drawing.svg) < (500_000 if name in LARGE else 150_000)
    assert min(t.get_fontsize() for t, _ in drawing._drawn()) >= 8.5  # ten pixels where the figure is 700 wide
    assert not (lang == 'en' and any(map(chinese, drawing.texts())))


@each
def test_same_bytes(name):
    random.seed(0)
    first = EXAMPLES[name]('both').svg
    random.seed(0)
    assert EXAMPLES[name]('both').svg == first


@each
def test_without_a_chinese_font(name, monkeypatch):
    random.seed(0)
    with_fonts = EXAMPLES[name]('both').svg
    monkeypatch.setattr(module, 'FONTS', ())
    random.seed(0)
    assert EXAMPLES[name]('both').svg == with_fonts


def test_the_font_has_what_the_notebooks_and_texts_have():
    script = runpy.run_path(str(Path(module.__file__).with_name('data')/'make_font.py'))
    wanted = {c for c in script['characters']() if c.isascii() or re.match('[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]', c)}
    missing = ''.join(sorted(c for c in wanted if ord(c) not in module._glyphs(module.OWN)))
    assert len(wanted) > 1000 and not missing, f'python rnn_scratch/data/make_font.py adds {missing}'


@each
def test_unknown_language(name):
    with pytest.raises(ValueError, match="lang must be 'zh', 'en' or 'both', got 'fr'"):
        EXAMPLES[name]('fr')


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.name)
def test_pictures_have_alt_text(path):
    for cell in read_nb(path).cells:
        for output in cell.get('outputs', []):
            svg = output.get('data', {}).get('image/svg+xml')
            if svg:
                title = ET.fromstring(''.join(svg).encode()).findtext(f'.//{TITLE}') or ''
                assert both_languages(title), f'{path.name}, cell {cell.id}: no alt text in both languages, got {title!r}'
