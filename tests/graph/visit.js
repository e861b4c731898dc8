// Uses the page in the frame as a visitor would and writes down what there is to see.
const seen = { overflow: {}, grounds: {}, words: {} };
const frame = document.querySelector('iframe');

function look({ document: page, KeyboardEvent, Event, getComputedStyle }) {
  const find = id => page.getElementById(id);
  const texts = selector => [...page.querySelectorAll(selector)].map(element => element.textContent);
  seen.cards = page.querySelectorAll('#canvas .node').length;
  seen.picture = new DOMParser().parseFromString(picture, 'image/svg+xml').querySelectorAll('.node').length;

  find('search').value = 'A';
  find('search').dispatchEvent(new Event('input'));
  seen.found = find('found').textContent;
  seen.hits = texts('.node.hit .name');
  find('search').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
  seen.facts = find('facts').textContent;
  page.querySelector('.node.self')?.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true }));
  seen.moved = page.activeElement.querySelector?.('.name')?.textContent;

  for (const view of ['graph', 'timeline', 'sizes']) {
    find(`tab-${view}`).click();
    seen.overflow[view] = page.documentElement.scrollWidth - frame.contentWindow.innerWidth;
    seen.words[view] = find(view).textContent;
  }
  seen.bars = page.querySelectorAll('#timeline .bar').length;
  seen.tiles = page.querySelectorAll('#sizes .tile').length;
  for (let turn = 0; turn < 3; turn++) {
    find('theme').click();
    seen.grounds[page.documentElement.dataset.theme ?? 'auto'] = getComputedStyle(page.body).backgroundColor;
  }
  document.getElementById('seen').textContent = JSON.stringify(seen);
}

frame.addEventListener('load', () => setTimeout(() => look(frame.contentWindow), 200));
frame.srcdoc = page;
