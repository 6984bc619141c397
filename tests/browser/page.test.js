// The page in a browser, over the program as it is shipped.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { openBrowser, PHONE, Stage, Tab } from "./stage.js";

const LOW = "kind in (dibao_urban, dibao_rural, tekun_urban, tekun_rural, dibao_edge, rigid)";
const MONTH = "2026-10";
const DAYS = "2026-10-01 and 2026-10-31";
const RAMP = ["#fdebc8", "#fac583", "#ef9252", "#d2552c", "#8f2416"];
const ZERO = "#eef3f9";
const HATCH = ["#e3e6ea", "#8b95a3"];

let browser;
let stage;

before(async () => {
  browser = await openBrowser();
  stage = await Stage.open(20_000);
});

after(async () => {
  await stage?.close();
  await browser?.close();
});

/** Runs a test in a tab; whatever the page complained of fails it. */
function inTab(name, path, shape, work) {
  test(name, async () => {
    const tab = await Tab.open(browser, stage, path, shape);
    try {
      await work(tab);
      assert.deepEqual(tab.complaints, [], "the page complained");
      const elsewhere = tab.requests
        .map((request) => request.url())
        .filter((url) => !url.startsWith(`${stage.address}/`) && !/^(blob|data):/.test(url));
      assert.deepEqual(elsewhere, [], "the page asked another host");
    } finally {
      await tab.close();
    }
  });
}

/** The figures of an area, asked one by one. */
async function asked(area) {
  const place = `region within ${area}`;
  const persons = (kinds) =>
    stage.number(`from person where ${place} measure n = count(where any(aid where ${kinds}))`);
  const homes = (test) => stage.number(`from household where ${place} and ${test} measure n = count()`);
  const paid = (months) =>
    stage.number(
      `from observation where indicator = aid_paid and ${months} and ${place} measure n = sum(value)`,
    );
  return {
    low: await persons(`${LOW} and running`),
    persons: await stage.number(`from person where ${place} measure n = count()`),
    dibao_urban: await persons("kind = dibao_urban and running"),
    dibao_rural: await persons("kind = dibao_rural and running"),
    tekun: await persons("kind in (tekun_urban, tekun_rural) and running"),
    edge: await persons("kind = dibao_edge and running"),
    rigid: await persons("kind = rigid and running"),
    relapse: await homes(
      "relapse_kind is known and (relapse_cleared is unknown or relapse_cleared > as_of)",
    ),
    entered: await persons(`${LOW} and start between ${DAYS}`),
    left: await persons(`${LOW} and end between ${DAYS}`),
    paid: await paid(`month = ${MONTH}`),
    paid_year: await paid(`month between 2026-01 and ${MONTH}`),
  };
}

const digits = (text) => Number(text.replaceAll(",", ""));

inTab("the map of the province draws every county in the colour of its class", "/", undefined,
  async (tab) => {
    await tab.shows("14");
    assert.equal(await tab.at("map").getAttribute("data-regions"), "117");
    const values = await stage.get(
      "/api/v1/map/values?measure=low_income_rate&level=county&area=14",
    );
    const points = await tab.explore();
    assert.ok(points.size >= 100, `${points.size} of 117 counties lie under the pointer`);
    const looks = [];
    for (const [code, places] of points) {
      if (places.length < 3) continue;
      const [colour] = await tab.colours(places);
      const value = values.values[code] ?? null;
      if (value === null) assert.equal(colour, HATCH[0], `${code} without data`);
      else if (value === 0) assert.equal(colour, ZERO, `${code} with nought`);
      else looks.push({ code, value, step: RAMP.indexOf(colour) });
    }
    // The greater the value, the darker the county; every step of the ramp is used.
    looks.sort((a, b) => a.value - b.value);
    const steps = looks.map((look) => look.step);
    assert.deepEqual(steps, [...steps].sort((a, b) => a - b), JSON.stringify(looks));
    assert.deepEqual([...new Set(steps)], [0, 1, 2, 3, 4]);
  });

