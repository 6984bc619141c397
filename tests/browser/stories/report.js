// A village worker reports a family; the township passes it on; the county returns it.

import assert from "node:assert/strict";
import { Person, Voice } from "../people.js";
import { REPORTED, reported } from "./family.js";
import { handsIn } from "./citizen.js";

const MARKED = "housing.kind";
const NOTE = "请写明是借住谁家的房屋";
const REASON = "住房情况与走访记录不一致，请核实。";

/** Lives the story; here the worker in the village has the small window of the citizen. */
export async function reportStory({ browser, stage, citizen: small, office: large }) {
  const worker = await Person.of(browser, stage, "cun", small);
  await worker.at("inbox").waitFor();
  await worker.picture("inbox");
  await worker.fits();
  await worker.at("nav-report").click();
  await worker.at("new-report").click();
  await worker.fill(reported());
  await worker.picture("filled");
  await worker.fits();
  await sends(worker);
  await worker.stands("submitted");
  const id = worker.caseNumber();
  await worker.picture("submitted");

  const township = await Person.of(browser, stage, "xiang", large);
  await township.take(id);
  await township.give("pass", "county_review");
  await township.picture("passed");

  const county = await Person.of(browser, stage, "xian", large);
  await county.take(id);
  const shown = await county.page.locator("main").innerText();
  assert.ok(!shown.includes(REPORTED.id) && !shown.includes(REPORTED.name), "a person in clear");
  await county.give("return", "returned", { reason: REASON }, { [MARKED]: NOTE });
  await county.at("end-returned").waitFor();
  await county.picture("returned");
  await county.fits();

  await worker.take(id);
  await worker.stands("returned");
  assert.ok((await worker.at("end-returned").innerText()).includes(REASON));
  await worker.picture("returned");
  await worker.at("action-save").click();
  await worker.at("marks").waitFor();
  await worker.at("marks").locator("button").first().click();
  const field = worker.at(`field-${MARKED}`);
  await field.waitFor();
  assert.match(await field.getAttribute("class"), /marked/);
  assert.ok((await field.locator('[data-testid="mark"]').innerText()).includes(NOTE));
  assert.ok(await field.locator('input[value="borrowed"], select').first().isVisible());
  await worker.picture("marked");
  await worker.fits();

  // Nothing of it is in the registry, and the case waits for the worker alone.
  const voice = await Voice.of(stage, "xian");
  assert.deepEqual(await voice.households(REPORTED.id), []);
  for (const person of [worker, township, county]) person.clean();
}

/** Sends the report: after its last step on a phone, with the button beneath it at a desk. */
async function sends(worker) {
  const steps = worker.page.locator('[data-testid="step"] progress');
  if ((await steps.count()) > 0) await handsIn(worker);
  else await worker.at("finish").click();
}
