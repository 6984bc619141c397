// A citizen asks what they may be entitled to, applies, and is confirmed with the right amount.

import assert from "node:assert/strict";
import { PHOTO, put, SIGNED } from "../filling.js";
import { Person, Voice } from "../people.js";
import { agrees, authorises, chooseVillage, handsIn } from "./citizen.js";
import { applied, assessed, PARENT } from "./family.js";

/** 550 yuan a month and person in the villages of the county, three persons, 800 yuan of income. */
const STANDARD = 550;
const AMOUNT = 3 * STANDARD - 800;
const REVIEWED = "入户属实，家庭收入低于当地标准。";

async function assesses(citizen, county) {
  await citizen.at("tile-assess").click();
  assert.equal(await citizen.at("hello").count(), 0, "nobody is signed in");
  await citizen.at("assess-start").click();
  await citizen.fill(assessed(county));
  await citizen.at("step-next").click();
  const policy = citizen.at("policy-dibao");
  await policy.waitFor();
  await citizen.picture("assessed");
  await citizen.fits();
  assert.equal(await policy.getAttribute("data-outcome"), "met");
  const amount = policy.locator("[data-cents]");
  assert.equal(await amount.getAttribute("data-cents"), String(AMOUNT * 100));
  assert.match(await amount.innerText(), new RegExp(`${AMOUNT}(\\.00)?\\s*元`));
  const way = policy.locator("details:has(table)");
  await way.locator("summary").click();
  const steps = await way.locator("td.figure").allInnerTexts();
  assert.deepEqual(steps.map((text) => parseFloat(text.replace(",", ""))), [STANDARD, 3, 800]);
  const kept = citizen.requests.filter((request) => /\/cases/.test(request.url()));
  assert.deepEqual(kept.map((request) => request.url()), [], "an assessment opens no case");
}

async function applies(citizen, village) {
  assert.ok(await citizen.at("apply-begin").isDisabled(), "the notice was not read");
  await agrees(citizen, "notice");
  await agrees(citizen, "privacy");
  await chooseVillage(citizen, village);
  await citizen.picture("notice");
  await citizen.at("apply-begin").click();
  await citizen.at("case").waitFor();
  await citizen.fill(applied(village));
  await citizen.picture("filled");
}

/** The visit at home: the sheet, two who were there, the family's signature and a photo. */
async function visits(worker, survey) {
  await worker.take(survey);
  await worker.at("action-save").click();
  await worker.fill({ "visit.visited_on": worker.stage.now.slice(0, 10), "visit.record": "情况属实。" });
  await worker.picture("sheet");
  const last = worker.page.locator('[data-testid="step-next"]:visible');
  if ((await last.count()) > 0) await last.click();
  else await worker.at("finish").click();
  await worker.at("dialog-complete").waitFor();
  const inputs = {
    conclusion: "agrees", suggestion: "建议纳入。", household_signature: SIGNED, photos: PHOTO,
  };
  const dialog = worker.at("dialog-complete");
  const alone = dialog.locator('[data-testid="input-investigators"]');
  await put(worker, alone, { signers: ["李守田", "李守田"] });
  for (const [name, value] of Object.entries(inputs)) {
    await put(worker, dialog.locator(`[data-testid="input-${name}"]`), value);
  }
  await worker.at("send").click();
  await dialog.locator('[role="alert"]').first().waitFor();
  await worker.picture("one-investigator-refused");
  await dialog.locator("#signer-1-name").fill("王巧云");
  await worker.picture("complete");
  await worker.send("completed");
}

async function linked(voice, id, kind) {
  const { links } = await voice.get(`/cases/${id}`);
  const found = links.find((link) => link.kind === kind);
  assert.ok(found, `${id} is linked to no ${kind}`);
  return found.id;
}

async function decides(clerk, id) {
  await clerk.take(id);
  const dialog = await clerk.begin("confirm");
  const offered = await dialog.locator("#input-amount").inputValue();
  assert.equal(parseFloat(offered), AMOUNT, "the computed amount is offered");
  await clerk.picture("confirm");
  return dialog;
}

