// A department's file arrives; a warning rises before the eyes of the worker; it is closed.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Person, until, Voice } from "../people.js";
import { run } from "../stage.js";

/** More than the limit of one month of those who are not aided, less than that of a year. */
const SELF_PAID = "12000.00";
const RULE = "A06";
/** What others pay in a year, and the share of an income, above which other rules speak. */
const YEAR_LIMIT = 26_000;
const SHARE_LIMIT = 0.6;
/** From the end of the load to the page: the program looks ten times a second. */
const RISES_WITHIN = 5_000;
const SETTLEMENTS = "医保_医疗结算_202610.csv";
const ARRIVING = "医保_医疗结算_202611.csv";

/** The lines of a department's file, each as its cells; the bytes as they are. */
async function cells(stage, name) {
  const bytes = await readFile(join(stage.files, name));
  return bytes.toString("latin1").split(/\r?\n/).map((line) => line.split(","));
}

const idOf = (key, rows) => rows.filter((row) => row[0] === key).map((row) => row[2]);

/** What everybody paid at hospitals themselves in the twelve months, in yuan. */
async function paid(stage) {
  const sums = new Map();
  for (const name of await readdir(stage.files)) {
    if (!name.startsWith("医保_医疗结算_")) continue;
    for (const [id, , , , self] of await cells(stage, name)) {
      sums.set(id, (sums.get(id) ?? 0) + (Number(self) || 0));
    }
  }
  return sums;
}

/**
 * A household of the village of which the file will break one rule, that of a single month: nobody
 * is aided, and with what arrives the year's sum stays beneath every other limit.
 */
async function somebody(stage, village, voice) {
  const names = ["民政_家庭户籍.csv", "民政_家庭成员.csv", "民政_救助名单.csv"];
  const [homes, members, aided] = await Promise.all(names.map((name) => cells(stage, name)));
  const sums = await paid(stage);
  const helped = new Set(aided.map((row) => row[1]));
  for (const [key, , , , , , income] of homes.filter((row) => row[1] === village)) {
    const ids = idOf(key, members);
    const year = ids.reduce((sum, id) => sum + (sums.get(id) ?? 0), Number(SELF_PAID));
    const poor = year >= Math.min(YEAR_LIMIT, SHARE_LIMIT * 12 * Number(income));
    if (ids.length === 0 || poor || ids.some((id) => helped.has(id))) continue;
    const [home] = await voice.households(ids[0]);
    const warnings = home ? (await voice.get(`/households/${home}`)).warnings : [];
    if (home && warnings.length === 0) return { id: ids[0], home };
  }
  throw new Error(`${village} has no household of which no warning stands`);
}

/** The next month's file of settlements with one line: the head line and the words are the file's. */
async function arriving(stage, id) {
  const [head, row] = await cells(stage, SETTLEMENTS);
  const line = [id, "2026-11", "20000.00", "8000.00", SELF_PAID, row[5]];
  const folder = await mkdtemp(join(tmpdir(), "yiku-file-"));
  const path = join(folder, ARRIVING);
  await writeFile(path, Buffer.from(`${head}\r\n${line}\r\n`, "latin1"));
  return { folder, path };
}

/** How many open warnings the leader's layer shows at a township, and what the funnel says. */
async function layer(leader, township) {
  const county = township.slice(0, 6);
  await leader.page.goto(`${leader.stage.address}/?area=${county}&measure=open_warnings`);
  await leader.shows(county);
  const row = leader.page.locator(`[data-testid="table-row"][data-code="${township}"]`);
  const text = await row.locator("td").first().innerText();
  const closed = await leader.at("funnel").count();
  assert.equal(closed, 1, "the funnel of the warnings is not shown");
  return Number(text.replace(",", ""));
}

/** The open warnings of a township as the interface counts them. */
const counted = (voice, township) =>
  voice.number(
    `from household where region within ${township} ` +
      "measure n = sum(count(warning where status != closed))",
  );

