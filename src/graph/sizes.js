// What an output is made of: a squarified treemap (Bruls, Huizing and van Wijk), folders in folders.

const HEADER = 18;
let chart = -1, trail = [];

function sizes() {
  const section = find('sizes');
  data.charts.sort((a, b) => b.root.bytes - a.root.bytes);
  if (!data.charts.length) {
    const how = ['Build a unit with ', make('code', {}, 'forge build'), '; what it is made of is shown here.'];
    section.append(empty('No output is in the store yet', ...how));
    return;
  }
  const several = unit => data.charts.filter(chart => chart.unit === unit).length > 1;
  const name = chart => several(chart.unit) ? `${chart.unit}:${chart.output}` : chart.unit;
  const words = ({ root }) => `${bytes(root.bytes)}, ${count(root.files, 'file')}`;
  const option = (chart, place) => make('option', { value: place }, `${name(chart)}: ${words(chart)}`);
  const change = () => measure(Number(select.value));
  const select = make('select', { id: 'which', 'aria-label': 'Output', onchange: change }, ...data.charts.map(option));
  section.append(
    make('div', { class: 'tools' }, select, make('nav', { class: 'crumbs', 'aria-label': 'Folder' })),
    make('div', { class: 'scroll' }, make('div', { class: 'map', id: 'map' }), make('table', { id: 'biggest' })));
  section.addEventListener('seen', draw);
  new ResizeObserver(draw).observe(find('map'));
  measure(0);
}

/** Shows an output, from its top. */
function measure(place) {
  if (place < 0 || !data.charts[place]) return;
  chart = place;
  trail = [data.charts[place].root];
  find('which').value = place;
  draw();
}

function enter(path) {
  trail = path;
  draw();
  find('map').querySelector('button')?.focus({ focusVisible: false });
}

function draw() {
  const map = find('map');
  if (chart < 0 || !map.clientWidth) return;
  find('tooltip').hidden = true;
  const here = trail[trail.length - 1];
  const crumb = (folder, depth) => {
    const onclick = () => enter(trail.slice(0, depth + 1));
    return make('button', { type: 'button', onclick }, depth ? folder.name : data.charts[chart].unit);
  };
  const crumbs = trail.flatMap((folder, depth) => depth ? ['/', crumb(folder, depth)] : [crumb(folder, depth)]);
  document.querySelector('.crumbs').replaceChildren(...crumbs, make('span', { class: 'soft' }, bytes(here.bytes)));
  map.replaceChildren();
  const box = { x: 0, y: 0, width: map.clientWidth, height: map.clientHeight };
  if (!here.bytes) map.append(empty(here.files ? 'All its files are empty' : 'There are no files in it', ''));
  else if (here.inside) tiles(map, here, trail, box, 'k0', false);
  else tile(map, here, trail, box, 'k0', true);
  biggest(here);
}

/** Lays what is in a folder into a box, and what is in that, as long as there is room. Files have the
 * colour of their folder. A folder has its own, unless it is in one that has settled on its colour:
 * one that is not most of what is around it. */
function tiles(map, folder, path, box, color, settled) {
  let folders = 0;
  for (const [entry, place] of squarify(folder.inside, box)) {
    const own = entry.inside && !settled ? `k${folders++ % 8}` : color;
    tile(map, entry, [...path, entry], place, own, settled || entry.bytes < 0.7 * folder.bytes);
  }
}

function tile(map, entry, path, box, color, settled) {
  if (box.width < 2.5 || box.height < 2.5) return;
  const inner = { x: box.x + 3, y: box.y + HEADER, width: box.width - 7, height: box.height - HEADER - 4 };
  const nested = entry.inside && inner.width > 14 && inner.height > 14;
  const element = make(entry.inside ? 'button' : 'div', { class: `tile ${color}${entry.inside ? ' folder' : ''}` });
  if (entry.inside) { element.type = 'button'; element.addEventListener('click', () => enter(path)); }
  const name = path.slice(1).map(folder => folder.name).join('/') || data.charts[chart].unit;
  if (box.width > 34 && box.height > 15) {
    const apart = !nested && box.height > 32 && box.width > 58;
    const size = make('span', { class: apart ? 'size below' : 'size' }, bytes(entry.bytes));
    element.append(make('span', { class: 'label' }, entry.name || name, apart || box.width > 190 ? size : ''));
  }
  const sides = { left: box.x, top: box.y, width: box.width - 1, height: box.height - 1 };
  for (const [side, value] of Object.entries(sides)) element.style[side] = `${value}px`;
  const share = (100 * entry.bytes / data.charts[chart].root.bytes).toFixed(1);
  const files = entry.inside ? `, ${count(entry.files, 'file')}` : '';
  map.append(explain(element, `${name}\n${bytes(entry.bytes)}, ${share} % of all${files}`));
  if (nested) tiles(map, entry, path, inner, color, settled);
}

/** Rows of boxes, each row along the shorter side, each as square as can be; areas are sizes. */
function squarify(entries, { x, y, width, height }) {
  const rest = entries.filter(entry => entry.bytes > 0), placed = [];
  let scale = width * height / rest.reduce((sum, entry) => sum + entry.bytes, 0);
  while (rest.length) {
    const side = Math.min(width, height), row = [];
    let sum = 0, worst = Infinity;
    while (rest.length) {
      const area = rest[0].bytes * scale, next = sum + area, thick = next / side;
      const sizes = [...row.map(entry => entry.bytes * scale), area];
      const longs = sizes.map(size => size / thick);
      const ratio = Math.max(...longs.map(long => Math.max(long / thick, thick / long)));
      if (ratio > worst) break;
      [sum, worst] = [next, ratio];
      row.push(rest.shift());
    }
    const thick = sum / side, upright = width >= height;
    let along = 0;
    for (const entry of row) {
      const long = entry.bytes * scale / thick;
      const down = { x, y: y + along, width: thick, height: long };
      const across = { x: x + along, y, width: long, height: thick };
      placed.push([entry, upright ? down : across]);
      along += long;
    }
    if (upright) { x += thick; width -= thick; } else { y += thick; height -= thick; }
  }
  return placed;
}

/** The biggest files in words, for those who can't see the map. */
function biggest(here) {
  const inside = (folder, path) => folder.inside.flatMap(entry => files(entry, [...path, entry.name]));
  const files = (folder, path) => (folder.inside ? inside(folder, path) : [[path.join('/'), folder.bytes]]);
  const top = here.inside ? files(here, []).sort((a, b) => b[1] - a[1]).slice(0, 10) : [];
  const cell = (kind, text) => make('td', { class: kind }, text);
  const line = ([path, size]) => make('tr', {}, cell('mono', path), cell('number', bytes(size)));
  const table = [make('caption', {}, 'Biggest'), make('tbody', {}, ...top.map(line))];
  find('biggest').replaceChildren(...(top.length ? table : []));
}
