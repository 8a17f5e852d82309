// Ranks the entries that stand in the search page; see latent_em/book/search.py.
document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("search-results");
  const entries = JSON.parse(document.getElementById("search-entries").textContent);
  const query = new URLSearchParams(location.search).get("q")?.trim() ?? "";
  document.querySelectorAll("form.bd-search input").forEach((input) => (input.value = query));
  if (!query) return;

  // Dashes, accents and letter case do not matter.
  const plain = (text) =>
    text
      .replace(/[‐-―−]/g, "-")
      .normalize("NFD")
      .replace(/\p{M}/gu, "")
      .toLowerCase();
  const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const whole = (text) => new RegExp(`(?<![\\p{L}\\p{N}])${escaped(text)}(?![\\p{L}\\p{N}])`, "gu");
  const start = (text) => new RegExp(`(?<![\\p{L}\\p{N}])${escaped(text)}`, "gu");
  const count = (text, pattern) => (text.match(pattern) ?? []).length;
  // "Kullback–Leibler divergence" is KL, and "evidence lower bound" ELBO.
  const initials = (term) =>
    term
      .split(/[\s-]+/)
      .map((word) => word[0])
      .join("");

  const sought = plain(query);
  const parts = sought.split(/\s+/);
  const phrase = whole(sought);

  const introduced = entries.findIndex(({ terms }) => terms.map(plain).includes(sought));

  const score = ({ kind, url, title, terms, text }, order) => {
    const heading = plain(kind === "code" ? title.split(".").at(-1) : title);
    const [bold, prose] = [terms.map(plain), plain(text)];
    const all = [plain(title), ...bold, prose].join(" ");
    const known = bold.map(initials).some(
      (short) => (sought.length > 1 && short.startsWith(sought)) || (short.length > 2 && sought.startsWith(short)),
    );
    if (!known && !parts.every((part) => start(part).test(all))) return 0;
    let points = 3 * Math.log2(1 + count(prose, phrase)) + Math.log2(1 + count(prose, start(sought)));
    if (parts.length > 1) points += parts.filter((part) => count(prose, whole(part))).length;
    if (heading === sought) points += 40;
    else if (count(heading, phrase)) points += 20 + (40 * sought.length) / heading.length;
    else if (count(heading, start(sought))) points += 10;
    if (heading.replace(/^(the|an?) /, "").startsWith(sought)) points += 15;
    if (order === introduced) points += 40;
    else if (bold.includes(sought)) points += 15;
    else if (bold.some((term) => count(term, phrase))) points += 8;
    if (known) points += 30;
    if (kind === "page" && count(heading, phrase)) points += 15;
    return (0.1 + points) * (kind === "code" ? 0.4 : url.includes("/chapters/") ? 1 : 0.6);
  };

  // What stands around the first place where the word is introduced or else used.
  const excerpt = ({ text }) => {
    const low = plain(text);
    const pattern = [phrase, ...parts.map(start)].find((one) => low.search(one) >= 0);
    const at = pattern && low.length === text.length ? low.search(pattern) : 0;
    const from = at < 90 ? 0 : text.indexOf(" ", at - 90) + 1;
    const shown = text.slice(from, from + 220);
    const box = document.createElement("p");
    const marked = new RegExp(pattern ?? /$^/, "giu");
    let end = 0;
    for (const { 0: hit, index } of plain(shown).matchAll(marked)) {
      const mark = document.createElement("mark");
      mark.textContent = shown.slice(index, index + hit.length);
      box.append(shown.slice(end, index), mark);
      end = index + hit.length;
    }
    box.append(shown.slice(end), from + 220 < text.length ? " …" : "");
    if (from) box.prepend("… ");
    return box;
  };

  let page = "";
  const found = entries
    .map((entry, order) => {
      if (entry.kind === "page") page = entry.title;
      return { ...entry, page, order, points: score(entry, order) };
    })
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points || a.order - b.order);

  const status = document.createElement("p");
  status.setAttribute("role", "status");
  status.textContent =
    found.length === 0
      ? `Nothing was found for “${query}”.`
      : `${found.length} ${found.length === 1 ? "place" : "places"} for “${query}”, the best first.`;
  const list = document.createElement("ol");
  list.className = "search-found";
  found.slice(0, 40).forEach((entry) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = entry.url;
    link.textContent = entry.title;
    item.append(link);
    if (entry.page !== entry.title) item.append(` — ${entry.page}`);
    item.append(excerpt(entry));
    list.append(item);
  });
  place.replaceChildren(status, list);
});
