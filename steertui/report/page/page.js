"use strict";
// Texts behind the cells. They are decompressed on demand and inserted as text nodes only.
// A scenario's record: title, category, task, system, suffixes by condition, and answers, each
// [model, temperature, condition, sample, answer, reasoning, stop, tokens, [[judge, label, reason]]].
(() => {
  const $ = (id) => document.getElementById(id);
  const facts = JSON.parse($("facts").textContent);
  const unpacked = new Map();
  const arriving = new Map();
  let at = null; // {table, row, condition, sample, from}: from is the button that opened the reader

  const make = (tag, kind, text) => {
    const made = document.createElement(tag);
    if (kind) made.className = kind;
    if (text !== undefined && text !== null) made.textContent = text;
    return made;
  };

  // --- light and dark theme
  const system = matchMedia("(prefers-color-scheme: dark)");
  const paint = (dark) => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    $("theme").textContent = dark ? "Light" : "Dark";
    $("theme").setAttribute("aria-pressed", String(dark));
  };
  paint(system.matches);
  system.addEventListener("change", (event) => paint(event.matches));
  $("theme").addEventListener("click", () => paint(document.documentElement.dataset.theme !== "dark"));

  // --- texts
  globalThis.steertuiPack = (number, data) => arriving.get(number)?.(data);
  const packed = (number) => {
    const inside = document.querySelector(`script.pack[data-n="${number}"]`);
    if (inside) return Promise.resolve(inside.textContent);
    return new Promise((resolve, reject) => {
      arriving.set(number, resolve);
      const script = make("script");
      script.src = facts.files[number];
      script.onerror = () => reject(new Error(`The texts are in a file next to this page, and ${facts.files[number]} is missing.`));
      document.head.append(script);
    });
  };
  const unpack = async (number) => {
    if (!unpacked.has(number)) {
      const raw = Uint8Array.from(atob(await packed(number)), (c) => c.charCodeAt(0));
      const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
      if (unpacked.size > 8) unpacked.delete(unpacked.keys().next().value);
      unpacked.set(number, JSON.parse(await new Response(stream).text()));
    }
    return unpacked.get(number);
  };
  const scenario = async (table, name) => {
    const full = `${facts.tables[table].experiment}/${name}`;
    const number = facts.packs[full];
    if (number === undefined) throw new Error("This report was written without the texts.");
    return (await unpack(number))[full];
  };

  // --- reader of one scenario
  const answer = (found, here) => {
    const [, , condition, , text, reasoning, stop, tokens, read] = found;
    const card = make("article", `answer-card c-${facts.colours[condition]}${here ? " here" : ""}`);
    card.append(make("h3", "", condition));
    for (const [judge, label, reason] of read) {
      const line = make("p", "read");
      line.append(make("span", `chip k-${label || "open"}`, label ? `${facts.signs[label]} ${label.replace("_", " ")}` : "! failed"));
      line.append(` ${facts.judges[judge] || judge}${reason ? `: ${reason}` : ""}`);
      card.append(line);
    }
    if (!read.length) card.append(make("p", "read", text === null ? "not answered yet" : "not judged yet"));
    if (reasoning) {
      const more = make("details");
      const inside = make("pre", "", reasoning);
      inside.tabIndex = 0;
      more.append(make("summary", "", "Reasoning"), inside);
      card.append(more);
    }
    if (text !== null) {
      card.append(make("div", "answer", text || "(an empty answer)"));
      const cost = `${tokens} ${tokens === 1 ? "token" : "tokens"}${stop === "length" ? ", truncated at the limit" : ""}`;
      card.append(make("p", "cost", stop === "unknown" ? "imported" : cost));
    }
    return card;
  };
  const show = async () => {
    const { table, row, condition } = at;
    $("r-answers").replaceChildren(make("p", "about", "Loading …"));
    $("r-paper").replaceChildren();
    $("r-paper-h").hidden = true;
    if (!$("reader").open) $("reader").showModal();
    let found;
    try { found = await scenario(table, row.dataset.s); } catch (error) {
      $("reader-h").textContent = row.dataset.s;
      $("r-answers").replaceChildren(make("p", "notice", error.message));
      return;
    }
    const { model, temperature, conditions, paper } = facts.tables[table];
    const own = found.answers.filter((a) => a[0] === model && a[1] === temperature && conditions.includes(a[2]));
    const samples = Math.max(1, ...own.map((a) => a[3] + 1));
    at.sample = Math.min(Math.max(at.sample, 0), samples - 1);
    $("reader-k").textContent = found.category;
    $("reader-h").textContent = found.title;
    $("r-sample").hidden = samples < 2;
    $("r-where").textContent = `sample ${at.sample + 1} of ${samples}`;
    const suffixes = Object.entries(found.suffixes).filter(([, s]) => s.trim()).map(([c, s]) => `\n\n[${c} adds]\n${s.trim()}`).join("");
    $("r-task").querySelector("pre").textContent = `${found.system ? `[system]\n${found.system}\n\n` : ""}[task]\n${found.task}${suffixes}`;
    const shown = own.filter((a) => a[3] === at.sample).sort((a, b) => conditions.indexOf(a[2]) - conditions.indexOf(b[2]));
    $("r-answers").replaceChildren(...shown.map((a) => answer(a, a[2] === condition)));
    const theirs = paper ? found.answers.filter((a) => a[0] === paper && conditions.includes(a[2])) : [];
    $("r-paper-h").hidden = !theirs.length;
    $("r-paper").replaceChildren(...theirs.sort((a, b) => conditions.indexOf(a[2]) - conditions.indexOf(b[2])).map((a) => answer(a, a[2] === condition)));
  };
  const rows = (section) => [...section.querySelectorAll(".heat tbody tr[data-s]")].filter((r) => r.offsetParent);
  const turn = (by) => {
    const every = rows(at.row.closest("section"));
    const next = every[every.indexOf(at.row) + by];
    if (next) { at = { ...at, row: next, sample: 0 }; show(); }
  };
  const sample = (by) => { at.sample += by; show(); };
  $("r-prev").addEventListener("click", () => turn(-1));
  $("r-next").addEventListener("click", () => turn(1));
  $("r-less").addEventListener("click", () => sample(-1));
  $("r-more").addEventListener("click", () => sample(1));
  $("r-close").addEventListener("click", () => $("reader").close());
  $("reader").addEventListener("click", (event) => { if (event.target === $("reader")) $("reader").close(); });
  $("reader").addEventListener("close", () => {
    if (at.from) { at.from.focus(); return; }
    const cells = [...at.row.querySelectorAll("button.cell")];
    cells[Math.max(0, facts.tables[at.table].conditions.indexOf(at.condition))].focus();
  });
  $("reader").addEventListener("keydown", (event) => {
    const moves = { ArrowUp: () => turn(-1), ArrowDown: () => turn(1), ArrowLeft: () => sample(-1), ArrowRight: () => sample(1) };
    const inText = event.target.closest("pre");
    if (moves[event.key] && !inText) { event.preventDefault(); moves[event.key](); }
  });

  // --- heat maps
  const finders = new Map(); // table -> function that finds a scenario's row on any page of its heat map
  for (const section of document.querySelectorAll("section.table")) {
    const heat = section.querySelector(".heat");
    if (!heat) continue;
    const table = Number(section.dataset.table);
    const pages = [heat.querySelector("tbody"), ...[...heat.querySelectorAll("template")].map((t) => t.content.firstElementChild)];
    let page = 0;
    const enter = () => { const first = heat.querySelector("tbody button.cell"); if (first) first.tabIndex = 0; };
    enter();
    const open = (to) => {
      page = Math.min(Math.max(to, 0), pages.length - 1);
      heat.querySelector("tbody").replaceWith(pages[page]);
      section.querySelector(".where").textContent = `${page + 1} of ${pages.length}`;
      enter();
    };
    finders.set(table, (name) => {
      const of = (body) => [...body.querySelectorAll("tr[data-s]")].find((r) => r.dataset.s === name);
      const number = pages.findIndex(of);
      if (number < 0) return null;
      if (number !== page) open(number);
      return of(pages[number]);
    });
    section.querySelector(".prev")?.addEventListener("click", () => open(page - 1));
    section.querySelector(".next")?.addEventListener("click", () => open(page + 1));
    section.querySelector(".changed").addEventListener("change", (event) => heat.classList.toggle("only", event.target.checked));
    heat.addEventListener("click", (event) => {
      const cell = event.target.closest("button.cell");
      if (!cell) return;
      const column = cell.parentElement.cellIndex - 1;
      at = { table, row: cell.closest("tr"), condition: facts.tables[table].conditions[column], sample: 0 };
      show();
    });
    heat.addEventListener("keydown", (event) => {
      const cell = event.target.closest("button.cell");
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -99], End: [0, 99] }[event.key];
      if (!cell || !step) return;
      event.preventDefault();
      const every = rows(section);
      const row = every[every.indexOf(cell.closest("tr")) + step[0]];
      if (!row) return;
      const cells = row.querySelectorAll("button.cell");
      const next = cells[Math.min(Math.max(cell.parentElement.cellIndex - 1 + step[1], 0), cells.length - 1)];
      cell.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });
  }
  document.addEventListener("click", (event) => {
    const from = event.target.closest("button.link");
    if (!from) return;
    const { table, s, c, sample } = from.dataset;
    const row = finders.get(Number(table))?.(s);
    if (!row) return;
    at = { table: Number(table), row, condition: c, sample: Number(sample), from };
    show();
  });
})();
