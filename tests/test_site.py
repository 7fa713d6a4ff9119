"""The site in a real browser: the language switch on a page made here, and, where nbdev_docs has been run, the built pages.

CI has no Quarto, so the first half builds a page of its own from what the processor hands to Quarto."""
import functools
import html
import html.parser
import http.server
import os
import re
import shutil
import threading
import urllib.parse
from pathlib import Path

import pytest
from execnb.nbio import read_nb

from rnn_scratch.pages import make_page

ROOT = Path(__file__).parent.parent
DOCS = ROOT / '_docs'
AXE = ROOT / 'node_modules' / 'axe-core' / 'axe.min.js'
CHROMIUM = shutil.which('chromium')
OPTIONS = ('--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking '
           '--disable-component-update --disable-sync').split()

pytestmark = pytest.mark.skipif(not CHROMIUM, reason='there is no Chromium on the PATH: the site was not tried in a browser')
needs_docs = pytest.mark.skipif(not (DOCS / 'index.html').is_file(),
                                reason='there is no _docs: nbdev_docs was not run (it needs Quarto), so the built pages were not tried')
needs_axe = pytest.mark.skipif(not AXE.is_file(), reason='there is no axe-core: run npm ci')


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope='module')
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope='module')
def serve():
    servers = []

    def start(folder):
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f'http://127.0.0.1:{server.server_port}'

    yield start
    for server in servers:
        server.shutdown()


# ---- a page of its own

def attributes(text):
    """`.a .b lang="c" #d` -> ` class="a b" lang="c" id="d"`"""
    classes, rest = re.findall(r'\.([\w-]+)', text), re.findall(r'\w+="[^"]*"', text)
    ids = re.findall(r'#([\w-]+)', text)
    return f' class="{" ".join(classes)}"' * bool(classes) + ''.join(f' {r}' for r in rest) + ''.join(f' id="{i}"' for i in ids)


def inline(text):
    text = re.sub(r'\[([^\[\]]*)\]\{([^}]*)\}', lambda m: f'<span{attributes(m[2])}>{m[1]}</span>', html.escape(text, quote=False))
    return re.sub(r'\[(.*?)\]\(([^)]*)\)(?:\{([^}]*)\})?', lambda m: f'<a href="{m[2].replace(".ipynb", ".html")}"{attributes(m[3] or "")}>{m[1]}</a>', text)


def table(text):
    head, _, *rows = [[inline(c.strip()) for c in line.strip().strip('|').split('|')] for line in text.splitlines()]
    return '<table>' + ''.join('<tr>' + ''.join(f'<{tag}>{c}</{tag}>' for c in row) + '</tr>'
                               for tag, some in (('th', [head]), ('td', rows)) for row in some) + '</table>'


def markdown(text):
    for part in re.split(r'\n{2,}', text.strip()):
        opened = re.fullmatch(r':::+ *\{(.*)\}', part)
        heading = re.fullmatch(r'(#+) (.*?)(?: *\{(#[^}]*)\})?', part)
        if opened: yield f'<div{attributes(opened[1])}>'
        elif re.fullmatch(':::+', part): yield '</div>'
        elif part.startswith('|'): yield table(part)
        elif heading: yield f'<h{len(heading[1])}{attributes(heading[3] or "")}>{inline(heading[2])}</h{len(heading[1])}>'
        else: yield f'<p>{inline(part)}</p>'


def code(text, n):
    """As pandoc writes it: a span for each line, comments in a span of class `co`."""
    lines = [re.sub(r'#.*', r'<span class="co">\g<0></span>', html.escape(line, quote=False), count=1) for line in text.splitlines()]
    lines = '\n'.join(f'<span id="cb{n}-{i}"><a href="#cb{n}-{i}" aria-hidden="true" tabindex="-1"></a>{line}</span>'
                      for i, line in enumerate(lines, 1))
    return f'<div class="cell"><div class="cell-code"><pre><code class="sourceCode python">{lines}</code></pre></div></div>'


