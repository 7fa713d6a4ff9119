"""The playground in a real browser: its numbers against PyTorch in float64, broken files, odd prefixes, languages."""
import json
import math
import random
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pooch
import pytest
import torch

from rnn_scratch.model import get_params
from rnn_scratch.playground import pack_weights, read_weights, write_weights
from rnn_scratch.predict import predict_ch8
from rnn_scratch.text import TIME_MACHINE_SHA1, load_corpus_time_machine, time_machine_file
from rnn_scratch.checkpoint import load_checkpoint

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "nbs/playground"
WEIGHTS = FOLDER / "time_machine_512.bin"
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"]
OPENING = ("the time machine by h g wellsithe time traveller for so it will be convenient to speak of himwas expounding "
           "a recondite matter to us his grey eyes shone andtwinkled and his usually pale face was flushed and animated")


def test_the_file_is_made_from_the_checkpoint(tmp_path):
    net, vocab, settings = load_checkpoint(ROOT / "tests/time_machine_512.safetensors")
    made = write_weights(tmp_path / "made.bin", net, vocab, settings["seed"], settings["corpus_sha1"])
    assert made.read_bytes() == WEIGHTS.read_bytes()
    assert WEIGHTS.stat().st_size < 700_000
    assert settings["corpus_sha1"] == TIME_MACHINE_SHA1 and settings["best_perplexity"] < 1.1


# ---- the browser

