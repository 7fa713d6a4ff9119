// The page around rnn.js: builds its elements inside every .rnn-playground, in both languages. `data-lang` on <html>
// or <body> (zh, en or both) chooses what style.css shows; every text stands in the page twice, marked by `lang`.
import { beginState, chances, encode, load, random, sample, softmax, step } from './rnn.js';

const WEIGHTS = new URL('time_machine_512.bin', import.meta.url);
const SHOWN = 400, UNITS = 6, RANKED = 8, COLUMNS = 32, STAGE_MS = 1100, SLICE_MS = 25, DRAW_MS = 200;

// ---- elements and words

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children.flat());
  return element;
}

function formula(text) { // W_xh -> W with a subscript
  return text.split(/(\b[A-Za-z]+_[a-z]+)/).map((part) => {
    const [, symbol, index] = part.match(/^([A-Za-z]+)_([a-z]+)$/) ?? [];
    return symbol ? make('var', {}, symbol, make('sub', {}, index)) : part;
  });
}

const say = (zh, en) => [make('span', { class: 'zh', lang: 'zh-Hans' }, formula(zh)), make('span', { class: 'en', lang: 'en' }, formula(en))];
const number = (x, digits = 3) => x.toFixed(digits).replace('-', '−');
const percent = (x) => `${(100 * x).toFixed(1)}%`;
const visible = (token) => (token === ' ' ? '␣' : /^\s|\p{C}/u.test(token) ? JSON.stringify(token).slice(1, -1) : token);
const quote = (token) => `“${visible(token)}”`;

const FAULTS = {
  missing: ['取不到权重文件：它不在服务器上，或者网络断了。请刷新再试。',
            'The weights file cannot be had: it is not on the server, or the connection failed. Reload the page.'],
  foreign: ['这不是本项目的权重文件，没有使用。', 'This is not a weights file of this project; it has not been used.'],
  version: ['权重文件的版本与页面不符。请强制刷新，让两者一致。',
            'The weights file is of another version than the page. Reload without the cache, so that the two agree.'],
  size: ['权重文件的长度不对，多半没有下载完。请刷新再试。',
         'The weights file has the wrong length; most likely it was cut short on the way. Reload the page.'],
  hash: ['权重文件损坏：它的散列与记录不符，没有使用。',
         'The weights file is damaged: its hash is not the one on record. It has not been used.'],
};

const STAGES = [ // the formula piece by piece, and what each piece says of the step just taken
  ['x', (s) => [`读入 ${s.token}，它是 ${s.index} 号：独热向量 x 长 ${s.V}，只有 ${s.index} 号位是 1。`,
                `It reads ${s.token}, token ${s.index}: the one-hot vector x is ${s.V} long, with its only 1 at place ${s.index}.`]],
  ['x W_xh', (s) => [`x 乘 W_xh，就是取出 ${s.index} 号那一行：每个隐藏单元一个数。`,
                     `x times W_xh takes out row ${s.index}: one number for each hidden unit.`]],
  ['+ H W_hh', (s) => [`加上 H W_hh：上一步的 ${s.H} 个数全都参与，上文就从这里进来。`,
                       `Add H W_hh: all ${s.H} numbers of the last step take part. This is where the context comes in.`]],
  ['+ b_h', () => ['加上偏置 b_h，每个单元自己的一个数。', 'Add the bias b_h, a number that each unit has of its own.']],
  ['tanh → H', () => ['tanh 把和压到 −1 与 1 之间：这就是新的隐藏状态 H，也是下一步唯一的上文。',
                      'tanh presses each sum between −1 and 1. This is the new hidden state H, all the context of the next step.']],
  ['H W_hq + b_q', (s) => [`H 乘 W_hq，加上 b_q：${s.V} 个词元各得一个分数。`, `H times W_hq, plus b_q: a score for each of the ${s.V} tokens.`]],
  ['softmax → p', (s) => [`softmax 把分数变成概率，合起来是 1。最可能的是 ${s.best}，${s.share}。`,
                          `softmax turns scores into probabilities that add up to 1. Most likely is ${s.best}, with ${s.share}.`]],
];

// ---- the model at work: what has been read, the state, and what comes next

class Session {
  constructor(model) {
    this.model = model;
    this.begin('', 0);
  }

