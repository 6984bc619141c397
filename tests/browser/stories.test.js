// Stories of the people's side, each lived from both sides, in a browser, as new users would.

import { join } from "node:path";
import { after, before, test } from "node:test";
import { until, Voice } from "./people.js";
import { DESK, openBrowser, PHONE, Stage } from "./stage.js";
import { aidStory } from "./stories/aid.js";
import { agreedStory, rejectedStory } from "./stories/declarations.js";
import { reportStory } from "./stories/report.js";
import { warningStory } from "./stories/warning.js";

const PERSONS = 20_000;
/** The clock of the stories; the last is more than seven days after the first. */
const DAYS = {
  start: "2026-11-02T09:00:00+08:00",
  afterPosting: "2026-11-11T09:00:00+08:00",
  paidFrom: "2026-12",
};
const SIZES = [
  { name: "a phone and a desk", citizen: PHONE, office: DESK },
  { name: "a desk and a phone", citizen: DESK, office: PHONE },
];

let browser;
let first;

before(async () => {
  browser = await openBrowser();
  first = await Stage.open(PERSONS, DAYS.start);
  await settled(first);
  await first.stop();
});

after(async () => {
  await first?.close();
  await browser?.close();
});

/** Waits until the demonstration's decisions and warnings are all in the statistics. */
async function settled(stage) {
  const voice = await Voice.of(stage, "sheng");
  let [last, still] = [-1, 0];
  await until("the statistics stand still", 30_000, async () => {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const { version } = await voice.get("/meta");
    still = version === last ? still + 1 : 0;
    last = version;
    return still >= 8 || version;
  });
}

/** Pictures of the pages that stood open when a story failed, where `PICTURES` names a folder. */
async function failed(stage, contexts) {
  if (!process.env.PICTURES) return;
  const pages = contexts.flatMap((context) => context.pages());
  for (const [at, page] of pages.entries()) {
    const path = join(process.env.PICTURES, `${stage.story}-failed-${at}.png`);
    // A page that is just going has no picture; the failure itself is told.
    await page.screenshot({ path }).catch(() => undefined);
  }
}

/** Lives a story at both pairs of sizes, each time in a province of its own. */
function story(short, name, live) {
  for (const [at, { name: sizes, ...windows }] of SIZES.entries()) {
    test(`${name} (${sizes})`, { timeout: 240_000 }, async () => {
      const stage = await Stage.like(first, DAYS.start);
      stage.story = `${short}${at + 1}`;
      const before = browser.contexts();
      try {
        await live({ browser, stage, days: DAYS, ...windows });
      } catch (error) {
        await failed(stage, browser.contexts().filter((context) => !before.includes(context)));
        throw error;
      } finally {
        const opened = browser.contexts().filter((context) => !before.includes(context));
        await Promise.all(opened.map((context) => context.close()));
        await stage.close();
      }
    });
  }
}

story("aid", "a citizen assesses, authorises, applies, and is paid the right amount", aidStory);
story("agreed", "a declaration is returned, corrected, agreed, and counted", agreedStory);
story("rejected", "a declaration is rejected and is not in the registry", rejectedStory);
story("report", "a village reports a family and the county returns it", reportStory);
story("warning", "a file arrives, a warning rises and is closed, and the map changes", warningStory);
