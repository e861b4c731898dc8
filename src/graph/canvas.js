// The graph: pan, zoom, search, choose.

const view = { x: 0, y: 0, scale: 1 };
let picture, cards, links, extent, chosen = -1, hits = [], hit = 0;

function canvas() {
  const box = find('canvas');
  picture = box.querySelector('svg');
  extent = { width: picture.viewBox.baseVal.width, height: picture.viewBox.baseVal.height };
  picture.removeAttribute('viewBox');
  cards = [...picture.querySelectorAll('.node')];
  links = [...picture.querySelectorAll('[data-from]')];
  cards.forEach((card, id) => {
    card.setAttribute('tabindex', id ? '-1' : '0');
    card.setAttribute('role', 'button');
    card.classList.toggle('short', nodes[id].name.length * 10.4 + 20 < card.querySelector('.card').width.baseVal.value);
    card.addEventListener('focus', () => { if (card.matches(':focus-visible')) show(id); });
  });
  if (!nodes.length) box.replaceChildren(empty('Nothing to draw', 'The project has no units yet.'));
  legend();
  drag(box);
  box.addEventListener('wheel', event => {
    event.preventDefault();
    if (event.ctrlKey || !event.shiftKey) zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), event);
    else pan(-event.deltaX - event.deltaY, 0);
  }, { passive: false });
  box.addEventListener('keydown', keys);
  find('larger').addEventListener('click', () => zoom(1.35));
  find('smaller').addEventListener('click', () => zoom(1 / 1.35));
  find('fit').addEventListener('click', () => fit(true));
  search();
  addEventListener('beforeprint', () => {
    picture.setAttribute('viewBox', `0 0 ${extent.width} ${extent.height}`);
    place({ x: 0, y: 0, scale: 1 });
  });
  addEventListener('afterprint', () => { picture.removeAttribute('viewBox'); fit(); });
  new ResizeObserver(() => { if (!view.moved) fit(); }).observe(box);
  find('graph').addEventListener('seen', () => { if (!view.moved) fit(); });
  fit();
}

function place({ x, y, scale }, glide = false) {
  Object.assign(view, { x, y, scale });
  picture.classList.toggle('gliding', glide);
  picture.classList.toggle('far', scale < 0.6);
  picture.classList.toggle('dots', scale < 0.3);
  picture.querySelector('.view').style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
}

function fit(glide = false) {
  const { width, height } = find('canvas').getBoundingClientRect();
  if (!width || !height) return;
  const scale = Math.min(width / extent.width, height / extent.height, 1.25);
  view.moved = false;
  place({ x: (width - extent.width * scale) / 2, y: (height - extent.height * scale) / 2, scale }, glide);
}

function pan(x, y) {
  view.moved = true;
  place({ x: view.x + x, y: view.y + y, scale: view.scale });
}

/** Zooms about a point of the window, or about the middle. */
function zoom(factor, at) {
  const box = find('canvas').getBoundingClientRect();
  const x = at ? at.clientX - box.left : box.width / 2, y = at ? at.clientY - box.top : box.height / 2;
  const scale = Math.min(4, Math.max(0.02, view.scale * factor)), ratio = scale / view.scale;
  view.moved = true;
  place({ x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio, scale });
}

/** One pointer moves the picture, two zoom it; one that hardly moves is a click. */
function drag(box) {
  const down = new Map();
  let way = 0, start = null;
  box.addEventListener('pointerdown', event => {
    down.set(event.pointerId, event);
    if (down.size === 1) { way = 0; start = event.target.closest('.node'); }
  });
  box.addEventListener('pointermove', event => {
    const last = down.get(event.pointerId);
    if (!last) return;
    const [x, y] = [event.clientX - last.clientX, event.clientY - last.clientY];
    way += Math.abs(x) + Math.abs(y);
    if (way > 4 && !box.hasPointerCapture(event.pointerId)) box.setPointerCapture(event.pointerId);
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    down.set(event.pointerId, event);
    box.classList.toggle('moving', way > 4);
    if (!other) { if (way > 4) pan(x, y); return; }
    const apart = one => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
    const between = key => (event[key] + other[key]) / 2;
    zoom(apart(event) / apart(last), { clientX: between('clientX'), clientY: between('clientY') });
  });
  const end = event => {
    const click = down.delete(event.pointerId) && event.type === 'pointerup' && way <= 4;
    if (click) choose(start ? Number(start.dataset.id) : -1, false);
    box.classList.remove('moving');
  };
  for (const type of ['pointerup', 'pointercancel']) box.addEventListener(type, end);
}