  begin(prefix, seed) {
    this.characters = Array.from(prefix || ' ');
    ({ indices: this.tokens, unknown: this.unknown } = encode(this.model, prefix));
    this.prefixLength = this.tokens.length;
    this.empty = prefix === '';
    this.rewind(seed);
  }

  rewind(seed) { // nothing read, nothing written
    this.tokens.length = this.prefixLength;
    this.at = 0;
    this.H = beginState(this.model);
    this.last = null;
    this.trace = []; // the states behind the last SHOWN characters
    this.random = random(seed);
  }

  change(prefix, seed) { // read on where the new prefix only continues the old one
    const { characters, at } = this, next = Array.from(prefix);
    const goesOn = this.written === 0 && !this.empty && at > 0 && characters.slice(0, at).every((c, i) => c === next[i]);
    const kept = { at, H: this.H, last: this.last, trace: this.trace };
    this.begin(prefix, seed);
    if (goesOn) Object.assign(this, kept);
  }

  get written() { return this.tokens.length - this.prefixLength; }
  get waiting() { return this.tokens.length - this.at; }

  advance(temperature, topK) { // read one token: the next of the prefix, or one drawn from the probabilities
    if (!this.waiting) this.tokens.push(sample(chances(this.last.logits, temperature, topK), this.random()));
    const index = this.tokens[this.at++];
    this.last = { index, ...step(this.model, this.H, index) };
    this.H = this.last.H;
    this.trace.push(Float32Array.from(this.H));
    if (this.trace.length > SHOWN) this.trace.shift();
  }

  shown(i) { return i < this.prefixLength ? this.characters[i] : this.model.tokens[this.tokens[i]]; }
}

// ---- the page

function mount(root) {
  root.classList.add('waiting');
  const status = make('p', { class: 'notice lines', role: 'status' }, say('正在取权重…', 'Fetching the weights …'));
  root.replaceChildren(status);
  followTheme(root);
  return load(WEIGHTS).then((model) => build(root, model), (fault) => {
    const words = FAULTS[fault.code] ?? ['出错了。', 'Something went wrong.'];
    status.replaceChildren(...say(...words), make('small', {}, fault.message));
    status.setAttribute('role', 'alert');
    status.classList.add('fault');
  }).finally(() => root.classList.remove('waiting'));
}

function followTheme(root, redraw = () => {}) { // Quarto's class, Bootstrap's attribute, or what the reader's system says
  const system = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    const chosen = document.body.className.match(/quarto-(dark|light)/)?.[1] ??
      (document.body.dataset.bsTheme || document.documentElement.dataset.bsTheme);
    root.dataset.theme = chosen || (system.matches ? 'dark' : 'light');
    redraw();
  };
  const observer = new MutationObserver(apply), attributeFilter = ['class', 'data-bs-theme'];
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributeFilter });
  system.addEventListener('change', apply);
  apply();
}

