// What a test of the page stands on: the built program over a small province, and a browser that
// can reach nothing else.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const START_WITHIN = 120_000;

/** The program under test: `YIKU`, or the one that was built last. */
function program() {
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
  const path = process.env.YIKU ?? join(target, "release", "yiku");
  if (!existsSync(path)) throw new Error(`${path} is missing: build it (make build) or set YIKU`);
  return path;
}

/** The browser: `CHROMIUM`, or where packages put it. */
function browserPath() {
  const usual = ["chromium", "chromium-browser", "google-chrome"].map((name) => `/usr/bin/${name}`);
  const found = [process.env.CHROMIUM, ...usual].find((path) => path && existsSync(path));
  if (!found) throw new Error("no Chromium: install it (make browser) or set CHROMIUM");
  return found;
}

/** Starts the program and waits until it says where it listens. */
function start(words) {
  const child = spawn(program(), words, { stdio: ["ignore", "pipe", "pipe"] });
  let told = "";
  const address = new Promise((resolve, reject) => {
    const failed = (why) => reject(new Error(`yiku ${words[0]} ${why}:\n${told}`));
    const timer = setTimeout(() => failed("does not listen in time"), START_WITHIN);
    const hear = (bytes) => {
      told += bytes;
      const found = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(told);
      if (found) {
        clearTimeout(timer);
        resolve(found[1]);
      }
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("error", (error) => failed(String(error)));
    child.on("exit", (code) => failed(`ended with ${code}`));
  });
  return { child, address };
}

/** Runs the program to its end; gives what it printed, fails where it fails. */
export async function run(words) {
  const child = spawn(program(), words, { stdio: ["ignore", "pipe", "pipe"] });
  let told = "";
  child.stdout.on("data", (bytes) => (told += bytes));
  child.stderr.on("data", (bytes) => (told += bytes));
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  if (code !== 0) throw new Error(`yiku ${words[0]} ended with ${code}:\n${told}`);
  return told;
}

/** A province of so many persons, generated, loaded and served in a folder of its own. */
export class Stage {
  /** Statistics only; with `now`, the side where people work too, its clock starting there. */
  static async open(persons, now = null) {
    const stage = new Stage();
    stage.folder = await mkdtemp(join(tmpdir(), "yiku-browser-"));
    stage.persons = persons;
    await stage.#demo(now, "127.0.0.1:0");
    return stage;
  }

  /** A stage that begins as another one stands; the other one has to be stopped. */
  static async like(other, now) {
    const stage = new Stage();
    stage.folder = await mkdtemp(join(tmpdir(), "yiku-browser-"));
    stage.persons = other.persons;
    await cp(other.folder, stage.folder, { recursive: true });
    await stage.#demo(now, "127.0.0.1:0");
    return stage;
  }

  async #demo(now, listen) {
    const words = ["demo", "--persons", String(this.persons), "--dir", this.folder];
    this.now = now;
    await this.#run([...words, "--listen", listen, ...(now ? ["--now", now] : ["--statistics"])]);
  }

  async #run(words) {
    const { child, address } = start(words);
    this.child = child;
    this.address = await address;
  }

  /** The folder of the database. */
  get db() {
    return join(this.folder, `persons-${this.persons}`, "db");
  }

  /** The folder of the departments' files. */
  get files() {
    return join(this.folder, `persons-${this.persons}`, "files");
  }

  /** Stops the program and starts it again, at the same address, with its clock set later. */
  async later(now) {
    await this.stop();
    await this.#demo(now, new URL(this.address).host);
  }

  /** Ends the program, as when a machine goes down. */
  async stop() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await gone;
  }

  /** Serves the same database at the same address again. */
  async again() {
    await this.#run(["serve", "--db", this.db, "--listen", new URL(this.address).host]);
  }

  async close() {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** What the interface answers. */
  async get(path) {
    const response = await fetch(this.address + path);
    return response.json();
  }

  /** The answer to a question, by the names of its columns. */
  async query(q) {
    const response = await fetch(`${this.address}/api/v1/query`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ q }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${q}: ${JSON.stringify(answer)}`);
    return Object.fromEntries(answer.columns.map((column) => [column.name, column.values]));
  }

  /** The one number that a question answers. */
  async number(q) {
    return (await this.query(q)).n[0];
  }

  /** A number for each place of a level. */
  async byPlace(q, level) {
    const columns = await this.query(q);
    const codes = columns[`region.${level}`] ?? columns.region;
    return new Map(codes.map((code, at) => [code, columns.n[at]]));
  }
}

/** A browser that resolves no name and phones nobody. */
export function openBrowser() {
  const alone = ["--disable-gpu", "--disable-background-networking", "--disable-sync"];
  const nowhere = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1";
  const root = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: browserPath(), args: [...alone, nowhere, ...root] });
}

export const DESK = { viewport: { width: 1440, height: 900 } };
export const WIDE = { viewport: { width: 1920, height: 1080 } };
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** A tab on the page, with a record of what it asked for and what it complained of. */
export class Tab {
  static async open(browser, stage, path = "/", shape = WIDE) {
    const tab = new Tab();
    tab.stage = stage;
    tab.requests = [];
    tab.complaints = [];
    tab.context = await browser.newContext(shape);
    tab.page = await tab.context.newPage();
    tab.page.setDefaultTimeout(30_000);
    tab.context.on("request", (request) => tab.requests.push(request));
    tab.page.on("pageerror", (error) => tab.complaints.push(error.message));
    tab.page.on("console", (message) => {
      if (message.type() === "error") tab.complaints.push(message.text());
    });
    if (path !== null) await tab.page.goto(stage.address + path);
    return tab;
  }

  at(name) {
    return this.page.locator(`[data-testid="${name}"]`);
  }

  /** Waits until the screen of an area stands. */
  async shows(area) {
    await this.page.waitForSelector(
      `[data-testid="screen"]:not(.waiting) [data-testid="map"][data-area="${area}"]`,
    );
  }

  /** Waits until map, legend and table show a measure. */
  async measures(id) {
    await this.page.waitForSelector(
      `[data-testid="screen"]:not(.waiting) [data-testid="map"][data-measure="${id}"]`,
    );
  }

  /** The figures of the cards, as the numbers they were written from. */
  figures() {
    return this.page.$$eval('[data-testid^="figure-"]', (cards) =>
      Object.fromEntries(
        cards.map(({ dataset }) => [
          dataset.testid.slice("figure-".length),
          dataset.value === "" ? null : Number(dataset.value),
        ]),
      ),
    );
  }

  /** The rows of the table: code and the texts of its cells. */
  rows() {
    return this.page.$$eval('[data-testid="table-row"]', (rows) =>
      rows.map((row) => ({
        code: row.dataset.code,
        name: row.querySelector("th").innerText.split("\n")[0].trim(),
        cells: [...row.querySelectorAll("td")].map((cell) => cell.textContent.trim()),
      })),
    );
  }

  /** Codes of the path from the province to the area. */
  crumbs() {
    return this.page.$$eval('[data-testid="crumb"]', (all) => all.map((one) => one.dataset.code));
  }

  /**
   * Goes over the map with the pointer: the points at which each region lies, by its code. The map
   * is one picture; what lies where shows in the row of the table that lights up.
   */
  async explore(step = 14) {
    const found = await this.page.$eval(
      '[data-testid="map"] canvas',
      async (canvas, step) => {
        const { left, top, width, height } = canvas.getBoundingClientRect();
        const point = (kind, x, y) => {
          const at = { clientX: left + x, clientY: top + y, bubbles: true, view: window };
          canvas.dispatchEvent(new MouseEvent(kind, at));
        };
        const found = {};
        for (let y = step; y < height; y += step) {
          for (let x = step; x < width; x += step) {
            point("mousemove", x, y);
            // What lights up is drawn when the tasks at hand are done.
            await new Promise((resolve) => queueMicrotask(() => queueMicrotask(resolve)));
            const code = document.querySelector("tr.lit")?.dataset.code;
            if (code) (found[code] ??= []).push({ x, y });
          }
        }
        point("mousemove", 1, 1);
        point("mouseout", -1, -1);
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        return found;
      },
      step,
    );
    return new Map(Object.entries(found));
  }

  /** Colours (`#rrggbb`) of the map's picture around points on it, the commonest first. */
  colours(points) {
    return this.page.$eval(
      '[data-testid="map"] canvas',
      (canvas, points) => {
        const scale = canvas.width / canvas.clientWidth;
        const context = canvas.getContext("2d");
        const seen = new Map();
        for (const { x, y } of points) {
          const [left, top] = [Math.round((x - 2) * scale), Math.round((y - 2) * scale)];
          const { data } = context.getImageData(left, top, 5, 5);
          for (let at = 0; at < data.length; at += 4) {
            const hex = [0, 1, 2].map((i) => data[at + i].toString(16).padStart(2, "0")).join("");
            seen.set(`#${hex}`, (seen.get(`#${hex}`) ?? 0) + 1);
          }
        }
        return [...seen].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
      },
      points,
    );
  }

  async close() {
    await this.context.close();
  }
}
