// A household declares its own hardship: returned, corrected and agreed; or rejected.

import assert from "node:assert/strict";
import { Person, until, Voice } from "../people.js";
import { authorises, chooseVillage, handsIn } from "./citizen.js";
import { declared, PARENT } from "./family.js";

const MARKED = "members[0].monthly_income";
const NOTE = "请按近三个月的平均收入填写";
/** A decision is in the statistics within a second; the machine that tests may be busy. */
const SOON = 5_000;

/** What the statistics count in the village. */
function counts(voice, village) {
  const n = (from, test) =>
    voice.number(`from ${from} where region within ${village}${test} measure n = count()`);
  return Promise.all([
    n("household", ""), n("person", ""), n("household", " and discovered_by = self_declared"),
  ]);
}

/** A citizen whom nobody knows authorises and declares; gives their page and the case. */
async function declares({ browser, stage, citizen: small }, village) {
  const citizen = await Person.of(browser, stage, "jumin2", small);
  await citizen.at("tile-authorise").click();
  await citizen.at("authorise-new").click();
  await authorises(citizen);
  await citizen.at("back-home").click();
  await citizen.at("tile-declare").click();
  await chooseVillage(citizen, village);
  await citizen.picture("declare");
  await citizen.at("declare-begin").click();
  await citizen.at("case").waitFor();
  await citizen.fill(declared(village));
  await handsIn(citizen);
  await citizen.stands("submitted");
  await citizen.picture("submitted");
  await citizen.fits();
  return [citizen, citizen.caseNumber()];
}

/** Returned with a marked field, corrected, agreed: and then the statistics count the household. */
export async function agreedStory(world) {
  const { browser, stage, office } = world;
  const voice = await Voice.of(stage, "xiang");
  const village = (await Voice.of(stage, "cun")).account.scope;
  const before = await counts(voice, village);
  const [citizen, id] = await declares(world, village);

  const clerk = await Person.of(browser, stage, "xiang", office);
  await clerk.take(id);
  await clerk.picture("declaration");
  const why = { reason: "收入填写有误，请更正后再交。" };
  await clerk.give("return", "returned", why, { [MARKED]: NOTE });
  await clerk.at("end-returned").waitFor();
  await clerk.picture("returned");
  assert.deepEqual(await counts(voice, village), before, "counted before it is agreed");

  await citizen.page.goto(`${stage.address}/public`);
  await citizen.picture("todo");
  await citizen.at("todo").locator(`a[href*="${id}"]`).click();
  await citizen.stands("returned");
  assert.match(await citizen.at("returned").innerText(), /收入填写有误/);
  const field = citizen.at(`field-${MARKED}`);
  await field.waitFor();
  assert.match(await field.getAttribute("class"), /marked/);
  assert.ok((await field.locator('[data-testid="mark"]').innerText()).includes(NOTE));
  const others = citizen.page.locator('[data-testid="mark"]');
  assert.equal(await others.count(), 1, "one field is marked, no other");
  await citizen.picture("marked");
  await citizen.fits();
  await citizen.fill({ [MARKED]: "650" });
  await handsIn(citizen);
  await citizen.stands("submitted");

  await clerk.take(id);
  assert.match(await clerk.page.locator("main").innerText(), /650/);
  await clerk.give("agree", "agreed");
  await clerk.at("end-agreed").waitFor();
  await clerk.picture("agreed");
  const wanted = JSON.stringify([before[0] + 1, before[1] + 3, before[2] + 1]);
  await until(`the counts of the village ${wanted}`, SOON, async () => {
    const now = JSON.stringify(await counts(voice, village));
    return now === wanted || now;
  });
  assert.equal((await voice.households(PARENT.id)).length, 1);

  await citizen.page.reload();
  await citizen.stands("agreed");
  await citizen.picture("agreed");
  await citizen.at("back-home").click();
  await citizen.at("tile-aid").click();
  assert.match(await citizen.at("my-home").innerText(), /3/);
  await citizen.picture("home");
  citizen.clean();
  clerk.clean();
}

/** Rejected with a ground and a reason: and the registry has never heard of the household. */
export async function rejectedStory(world) {
  const { browser, stage, office } = world;
  const voice = await Voice.of(stage, "xian");
  const village = (await Voice.of(stage, "cun")).account.scope;
  const before = await counts(voice, village);
  const [citizen, id] = await declares(world, village);

  const clerk = await Person.of(browser, stage, "xian", office);
  await clerk.take(id);
  const dialog = await clerk.begin("reject");
  await clerk.at("send").click();
  await dialog.locator('[data-testid="fault-reason"]').waitFor();
  await clerk.picture("reject-without-reason");
  await clerk.page.keyboard.press("Escape");
  await clerk.page.waitForSelector("dialog", { state: "detached" });
  const reason = "经核实家庭收入高于当地标准。";
  await clerk.give("reject", "rejected", { ground: "income_over", reason });
  await clerk.at("end-rejected").waitFor();
  await clerk.picture("rejected");
  await clerk.fits();

  // Whoever is told elsewhere that a decision is in the statistics within a second waits longer.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  assert.deepEqual(await counts(voice, village), before);
  assert.deepEqual(await voice.households(PARENT.id), []);
  await clerk.at("nav-households").click();
  await clerk.at("find-id").fill(PARENT.id);
  await clerk.at("find").click();
  await clerk.at("not-found").waitFor();
  await clerk.picture("not-found");

  await citizen.page.reload();
  await citizen.stands("rejected");
  const told = await citizen.at("refused").innerText();
  assert.ok(told.includes(reason) && told.includes("收入超过标准"), told);
  await citizen.picture("rejected");
  await citizen.at("back-home").click();
  await citizen.at("tile-aid").click();
  const home = citizen.at("my-home");
  await home.locator('a[href*="/public/declare"]').waitFor();
  citizen.clean();
  clerk.clean();
}
