// Pictures of the page, to be looked at: `node pictures.js FOLDER [PERSONS]`.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openBrowser, PHONE, Stage, Tab, WIDE } from "./stage.js";

const SCREENS = [
  ["province", "/", "14"],
  ["city", "/?area=1409", "1409"],
  ["county", "/?area=140923", "140923"],
  ["township", "/?area=140923100", "140923100"],
];

const folder = process.argv[2] ?? "pictures";
await mkdir(folder, { recursive: true });
const stage = await Stage.open(Number(process.argv[3] ?? 300_000));
const browser = await openBrowser();
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
  await browser.close();
  await stage.close();
}