@pytest.fixture(scope='module')
def site(serve, tmp_path_factory):
    """The address of 02_model as the processor makes it, in a page without Quarto; the glossary beside it."""
    folder = tmp_path_factory.mktemp('site')
    for name in 'pages.js', 'pages.css':
        shutil.copy(ROOT / 'nbs' / name, folder)
    for notebook, name in ('02_model.ipynb', 'index.html'), ('glossary.ipynb', 'glossary.html'):
        nb = make_page(read_nb(ROOT / 'nbs' / notebook))
        body = '\n'.join(code(c.source, n) if c.cell_type == 'code' else '\n'.join(markdown(c.source)) for n, c in enumerate(nb.cells) if c.cell_type != 'raw')
        (folder / name).write_text(f"""<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>rnn-scratch</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="pages.css"><style>pre {{ white-space: pre; overflow-x: auto }}</style><script src="pages.js"></script></head>
<body><header id="quarto-header"><nav class="navbar" style="background: #14283c"><div class="navbar-container">
<div class="quarto-navbar-tools"></div></div></nav></header><main><h1>rnn-scratch</h1>{body}</main></body></html>""", encoding='utf-8')
    return serve(folder) + '/index.html'


@pytest.fixture
def visit(browser):
    """visit(address, **context options) -> a page in a profile of its own; errors in its console fail the test."""
    contexts, errors = [], []

    def visit(address, **options):
        context = browser.new_context(**{'locale': 'zh-CN', **options})
        contexts.append(context)
        page = context.new_page()
        page.on('console', lambda message: errors.append(message.text) if message.type == 'error' else None)
        page.on('pageerror', lambda error: errors.append(str(error)))
        page.goto(address, wait_until='load')
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not errors, errors


def shown(page):
    """Whether Chinese and English prose, and Chinese and English comment lines, can be seen."""
    return [page.locator(s).first.is_visible() for s in ('.bilingual > .zh', '.bilingual > .en', 'code > .zh', 'code > .en')]


CHOICES = {'zh': [True, False, True, False], 'en': [False, True, False, True], 'both': [True] * 4}


@pytest.mark.parametrize('locale, language', [('zh-CN', 'zh'), ('zh-TW', 'zh'), ('en-GB', 'en'), ('fr-FR', 'en')])
def test_the_first_time_the_browser_decides(visit, site, locale, language):
    page = visit(site, locale=locale)
    assert page.locator('html').get_attribute('data-lang') == language
    assert shown(page) == CHOICES[language]


def test_the_switch_shows_hides_and_remembers(visit, site):
    page = visit(site)
    group = page.get_by_role('group', name='语言 · Language')
    for name, language, html_lang in (('English', 'en', 'en'), ('双语', 'both', 'zh-Hans'), ('中文', 'zh', 'zh-Hans'), ('English', 'en', 'en')):
        group.get_by_role('button', name=name).click()
        assert shown(page) == CHOICES[language]
        assert page.locator('html').get_attribute('lang') == html_lang
        assert [b.get_attribute('value') for b in group.get_by_role('button', pressed=True).all()] == [language]
        assert all(not e.is_visible() for e in page.locator({'zh': '.en', 'en': '.zh', 'both': '.none'}[language]).all())
    page.goto(site)
    assert shown(page) == CHOICES['en']


def test_the_keyboard_is_enough(visit, site):
    page = visit(site)
    page.keyboard.press('Tab')
    page.keyboard.press('Tab')
    page.keyboard.press('Enter')
    assert shown(page) == CHOICES['en']


def test_the_address_decides_and_is_remembered(visit, site):
    page = visit(site + '?lang=both')
    assert shown(page) == CHOICES['both']
    page.goto(site)
    assert shown(page) == CHOICES['both']
    page.goto(site + '?lang=de')  # unknown: as before
    assert shown(page) == CHOICES['both']


