// Pictures of the pages, to be looked at: `node pictures.js FOLDER [PERSONS]`. The screen of the
// statistics at every level; then the pages of the people's side, as the demonstration has them.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Person, Voice } from "./people.js";
import { DESK, openBrowser, PHONE, Stage, Tab, WIDE } from "./stage.js";
import { agrees, authorises, chooseVillage } from "./stories/citizen.js";
import { applied, assessed } from "./stories/family.js";

const SCREENS = [
  ["province", "/", "14"],
  ["city", "/?area=1409", "1409"],
  ["county", "/?area=140923", "140923"],
  ["township", "/?area=140923100", "140923100"],
];
const NOW = "2026-11-02T09:00:00+08:00";
const PEOPLE = 20_000;
/** States in which a case has something to show, the best first. */
const FAR = ["handling", "verified", "signed", "dispatched", "posted", "reviewed", "surveyed"];

const folder = process.argv[2] ?? "pictures";
await mkdir(folder, { recursive: true });

/** The screen of the statistics, wide and on a phone. */
async function screens(browser, persons) {
  const stage = await Stage.open(persons);
  try {
    for (const [name, path, area] of SCREENS) {
      for (const [size, shape] of [["wide", WIDE], ["phone", PHONE]]) {
        const tab = await Tab.open(browser, stage, path, shape);
        await tab.shows(area);
        const file = join(folder, `${name}-${size}.png`);
        await tab.page.screenshot({ path: file, fullPage: shape === PHONE });
        await tab.close();
      }
    }
  } finally {
    await stage.close();
  }
}

/** Writes a page as it stands, when what fades in is there. */
async function take(person, name) {
  await person.page.evaluate(() => scrollTo(0, 0));
  await person.page.waitForTimeout(600);
  await person.page.screenshot({ path: join(folder, `${name}.png`) });
}

/** A citizen's pages on a phone: the first, the result of an assessment, a form. */
async function citizens(browser, stage, village) {
  const citizen = await Person.at(browser, stage, "/public", PHONE, "citizen");
  await citizen.at("tile-assess").waitFor();
  await take(citizen, "public-home");
  await citizen.at("tile-assess").click();
  await citizen.at("assess-start").click();
  await citizen.fill(assessed(village.slice(0, 6)));
  await citizen.at("step-next").click();
  await citizen.at("policy-dibao").waitFor();
  await take(citizen, "public-assessment");
  await citizen.at("apply-dibao").click();
  await citizen.at("gate-sign").click();
  await citizen.signIn("jumin2");
  for (const name of ["notice", "privacy"]) await agrees(citizen, name);
  await chooseVillage(citizen, village);
  await citizen.at("apply-begin").click();
  await citizen.at("case").waitFor();
  await citizen.at("form").waitFor();
  await citizen.at("field-aid.reason").locator("textarea").fill(applied(village)["aid.reason"]);
  await take(citizen, "public-application");
  await citizen.page.goto(`${stage.address}/public/authorise`);
  await citizen.at("authorise-new").click();
  await authorises(citizen);
  await take(citizen, "public-authorised");
  await citizen.close();
}

/** The office's pages at a desk: the inbox, an application, a warning. */
async function offices(browser, stage) {
  const clerk = await Person.of(browser, stage, "xiang", DESK);
  await clerk.page.waitForSelector('[data-testid^="case-"]');
  await take(clerk, "work-inbox");
  const voice = await Voice.of(stage, "xiang");
  for (const kind of ["warning", "application"]) {
    const { cases } = await voice.get(`/cases?kind=${kind}`);
    const found = FAR.map((state) => cases.find((one) => one.state === state)).find(Boolean);
    if (!found) throw new Error(`the demonstration has no ${kind} to be shown`);
    await clerk.page.goto(`${stage.address}/work/cases/${found.id}`);
    await clerk.at("case").waitFor();
    await take(clerk, `work-${kind}`);
  }
  await clerk.close();
}

const browser = await openBrowser();
try {
  const stage = await Stage.open(PEOPLE, NOW);
  try {
    const { scope } = (await Voice.of(stage, "cun")).account;
    await citizens(browser, stage, scope);
    await offices(browser, stage);
  } finally {
    await stage.close();
  }
  await screens(browser, Number(process.argv[3] ?? 300_000));
} finally {
  await browser.close();
}
