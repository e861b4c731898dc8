// What all views share: the data, words, the tooltip, tabs and the theme. `start` runs last.
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const { nodes, edges } = data.graph;
const kinds = [...new Set(nodes.map(node => node.kind))].sort();
const needs = nodes.map(() => []);
const users = nodes.map(() => []);
for (const [from, to] of edges) { needs[to].push(from); users[from].push(to); }
const TABS = ['graph', 'timeline', 'sizes'];
const find = id => document.getElementById(id);

/** A new element; what it holds may be elements and texts. */
function make(tag, properties = {}, ...inside) {
  const { class: names, ...rest } = properties;
  const element = document.createElement(tag);
  if (names) element.className = names;
  for (const [name, value] of Object.entries(rest)) {
    if (name in element) element[name] = value; else element.setAttribute(name, value);
  }
  element.append(...inside);
  return element;
}

const tone = kind => 'k' + Math.max(0, kinds.indexOf(kind)) % 8;
const count = (number, noun) => `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;

function bytes(number) {
  if (number < 1000) return `${number} B`;
  let value = number / 1000, unit = 0;
  while (value >= 999.95 && unit < 3) { value /= 1000; unit++; }
  return `${value.toFixed(1)} ${['kB', 'MB', 'GB', 'TB'][unit]}`;
}

function seconds(value) {
  if (value >= 59.95) return `${(value / 60).toFixed(1)} min`;
  return `${value < 0.1 ? value.toFixed(2) : value.toFixed(1)} s`;
}

/** A view that has nothing to show says why, and what to do. */
const empty = (title, ...words) => make('div', { class: 'empty' }, make('strong', {}, title), ...words);

/** Shows words beside the pointer, or beside what has the focus. */
function explain(element, words) {
  const tip = find('tooltip');
  const show = (x, y) => {
    tip.textContent = words;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(x + 12, innerWidth - box.width - 8))}px`;
    tip.style.top = `${y + 18 + box.height > innerHeight ? Math.max(8, y - box.height - 10) : y + 18}px`;
  };
  element.addEventListener('pointermove', event => show(event.clientX, event.clientY));
  element.addEventListener('pointerleave', () => { tip.hidden = true; });
  element.addEventListener('focus', () => {
    const box = element.getBoundingClientRect();
    if (element.matches(':focus-visible')) show(box.left, box.bottom - 12);
  });
  element.addEventListener('blur', () => { tip.hidden = true; });
  return element;
}

function summarize() {
  const has = state => nodes.filter(node => node.state === state).length;
  const chain = nodes.filter(node => node.critical !== null);
  const words = [count(nodes.length, data.steps ? 'node' : 'unit')];
  for (const [state, name] of [['cached', 'cached'], ['open', 'to build'], ['failed', 'failed']]) {
    if (has(state)) words.push(`${has(state).toLocaleString('en')} ${name}`);
  }
  if (chain.length) words.push(`longest chain ${seconds(data.chain_seconds)}`);
  find('summary').textContent = words.join(' · ');
}

/** Switches to a tab; where its view is drawn only once it is seen, it is drawn now. */
function open(name) {
  for (const tab of TABS) {
    const button = find(`tab-${tab}`), chosen = tab === name;
    button.setAttribute('aria-selected', chosen);
    button.tabIndex = chosen ? 0 : -1;
    find(tab).hidden = !chosen;
  }
  find('tooltip').hidden = true;
  find(name).dispatchEvent(new Event('seen'));
}

function tabs() {
  TABS.forEach((name, place) => {
    const button = find(`tab-${name}`);
    button.addEventListener('click', () => open(name));
    button.addEventListener('keydown', event => {
      const step = { ArrowRight: 1, ArrowLeft: TABS.length - 1 }[event.key];
      if (!step) return;
      const next = TABS[(place + step) % TABS.length];
      open(next);
      find(`tab-${next}`).focus();
    });
  });
}

/** Goes round: as the system has it, light, dark. */
function themes() {
  const all = ['auto', 'light', 'dark'], root = document.documentElement, button = find('theme');
  const apply = theme => {
    if (theme === 'auto') delete root.dataset.theme; else root.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
    // Pages from a file may have no storage.
    try { localStorage.setItem('forge-theme', theme); } catch { /* the choice lasts as long as the page */ }
  };
  let theme = 'auto';
  try { theme = localStorage.getItem('forge-theme') ?? 'auto'; } catch { /* as the system has it */ }
  apply(theme = all.includes(theme) ? theme : 'auto');
  button.addEventListener('click', () => apply(theme = all[(all.indexOf(theme) + 1) % all.length]));
}

/** A link may name a view and what to show there: #timeline, #sizes/NAME, #graph/NAME, #find/WORD. */
function follow() {
  const [view, ...rest] = decodeURIComponent(location.hash.slice(1)).split('/');
  const word = rest.join('/');
  if (view === 'find') { find('search').value = word; find('search').dispatchEvent(new Event('input')); }
  if (!TABS.includes(view)) return;
  open(view);
  if (view === 'graph' && word) choose(nodes.findIndex(node => node.name === word));
  if (view === 'sizes' && word) measure(data.charts.findIndex(chart => chart.unit === word));
}

function start() {
  document.body.classList.add('live');
  summarize();
  tabs();
  themes();
  canvas();
  timeline();
  sizes();
  follow();
  addEventListener('hashchange', follow);
}