def test_explained_code_shows_the_comments_of_one_language(visit, site):
    page = visit(site + '?lang=en')
    lines = page.locator('code', has_text='torch.manual_seed(0)').first.inner_text().splitlines()
    assert lines[:2] == ['# Fix the random seeds, so that every run draws the same numbers.', 'torch.manual_seed(0)'], lines
    page.get_by_role('button', name='双语').click()
    lines = page.locator('code', has_text='torch.manual_seed(0)').first.inner_text().splitlines()
    assert lines[:3] == ['# 固定随机种子，每次运行抽到的随机数都一样。', '# Fix the random seeds, so that every run draws the same numbers.', 'torch.manual_seed(0)'], lines


def test_both_languages_stand_side_by_side_where_there_is_room(visit, site):
    for width, beside in ((1400, True), (390, False)):
        page = visit(site + '?lang=both', viewport={'width': width, 'height': 900})
        zh, en = (page.locator(f'.bilingual > .{lang}').first.bounding_box() for lang in ('zh', 'en'))
        assert (en['x'] > zh['x'] + 300) == beside and (abs(en['y'] - zh['y']) < 2) == beside


def test_switching_keeps_the_readers_place(visit, site):
    page = visit(site, viewport={'width': 1000, 'height': 800})
    heading, scrolled = page.locator('#model-class'), []
    heading.evaluate('e => e.scrollIntoView()')
    for name in ('双语', 'English', '中文'):
        before = heading.bounding_box()['y']
        page.evaluate('name => [...document.querySelectorAll(".language-switch button")].find(b => b.textContent === name).click()', name)
        assert abs(heading.bounding_box()['y'] - before) < 2, name
        scrolled.append(page.evaluate('scrollY'))
    assert max(scrolled) - min(scrolled) > 500  # though the page above it grew and shrank


def test_without_javascript_both_languages_are_there(visit, site):
    page = visit(site, java_script_enabled=False)
    assert page.locator('.bilingual > .zh').first.is_visible() and page.locator('.bilingual > .en').first.is_visible()
    assert page.locator('.language-switch').count() == 0


def test_without_storage_the_switch_still_works(visit, site):
    page = visit('about:blank')
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('forbidden'); } })")
    page.goto(site)
    page.get_by_role('button', name='English').click()
    assert shown(page) == CHOICES['en']


def lands_on_its_row(page, term, act):
    """Follow the link of a term by `act`: its row of the glossary is in sight, and looks other than its neighbours."""
    link = page.locator('a.term', has_text=re.compile(f'^{term}$')).first
    other = link.get_attribute('title')
    act(link)
    page.wait_for_url('**/glossary.html#term-*')
    row = page.locator('tr:has(:target)')
    assert row.count() == 1 and term.lower() in row.inner_text().lower() and other in row.inner_text(), row.inner_text()
    box, height = row.bounding_box(), page.viewport_size['height']
    assert 0 < box['y'] < height - box['height'], box
    header = page.locator('#quarto-header')
    if header.evaluate("e => getComputedStyle(e).position") == 'fixed': assert box['y'] > header.bounding_box()['height']
    ground = "tr => getComputedStyle(tr.querySelector('td')).backgroundColor"
    assert row.evaluate(ground) != page.locator('.glossary tr:not(:has(:target)) td').first.evaluate("td => getComputedStyle(td).backgroundColor")


@pytest.mark.parametrize('language, term', [('zh', '隐藏状态'), ('en', 'hidden state')])
def test_a_term_leads_to_its_row_of_the_glossary(visit, site, language, term):
    lands_on_its_row(visit(f'{site}?lang={language}'), term, lambda link: link.click())
    lands_on_its_row(visit(f'{site}?lang={language}'), term, lambda link: (link.focus(), link.press('Enter')))
    lands_on_its_row(visit(site, java_script_enabled=False), term, lambda link: link.click())


