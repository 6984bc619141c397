// Stories of the people's side, each lived from both sides, in a browser, as new users would.

import { after, before, test } from "node:test";
import { DESK, openBrowser, PHONE, Stage } from "./stage.js";
import { aidStory } from "./stories/aid.js";

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
  await first.stop();
});

after(async () => {
  await first?.close();
  await browser?.close();
});

/** Lives a story at both pairs of sizes, each time in a province of its own. */
function story(short, name, live) {
  for (const [at, { name: sizes, ...windows }] of SIZES.entries()) {
    test(`${name} (${sizes})`, { timeout: 240_000 }, async () => {
      const stage = await Stage.like(first, DAYS.start);
      stage.story = `${short}${at + 1}`;
      const before = browser.contexts();
      try {
        await live({ browser, stage, days: DAYS, ...windows });
      } finally {
        const opened = browser.contexts().filter((context) => !before.includes(context));
        await Promise.all(opened.map((context) => context.close()));
        await stage.close();
      }
    });
  }
}

story("aid", "a citizen assesses, authorises, applies, and is paid the right amount", aidStory);