/** Lives the story; `citizen` and `office` are the sizes of their windows. */
export async function aidStory({ browser, stage, citizen: small, office: large, days }) {
  const voice = await Voice.of(stage, "cun");
  const village = voice.account.scope;
  assert.ok(village.startsWith("141128"), "the amounts are those of another county");

  const citizen = await Person.at(browser, stage, "/public", small, "citizen");
  await citizen.picture("home");
  await assesses(citizen, village.slice(0, 6));
  await citizen.at("apply-dibao").click();
  await citizen.at("gate-sign").click();
  await citizen.picture("sign");
  await citizen.signIn("jumin2");
  await citizen.at("read-notice").waitFor();
  await citizen.page.goto(`${stage.address}/public/authorise`);
  await citizen.at("authorise-new").click();
  await authorises(citizen);
  await citizen.picture("authorised");
  await citizen.page.goto(`${stage.address}/public/apply/dibao`);
  await applies(citizen, village);
  await handsIn(citizen);
  await citizen.stands("submitted");
  await citizen.picture("submitted");
  const id = citizen.caseNumber();

  const township = await Person.of(browser, stage, "xiang", large);
  await township.at("inbox").waitFor();
  await township.picture("inbox");
  await township.take(id);
  const masked = await township.page.locator("main").innerText();
  assert.ok(!masked.includes(PARENT.id), "an ID number in clear");
  assert.ok(!masked.includes(PARENT.name), "a name in clear");
  await township.give("accept", "accepted");
  await township.give("check", "checked");
  await township.picture("checked");
  const village1 = await Person.of(browser, stage, "cun", large);
  await visits(village1, await linked(await Voice.of(stage, "xiang"), id, "survey"));
  village1.clean(/status of 409/);
  await village1.close();

  await township.take(id);
  await township.give("record_survey", "surveyed");
  await township.give("review", "reviewed", { opinion: "support", reason: REVIEWED });
  await township.picture("reviewed");
  await township.give("post", "posted");
  const posted = await township.at("posting").innerText();
  assert.ok(!posted.includes(PARENT.name) && posted.includes("高*"), posted);
  assert.match(posted, new RegExp(`${AMOUNT}(\\.00)?\\s*元`));
  await township.picture("posted");
  await township.fits();

  const early = await Person.of(browser, stage, "xian", large);
  const dialog = await decides(early, id);
  await early.at("send").click();
  await dialog.locator('[role="alert"]').first().waitFor();
  await early.picture("too-early");
  early.clean(/status of 409/);
  await early.close();
  township.clean();
  await township.close();

  await stage.later(days.afterPosting);
  const county = await Person.of(browser, stage, "xian", large);
  await decides(county, id);
  await county.send("confirmed");
  const decided = await county.at("decision-amount").innerText();
  assert.equal(parseFloat(decided.replace(",", "")), AMOUNT);
  await county.give("pay", "paying");
  await county.picture("paying");
  await county.at("nav-payments").click();
  await county.at("month").selectOption(days.paidFrom);
  const line = county.at("payment").filter({ hasText: "高*" });
  await line.waitFor();
  assert.match(await line.locator("td.amount").innerText(), new RegExp(`^${AMOUNT}(\\.00)?$`));
  await county.picture("payments");
  await county.fits();
  county.clean();
  await county.close();

  await citizen.keepTime();
  await citizen.page.goto(`${stage.address}/sign?next=${encodeURIComponent(`/public/cases/${id}`)}`);
  await citizen.signIn("jumin2");
  await citizen.stands("paying");
  assert.match(await citizen.at("amount").innerText(), new RegExp(`${AMOUNT}(\\.00)?\\s*元`));
  await citizen.picture("paying");
  await citizen.fits();
  citizen.clean(/status of 401/);
  await citizen.close();
}