inTab("the numbers on the screen are those of the interface", "/", undefined, async (tab) => {
  await tab.shows("14");
  assert.deepEqual(await tab.figures(), await asked("14"));
  const persons = await stage.byPlace(
    "from person where region within 14 by region.county measure n = count()", "county",
  );
  const heads = await tab.page.$$eval("thead th button", (all) =>
    all.map((one) => one.dataset.testid ?? "name"),
  );
  const at = heads.indexOf("sort-persons") - 1;
  const rows = await tab.rows();
  const shown = rows.filter((row) => row.cells[at] !== "—");
  assert.equal(shown.length, persons.size);
  for (const row of shown) assert.equal(digits(row.cells[at]), persons.get(row.code), row.name);
  const total = await tab.at("table-total").locator("td").allTextContents();
  assert.equal(digits(total[at]), (await asked("14")).persons);

  // The ranking begins with the county that the interface puts first.
  const rates = await stage.get("/api/v1/map/values?measure=low_income_rate&level=county&area=14");
  const greatest = Math.max(...Object.values(rates.values));
  const first = await tab.at("rank-row").first().getAttribute("data-code");
  assert.equal(rates.values[first], greatest);
  const shownValue = await tab.at("rank-row").first().locator(".value").textContent();
  assert.ok(Math.abs(digits(shownValue) - greatest) < 0.051, `${shownValue} for ${greatest}`);
});

inTab("a screen asks for its figures once", "/", undefined, async (tab) => {
  await tab.shows("14");
  const batches = () => tab.requests.filter((request) => request.url().endsWith("/batch")).length;
  assert.equal(batches(), 1);
  await tab.at("rank-row").first().click();
  await tab.page.waitForFunction(() => location.search.includes("area=14"));
  await tab.page.waitForSelector('[data-testid="screen"]:not(.waiting) [data-testid="tile"]');
  assert.equal(batches(), 2);
});

inTab("drilling changes map, figures and table together, and back returns", "/", undefined,
  async (tab) => {
    await tab.shows("14");
    const before = { figures: await tab.figures(), rows: await tab.rows() };
    const points = await tab.explore(24);
    const [county, places] = [...points].sort((a, b) => b[1].length - a[1].length)[0];
    const box = await tab.at("map").boundingBox();
    const middle = places[Math.floor(places.length / 2)];
    await tab.page.mouse.click(box.x + middle.x, box.y + middle.y);

    await tab.shows(county);
    assert.equal(new URL(tab.page.url()).search, `?area=${county}`);
    assert.deepEqual(await tab.crumbs(), ["14", county.slice(0, 4), county]);
    assert.deepEqual(await tab.figures(), await asked(county));
    const townships = await stage.get(`/api/v1/areas/${county}?depth=1`);
    const codes = townships.children.map((child) => child.code).sort();
    assert.deepEqual((await tab.rows()).map((row) => row.code), codes);
    const tiles = await tab.page.$$eval('[data-testid="tile"]', (all) =>
      all.map((one) => one.dataset.code),
    );
    assert.deepEqual(tiles, codes);
    assert.match(await tab.page.title(), new RegExp(townships.name));

    await tab.at("tile").first().click();
    await tab.shows(codes[0]);
    assert.deepEqual(await tab.figures(), await asked(codes[0]));
    assert.equal((await tab.crumbs()).length, 4);

    await tab.page.goBack();
    await tab.shows(county);
    await tab.page.goBack();
    await tab.shows("14");
    assert.deepEqual(await tab.figures(), before.figures);
    assert.deepEqual(await tab.rows(), before.rows);
    await tab.page.goForward();
    await tab.shows(county);

    await tab.at("crumb").nth(1).locator("button").click();
    await tab.shows(county.slice(0, 4));
    assert.deepEqual(await tab.figures(), await asked(county.slice(0, 4)));
    await tab.page.reload();
    await tab.shows(county.slice(0, 4));
  });

inTab("the measure changes map, legend, ranking and table", "/?area=1411", undefined,
  async (tab) => {
    await tab.shows("1411");
    const catalogue = (await stage.get("/api/v1/meta")).measures;
    const paid = catalogue.find((measure) => measure.id === "aid_paid");
    await tab.page.locator(".measure").click();
    await tab.page.locator(".el-select-dropdown__item", { hasText: paid.label }).first().click();
    await tab.measures("aid_paid");
    assert.equal(new URL(tab.page.url()).searchParams.get("measure"), "aid_paid");
    assert.ok((await tab.at("legend").textContent()).includes(paid.label));
    const definition = await tab.at("measure-definition").textContent();
    assert.ok(definition.includes(paid.definition) && definition.includes(paid.source));
    const sums = await stage.byPlace(
      `from observation where indicator = aid_paid and month = ${MONTH} and region within 1411 ` +
        "by region.county measure n = sum(value)",
      "county",
    );
    const unit = await tab.page.locator("thead th:nth-child(2) .unit").textContent();
    const per = { 元: 100, 万元: 1_000_000, 亿元: 10_000_000_000 }[unit.trim()];
    for (const row of await tab.rows()) {
      const fen = sums.get(row.code) ?? null;
      if (fen === null) assert.equal(row.cells[0], "—", row.name);
      else assert.ok(Math.abs(digits(row.cells[0]) - fen / per) <= 0.0051, `${row.name} ${fen}`);
    }
    await tab.page.goBack();
    await tab.measures(catalogue[0].id);
  });