function keys(event) {
  const card = event.target.closest('.node'), id = card ? Number(card.dataset.id) : -1;
  const actions = {
    '+': () => zoom(1.35), '=': () => zoom(1.35), '-': () => zoom(1 / 1.35), '0': () => fit(true),
    Escape: () => choose(-1), Enter: () => choose(id < 0 ? 0 : id), ' ': () => choose(id),
    ArrowUp: () => (card ? focus(needs[id][0]) : pan(0, 60)),
    ArrowDown: () => (card ? focus(users[id][0]) : pan(0, -60)),
    ArrowLeft: () => (card ? focus(id - 1) : pan(60, 0)), ArrowRight: () => (card ? focus(id + 1) : pan(-60, 0)),
  };
  if (event.ctrlKey || event.metaKey || !actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
}

function focus(id) {
  if (!cards[id]) return;
  cards.forEach((card, other) => card.setAttribute('tabindex', other === id ? '0' : '-1'));
  cards[id].focus();
  show(id);
}

/** Brings a card into view, large enough to be read, and above the panel where that lies over the graph. */
function show(id) {
  const panel = find('facts'), covered = getComputedStyle(panel).position === 'absolute' ? panel.offsetHeight : 0;
  const box = find('canvas').getBoundingClientRect(), node = cards[id].querySelector('.card');
  const [, x, y] = cards[id].getAttribute('transform').match(/\(([\d.]+) ([\d.]+)\)/).map(Number);
  const scale = Math.max(view.scale, 0.75);
  view.moved = true;
  const [middle, center] = [x + node.width.baseVal.value / 2, y + node.height.baseVal.value / 2];
  place({ x: box.width / 2 - middle * scale, y: (box.height - covered) / 2 - center * scale, scale }, true);
}

/** Chooses a node: its facts are shown, and what it is joined to. */
function choose(id, center = true) {
  chosen = id;
  const near = new Set(id < 0 ? [] : [id, ...needs[id], ...users[id]]);
  picture.classList.toggle('chosen', id >= 0);
  cards.forEach((card, other) => {
    card.classList.toggle('near', near.has(other));
    card.classList.toggle('self', other === id);
  });
  const cell = id < 0 ? '' : cards[id].dataset.cell;
  const touches = link => cell !== '' && (link.dataset.from === cell || link.dataset.to === cell);
  for (const link of links) link.classList.toggle('near', touches(link));
  facts(id);
  if (id >= 0 && center) show(id);
}

function search() {
  const input = find('search'), found = find('found');
  const step = by => {
    if (!hits.length) return;
    hit = (hit + by + hits.length) % hits.length;
    found.textContent = `${hit + 1} of ${hits.length}`;
    show(hits[hit]);
  };
  input.addEventListener('input', () => {
    const word = input.value.trim().toLowerCase();
    hits = word ? nodes.flatMap((node, id) => node.name.toLowerCase().includes(word) ? [id] : []) : [];
    hits.sort((a, b) => nodes[a].name.length - nodes[b].name.length || a - b);
    cards.forEach((card, id) => ['hit', 'near'].forEach(word => card.classList.toggle(word, hits.includes(id))));
    picture.classList.toggle('chosen', hits.length > 0);
    links.forEach(link => link.classList.remove('near'));
    found.textContent = word ? 'none' : '';
    hit = 0;
    step(0);
  });
  input.addEventListener('keydown', event => {
    if (event.key === 'Enter' && hits.length) {
      if (event.shiftKey || chosen === hits[hit]) step(event.shiftKey ? -1 : 1);
      choose(hits[hit]);
    }
    if (event.key === 'Escape') {
      input.value = '';
      input.dispatchEvent(new Event('input'));
      choose(-1);
      find('canvas').focus();
    }
  });
  document.addEventListener('keydown', event => {
    if (event.key !== '/' || event.target.matches('input, select')) return;
    event.preventDefault();
    open('graph');
    input.focus();
  });
}

const STATES = {
  cached: 'cached: its result is in the store',
  open: 'to build',
  idle: 'not needed: what uses it is cached',
  failed: 'failed in its last build',
};

/** The panel beside the graph. */
function facts(id) {
  const panel = find('facts');
  panel.hidden = id < 0;
  if (id < 0) return;
  const node = nodes[id], list = make('dl');
  const fact = (name, ...value) => list.append(make('dt', {}, name), make('dd', {}, ...value));
  fact('Kind', node.kind);
  fact('State', STATES[node.state]);
  fact('Took', node.seconds === null ? 'not recorded yet' : seconds(node.seconds));
  if (node.critical !== null) fact('Chain', `number ${node.critical + 1} on the longest chain`);
  if (node.note) fact('Sources', node.note);
  fact('Size', node.size ? `${bytes(node.size.bytes)} in ${count(node.size.files, 'file')}` : 'not in the store');
  for (const [name, digest] of node.outputs) {
    fact(node.outputs.length > 1 ? `Output ${name}` : 'Digest', make('span', { class: 'mono' }, digest));
  }
  if (node.key) fact('Key', make('span', { class: 'mono' }, node.key));
  if (node.log) fact('Log', make('span', { class: 'mono' }, node.log));
  const leave = () => { choose(-1); find('canvas').focus(); };
  const close = make('button', { type: 'button', 'aria-label': 'Close', onclick: leave }, '×');
  panel.replaceChildren(make('div', { class: 'title' }, make('h2', {}, node.name), close), list);
  const chart = data.charts.findIndex(chart => chart.unit === node.name);
  const show = () => { open('sizes'); measure(chart); };
  if (chart >= 0) panel.append(make('button', { type: 'button', onclick: show }, 'Show what its output is made of'));
  for (const [title, others] of [['Needs', needs[id]], ['Needed by', users[id]]]) {
    panel.append(make('h3', {}, others.length ? `${title} ${others.length}` : `${title} nothing`), listing(others));
  }
  panel.scrollTop = 0;
}

function listing(ids) {
  const link = id => make('button', { type: 'button', class: 'link', onclick: () => choose(id) }, nodes[id].name);
  const item = id => make('li', {}, link(id));
  const list = make('ul', {}, ...ids.slice(0, 60).map(item));
  if (ids.length > 60) list.append(make('li', { class: 'soft' }, `and ${ids.length - 60} more`));
  return list;
}

function legend() {
  const entry = (swatch, words) => make('li', {}, make('span', { class: `swatch ${swatch}` }), words);
  const number = kind => nodes.filter(node => node.kind === kind).length;
  const has = state => nodes.some(node => node.state === state);
  find('legend').append(...kinds.map(kind => entry(tone(kind), `${kind} ${number(kind)}`)));
  if (has('cached')) find('legend').append(entry('solid', 'cached'));
  if (has('open')) find('legend').append(entry('dashed', 'to build'));
  if (has('failed')) find('legend').append(entry('bad', 'failed'));
  if (nodes.some(node => node.critical !== null)) find('legend').append(entry('line', 'longest chain'));
}