def test_a_term_is_linked_once_in_each_language_and_never_in_headings_or_code(visit, site):
    page = visit(site + '?lang=both')
    for language in 'zh', 'en':
        linked = page.locator(f'.bilingual > .{language} a.term').evaluate_all('links => links.map(a => a.hash)')
        assert len(linked) > 15 and len(set(linked)) == len(linked), linked
    assert page.locator(':is(h1, h2, h3, h4, code, pre, a, math, td) a.term').count() == 0
    assert page.goto(site.replace('index', 'glossary')) and page.locator('a.term').count() == 0


def test_the_focus_on_a_term_can_be_seen(visit, site):
    link = visit(site + '?lang=zh').locator('a.term').first
    before = link.evaluate('a => getComputedStyle(a).outlineStyle')
    link.page.keyboard.press('Tab')
    link.focus()
    assert (before, link.evaluate('a => getComputedStyle(a).outlineStyle')) == ('none', 'solid')


def test_a_table_shows_the_column_of_the_language(visit, site):
    for language, columns in (('zh', ['中文', '代码', '出处', '不写']), ('en', ['English', 'code', 'where', 'not'])):
        page = visit(f'{site.replace("index", "glossary")}?lang={language}')
        head = page.locator('.glossary th').all_inner_texts()
        assert set(columns) <= {t.strip() for t in head} and {'中文', 'English'} <= {t.strip() for t in head}, head


# ---- the built pages

def built():
    return sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob('*.html') if 'site_libs' not in p.parts) if DOCS.is_dir() else []


@pytest.fixture(scope='module')
def docs(serve):
    return serve(DOCS) + '/'


@needs_docs
@pytest.mark.parametrize('name', built())
def test_a_built_page_is_complete_with_every_other_host_refused(browser, docs, name):
    context = browser.new_context(locale='zh-CN')
    refused, errors = [], []

    def answer(route):
        if route.request.url.startswith(docs): return route.continue_()
        refused.append(route.request.url)
        route.abort()

    context.route('**/*', answer)
    page = context.new_page()
    page.on('console', lambda message: errors.append(message.text) if message.type == 'error' else None)
    page.on('pageerror', lambda error: errors.append(str(error)))
    page.goto(docs + name + '?lang=both', wait_until='load')
    assert not refused and not errors, (refused, errors)
    assert page.evaluate("[...document.images].filter(i => i.complete && !i.naturalWidth || !i.alt.trim()).map(i => i.src)") == []
    assert page.evaluate("[...document.querySelectorAll('math')].every(m => !m.getClientRects().length || m.getBoundingClientRect().width > 4)")
    assert not re.search(r'\\(mathbf|begin|frac|tanh)\b', page.evaluate("[...document.querySelectorAll('main p')].map(p => p.innerText).join(' ')"))
    context.close()


@needs_docs
@needs_axe
@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('name', built())
def test_axe_finds_nothing_serious(browser, docs, name, scheme):
    context = browser.new_context(locale='zh-CN', color_scheme=scheme)
    page = context.new_page()
    page.goto(docs + name + '?lang=both', wait_until='load')
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run().then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact))"
                          ".map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary]))")
    context.close()
    assert not found, found


@needs_docs
@pytest.mark.parametrize('width', [390, 1280])
@pytest.mark.parametrize('name', built())
def test_no_page_scrolls_sideways(browser, docs, name, width):
    context = browser.new_context(locale='zh-CN', viewport={'width': width, 'height': 844})
    page = context.new_page()
    page.goto(docs + name + '?lang=both', wait_until='load')
    assert page.evaluate('document.documentElement.scrollWidth') == width
    context.close()


@needs_docs
def test_dark_mode_follows_the_reader_and_the_toggle(visit, docs):
    def dark(page): return page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).every(c => c < 90)")

    assert not dark(visit(docs, color_scheme='light'))
    page = visit(docs, color_scheme='dark')
    assert dark(page)
    page.locator('.quarto-color-scheme-toggle').click()
    page.wait_for_timeout(500)
    assert not dark(page)


