// The last build: a lane for each thread, a bar for each step, a tick for each that was cached.

function timeline() {
  const section = find('timeline'), build = data.timeline;
  if (!build) {
    const how = ['When ', make('code', {}, 'forge build'), ' has built something, its course is shown here.'];
    section.append(empty('No build is recorded yet', ...how));
    return;
  }
  const plot = make('div', { class: 'plot' }), end = Math.max(build.length, 1);
  plot.append(axis(end), ...lanes(build).map(lane => row(lane, end)));
  const name = 'Course of the last build; the table below lists its longest steps';
  const chart = make('div', { class: 'chart', tabIndex: 0, role: 'group', 'aria-label': name }, plot);
  let width = 1;
  const widen = factor => {
    const middle = (chart.scrollLeft + chart.clientWidth / 2) / plot.scrollWidth;
    width = Math.min(64, Math.max(1, width * factor));
    plot.style.width = `${width * 100}%`;
    plot.querySelector('.axis').replaceWith(axis(end, width));
    label(plot);
    chart.scrollLeft = middle * plot.scrollWidth - chart.clientWidth / 2;
  };
  const zoomed = [['−', 'Zoom out', 0.5], ['Fit', 'Fit', 0], ['+', 'Zoom in', 2]];
  const button = ([text, name, factor]) =>
    make('button', { type: 'button', 'aria-label': name, onclick: () => widen(factor) }, text);
  const zoom = make('span', { class: 'group', role: 'group', 'aria-label': 'Zoom' }, ...zoomed.map(button));
  const tools = make('div', { class: 'tools' }, make('p', { class: 'soft' }, story(build)), zoom);
  section.append(tools, make('div', { class: 'scroll' }, chart, longest(build)));
  section.addEventListener('seen', () => label(plot));
  new ResizeObserver(() => label(plot)).observe(chart);
}

/** Spans by lane: fetch lanes first, then work, then what was not started. */
function lanes(build) {
  const by = new Map();
  for (const span of build.spans) {
    const name = span.lane ?? 'cached';
    if (name === 'cached' && span.status !== 'cached') continue;
    if (!by.has(name)) by.set(name, []);
    by.get(name).push(span);
  }
  const rank = name => ['fetch', 'work', 'cached'].indexOf(name.split(' ')[0]) * 1000 + Number(name.split(' ')[1] ?? 0);
  return [...by].sort(([a], [b]) => rank(a) - rank(b));
}

function row([name, spans], end) {
  const thin = !name.startsWith('work');
  const track = make('div', { class: 'track' }, ...spans.map(span => mark(span, end, name === 'cached')));
  return make('div', { class: `lane${thin ? ' thin' : ''}` }, make('span', { class: 'who' }, name), track);
}

function mark(span, end, tick) {
  const named = name => nodes.find(node => node.name === name);
  const unit = named(span.label) ?? named(span.label.split(':')[0]);
  const color = span.lane?.startsWith('fetch') || !unit ? 'k7' : tone(unit.kind);
  const element = make('div', { class: tick ? 'tick' : `bar ${span.status} ${color}` });
  element.dataset.label = span.label;
  element.style.left = `${100 * span.start / end}%`;
  if (!tick) element.style.width = `${100 * (span.end - span.start) / end}%`;
  const took = seconds((span.end - span.start) / 1000), when = seconds(span.start / 1000);
  const words = tick ? 'cached' : `${span.status} in ${took}, started at ${when}`;
  return explain(element, `${span.label}\n${words}`);
}

/** Writes labels into bars with room for words. */
function label(plot) {
  for (const bar of plot.querySelectorAll('.lane:not(.thin) .bar')) {
    const room = bar.offsetWidth > 34;
    bar.classList.toggle('tiny', !room);
    bar.textContent = room ? bar.dataset.label : '';
  }
}

/** Lines at round times, about every 75 pixels or more. */
function axis(end, width = 1) {
  const wanted = end / Math.max(2, Math.min(10, (innerWidth - 100) / 75) * width);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 5, 10].map(times => times * power).find(step => step >= wanted);
  const box = make('div', { class: 'axis', 'aria-hidden': 'true' });
  for (let time = 0; time <= end * 0.97; time += step) {
    const digits = time >= 60000 || step >= 1000 ? 0 : 3;
    const line = make('span', {}, `${+(time / 1000).toFixed(digits)} s`);
    line.style.left = `${100 * time / end}%`;
    box.append(line);
  }
  return box;
}

/** What the build came to, in words. */
function story(build) {
  const ran = build.spans.filter(span => span.lane), work = ran.filter(span => span.lane.startsWith('work'));
  const busy = work.reduce((sum, span) => sum + span.end - span.start, 0);
  const has = status => build.spans.filter(span => span.status === status).length;
  const begun = new Date(build.begun).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  const words = [begun, seconds(build.length / 1000), `${count(work.length, 'step')} ran`];
  if (ran.length > work.length) words.push(`${count(ran.length - work.length, 'file')} fetched`);
  for (const status of ['cached', 'failed', 'skipped', 'cancelled']) {
    if (has(status)) words.push(`${has(status)} ${status}`);
  }
  words.push(`${(busy / Math.max(build.length, 1)).toFixed(1)} steps at once on average`);
  return words.join(' · ');
}

function longest(build) {
  const took = span => span.end - span.start;
  const spans = build.spans.filter(span => span.lane).sort((a, b) => took(b) - took(a)).slice(0, 10);
  const cell = (kind, text) => make('td', { class: kind }, text);
  const time = span => cell('number', seconds(took(span) / 1000));
  const line = span => make('tr', {}, cell('mono', span.label), cell('number soft', span.status), time(span));
  return make('table', {}, make('caption', {}, 'Longest steps'), make('tbody', {}, ...spans.map(line)));
}