function build(root, model) {
  const V = model.tokens.length, n = model.num_hiddens, session = new Session(model);
  const byLetter = [...model.tokens.keys()].sort((a, b) => (a === 0) - (b === 0) || (model.tokens[a] < model.tokens[b] ? -1 : 1));
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  let unit = null, stage = STAGES.length, running = false, task = 0, timer = 0, frame = 0;

  // -- controls
  const id = (name) => `rnn-${name}`;
  const prefix = make('textarea', { id: id('prefix'), rows: 2, spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', lang: 'en' });
  prefix.value = 'time traveller';
  const slider = (name, zh, en, min, max, by, value, show) => {
    const output = make('output', { for: id(name) });
    const input = make('input', { id: id(name), type: 'range', min, max, step: by, value });
    const tell = () => output.replaceChildren(...show(Number(input.value)));
    input.addEventListener('input', () => { tell(); draw(); });
    tell();
    return [input, make('div', { class: 'field' }, make('label', { for: id(name) }, say(zh, en)), output, input)];
  };
  const [temperature, temperatureField] = slider('temperature', '温度', 'Temperature', 0, 2, 0.1, 0.5, (x) => [x.toFixed(1)]);
  const [topK, topKField] = slider('top-k', 'top-k', 'Top-k', 1, V - 1, 1, V - 1, (x) => [String(x)]);
  const [speed, speedField] = slider('speed', '速度', 'Speed', 1, 60, 1, 8, (x) => [`${x}/s`]);
  const seed = make('input', { id: id('seed'), type: 'number', min: 0, max: 2 ** 32 - 1, step: 1, value: 0 });
  topKField.querySelector('.zh').remove(); // the same word in both languages
  topKField.querySelector('.en').className = '';
  const seedNumber = () => Math.min(Math.max(Math.trunc(Number(seed.value)) || 0, 0), 2 ** 32 - 1);

  const runWords = make('span'), symbol = make('span', { class: 'symbol', 'aria-hidden': 'true' });
  const runButton = make('button', { type: 'button', class: 'main', onclick: () => (running ? pause() : run()) }, symbol, runWords);
  const stepButton = make('button', { type: 'button', onclick: () => oneStep() }, say('单步', 'Step'));
  const rewindButton = make('button', { type: 'button', onclick: () => rewind() }, say('从头', 'Rewind'));
  const notice = make('p', { class: 'notice lines', role: 'status' });
  const count = make('p', { id: id('count'), class: 'count lines' });
  const written = make('p', { class: 'text', lang: 'en' });
  const spoken = make('p', { class: 'for-readers', role: 'status', lang: 'en' });

  // -- hidden state and probabilities
  const heatLabel = make('p', { id: id('heat-label'), class: 'lines' }, say(
    `${n} 个隐藏单元，蓝色近 −1，橙色近 +1。点一个，或用方向键，看它随文字起伏。`,
    `${n} hidden units, blue near −1, orange near +1. Pick one, or use the arrow keys, to see it rise and fall along the text.`));
  const heat = make('canvas', { class: 'heat', tabindex: 0, role: 'slider', 'aria-labelledby': id('heat-label'),
    'aria-valuemin': 0, 'aria-valuemax': n - 1 });
  const unitLine = make('p', { class: 'unit', 'aria-hidden': 'true' });
  const bars = make('div', { class: 'bars', 'aria-hidden': 'true' });
  const barOf = new Map(byLetter.map((i) => {
    const fill = make('i'), tick = make('u'), name = make('b', {}, visible(model.tokens[i]));
    const bar = make('div', { class: i ? 'bar' : 'bar long' }, make('div', {}, fill, tick), name);
    bars.append(bar);
    return [i, { bar, fill, tick }];
  }));
  const best = make('p', { class: 'best' });

  // -- the step as a figure: data-stage says in which stage a part of it appears
  const at = (stage) => (stage === undefined ? {} : { 'data-stage': stage });
  const cell = (stage) => make('td', at(stage));
  const rowHead = (stage, ...words) => make('th', { scope: 'row', ...at(stage) }, ...words);
  const columnHead = (stage, ...words) => make('th', { scope: 'col', ...at(stage) }, ...words);
  const rows = (count, each) => Array.from({ length: count }, () => make('tr', {}, each()));
  const table = (name, caption, heads, body) => make('table', { class: name }, make('caption', { class: 'lines' }, caption),
    make('thead', {}, make('tr', {}, heads)), make('tbody', {}, body));
  const arrow = () => make('span', { class: 'arrow', 'aria-hidden': 'true' });

  const stages = STAGES.map(([piece], i) => make('button', { type: 'button', onclick: () => show(i) }, formula(piece)));
  const play = make('button', { type: 'button', class: 'play', onclick: () => animate() },
    make('span', { class: 'symbol', 'aria-hidden': 'true' }, '▶'), say('演示', 'Play'));
  const explanation = make('p', { class: 'explanation lines' });
  const rowOf = new Map(byLetter.map((i) => {
    const hot = make('td', { class: 'hot', ...at(0) }), weights = Array.from({ length: UNITS }, () => make('td', { class: 'weight' }));
    return [i, { row: make('tr', {}, rowHead(undefined, visible(model.tokens[i])), hot, weights), hot, weights }];
  }));
  const matrix = table('matrix', formula(`x (${V}) × W_xh (${V}, ${n})`), [], [...rowOf.values()].map(({ row }) => row));
  const unitRows = rows(UNITS, () => [rowHead(), ...[1, 2, 3, 4].map(cell)]);
  const unitTable = table('units', say(`${n} 个单元中的 ${UNITS} 个`, `${UNITS} of ${n} units`),
    [columnHead(undefined, ...say('单元', 'unit')), ...STAGES.slice(1, 5).map(([piece], i) => columnHead(i + 1, ...formula(piece)))], unitRows);
  const rankRows = rows(Math.min(RANKED, V), () => [rowHead(5), cell(5), cell(6)]);
  const rankTable = table('ranks', say(`分数最高的 ${rankRows.length} 个`, `the ${rankRows.length} highest scores`),
    [columnHead(5, ...say('词元', 'token')), ...STAGES.slice(5).map(([piece], i) => columnHead(i + 5, ...formula(piece)))], rankRows);
  const figure = make('div', { class: 'figure' }, matrix, arrow(), unitTable, arrow(), rankTable);

  root.replaceChildren(
    make('div', { class: 'ask' }, make('label', { for: id('prefix') }, say('前缀', 'Prefix')), prefix,
      make('div', { class: 'buttons' }, runButton, stepButton, rewindButton)),
    make('div', { class: 'settings' }, temperatureField, topKField, speedField,
      make('div', { class: 'field' }, make('label', { for: id('seed') }, say('种子', 'Seed')), seed)),
    notice,
    make('section', { class: 'paper' },
      make('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-labelledby': id('count') }, written), count),
    spoken,
    make('div', { class: 'two' },
      make('section', {}, make('h2', {}, say('隐藏状态', 'Hidden state')), heat, unitLine, heatLabel),
      make('section', {}, make('h2', {}, say('下一个字符', 'Next character')), bars, best,
        make('p', { class: 'lines' }, say('实心条是抽样时的概率，横线是温度 1 时模型给的概率。',
          'Solid: the probability it draws by. Line: what the model says at temperature 1.')))),
    make('section', { class: 'stages' }, make('h2', {}, say('这一步怎么算', 'How this step is computed')),
      make('div', { class: 'formula' }, stages, play), explanation, figure));

  // -- drawing
  function draw() {
    if (!frame) frame = requestAnimationFrame(() => { frame = 0; render(); });
  }

  function render() {
    renderText();
    renderHeat();
    runWords.replaceChildren(...(running ? say('暂停', 'Pause') : say('运行', 'Run')));
    symbol.textContent = running ? '❚❚' : '▶';
    const { at, written: made, waiting } = session;
    count.replaceChildren(...(waiting
      ? say(`预热：读了 ${at}，还有 ${waiting} 个字符`, `warm-up: ${at} characters read, ${waiting} to go`)
      : say(`读了前缀的 ${session.prefixLength} 个字符，写了 ${made} 个`,
        `${session.prefixLength} characters of the prefix read, ${made} written`)));
    if (!session.last) {
      for (const { bar, fill, tick } of barOf.values()) {
        bar.classList.remove('out', 'top');
        fill.style.height = tick.style.bottom = '0';
      }
      best.replaceChildren(...say('还没有读字符', 'nothing read yet'));
    } else renderBars();
    renderFigure();
  }

  function renderText() {
    const spans = [], { at, tokens, prefixLength, trace } = session;
    const from = Math.max(0, at - SHOWN), to = Math.min(tokens.length, at + 60);
    if (from > 0) spans.push('… ');
    for (let i = from; i < to; i++) {
      const kind = i >= at ? 'ahead' : i < prefixLength ? 'given' : 'made', character = session.shown(i);
      const unknown = tokens[i] === 0, words = unknown ? visible(character) : character;
      const span = make('span', { class: unknown ? `${kind} unknown` : kind }, words);
      if (unit !== null && i < at) span.style.backgroundColor = tint(trace[i - from]?.[unit] ?? 0, 0.55);
      if (i === at) spans.push(make('span', { class: 'caret' }));
      spans.push(span);
    }
    if (to === at) spans.push(make('span', { class: 'caret' }));
    written.replaceChildren(...spans);
  }

  const tint = (value, strength = 0.4) => `rgb(var(--${value < 0 ? 'minus' : 'plus'}) / ${(Math.min(Math.abs(value), 1) * strength).toFixed(3)})`;

  function renderHeat() {
    const rows = Math.ceil(n / COLUMNS), width = heat.clientWidth, cell = width / COLUMNS, ratio = devicePixelRatio || 1;
    heat.style.height = `${cell * rows}px`;
    if (heat.width !== Math.round(width * ratio)) {
      heat.width = Math.round(width * ratio);
      heat.height = Math.round(cell * rows * ratio);
    }
    const context = heat.getContext('2d'), style = getComputedStyle(root);
    const [minus, zero, plus, ink] = ['--minus', '--zero', '--plus', '--strong'].map((name) => style.getPropertyValue(name).trim().split(/\s+/).map(Number));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, cell * rows);
    for (let i = 0; i < n; i++) {
      const value = session.H[i], end = value < 0 ? minus : plus, part = Math.abs(value);
      context.fillStyle = `rgb(${zero.map((c, k) => Math.round(c + (end[k] - c) * part)).join(' ')})`;
      context.beginPath();
      context.roundRect(i % COLUMNS * cell + 0.5, Math.floor(i / COLUMNS) * cell + 0.5, cell - 1, cell - 1, cell / 5);
      context.fill();
    }
    if (unit !== null) {
      context.strokeStyle = `rgb(${ink.join(' ')})`;
      context.lineWidth = 2;
      context.strokeRect(unit % COLUMNS * cell, Math.floor(unit / COLUMNS) * cell, cell, cell);
    }
    const now = unit ?? 0;
    heat.setAttribute('aria-valuenow', now);
    heat.setAttribute('aria-valuetext', `${now}: ${number(session.H[now], 2)}`);
    unitLine.replaceChildren(...(unit === null ? say('没有选中单元', 'no unit picked')
      : say(`${unit} 号单元，现在是 ${number(session.H[unit], 2)}`, `unit ${unit}, now ${number(session.H[unit], 2)}`)));
  }

  function renderBars() {
    const { logits } = session.last, plain = softmax(logits), drawn = chances(logits, Number(temperature.value), Number(topK.value));
    const top = drawn.indexOf(Math.max(...drawn));
    for (const [i, { bar, fill, tick }] of barOf) {
      fill.style.height = percent(drawn[i]);
      tick.style.bottom = percent(plain[i]);
      bar.classList.toggle('out', drawn[i] === 0);
      bar.classList.toggle('top', i === top);
    }
    const ranked = [...drawn.keys()].sort((a, b) => drawn[b] - drawn[a]).slice(0, 4).filter((i) => drawn[i] >= 0.0005);
    best.replaceChildren(...ranked.map((i) => make('span', {}, make('b', {}, visible(model.tokens[i])), ` ${percent(drawn[i])}`)));
  }

  function renderFigure() {
    const { last } = session, first = Math.min(unit ?? 0, n - UNITS);
    figure.classList.toggle('blank', !last);
    stages.forEach((button, i) => button.setAttribute('aria-pressed', String(i === stage)));
    for (const element of figure.querySelectorAll('[data-stage]')) {
      const own = Number(element.dataset.stage);
      element.classList.toggle('later', own > stage);
      element.classList.toggle('now', own === stage);
    }
    for (const [i, { row, hot, weights }] of rowOf) {
      const lit = last?.index === i;
      row.classList.toggle('lit', lit);
      row.classList.toggle('now', lit && stage === 1);
      hot.textContent = lit ? '1' : '0';
      weights.forEach((weight, k) => { weight.style.backgroundColor = tint(2 * model.W_xh[i * n + first + k], 0.9); });
    }
    if (!last) return explanation.replaceChildren(...say('按“单步”读入第一个字符。', 'Press Step to read the first character.'));
    unitRows.forEach((row, k) => {
      const j = first + k, [head, ...cells] = row.children;
      head.textContent = j;
      [last.fromInput[j], last.fromState[j], model.b_h[j], last.H[j]].forEach((value, i) => {
        cells[i].textContent = number(value);
        cells[i].style.backgroundColor = tint(i === 3 ? value : value / 4);
      });
    });
    const plain = softmax(last.logits), order = [...plain.keys()].sort((a, b) => last.logits[b] - last.logits[a]);
    rankRows.forEach((row, k) => {
      const i = order[k], [head, score, share] = row.children;
      head.textContent = visible(model.tokens[i]);
      score.textContent = number(last.logits[i], 2);
      share.textContent = percent(plain[i]);
      share.style.backgroundSize = `${percent(plain[i])} 100%`;
    });
    explanation.setAttribute('aria-live', stage < STAGES.length ? 'polite' : 'off'); // not at every character of a run
    const facts = { token: quote(model.tokens[last.index]), index: last.index, V, H: n, best: quote(model.tokens[order[0]]),
      share: percent(plain[order[0]]) };
    explanation.replaceChildren(...(stage < STAGES.length ? say(...STAGES[stage][1](facts))
      : say(`刚读入 ${facts.token}。点公式里的一段，看它的数。`, `It has just read ${facts.token}. Pick a piece of the formula to see its numbers.`)));
  }

  // -- doing
  function notify() {
    const parts = [];
    if (session.empty) parts.push(say('前缀为空：从一个空格开始。', 'The prefix is empty: it starts from a space.'));
    if (session.unknown.length) {
      const some = session.unknown.slice(0, 10).map(quote), more = session.unknown.length - some.length;
      parts.push(say(`词表里没有 ${some.join('、')}${more ? ` 等 ${session.unknown.length} 个字符` : ''}：按 <unk> 读。`,
                     `Not in the vocabulary, read as <unk>: ${some.join(', ')}${more ? ` and ${more} more` : ''}.`));
    }
    if (!model.hashed) parts.push(say('这个页面不是通过 https 打开的，浏览器不提供 SHA-256：权重只核对了长度。',
                                      'This page was not opened over https, so the browser offers no SHA-256: only the length of the weights was checked.'));
    notice.replaceChildren(...parts.flat());
  }

  const advance = () => session.advance(Number(temperature.value), Number(topK.value));
  const settle = () => { clearTimeout(timer); stage = STAGES.length; };

  async function readPrefix() { // in slices, so that the page answers while a long prefix is read
    const mine = ++task;
    let now = performance.now(), drawn = now;
    root.setAttribute('aria-busy', 'true');
    while (session.waiting) {
      for (const until = now + SLICE_MS; session.waiting && now < until; now = performance.now()) advance();
      if (session.waiting) await new Promise((resume) => setTimeout(resume));
      if (mine !== task) return false;
      now = performance.now();
      if (now > drawn + DRAW_MS) { draw(); drawn = now; }
    }
    root.removeAttribute('aria-busy');
    draw();
    return true;
  }

  async function run() {
    running = true;
    settle();
    draw();
    if (session.waiting > 200 && !await readPrefix()) return;
    const mine = ++task;
    while (running && mine === task) {
      advance();
      draw();
      await new Promise((resume) => setTimeout(resume, 1000 / Number(speed.value)));
    }
  }

  function pause() {
    task++;
    if (running) spoken.textContent = session.tokens.slice(session.prefixLength).map((i) => model.tokens[i]).join('');
    running = false;
    root.removeAttribute('aria-busy');
    draw();
  }

  function oneStep() {
    pause();
    advance();
    animate();
  }

  function rewind() {
    pause();
    settle();
    session.rewind(seedNumber());
    draw();
  }

  function edit() {
    pause();
    settle();
    session.change(prefix.value, seedNumber());
    notify();
    readPrefix();
  }

  function show(i) {
    clearTimeout(timer);
    stage = stage === i ? STAGES.length : i;
    draw();
  }

  function animate() { // stage after stage; all at once for readers who want no motion
    settle();
    if (!still.matches && session.last) {
      stage = 0;
      const next = () => {
        stage++;
        draw();
        if (stage < STAGES.length) timer = setTimeout(next, STAGE_MS);
      };
      timer = setTimeout(next, STAGE_MS);
    }
    draw();
  }

  function pick(i) {
    unit = i === unit ? null : i;
    draw();
  }

  prefix.addEventListener('input', edit);
  prefix.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (running) pause();
    else run();
  });
  seed.addEventListener('change', () => { seed.value = seedNumber(); rewind(); readPrefix(); });
  heat.addEventListener('click', (event) => {
    const box = heat.getBoundingClientRect(), cell = box.width / COLUMNS;
    const i = Math.floor((event.clientY - box.top) / cell) * COLUMNS + Math.floor((event.clientX - box.left) / cell);
    if (i >= 0 && i < n) pick(i);
  });
  heat.addEventListener('keydown', (event) => {
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS, Home: -n, End: n };
    if (event.key === 'Escape' && unit !== null) pick(unit);
    if (!(event.key in moves)) return;
    event.preventDefault();
    unit = unit === null ? 0 : Math.min(Math.max(unit + moves[event.key], 0), n - 1);
    draw();
  });
  new ResizeObserver(draw).observe(heat);
  followTheme(root, draw);
  edit();
}

for (const root of document.querySelectorAll('.rnn-playground')) mount(root);