@needs_docs
def test_the_tab_is_remembered_from_page_to_page(visit, docs):
    page = visit(docs + 'model.html?lang=en')
    page.get_by_role('tab', name='Clean').nth(1).click()
    assert page.get_by_role('tab', name='Clean', selected=True).count() == page.locator('.panel-tabset').count()
    page.goto(docs + 'predict.html')
    page.wait_for_timeout(300)
    assert page.get_by_role('tab', name='Clean', selected=True).count() == page.locator('.panel-tabset').count()
    assert page.locator('.tab-pane.active').first.inner_text().strip()


@needs_docs
@pytest.mark.parametrize('name', ['model.html', 'glossary.html'])
def test_a_page_prints_whole_and_in_light_colours(visit, docs, name):
    page = visit(f'{docs}{name}?lang=zh', color_scheme='dark', viewport={'width': 680, 'height': 960})
    ground = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    ink = "getComputedStyle(document.querySelector('.bilingual > .zh > p')).color.match(/\\d+/g).slice(0, 3).map(Number)"
    assert max(page.evaluate(ground)) < 90 < min(page.evaluate(ink))
    page.emulate_media(media='print', color_scheme='dark')
    assert min(page.evaluate(ground)) > 240 and max(page.evaluate(ink)) < 120
    for away in '#quarto-header', '#quarto-sidebar', '#quarto-margin-sidebar', '.page-navigation', '.colab', '.bilingual > .en':
        assert not any(e.is_visible() for e in page.locator(away).all()), away
    assert page.locator('h1.title').is_visible() and page.locator('.bilingual > .zh > p').first.is_visible()
    tabs = page.locator('.panel-tabset')
    assert all(t.locator('.nav-link:visible').count() == t.locator('.tab-pane:visible').count() == 1 for t in tabs.all())
    cut = "e => e.scrollWidth > e.clientWidth + 1"
    assert not any(e.evaluate(cut) for e in page.locator('main pre:visible').all())
    assert page.evaluate('document.documentElement.scrollWidth') <= 680


class Targets(html.parser.HTMLParser):
    """The ids of a page, and the addresses its links lead to."""
    def __init__(self, text):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found.get('id'), found.get('name')} - {None}
        if tag == 'a' and found.get('href'): self.links.append(found['href'])


@needs_docs
def test_every_link_of_the_built_pages_leads_somewhere():
    pages = {name: Targets((DOCS / name).read_text(encoding='utf-8')) for name in built()}
    lost, terms = [], 0
    for name, page in pages.items():
        for link in page.links:
            url = urllib.parse.urlsplit(link)
            if url.scheme or url.netloc: continue
            target = os.path.normpath(os.path.join(os.path.dirname(name), urllib.parse.unquote(url.path))) if url.path else name
            target = os.path.join(target, 'index.html') if (DOCS / target).is_dir() else target
            anchor = urllib.parse.unquote(url.fragment)
            terms += anchor.startswith('term-')
            if not (DOCS / target).is_file() or anchor and target in pages and anchor not in pages[target].ids: lost.append(f'{name}: {link}')
    assert not lost, lost
    assert terms > 100


@needs_docs
@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_a_term_of_a_built_page_leads_to_its_row(visit, docs, scheme):
    for language, term in (('zh', '隐藏状态'), ('en', 'hidden state')):
        page = visit(f'{docs}model.html?lang={language}', color_scheme=scheme)
        lands_on_its_row(page, term, lambda link: link.click())
        if AXE.is_file():
            page.add_script_tag(path=str(AXE))
            assert page.evaluate("axe.run('.glossary').then(r => r.violations.map(v => [v.id, v.nodes[0].html]))") == []


@needs_docs
@pytest.mark.parametrize('query', ['独热', 'one-hot'])
def test_search_finds_both_languages(visit, docs, query):
    page = visit(docs)
    page.locator('#quarto-search button').first.click()
    page.locator('.aa-Input').fill(query)
    page.locator('.aa-Item').first.wait_for()
    found = page.locator('.aa-Item a').evaluate_all('links => links.map(a => a.getAttribute("href"))')
    assert any('model.html' in link for link in found), found
