// Fills in forms and dialogs as a person does: what is seen is filled in, then on to the next step.

import assert from "node:assert/strict";

/** A photo of one grey dot. */
export const PHOTO = {
  name: "photo.png",
  mimeType: "image/png",
  buffer: Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mMAAQAABQABoIJeHAAAAABJRU5ErkJggg==",
    "base64",
  ),
};

/** How a signature is asked for: written with the pointer. */
export const SIGNED = Symbol("signed");

/** Writes a name on the board of a signature and takes it. */
async function sign(person, place) {
  const board = place.locator("canvas");
  await board.scrollIntoViewIfNeeded();
  const box = await board.boundingBox();
  const { mouse } = person.page;
  const at = (x, y) => [box.x + x * box.width, box.y + y * box.height];
  await mouse.move(...at(0.2, 0.3));
  await mouse.down();
  await mouse.move(...at(0.5, 0.7), { steps: 6 });
  await mouse.move(...at(0.8, 0.25), { steps: 6 });
  await mouse.up();
  await place.locator("button.primary").click();
  await place.locator("img, strong").first().waitFor();
}

/** Chooses a place level by level. */
async function choosePlace(place, code) {
  const widths = [4, 6, 9, 12].filter((width) => width <= code.length);
  for (const [at, width] of widths.entries()) {
    const select = place.locator("select").nth(at);
    const part = code.slice(0, width);
    await select.locator(`option[value="${part}"]`).waitFor({ state: "attached" });
    if ((await select.inputValue()) !== part) await select.selectOption(part);
  }
}

/** Those who were there: each writes a name and signs. */
async function signers(person, place, names) {
  for (const [at, name] of names.entries()) {
    const one = place.locator(`[data-testid="signer-${at}"]`);
    await one.locator("input").first().fill(name);
    await sign(person, one);
  }
}

/** Gives one answer in a field of a form or an input of a dialog, whatever control it has. */
export async function put(person, place, value) {
  await place.scrollIntoViewIfNeeded();
  if (value === SIGNED) return sign(person, place);
  if (value?.signers) return signers(person, place, value.signers);
  if (value === PHOTO) {
    await place.locator('input[type="file"]').setInputFiles(PHOTO);
    await place.locator("li .done").first().waitFor();
    return undefined;
  }
  if ((await place.locator(".region").count()) > 0) return choosePlace(place, value);
  const choice = place.locator(`label:has(input[value="${value}"])`);
  if ((await choice.count()) > 0) return choice.first().click();
  const select = place.locator("select");
  if ((await select.count()) > 0) return select.first().selectOption(value);
  return place.locator("input, textarea").first().fill(String(value));
}

/**
 * Unfolds an entry of a block that repeats, and adds it where it is not there yet. Several sections
 * of a form may ask about the same entries.
 */
async function unfold(person, block, entry) {
  const places = person.at(`entry-${block}-${entry}`);
  if ((await places.count()) === 0) {
    await person.at(`add-${block}`).click();
    await places.first().waitFor();
  }
  for (const place of await places.all()) {
    if (!(await place.getAttribute("class")).includes("open")) {
      await place.locator("button.head").first().click();
    }
  }
}

const entryOf = (path) => /^(\w+)\[(\d+)\]/.exec(path);

/** Gives the answers whose fields are on the page; the paths of those that were given. */
async function fillShown(person, answers) {
  const given = [];
  for (const [path, value] of answers) {
    const entry = entryOf(path);
    if (entry) {
      const blocks = person.page.locator(`[data-block="${entry[1]}"]`);
      if ((await blocks.count()) === 0) continue;
      await unfold(person, entry[1], Number(entry[2]));
    }
    const field = person.page.locator(`[data-testid="field-${path}"]`);
    if ((await field.count()) === 0) continue;
    await put(person, field.first(), value);
    given.push(path);
  }
  return given;
}

/** Fills in a form to its last step; every answer must have found its field. */
export async function fillIn(person, answers) {
  await person.at("form").waitFor();
  const open = new Map(Object.entries(answers));
  for (;;) {
    for (const path of await fillShown(person, open)) open.delete(path);
    const step = person.page.locator('[data-testid="step"] progress');
    if ((await step.count()) === 0) break;
    const at = Number(await step.getAttribute("value"));
    if (at >= Number(await step.getAttribute("max"))) break;
    await person.picture(`step${at}`);
    await person.fits();
    await person.at("step-next").click();
    await person.page.waitForFunction(
      (before) => document.querySelector('[data-testid="step"] progress')?.value === before + 1,
      at,
      { timeout: 10_000 },
    ).catch(async () => {
      const said = await person.page.locator(".form-fault:visible").allInnerTexts();
      throw new Error(`step ${at} of the form is not left: ${said.join(" | ")}`);
    });
  }
  assert.deepEqual([...open.keys()], [], "answers that the form does not ask for");
}
