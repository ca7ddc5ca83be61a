// What a careful eye would check on a screenshot, measured: nothing scrolls or is cut off, no two texts of the map touch.

/** Where the page or one of its lines is wider or higher than its place; an empty list is good. */
export function overflows(page) {
  return page.evaluate(() => {
    const found = [];
    const root = document.documentElement;
    if (root.scrollWidth > innerWidth) found.push(`page is ${root.scrollWidth} wide`);
    if (root.scrollHeight > innerHeight) found.push(`page is ${root.scrollHeight} high`);
    for (const selector of ["header", "footer", ".feeds", ".match", ".chips", ".choices", ".actions", "main", ".map"]) {
      for (const element of document.querySelectorAll(selector)) {
        const over = element.scrollWidth - element.clientWidth;
        if (over > 1) found.push(`${selector} (${element.textContent.trim().slice(0, 24)}) is cut off by ${over}px`);
      }
    }
    return found;
  });
}

/** Pairs of texts on the map that overlap, and texts that leave the map. */
export function mapClashes(page) {
  return page.evaluate(() => {
    const map = document.querySelector(".map").getBoundingClientRect();
    const texts = [...document.querySelectorAll(".map text")]
      .filter((text) => text.textContent.trim() !== "")
      .map((text) => {
        const { left, right, top, bottom } = text.getBoundingClientRect();
        const slack = (bottom - top) * 0.2;
        return { text: text.textContent, left, right, top: top + slack, bottom: bottom - slack };
      });
    const found = texts
      .filter((t) => t.left < map.left || t.right > map.right || t.top < map.top || t.bottom > map.bottom)
      .map((t) => `${t.text} leaves the map`);
    for (const [i, a] of texts.entries()) {
      for (const b of texts.slice(i + 1)) {
        const apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        if (!apart) found.push(`${a.text} touches ${b.text}`);
      }
    }
    return found;
  });
}

/** Zones whose fill is not the colour that theme.css gives to their level, or whose letter is not written. */
export function wrongLevels(page) {
  return page.evaluate(() => {
    const probe = document.body.appendChild(document.createElement("i"));
    const colour = (level) => {
      probe.style.color = `var(--level-${level.toLowerCase()})`;
      return getComputedStyle(probe).color;
    };
    const letters = new Map();
    for (const text of document.querySelectorAll(".map text:is(.letter, .strong)")) {
      const letter = text.textContent.trim();
      if (/^[A-F]$/.test(letter)) letters.set(letter, (letters.get(letter) ?? 0) + 1);
    }
    const graded = [...document.querySelectorAll(".map [data-level]")].filter((g) => /^[A-F]$/.test(g.dataset.level));
    const zones = graded.filter((g) => g.querySelector("path.shape"));
    const found = zones
      .filter((g) => getComputedStyle(g.querySelector("path.shape")).fill !== colour(g.dataset.level))
      .map((g) => `${g.dataset.place} is not filled as ${g.dataset.level}`);
    for (const level of new Set(zones.map((g) => g.dataset.level))) {
      const expected = zones.filter((g) => g.dataset.level === level).length;
      if ((letters.get(level) ?? 0) !== expected)
        found.push(`${level} is written ${letters.get(level)}×, not ${expected}×`);
    }
    probe.remove();
    return { graded: zones.length, found };
  });
}