@pytest.fixture(scope="module")
def chromium():
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on the PATH: the playground was not tried in a browser")
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: the playground was not tried in a browser")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site():
    server = subprocess.Popen([sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", ROOT / "nbs"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    port = server.stdout.readline().split(" port ")[1].split()[0]
    yield f"http://127.0.0.1:{port}"
    server.kill()
    server.communicate()


@pytest.fixture
def visit(chromium, site):
    """visit(...) opens the page; at the end no other host was asked, and nothing went wrong unseen."""
    contexts, complaints, requests = [], [], []

    def visit(path="/playground/index.html?lang=both", body=None, html=None, expected="", init="", **options):
        contexts.append(chromium.new_context(locale="en-US", **options))
        page = contexts[-1].new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text)
                if message.type in ("error", "warning") and not (expected and expected in message.text) else None)
        if init:
            page.add_init_script(init)
        if body is not None:
            page.route("**/time_machine_512.bin", body if callable(body) else lambda route: route.fulfill(body=body))
        if html is not None:
            page.route(f"**{path}", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        page.goto(site + path)
        page.wait_for_selector(".rnn-playground:not(.waiting)")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []
    assert requests and all(url.startswith((site, "data:,")) for url in requests)


def evaluate(page, script, argument=None):
    return page.evaluate("async (argument) => { const rnn = await import('/playground/rnn.js');"
                         "const model = () => rnn.load('/playground/time_machine_512.bin');" + script + "}", argument)


def ready(page, read=None):
    """Wait until the whole prefix is read and drawn."""
    page.wait_for_function("() => !document.querySelector('.rnn-playground').hasAttribute('aria-busy')", timeout=120_000)
    page.wait_for_function("(read) => document.querySelector('.count .en').textContent.startsWith(read)",
                           arg="" if read is None else f"{read} characters of the prefix read", timeout=60_000)


# ---- numbers

@pytest.fixture(scope="module")
def model():
    return read_weights(WEIGHTS)[:2]


def test_200_characters_of_the_corpus(visit, model):
    net, vocab = model
    indices = vocab[list(OPENING[:200])]
    assert len(indices) == 200 and 0 not in indices
    if pooch.file_hash(str(time_machine_file()), alg="sha1") == TIME_MACHINE_SHA1:
        assert load_corpus_time_machine(200)[0] == indices  # it is the corpus
    expected, (H,) = net(torch.tensor([indices]), net.begin_state(1, "cpu"))
    logits, state = evaluate(visit(), """
        const m = await model(), all = [];
        let H = rnn.beginState(m);
        for (const index of argument) { const s = rnn.step(m, H, index); H = s.H; all.push([...s.logits]); }
        return [all, [...H]];""", indices)
    assert (torch.tensor(logits, dtype=torch.float64) - expected).abs().max() < 1e-6
    assert (torch.tensor(state, dtype=torch.float64) - H[0]).abs().max() < 1e-6
    right = (expected[:-1].argmax(dim=1) == torch.tensor(indices[1:])).double().mean()
    assert right > 0.8  # it is the trained net, and this is what it learned


def test_single_steps_on_random_characters(visit, model):
    net, vocab = model
    indices = random.Random(0).choices(range(len(vocab)), k=200)
    state, states, expected = (torch.zeros(1, 512, dtype=torch.float64),), [], []
    for index in indices:
        states.append(state[0][0].tolist())
        logits, state = net(torch.tensor([[index]]), state)
        expected.append(logits)
    found, untouched = evaluate(visit(), """
        const m = await model(), states = argument.states.map((H) => Float64Array.from(H));
        const logits = argument.indices.map((index, i) => [...rnn.step(m, states[i], index).logits]);
        return [logits, states.every((H, i) => H.every((x, k) => x === argument.states[i][k]))];""",
        {"indices": indices, "states": states})
    assert untouched
    assert (torch.tensor(found, dtype=torch.float64) - torch.cat(expected)).abs().max() < 1e-6


def test_float16_and_foreign_vocabularies(visit):
    bits = list(range(0, 65536, 7)) + [0, 1, 0x3ff, 0x400, 0x7bff, 0x8000, 0x8001, 0xfbff]
    bits = [b for b in bits if b >> 10 & 31 != 31]
    expected = torch.tensor(bits, dtype=torch.int32).to(torch.uint16).view(torch.float16).double().tolist()
    torch.manual_seed(0)
    data = pack_weights([p.detach() * 30 for p in get_params(5, 3, "cpu")], ["<unk>", "时", "a", "𝄞", "\n"], note="试")
    found, tokens, indices, unknown, first = evaluate(visit(), """
        const m = await rnn.parse(Uint8Array.from(argument.data));
        const { indices, unknown } = rnn.encode(m, 'a𝄞z时\\nz');
        return [argument.bits.map(rnn.float16), m.tokens, indices, unknown, [...m.W_hq]];""", {"bits": bits, "data": list(data)})
    assert found == expected
    assert tokens == ["<unk>", "时", "a", "𝄞", "\n"] and indices == [2, 3, 0, 1, 4, 0] and unknown == ["z"]
    torch.manual_seed(0)
    assert first == (get_params(5, 3, "cpu")[3].detach() * 30).half().double().flatten().tolist()


@pytest.mark.parametrize("temperature, top_k", [(1, 28), (0.3, 28), (1.7, 5), (1, 1), (0, 28), (0, 3)])
def test_softmax(visit, temperature, top_k):
    logits = torch.randn(28, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 4
    kept = logits.clone()
    kept[logits < logits.topk(top_k).values[-1]] = -math.inf
    expected = torch.softmax(kept / temperature, 0) if temperature else torch.eye(28).double()[logits.argmax()]
    found = evaluate(visit(), "return [...rnn.softmax(Float64Array.from(argument[0]), argument[1], argument[2])];",
                     [logits.tolist(), temperature, top_k])
    assert (torch.tensor(found, dtype=torch.float64) - expected).abs().max() < 1e-12


def test_unk_is_never_drawn(visit):
    logits = [50.0, 1.0, 3.0, 2.0]  # <unk> would be all but certain
    found = evaluate(visit(), """const logits = Float64Array.from(argument);
        return [[1], [0], [1, 2]].map((options) => [...rnn.chances(logits, ...options)]);""", logits)
    p = torch.softmax(torch.tensor(logits[1:]).double(), 0).tolist()
    expected = [[0, *p], [0, 0, 1, 0], [0, 0, p[1] / (p[1] + p[2]), p[2] / (p[1] + p[2])]]
    assert (torch.tensor(found) - torch.tensor(expected)).abs().max() < 1e-6

    torch.manual_seed(0)
    params = [param.detach() * 30 for param in get_params(4, 8, "cpu")]
    params[4][0] = 50
    page = visit(body=pack_weights(params, ["<unk>", "a", "b", " "]))
    page.fill("textarea", "ab")
    ready(page, 2)
    for temperature in (0, 2):
        set_range(page, "temperature", temperature)
        press_step(page, 20)
    assert set(text_of(page, "made")) <= set("ab ") and len(text_of(page, "made")) == 40


def test_sampling(visit):
    def mulberry32(seed):
        while True:
            seed = (seed + 0x6D2B79F5) % 2 ** 32
            x = (seed ^ seed >> 15) * (seed | 1) % 2 ** 32
            x ^= (x + (x ^ x >> 7) * (x | 61)) % 2 ** 32
            yield (x ^ x >> 14) / 2 ** 32

    p = [0.1, 0, 0.6, 0.3, 0]
    numbers, drawn, edge, wrong = evaluate(visit(), """
        const u = rnn.random(7), numbers = Array.from({ length: 2000 }, u), p = Float64Array.from(argument);
        const fails = (f) => { try { f(); return ''; } catch (error) { return error.name + ' ' + error.message; } };
        return [numbers, numbers.map((x) => rnn.sample(p, x)), [rnn.sample(p, 0), rnn.sample(p, 1 - 2 ** -53)],
                [[-1, 2], [NaN, 2], [1, 0], [1, 6], [1, 1.5]].map(([t, k]) => fails(() => rnn.softmax(p, t, k)))];""", p)
    generator = mulberry32(7)
    assert numbers == [next(generator) for _ in range(2000)]
    assert drawn == torch.searchsorted(torch.tensor(p).double().cumsum(0), torch.tensor(numbers).double(), right=True).tolist()
    assert edge == [0, 3]
    assert all("RangeError the temperature must be at least 0" in line for line in wrong[:2])
    assert all("RangeError top-k must be from 1 to 5" in line for line in wrong[2:])


# ---- the page

def set_range(page, name, value):
    page.eval_on_selector(f"#rnn-{name}", "(e, value) => { e.value = value; e.dispatchEvent(new Event('input')); }", str(value))


def press_step(page, times):
    page.evaluate("""(times) => {
        const step = [...document.querySelectorAll('button')].find((button) => button.textContent.includes('Step'));
        for (let i = 0; i < times; i++) step.click();
    }""", times)


def text_of(page, kind):
    page.evaluate("() => new Promise((resume) => requestAnimationFrame(() => requestAnimationFrame(resume)))")
    return "".join(page.locator(f".text .{kind}").all_text_contents())


def test_the_page_writes_what_predict_ch8_writes(visit, model):
    page = visit()
    ready(page, 14)
    set_range(page, "temperature", 0)
    press_step(page, 25)
    net, vocab = model
    assert text_of(page, "given") + text_of(page, "made") == predict_ch8("time traveller", 25, net, vocab, "cpu")
    page.click("button:has-text('Rewind')")  # then Step reads the prefix one character at a time
    press_step(page, 5)
    assert (text_of(page, "given"), text_of(page, "ahead"), text_of(page, "made")) == ("time ", "traveller", "")


def test_same_seed_same_text(visit):
    page = visit()
    ready(page, 14)

    def written(seed):
        page.fill("#rnn-seed", str(seed))
        page.press("#rnn-seed", "Tab")
        page.click("button:has-text('Rewind')")
        press_step(page, 14 + 40)
        return text_of(page, "made")

    set_range(page, "temperature", 1.5)
    first, second, again = written(1), written(2), written(1)
    assert first == again != second and len(first) >= 40


def test_the_figure_shows_the_numbers_of_the_step(visit, model):
    page = visit(reduced_motion="reduce")
    ready(page, 14)
    net, vocab = model
    W_xh, W_hh, b_h, W_hq, b_q = net.params

    def check(text, unit):
        text_of(page, "given")
        index = vocab[text[-1]]
        _, (H,) = net(torch.tensor([vocab[list(text[:-1])]]), net.begin_state(1, "cpu"))
        after = torch.tanh(W_xh[index] + H[0] @ W_hh + b_h)
        columns = torch.stack([W_xh[index], H[0] @ W_hh, b_h, after], dim=1)[unit:unit + 6]
        shown = [float(x.replace("−", "-")) for x in page.locator(".units td").all_text_contents()]
        assert (torch.tensor(shown).reshape(6, 4) - columns).abs().max() <= 0.000501
        assert page.locator(".units tbody th").all_text_contents() == [str(unit + i) for i in range(6)]
        p = torch.softmax(after @ W_hq + b_q, 0).topk(8)
        assert page.locator(".ranks tbody th").all_text_contents() == [vocab.idx_to_token[i].replace(" ", "␣") for i in p.indices]
        assert page.locator(".ranks td:last-child").all_text_contents() == [f"{100 * x:.1f}%" for x in p.values.tolist()]
        assert page.locator(".matrix .lit th").all_text_contents() == [text[-1]]
        assert page.locator(".matrix .hot").all_text_contents().count("1") == 1

    check("time traveller", 0)
    page.fill("textarea", "time travellers")  # one more character, another figure
    ready(page, 15)
    check("time travellers", 0)
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "ArrowLeft", "ArrowRight"):
        page.press(".heat", key)
    check("time travellers", 33)
    assert page.get_attribute(".heat", "aria-valuenow") == "33"
    assert page.locator(".text span[style]").count() == 15  # the unit along the text
    page.press(".heat", "Escape")
    page.wait_for_function("() => document.querySelector('.unit').textContent.includes('no unit picked')")
    assert page.locator(".text span[style]").count() == 0


def test_stages_one_after_another_or_by_choice(visit):
    page = visit()
    ready(page, 14)
    pressed = ".formula [aria-pressed=true]"
    assert page.locator(pressed).count() == 0
    page.click("button:has-text('Step')")
    seen = []
    for stage in ("x", "x Wxh", "+ H Whh"):
        page.wait_for_function("([css, text]) => document.querySelector(css)?.textContent === text", arg=[pressed, stage])
        seen.append(page.text_content(".explanation .en"))
    assert "the one-hot vector x is 28 long" in seen[0] and "takes out row" in seen[1] and "context" in seen[2]
    assert page.locator(".units td.later").count() == 2 * 6  # b_h and tanh are still to come
    page.click(".formula button:has-text('softmax')")
    text_of(page, "made")
    assert page.locator(".later").count() == 0 and "add up to 1" in page.text_content(".explanation .en")

    still = visit(reduced_motion="reduce")
    ready(still, 14)
    still.click("button:has-text('Step')")
    text_of(still, "made")
    assert still.locator(pressed).count() == 0 and still.locator(".later").count() == 0


def test_run_and_pause_from_the_keyboard(visit):
    page = visit()
    ready(page, 14)
    set_range(page, "speed", 60)
    page.focus("textarea")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.text .made').length > 10")
    page.keyboard.press("Enter")
    made = text_of(page, "made")
    page.wait_for_timeout(300)
    assert text_of(page, "made") == made == page.text_content(".for-readers")
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.id || document.activeElement.className || document.activeElement.textContent"))
    for name in ("main", "rnn-temperature", "rnn-top-k", "rnn-speed", "rnn-seed", "heat", "play"):
        assert name in reached


def count_gaps(page):
    """Start counting how long the page ever keeps a timer waiting."""
    page.evaluate("""() => { window.gaps = []; let last = performance.now();
        window.ticking = setInterval(() => { const now = performance.now(); gaps.push(now - last); last = now; }, 1); }""")


def test_prefixes_unknown_empty_and_long(visit):
    page = visit()
    page.fill("textarea", "The 时间 x\n")
    ready(page, 9)
    assert "“\\n”, “T”, “时”, “间”" in page.text_content(".notice .en") and "“\\n”、“T”、“时”、“间”" in page.text_content(".notice .zh")
    assert page.locator(".text .unknown").count() == 4
    page.fill("textarea", "时" + "".join(map(chr, range(0x4e00, 0x4e20))))
    ready(page, 33)
    assert "and 23 more" in page.text_content(".notice .en") and "等 33 个字符" in page.text_content(".notice .zh")
    page.fill("textarea", "")
    ready(page, 1)
    assert "starts from a space" in page.text_content(".notice .en") and "从一个空格开始" in page.text_content(".notice .zh")
    page.click("button:has-text('Step')")
    page.wait_for_function("() => document.querySelectorAll('.text .made').length === 1")

    count_gaps(page)
    page.fill("textarea", ("the time traveller " * 600)[:10_000])
    page.wait_for_function("() => /warm-up: \\d+ characters read/.test(document.querySelector('.count .en').textContent)")
    ready(page, 10_000)
    gaps = page.evaluate("() => { clearInterval(ticking); return gaps; }")
    assert len(gaps) > 50 and max(gaps) < sum(gaps) / 4  # it went on answering
    assert page.text_content(".notice").strip() == ""
    page.click("button:has-text('Step')")
    page.wait_for_function("() => document.querySelectorAll('.text .made').length === 1")
    page.fill("textarea", "the time")  # it is still the same page, and quick
    ready(page, 8)
    assert text_of(page, "given") == "the time"


def test_typing_reads_on_and_equals_reading_at_once(visit):
    page, other = visit(reduced_motion="reduce"), visit(reduced_motion="reduce")
    page.fill("textarea", "")
    ready(page, 1)
    page.type("textarea", "you can")
    ready(page, 7)
    other.fill("textarea", "you can")
    ready(other, 7)
    for column in (".units td", ".ranks td"):
        assert text_of(page, "given") == text_of(other, "given") == "you can"
        assert page.locator(column).all_text_contents() == other.locator(column).all_text_contents()


def changed(data, at, value):
    return data[:at] + bytes([value]) + data[at + 1:]


GOOD = WEIGHTS.read_bytes()


@pytest.mark.parametrize("body, en, zh", [
    (lambda route: route.fulfill(status=404), "cannot be had", "取不到权重文件"),
    (lambda route: route.abort(), "cannot be had", "取不到权重文件"),
    (b"<!doctype html><p>Not found</p>", "not a weights file", "不是本项目的权重文件"),
    (changed(GOOD, 8, 2), "another version", "版本与页面不符"),
    (b"", "cut short", "没有下载完"),
    (GOOD[:5], "cut short", "没有下载完"),
    (GOOD[:30], "cut short", "没有下载完"),
    (GOOD[:100], "cut short", "没有下载完"),
    (GOOD[:-1], "cut short", "没有下载完"),
    (changed(GOOD, 20, GOOD[20] ^ 1), "damaged", "损坏"),
    (changed(GOOD, 49, GOOD[49] ^ 1), "damaged", "损坏"),
    (changed(GOOD, 70, GOOD[70] ^ 1), "damaged", "损坏"),
    (changed(GOOD, len(GOOD) - 1, GOOD[-1] ^ 1), "damaged", "损坏"),
], ids=["404", "no connection", "foreign", "version", "empty", "5 bytes", "30 bytes", "100 bytes", "one byte less",
        "hash", "header length", "vocabulary", "last weight"])
def test_a_bad_file_is_explained_and_not_used(visit, body, en, zh):
    page = visit(body=body, expected="Failed to load resource")
    fault = page.locator(".fault[role=alert]")
    assert en in fault.locator(".en").inner_text() and zh in fault.locator(".zh").inner_text()
    assert page.locator(".rnn-playground :is(button, input, textarea)").count() == 0


def test_without_sha256_the_page_says_so(visit):
    hide = "Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined });"
    page = visit(init=hide)
    ready(page, 14)
    assert "no SHA-256" in page.text_content(".notice .en") and "不提供 SHA-256" in page.text_content(".notice .zh")
    cut = visit(init=hide, body=GOOD[:-1])
    assert "cut short" in cut.text_content(".fault .en")
    damaged = visit(init=hide, body=changed(GOOD, 52, 0))
    assert "damaged" in damaged.text_content(".fault .en")


# ---- languages, themes, sizes

def hidden_languages(page):
    return {language for language in ("zh", "en") if not any(e.is_visible() for e in page.locator(f".rnn-playground .{language}").all())}


def all_shown(page, language):
    return all(e.is_visible() for e in page.locator(f".rnn-playground .{language}:not(.later *)").all())


def test_language_switch(visit):
    page = visit("/playground/index.html")
    ready(page, 14)
    assert hidden_languages(page) == {"zh"}  # an English browser, the first time
    for button, hidden in (("中文", {"en"}), ("English", {"zh"}), ("双语", set())):
        page.click(f"nav >> text={button}")
        assert hidden_languages(page) == hidden
        assert all(all_shown(page, language) for language in {"zh", "en"} - hidden)
        assert page.locator("nav [aria-pressed=true]").all_text_contents() == [button]
    page.click("nav >> text=中文")
    page.reload()
    ready(page, 14)
    assert hidden_languages(page) == {"en"}  # remembered
    page.evaluate("() => { delete document.documentElement.dataset.lang; }")
    assert hidden_languages(page) == set()  # no switch at all: both
    page.evaluate("() => { document.body.dataset.lang = 'en'; }")
    assert hidden_languages(page) == {"zh"}  # a switch that marks the body
    texts = page.evaluate("() => [...document.querySelectorAll('.rnn-playground .en')].map((e) => e.textContent)")
    assert texts and not any("\u4e00" <= character <= "\u9fff" for text in texts for character in text)
    pairs = page.evaluate("""() => [...document.querySelectorAll('.rnn-playground .zh')].map((e) =>
        [e.lang, e.nextElementSibling?.className, e.nextElementSibling?.lang])""")
    assert pairs and all(pair == ["zh-Hans", "en", "en"] for pair in pairs)


def test_the_notebook_holds_the_same_playground(visit):
    notebook = json.loads((ROOT / "nbs/08_playground.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    embed, = [cell for cell in cells if 'class="rnn-playground"' in cell]
    html = f'<!doctype html><html lang="en" data-lang="zh"><link rel="icon" href="data:,"><body class="quarto-dark">{embed}'
    page = visit("/playground.html", html=html)
    ready(page, 14)
    assert hidden_languages(page) == {"en"}
    assert page.get_attribute(".rnn-playground", "data-theme") == "dark"
    page.evaluate("() => { document.body.className = 'quarto-light'; }")
    page.wait_for_selector(".rnn-playground[data-theme=light]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_aa(visit, scheme):
    page = visit(color_scheme=scheme)
    ready(page, 14)
    assert page.get_attribute(".rnn-playground", "data-theme") == scheme
    low = page.evaluate("""() => {
        const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
        const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3]));
        const ground = (e) => {
            const layers = [];
            for (; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
            return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
        };
        const light = (c) => c.map((x) => x / 255).map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
            .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
        const found = [];
        for (const e of document.querySelectorAll('body *')) {
            if (![...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) || !e.checkVisibility()) continue;
            const below = ground(e), pair = [light(over(parse(getComputedStyle(e).color), below)), light(below)].sort();
            const ratio = (pair[1] + 0.05) / (pair[0] + 0.05);
            if (ratio < 4.5) found.push(`${e.tagName} ${e.className} ${e.textContent.slice(0, 20)}: ${ratio.toFixed(2)}`);
        }
        return found;
    }""")
    assert low == []


@pytest.mark.parametrize("width", [320, 390, 760, 1280])
def test_nothing_sticks_out(visit, width):
    page = visit(viewport={"width": width, "height": 800})
    ready(page, 14)
    for language in ("zh", "en", "both"):
        page.evaluate("(language) => { document.documentElement.dataset.lang = language; }", language)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        out = page.evaluate("""() => [...document.querySelectorAll('.rnn-playground *')].filter((e) => e.checkVisibility() &&
            !e.matches('.for-readers') && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map((e) => e.outerHTML.slice(0, 80))""")
        assert out == []