async function closes({ browser, stage, large, small, id }) {
  const worker = await Person.of(browser, stage, "xiang", small);
  await worker.take(id);
  await worker.picture("raised");
  await worker.fits();
  assert.match(await worker.at("warning-why").innerText(), /12,?000/);
  await worker.give("sign", "signed");
  await worker.give("visit", "investigating");
  const seen = { outcome: "needs_help", note: "住院自付较高，家庭周转困难。" };
  await worker.give("verify", "verified", seen);
  const help = { code: "transfer_medical", department: "medical_insurance", text: "请核实医疗救助。" };
  await worker.give("measure", "handling", help);
  await worker.picture("handling");
  const office = await Person.of(browser, stage, "yibao", large);
  await office.page.locator(`[data-id="${id}"]`).click();
  await office.give("reply", "handling", { answer: "accept", reason: "已受理。" });
  await office.picture("replied");
  office.clean();
  await worker.take(id);
  await worker.give("finish", "feedback");
  await worker.give("submit", "review", { note: "医保部门已受理。" });
  await worker.picture("review");
  const county = await Person.of(browser, stage, "xian", large);
  await county.take(id);
  const dialog = await county.begin("close");
  await county.at("send").click();
  await dialog.locator('[data-testid="fault-result"]').waitFor();
  await county.picture("close-without-result");
  await county.page.keyboard.press("Escape");
  await county.page.waitForSelector("dialog", { state: "detached" });
  await county.give("close", "closed", { result: "transfer_medical", reason: "已转医保办理。" });
  await county.at("warning-result").waitFor();
  await county.picture("closed");
  for (const person of [worker, county]) person.clean();
}

/** Lives the story; the worker of the township has the small window in one of its two lives. */
export async function warningStory({ browser, stage, citizen: small, office: large }) {
  const voice = await Voice.of(stage, "xian");
  const village = (await Voice.of(stage, "cun")).account.scope;
  const township = village.slice(0, 9);
  const { id: person, home } = await somebody(stage, village, voice);
  const before = await counted(voice, township);

  const leader = await Person.of(browser, stage, "xian", large, "/");
  assert.equal(await layer(leader, township), before);
  await leader.picture("before");
  const watching = await Person.of(browser, stage, "xiang", small);
  const neighbour = await Person.of(browser, stage, "xiang2", small);
  for (const one of [watching, neighbour]) {
    await one.at("inbox").waitFor();
    await one.page.waitForSelector('[data-testid^="case-"]');
  }
  const asked = watching.requests.filter((request) => request.isNavigationRequest()).length;
  const heard = { here: shown(watching, "warning"), there: shown(neighbour, "warning") };
  const old = { here: new Set(await heard.here()), there: new Set(await heard.there()) };

  const file = await arriving(stage, person);
  await run(["load", "--db", stage.db, file.path]);
  await rm(file.folder, { recursive: true });
  const fresh = async () => (await heard.here()).filter((id) => !old.here.has(id));
  await until("a warning on the township's page", RISES_WITHIN, async () => {
    const found = await fresh();
    return found.length > 0 || found;
  });
  await watching.at("message-news").first().waitFor();
  await watching.picture("risen");
  const again = watching.requests.filter((request) => request.isNavigationRequest()).length;
  assert.equal(again, asked, "the page was loaded again");

  const raised = (await voice.get(`/households/${home}`)).warnings;
  assert.equal(raised.length, 1, JSON.stringify(raised));
  const id = await theCase(voice, await fresh());
  assert.deepEqual((await heard.there()).filter((one) => one === id), []);
  assert.equal(await neighbour.at("message-news").count(), 0, "the neighbour was told of it");
  await neighbour.page.goto(`${stage.address}/work/cases/${id}`);
  await neighbour.at("problem").waitFor();
  await neighbour.picture("not-theirs");

  const risen = await counted(voice, township);
  assert.ok(risen > before, `${risen} after ${before}`);
  assert.equal(await layer(leader, township), risen);
  await leader.picture("risen");
  await closes({ browser, stage, large, small, id });
  await until("the closed warning leaves the statistics", RISES_WITHIN, async () => {
    const now = await counted(voice, township);
    return now === risen - 1 || now;
  });
  assert.equal(await layer(leader, township), risen - 1);
  await leader.picture("closed");
  watching.clean();
  leader.clean();
  neighbour.clean(/status of 404/);
}

/** The cases of a kind that a list shows. */
function shown(person, kind) {
  return () =>
    person.page.$$eval(`[data-testid="case-${kind}"]`, (all) => all.map((one) => one.dataset.id));
}

/** Of the warnings that have risen, the one of the rule that the file breaks. */
async function theCase(voice, ids) {
  for (const id of ids) {
    const found = await voice.get(`/cases/${id}`);
    if (found.facts.rule === RULE) return id;
  }
  throw new Error(`none of ${ids} is of rule ${RULE}`);
}
