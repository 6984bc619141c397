import { expect, it } from "vitest";
import { Latest, Superseded } from "./latest";

it("drops an old answer that comes after a newer question", async () => {
  const latest = new Latest();
  let finishFirst: (value: string) => void = () => undefined;
  let cancelled = false;
  const first = latest.run((signal) => {
    signal.addEventListener("abort", () => (cancelled = true));
    return new Promise<string>((resolve) => (finishFirst = resolve));
  });
  const second = latest.run(() => Promise.resolve("new"));
  finishFirst("old");
  await expect(first).rejects.toBeInstanceOf(Superseded);
  await expect(second).resolves.toBe("new");
  expect(cancelled).toBe(true);
});

it("hides the failure of an old question", async () => {
  const latest = new Latest();
  const first = latest.run(() => Promise.reject(new Error("late failure")));
  const second = latest.run(() => Promise.resolve(2));
  await expect(first).rejects.toBeInstanceOf(Superseded);
  await expect(second).resolves.toBe(2);
});

it("passes on the failure of the newest", async () => {
  const failure = new Error("no");
  await expect(new Latest().run(() => Promise.reject(failure))).rejects.toBe(failure);
});