inTab("every measure of the catalogue has an answer", "/", undefined, async (tab) => {
  await tab.shows("14");
  const catalogue = (await stage.get("/api/v1/meta")).measures;
  assert.ok(catalogue.length >= 15);
  for (const { id } of catalogue) {
    await tab.page.goto(`${stage.address}/?measure=${id}&layer=city`);
    await tab.measures(id);
    assert.equal(await tab.at("partial").count(), 0, id);
    assert.equal(await tab.at("map").getAttribute("data-regions"), "11");
  }
});

inTab("the keyboard opens areas and sorts the table", "/", undefined, async (tab) => {
  await tab.shows("14");
  await tab.at("sort-low").focus();
  await tab.page.keyboard.press("Enter");
  const lows = async () => {
    const heads = await tab.page.$$eval("thead th button", (all) =>
      all.map((one) => one.dataset.testid ?? "name"),
    );
    const at = heads.indexOf("sort-low") - 1;
    return (await tab.rows()).map((row) => row.cells[at]).filter((cell) => cell !== "—").map(digits);
  };
  const falling = await lows();
  assert.deepEqual(falling, [...falling].sort((a, b) => b - a));
  assert.equal(await tab.page.locator('th[aria-sort="descending"]').count(), 1);
  await tab.page.keyboard.press("Enter");
  assert.deepEqual(await lows(), [...falling].reverse());
  const first = tab.at("table-row").first();
  const code = await first.getAttribute("data-code");
  await first.locator("button").focus();
  await tab.page.keyboard.press("Enter");
  await tab.shows(code);
});

inTab("what a screen reader needs is there", "/", undefined, async (tab) => {
  await tab.shows("14");
  assert.equal(await tab.page.getAttribute("html", "lang"), "zh-CN");
  assert.equal(await tab.page.locator("h1").count(), 1);
  assert.match(await tab.at("map").getAttribute("aria-label"), /117/);
  assert.equal(await tab.at("map").getAttribute("role"), "img");
  const unnamed = await tab.page.$$eval("button, select, input", (all) =>
    all
      .filter((one) => !(one.innerText?.trim() || one.getAttribute("aria-label") || one.labels?.length))
      .map((one) => one.outerHTML.slice(0, 120)),
  );
  assert.deepEqual(unnamed, []);
  await tab.page.locator(".hint").first().focus();
  await tab.page.waitForSelector(".definition:visible");
});

inTab("the interface is Chinese first and English when asked", "/?area=1401", undefined,
  async (tab) => {
    await tab.shows("1401");
    assert.match(await tab.page.locator("h1").innerText(), /山西省低收入人口动态监测/);
    await tab.at("language").click();
    assert.match(await tab.page.locator("h1").innerText(), /Low-Income Population/);
    assert.equal(await tab.page.getAttribute("html", "lang"), "en");
    assert.equal(new URL(tab.page.url()).searchParams.get("lang"), "en");
    const labels = (await tab.page.locator(".card .label, .panel-head, thead").allInnerTexts()).join();
    assert.doesNotMatch(labels, /[\u4e00-\u9fff]/);
    await tab.page.reload();
    await tab.shows("1401");
    assert.match(await tab.page.locator("h1").innerText(), /Low-Income Population/);
  });

inTab("the table downloads as it is shown", "/?area=1402", undefined, async (tab) => {
  await tab.shows("1402");
  const [download] = await Promise.all([
    tab.page.waitForEvent("download"),
    tab.at("csv").click(),
  ]);
  const text = await readFile(await download.path(), "utf8");
  assert.ok(text.startsWith("\uFEFF区划代码,"));
  const lines = text.trimEnd().split("\r\n");
  const rows = await tab.rows();
  assert.equal(lines.length, rows.length + 2);
  rows.forEach((row, at) => {
    const [code, , ...cells] = lines[at + 1].split(",");
    assert.equal(code, row.code);
    assert.deepEqual(cells.map((cell) => cell || "—").map(Number),
      row.cells.map((cell) => (cell === "—" ? NaN : digits(cell))));
  });
});

