// People of the demonstration at their pages: they sign in, fill in, press buttons and look.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fillIn, put } from "./filling.js";
import { Tab } from "./stage.js";

const PASSWORD = "Yiku-demo-2026";
const PICTURES = process.env.PICTURES;

/** A person's browser, signed in or not. */
export class Person extends Tab {
  /** Somebody who opens a page without being signed in. */
  static async at(browser, stage, path, shape, name) {
    const tab = await Tab.open(browser, stage, null, shape);
    const person = Object.setPrototypeOf(tab, Person.prototype);
    person.name = name;
    person.refused = [];
    person.page.on("response", (answer) => {
      if (answer.status() >= 400) person.refused.push(`${answer.status()} ${answer.url()}`);
    });
    person.taken = 0;
    await person.keepTime();
    await person.page.goto(stage.address + path);
    return person;
  }

  /** Somebody with an account, through the page on which one signs in. */
  static async of(browser, stage, login, shape, path = "") {
    const next = path ? `?next=${encodeURIComponent(path)}` : "";
    const person = await Person.at(browser, stage, `/sign${next}`, shape, login);
    await person.signIn(login);
    return person;
  }

  /** The browser's clock is the platform's. */
  async keepTime() {
    await this.context.clock.setSystemTime(new Date(this.stage.now));
  }

  /** Fills in the form on the page on which one signs in, and waits until it is left. */
  async signIn(login) {
    await this.at("login").fill(login);
    await this.at("password").fill(PASSWORD);
    await this.at("sign-in").click();
    await this.page.waitForURL((url) => !url.pathname.startsWith("/sign"));
  }

  /** Writes a picture of the page where `PICTURES` names a folder, to be looked at. */
  async picture(what) {
    if (!PICTURES) return;
    await mkdir(PICTURES, { recursive: true });
    const { width } = this.page.viewportSize();
    // What fades in stands then.
    await this.page.waitForTimeout(400);
    this.taken += 1;
    const number = String(this.taken).padStart(2, "0");
    const file = `${this.stage.story ?? "page"}-${width}-${this.name}-${number}-${what}.png`;
    await this.page.screenshot({ path: join(PICTURES, file), fullPage: width < 600 });
  }

  /** Nothing of the page lies beyond the window's right edge. */
  async fits() {
    const [content, window] = await this.page.evaluate(() => [
      document.documentElement.scrollWidth, innerWidth,
    ]);
    assert.ok(content <= window, `${this.page.url()} is ${content} wide in ${window}`);
  }

  /** Fills in the form that is shown, to its last step. */
  async fill(answers) {
    await fillIn(this, answers);
  }

  /** The case that is shown, by the number in its address. */
  caseNumber() {
    const found = /\/cases\/([^/?]+)/.exec(new URL(this.page.url()).pathname);
    assert.ok(found, `no case is shown: ${this.page.url()}`);
    return decodeURIComponent(found[1]);
  }

  /** Waits until the case that is shown stands in a state. */
  async stands(state) {
    const shown = this.page.locator('[data-testid="case"][data-state]');
    await this.page
      .waitForSelector(`[data-testid="case"][data-state="${state}"]`, { timeout: 15_000 })
      .catch(async () => {
        const found = (await shown.count()) > 0 ? await shown.getAttribute("data-state") : "none";
        const said = await this.page.locator('[role="alert"]').allInnerTexts();
        throw new Error(`the case stands in ${found}, not in ${state}: ${said.join(" | ")}`);
      });
  }

  /** Opens a case from the list of what waits for this worker. */
  async take(id) {
    await this.page.goto(`${this.stage.address}/work`);
    await this.at("inbox").waitFor();
    await this.page.locator(`[data-id="${id}"]`).click();
    await this.page.waitForSelector('[data-testid="case"]');
    assert.equal(this.caseNumber(), id);
  }

  /** Presses the button of a step of the case; its dialog stands open then. */
  async begin(action) {
    await this.at(`action-${action}`).click();
    await this.at(`dialog-${action}`).waitFor();
    return this.at(`dialog-${action}`);
  }

  /** Sends the dialog that stands open. */
  async send(state) {
    await this.at("send").click();
    await this.stands(state);
    await this.page.waitForSelector("dialog", { state: "detached" });
  }

  /** Takes a step of the case: its dialog, what it asks for, and the state after it. */
  async give(action, state, inputs = {}, marks = {}) {
    const dialog = await this.begin(action);
    for (const [name, value] of Object.entries(inputs)) {
      await put(this, dialog.locator(`[data-testid="input-${name}"]`), value);
    }
    for (const [path, note] of Object.entries(marks)) {
      await dialog.locator(`[data-testid="mark-${path}"]`).click();
      await dialog.locator(`[data-testid="note-${path}"]`).fill(note);
    }
    await this.picture(action);
    await this.send(state);
  }

  /** Whatever the page complained of, and whom else it asked: nothing and nobody. */
  clean(allowed = /^$/) {
    const complaints = this.complaints.filter((text) => !allowed.test(text));
    const told = `${this.name}: the page complained: ${this.refused.join(" ")}`;
    assert.deepEqual(complaints, [], told);
    const elsewhere = this.requests
      .map((request) => request.url())
      .filter((url) => !url.startsWith(`${this.stage.address}/`) && !/^(blob|data):/.test(url));
    assert.deepEqual(elsewhere, [], `${this.name}: the page asked another host`);
  }
}

/** The interface, asked as somebody with an account: what the pages show is held against it. */
export class Voice {
  static async of(stage, login) {
    const voice = new Voice();
    voice.stage = stage;
    voice.cookie = "";
    voice.account = (await voice.post("/session", { login, password: PASSWORD })).account;
    return voice;
  }

  async #ask(method, path, body) {
    const response = await fetch(`${this.stage.address}/api/v1${path}`, {
      method,
      headers: {
        "Content-Type": "application/json", "X-Yiku-Request": "1", Cookie: this.cookie,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const [cookie] = response.headers.getSetCookie();
    if (cookie) this.cookie = cookie.split(";")[0];
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  get(path) {
    return this.#ask("GET", path);
  }

  post(path, body) {
    return this.#ask("POST", path, body);
  }

  /** The one number that a question answers. */
  async number(q) {
    const { columns } = await this.post("/query", { q });
    return columns.find((column) => column.name === "n").values[0];
  }

  /** The keys of the households in which the registry has an ID number. */
  async households(idNumber) {
    const { households } = await this.post("/households/find", { id_number: idNumber });
    return households.map((one) => one.key);
  }
}

/** Waits until something holds; the statistics follow a decision within a second. */
export async function until(what, within, holds) {
  const end = Date.now() + within;
  let last;
  do {
    last = await holds();
    if (last === true) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (Date.now() < end);
  assert.fail(`${what}: not within ${within} ms, last ${JSON.stringify(last)}`);
}

/** An ID number with the right last sign, of an area that does not exist: of nobody. */
export function idNumber(born, order) {
  const digits = `999001${born}${order}`;
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = weights.reduce((all, weight, at) => all + weight * Number(digits[at]), 0);
  return digits + "10X98765432"[sum % 11];
}
