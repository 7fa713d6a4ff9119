// Which language a page shows: 中文, English or both. Loaded in the head, so that the choice stands before the first paint.
(() => {
  const KEY = 'rnn-scratch-lang', root = document.documentElement;
  const LANGUAGES = { zh: ['中文', 'zh-Hans'], en: ['English', 'en'], both: ['双语', 'zh-Hans'] };

  function remembered() {
    try { return localStorage.getItem(KEY); } catch { return null; } // storage may be forbidden
  }

  function remember(language) {
    try { localStorage.setItem(KEY, language); } catch { /* then only this page knows */ }
  }

  function show(language) {
    root.dataset.lang = language;
    root.lang = LANGUAGES[language][1];
    for (const button of document.querySelectorAll('.language-switch button')) {
      button.setAttribute('aria-pressed', String(button.value === language));
    }
    document.dispatchEvent(new CustomEvent('languagechange', { detail: language }));
  }

  // The dark sheets lie over the light ones; on paper they are taken off.
  for (const sheet of document.querySelectorAll('link.quarto-color-alternate')) sheet.media = 'screen';

  const asked = new URLSearchParams(location.search).get('lang');
  const browser = (navigator.language || '').toLowerCase().startsWith('zh') ? 'zh' : 'en';
  show([asked, remembered(), browser].find((language) => Object.hasOwn(LANGUAGES, language ?? '')));
  if (Object.hasOwn(LANGUAGES, asked ?? '')) remember(asked);

  // ---- the reader's place: what stands at the top of the window stays there, to the same fraction of its height

  const STEADY = 'h1, h2, h3, h4, .bilingual, .cell-code, .cell-output, figure, table, .colab, p, li, pre';

  function top() {
    const header = document.getElementById('quarto-header');
    return header && getComputedStyle(header).position === 'fixed' ? Math.max(0, header.getBoundingClientRect().bottom) : 0;
  }

  function keepPlace(change, anchor) {
    const line = top();
    const found = anchor ?? (scrollY > 0 && [...document.querySelectorAll('main :is(' + STEADY + ')')].find((element) => {
      const box = element.getBoundingClientRect();
      return box.height > 0 && box.bottom > line && !element.parentElement.closest('.bilingual, .colab, pre');
    }));
    const before = found && found.getBoundingClientRect();
    change();
    if (!found) return;
    const after = found.getBoundingClientRect(), passed = Math.min(0, before.top - line);
    const place = passed < 0 ? line + passed * (after.height / before.height) : before.top;
    scrollBy({ top: after.top - place, behavior: 'instant' });
  }

  // ---- what needs the page's elements

  function commentLines() {
    for (const line of document.querySelectorAll('pre > code > span')) {
      const mark = /^\s*#(zh|en)\b/.exec(line.textContent);
      if (!mark) continue;
      const language = mark[1], whole = document.createElement('span'), end = line.nextSibling;
      whole.className = language;
      whole.lang = LANGUAGES[language][1];
      line.before(whole);
      whole.append(line);
      if (end?.nodeType === Node.TEXT_NODE && end.data.startsWith('\n')) { // the line's end goes and comes with it
        if (end.data.length > 1) end.splitText(1);
        whole.append(end);
      }
      const texts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) {
        const at = texts.currentNode.data.indexOf('#' + language);
        if (at < 0) continue;
        const rest = texts.currentNode.splitText(at + 1), hidden = document.createElement('span');
        hidden.className = 'comment-mark';
        rest.before(hidden);
        rest.splitText(language.length);
        hidden.append(rest);
        break;
      }
    }
  }

  // Quarto's own words stand as “中文 · English” in one piece of text, outside the article.
  function splitWords() {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    while (texts.nextNode()) {
      const both = /^\s*(\S.*?) · (.*\S)\s*$/.exec(texts.currentNode.data);
      if (both && !texts.currentNode.parentElement.closest('main, script, style')) found.push([texts.currentNode, both]);
    }
    for (const [text, [, zh, en]] of found) {
      const parts = [['zh', zh], ['dot', ' · '], ['en', en]].map(([name, words]) => {
        const part = document.createElement('span');
        part.className = name;
        part.textContent = words;
        if (name in LANGUAGES) part.lang = LANGUAGES[name][1];
        return part;
      });
      text.replaceWith(...parts);
    }
  }

  function languageSwitch() {
    const group = document.createElement('div');
    group.className = 'language-switch';
    group.setAttribute('role', 'group');
    group.setAttribute('aria-label', '语言 · Language');
    for (const [language, [name, code]] of Object.entries(LANGUAGES)) {
      const button = document.createElement('button');
      button.type = 'button';
      button.value = language;
      button.textContent = name;
      button.lang = code;
      button.addEventListener('click', () => {
        keepPlace(() => show(language));
        remember(language);
      });
      group.append(button);
    }
    const tools = document.querySelector('.navbar .quarto-navbar-tools');
    if (tools) tools.before(group); else document.body.prepend(group);
    show(root.dataset.lang);
  }

  // Quarto switches all sets of tabs of a group at once; the one that was clicked stays where it is.
  function steadyTabs() {
    const tabs = [...document.querySelectorAll('.panel-tabset [role="tab"]')];
    const tell = () => tabs.forEach((tab) => tab.setAttribute('aria-selected', String(tab.classList.contains('active'))));
    let at = null;
    document.addEventListener('click', (event) => {
      const tab = event.target.closest?.('.panel-tabset [role="tab"]');
      if (!tab) return;
      at = tab.getBoundingClientRect().top;
      requestAnimationFrame(() => { scrollBy({ top: tab.getBoundingClientRect().top - at, behavior: 'instant' }); tell(); });
    }, true);
    addEventListener('pageshow', () => setTimeout(tell));
  }

  // A link may lead into a language that is not shown: go to the pair it belongs to.
  function hiddenTarget() {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && !target.getClientRects().length) target.closest('.bilingual')?.scrollIntoView();
  }

  // Where Quarto's own elements leave a screen reader or the keyboard without help.
  function accessible() {
    for (const element of document.querySelectorAll('.aa-Autocomplete, .aa-DetachedSearchButton')) element.setAttribute('aria-label', '搜索 · Search');
    for (const link of document.querySelectorAll('.pagination-link')) link.removeAttribute('aria-label'); // its text says it
    for (const block of document.querySelectorAll('main pre, main math[display="block"]')) {
      if (block.scrollWidth > block.clientWidth) block.tabIndex = 0; else block.removeAttribute('tabindex');
    }
  }

  for (const event of ['load', 'resize', 'click']) addEventListener(event, () => setTimeout(accessible));

  document.addEventListener('DOMContentLoaded', () => {
    commentLines();
    splitWords();
    languageSwitch();
    steadyTabs();
    hiddenTarget();
    addEventListener('hashchange', hiddenTarget);
  });
})();