for (const area of ["14", "1411", "141124", "141124100"]) {
  inTab(`a phone shows ${area} without scrolling sideways`, `/?area=${area}`, PHONE, async (tab) => {
    await tab.shows(area);
    const [content, window] = await tab.page.evaluate(() => [
      document.documentElement.scrollWidth, innerWidth,
    ]);
    assert.equal(window, 390);
    assert.ok(content <= 390, `the page is ${content} wide`);
    const wide = await tab.page.$$eval(".card, .panel, .map, .tile, .legend-box", (all) =>
      all.filter((one) => one.getBoundingClientRect().right > 390.5).map((one) => one.className),
    );
    assert.deepEqual(wide, []);
    const ranked = tab.at("rank-row");
    if (area !== "141124100" && (await ranked.count()) > 0) {
      const code = await ranked.first().getAttribute("data-code");
      await ranked.first().tap();
      await tab.shows(code);
    }
  });
}

test("an unknown place has a message and a way home", async () => {
  const tab = await Tab.open(browser, stage, "/?area=149999");
  try {
    await tab.at("problem").waitFor();
    assert.match(await tab.at("problem").innerText(), /没有这个行政区划代码/);
    await tab.at("problem").getByText("回到全省").click();
    await tab.shows("14");
  } finally {
    await tab.close();
  }
});

test("waiting is shown as waiting", async () => {
  const tab = await Tab.open(browser, stage, "/favicon.svg");
  try {
    let answer;
    const held = new Promise((resolve) => (answer = resolve));
    await tab.page.route("**/api/v1/batch", async (route) => {
      await held;
      await route.continue();
    });
    await tab.page.goto(`${stage.address}/`);
    await tab.at("loading").waitFor();
    assert.equal(await tab.page.getAttribute("main", "aria-busy"), "true");
    answer();
    await tab.shows("14");
    assert.equal(await tab.page.getAttribute("main", "aria-busy"), "false");
  } finally {
    await tab.close();
  }
});

test("a server that is gone is told, and the page recovers when it is back", async () => {
  const tab = await Tab.open(browser, stage, "/");
  try {
    await tab.shows("14");
    await stage.stop();
    await tab.at("rank-row").first().click();
    await tab.at("problem").waitFor();
    assert.match(await tab.at("problem").innerText(), /连不上服务/);
    assert.equal(await tab.at("screen").count(), 0, "old figures stand beside the message");
    await stage.again();
    await tab.at("retry").click();
    await tab.page.waitForSelector('[data-testid="screen"]:not(.waiting)');
    assert.equal(await tab.at("problem").count(), 0);
  } finally {
    await tab.close();
  }
});

test("a county with nobody, one with nought and one with some look different", async () => {
  const small = await Stage.open(600);
  const tab = await Tab.open(browser, small, "/?measure=low_income");
  try {
    await tab.shows("14");
    const { values, state } = await small.get(
      "/api/v1/map/values?measure=low_income&level=county&area=14",
    );
    const drawn = { none: 0, zero: 0, some: 0 };
    for (const [code, places] of await tab.explore()) {
      if (places.length < 3) continue;
      const seen = await tab.colours(places);
      if (state[code]) {
        drawn.none += 1;
        assert.equal(seen[0], HATCH[0], `${code} without data`);
        assert.ok(seen.includes(HATCH[1]), `${code} without data is not hatched`);
      } else if (values[code] === 0) {
        drawn.zero += 1;
        assert.equal(seen[0], ZERO, `${code} with nought`);
      } else {
        drawn.some += 1;
        assert.ok(RAMP.includes(seen[0]), `${code} with ${values[code]} is ${seen[0]}`);
      }
    }
    assert.ok(Object.values(drawn).every((count) => count > 0), JSON.stringify(drawn));
    const texts = new Map((await tab.rows()).map((row) => [row.code, row.cells[0]]));
    // Areas counted apart, such as development zones, have no outline and no row here.
    const nobody = Object.keys(state).filter((code) => texts.has(code));
    assert.ok(nobody.length > 0);
    for (const code of nobody) assert.equal(texts.get(code), "—");
    const nought = Object.keys(values).find((code) => values[code] === 0);
    assert.equal(texts.get(nought), "0");

    await tab.page.goto(`${small.address}/?area=${nobody[0]}`);
    await tab.at("empty").waitFor();
    assert.equal((await tab.figures()).persons, 0);
  } finally {
    await tab.close();
    await small.close();
  }
});
