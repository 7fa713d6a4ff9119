// The language switch of index.html; on the site, the navigation bar has its own.
const KEY = 'rnn-scratch-lang', page = document.documentElement, buttons = document.querySelectorAll('nav button');

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch { // storage is forbidden here
    return null;
  }
}

function choose(language, keep = true) {
  page.dataset.lang = language;
  page.lang = language === 'en' ? 'en' : 'zh-Hans';
  for (const button of buttons) button.setAttribute('aria-pressed', String(button.value === language));
  try {
    if (keep) localStorage.setItem(KEY, language);
  } catch { /* then it is not remembered */ }
}

for (const button of buttons) button.addEventListener('click', () => choose(button.value));
const known = (language) => ['zh', 'en', 'both'].includes(language);
const asked = new URLSearchParams(location.search).get('lang');
const first = [asked, remembered(), navigator.language.startsWith('zh') ? 'zh' : 'en'].find(known);
choose(first, known(asked));
