// The page: lists, filters and details. Texts are set as text, never as markup.
const report = JSON.parse(document.getElementById("report-data").textContent);
const { topics, documents, marks, groups, time } = report;
const byId = (id) => document.getElementById(id);
const state = { topic: -1, group: "", from: 0, to: Infinity, share: 0, query: "", chosen: -1, listed: 10 };
const number = new Intl.NumberFormat("en");
const percent = (share) => `${(100 * share).toFixed(1)}%`;

// an element with attributes and children; strings become text
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "color") element.style.setProperty("--c", value);
    else if (name === "width") element.style.width = value;
    else if (name === "onclick") element.addEventListener("click", value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
const swatch = (k) => make("i", { class: "swatch", color: topics[k].color });
const bar = (share, color) => make("span", { class: "bar", color }, make("span", { width: `${100 * share}%` }));
const named = (k, tag = "span") =>
  make(tag, { class: "named" }, swatch(k), make("span", { dir: "auto", class: "clamp" }, topics[k].name));

// documents ---------------------------------------------------------------------------------
const firstTopic = (d) => documents.topic[d * documents.n_top];
const rowOf = (d) => (documents.row ? documents.row[d] : d);
function topicsOf(d) {
  const at = d * documents.n_top, found = [];
  for (let i = at; i < at + documents.n_top; i++) found.push([documents.topic[i], documents.share[i] / 1000]);
  return found;
}
function shareOf(d, k) {
  return topicsOf(d).find(([topic]) => topic === k)?.[1] ?? 0;
}
const titleOf = (d) => documents.title?.[d] ?? documents.text?.[d] ?? `document ${rowOf(d)}`;
// the text, without a title that it begins with
function textOf(d) {
  const text = documents.text?.[d] ?? "", title = documents.title?.[d];
  return title && text !== title && text.startsWith(title) ? text.slice(title.length).trimStart() : text;
}
function aboutOf(d) {
  const said = [`row ${rowOf(d)}`];
  if (documents.group) said.push(groups.names[documents.group[d]] ?? "no group");
  if (documents.period) said.push(time.names[documents.period[d]] ?? "no date");
  return said.join(" · ");
}

// words marked in texts ---------------------------------------------------------------------
const wordNumbers = new Map([...marks.words.map((word, i) => [word, i]), ...Object.entries(marks.forms)]);
const longest = Math.max(1, ...marks.words.map((word) => word.split(" ").length));
const PIECES = /([\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}])|[\p{L}\p{M}\p{N}_]+(?:['’-][\p{L}\p{M}\p{N}_]+)*/gu;

// [start, end, word] of each known word: the longest one at each place
function wordsIn(text) {
  const pieces = [...text.matchAll(PIECES)], found = [];
  const lower = text.toLowerCase();
  const same = lower.length === text.length ? lower : text;
  for (let i = 0; i < pieces.length; i++) {
    const most = pieces[i][1] ? Math.max(8, longest) : longest;
    for (let j = Math.min(i + most, pieces.length) - 1; j >= i; j--) {
      const start = pieces[i].index, end = pieces[j].index + pieces[j][0].length;
      const word = wordNumbers.get(same.slice(start, end)) ?? wordNumbers.get(text.slice(start, end));
      if (word === undefined) continue;
      found.push([start, end, word]);
      i = j;
      break;
    }
  }
  return found;
}

// the topic of the document that a word speaks for most: φ times θ. -1 if none has 5%
function topicOfWord(word, d) {
  let best = -1, most = 0;
  marks.topics[word].forEach((k, i) => {
    const share = shareOf(d, k), weight = marks.weights[word][i] * share;
    if (share >= 0.05 && weight > most) [best, most] = [k, weight];
  });
  return best;
}

// text whose searched words are marked
function hits(text) {
  const words = wanted().sort((a, b) => b.length - a.length).map((word) => word.replace(/[^\p{L}\p{M}\p{N}\s]/gu, "\\$&"));
  if (!words.length) return [text];
  return text.split(new RegExp(`(${words.join("|")})`, "i")).map((part, i) => (i % 2 ? make("b", { class: "hit" }, part) : part));
}

function marked(text, d, only = -1) {
  const parts = [];
  let done = 0;
  for (const [start, end, word] of wordsIn(text)) {
    const k = topicOfWord(word, d);
    if (k < 0 || (only >= 0 && k !== only)) continue;
    parts.push(...hits(text.slice(done, start)), make("mark", { color: topics[k].color, title: topics[k].name }, ...hits(text.slice(start, end))));
    done = end;
  }
  return [...parts, ...hits(text.slice(done))];
}

// filters -----------------------------------------------------------------------------------
let searched = null; // texts in lower case, made at the first search
const plain = (text) => text.normalize("NFKC").toLowerCase();
const wanted = () => plain(state.query).split(/\s+/).filter(Boolean);
function filtered() {
  const { group, from, to, share } = state, words = wanted();
  if (words.length && !searched)
    searched = documents.text.map((text, d) => plain(`${documents.title?.[d] ?? ""} ${text}`));
  const shown = new Uint8Array(documents.n);
  for (let d = 0; d < documents.n; d++) {
    if (group !== "" && documents.group[d] !== Number(group)) continue;
    if (documents.period && (from > 0 || to < time.names.length - 1) && !(documents.period[d] >= from && documents.period[d] <= to)) continue;
    if (share > 0 && (state.topic < 0 ? documents.share[d * documents.n_top] / 1000 : shareOf(d, state.topic)) < share) continue;
    if (!words.every((word) => searched[d].includes(word))) continue;
    shown[d] = 1;
  }
  return shown;
}

function update() {
  map.shown = filtered();
  map.topic = state.topic;
  map.draw();
  const rows = [];
  for (let d = 0; d < documents.n; d++) if (map.passes(d)) rows.push(d);
  const share = (d) => (state.topic < 0 ? documents.share[d * documents.n_top] / 1000 : shareOf(d, state.topic));
  rows.sort((a, b) => share(b) - share(a) || a - b);
  byId("status").textContent = `${number.format(rows.length)} of ${number.format(documents.n)} documents`;
  byId("share-value").textContent = `${Math.round(100 * state.share)}%`;
  for (const button of document.querySelectorAll("#topic-list button"))
    button.setAttribute("aria-pressed", Number(button.dataset.topic) === state.topic);
  byId("all-topics").hidden = state.topic < 0;
  listDocuments(rows, share);
  showTopic();
}

function listDocuments(rows, share) {
  byId("list-title").textContent = state.topic < 0 ? "Documents with the clearest topics" : "Documents of the topic";
  const listed = rows.slice(0, state.listed).map((d) => {
    const text = textOf(d);
    const body = make("span", {});
    if (documents.title?.[d] || !text) body.append(make("strong", { dir: "auto" }, ...hits(titleOf(d))));
    if (text) body.append(make("span", { dir: "auto", class: "faint" }, ...marked(text, d, firstTopic(d))));
    const button = make("button", { type: "button", "aria-current": d === state.chosen, "data-document": d, onclick: () => choose(d) },
      swatch(firstTopic(d)), body, make("span", { class: "about" }, `${percent(share(d))} · ${aboutOf(d)}`));
    return make("li", {}, button);
  });
  byId("document-list").replaceChildren(...listed);
  if (!rows.length) byId("document-list").append(make("li", { class: "muted" }, "No document passes the filters."));
  byId("more").hidden = rows.length <= state.listed;
}

// Give the focus to an element when the button that had it goes away, as in a dialog.
const focusOn = (element) => element.focus({ preventScroll: true });

// details -----------------------------------------------------------------------------------
function showTopic() {
  const panel = byId("topic-panel"), k = state.topic;
  if (k < 0) {
    panel.replaceChildren(make("h2", {}, "Topic"), make("p", { class: "muted" }, "Choose a topic in the list above to see its words and documents."));
    return;
  }
  const { words, description, coherence, exclusivity, n_documents, share, similar, color } = topics[k];
  const most = words.length ? Math.max(...words.map(({ weight }) => weight)) : 1;
  const weights = make("div", { class: "parts" });
  for (const { word, weight } of words)
    weights.append(make("span", { dir: "auto" }, word), bar(weight / most, color), make("span", { class: "number muted" }, weight < 0.0001 ? "< 0.0001" : weight.toPrecision(2)));
  const round = (value) => (value === null ? "not measured" : value.toFixed(2));
  const heading = named(k, "h2");
  heading.tabIndex = -1; // takes the focus of a button that is replaced
  panel.replaceChildren(
    heading,
    ...(description ? [make("p", { dir: "auto" }, description)] : []),
    make("p", { class: "muted small" }, `Mean share ${percent(share)}. First topic of ${number.format(n_documents)} documents. Coherence ${round(coherence)}, exclusivity ${round(exclusivity)}.`),
    words.length ? weights : make("p", { class: "muted" }, "The topic has no words."),
    make("p", { class: "muted small" }, words.length ? "Words that describe the topic, best first, and their probability in it." : ""),
    ...(similar.length ? [make("h3", {}, "Similar topics"), make("div", { class: "links" }, ...similar.map((j) => make("div", {}, make("button", { type: "button", onclick: () => { chooseTopic(j); focusOn(panel.firstChild); } }, named(j)))))] : []),
  );
}

function chooseTopic(k) {
  state.topic = state.topic === k ? -1 : k;
  state.listed = 10;
  update();
}

function choose(d) {
  state.chosen = map.chosen = d;
  map.draw();
  for (const button of document.querySelectorAll("#document-list button"))
    button.setAttribute("aria-current", Number(button.dataset.document) === d);
  const place = byId("chosen");
  if (d < 0) return place.replaceChildren();
  map.show(d);
  const parts = make("div", { class: "parts" });
  let rest = 1;
  for (const [k, share] of topicsOf(d)) {
    parts.append(named(k), bar(share, topics[k].color), make("span", { class: "number" }, percent(share)));
    rest -= share;
  }
  if (topics.length > documents.n_top)
    parts.append(make("span", { class: "muted" }, "all other topics"), bar(Math.max(rest, 0), "var(--soft)"), make("span", { class: "number muted" }, percent(Math.max(rest, 0))));
  const text = textOf(d);
  const card = make("article", { class: "card", "aria-label": "Chosen document" },
    make("div", { class: "row" }, make("h3", { dir: "auto" }, documents.title?.[d] || !text ? titleOf(d) : `Document ${rowOf(d)}`), make("button", { type: "button", class: "quiet", onclick: () => { choose(-1); focusOn(document.querySelector(`[data-document="${d}"]`) ?? map.canvas); } }, "Close")),
    make("p", { class: "muted small" }, aboutOf(d)));
  if (text) card.append(make("p", { class: "text", dir: "auto" }, ...marked(text, d)));
  card.append(parts);
  if (text) card.append(make("p", { class: "muted small" }, "A marked word speaks for the topic of its color: there, its probability in the topic times the topic's share of this document is largest. Shares are of the whole text. In Python, explain(model, text) says how much each word adds."));
  place.replaceChildren(card);
  card.scrollIntoView({ block: "nearest" });
}

// start -------------------------------------------------------------------------------------
document.documentElement.classList.add("js");
const tip = byId("tip");
const map = new TopicMap(byId("map"), documents, topics, {
  onChoose: choose,
  onPoint(d, x, y) {
    tip.hidden = d < 0;
    if (d < 0) return;
    tip.replaceChildren(named(firstTopic(d), "div"), make("div", { dir: "auto" }, titleOf(d)), make("div", { class: "muted" }, `${percent(topicsOf(d)[0][1])} · ${aboutOf(d)}`));
    const frame = byId("map-frame");
    tip.style.left = `${Math.min(x + 14, Math.max(frame.clientWidth - tip.offsetWidth - 4, 0))}px`;
    tip.style.top = `${y + 18 + tip.offsetHeight > frame.clientHeight ? Math.max(y - tip.offsetHeight - 12, 2) : y + 18}px`;
  },
});
byId("topic-list").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) chooseTopic(Number(button.dataset.topic));
});
byId("all-topics").addEventListener("click", () => { chooseTopic(state.topic); focusOn(byId("topic-list")); });
byId("more").addEventListener("click", () => {
  const n = byId("document-list").children.length;
  state.listed += 40;
  update();
  focusOn(byId("document-list").children[n].firstChild);
});
for (const button of document.querySelectorAll("#zoom button"))
  button.addEventListener("click", () => (Number(button.dataset.zoom) ? map.zoomBy(Number(button.dataset.zoom)) : map.home()));
function readFilters() {
  state.query = byId("query")?.value ?? "";
  state.group = byId("group")?.value ?? "";
  state.from = Number(byId("from")?.value ?? 0);
  state.to = Number(byId("to")?.value ?? Infinity);
  state.share = byId("share").value / 100;
  state.listed = 10;
  update();
}
// tables that are cut off say so
for (const table of document.querySelectorAll(".scroll")) {
  const look = () => {
    const hidden = table.scrollWidth - table.clientWidth;
    table.classList.toggle("wide", hidden > 1);
    table.classList.toggle("cut", hidden - table.scrollLeft > 1);
  };
  table.addEventListener("scroll", look);
  new ResizeObserver(look).observe(table);
}
byId("filters").addEventListener("input", readFilters);
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("reset", () => setTimeout(readFilters));
byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = getComputedStyle(root).colorScheme === "dark" || (root.style.colorScheme === "" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.style.colorScheme = dark ? "light" : "dark";
  map.paint();
});
update();
