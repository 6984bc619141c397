// What a citizen does in several of the stories.

import assert from "node:assert/strict";

/** Reads what has to be read before it can be agreed to. */
export async function agrees(citizen, name) {
  const card = citizen.at(`read-${name}`);
  await card.locator(".text").evaluate((box) => box.scrollTo(0, box.scrollHeight));
  await citizen.at(`tick-${name}`).check();
}

/** Signs an authorisation for every department. */
export async function authorises(citizen) {
  await citizen.at("scope-all").check();
  await citizen.at("months-12").click();
  await citizen.picture("scope");
  await citizen.at("show-document").click();
  await agrees(citizen, "document");
  assert.ok(await citizen.at("sign").isDisabled(), "signed before the second consent");
  await citizen.at("tick-sensitive").check();
  await citizen.picture("document");
  await citizen.fits();
  await citizen.at("sign").click();
  await citizen.at("authorised").waitFor();
}

/** Says in which village the household lives. */
export async function chooseVillage(citizen, village) {
  for (const [at, width] of [4, 6, 9, 12].entries()) {
    const select = citizen.at("where").locator("select").nth(at);
    const part = village.slice(0, width);
    await select.locator(`option[value="${part}"]`).waitFor({ state: "attached" });
    await select.selectOption(part);
  }
}

/** Hands in the form that stands filled: at its last step, or with the button beneath it. */
export async function handsIn(citizen) {
  const steps = citizen.page.locator('[data-testid="step"] progress');
  if ((await steps.count()) === 0) return citizen.at("submit").click();
  const last = async () =>
    Number(await steps.getAttribute("value")) >= Number(await steps.getAttribute("max"));
  for (let turn = 0; turn < 20 && !(await last()); turn += 1) {
    const at = await steps.getAttribute("value");
    await citizen.at("step-next").click();
    await citizen.page.waitForFunction(
      (before) => document.querySelector('[data-testid="step"] progress')?.value !== before,
      Number(at),
    );
  }
  return citizen.at("step-next").click();
}
