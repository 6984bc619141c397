import { describe, expect, it } from "vitest";
import { classColor, classIndex, lookOf, quantileClasses } from "./classes";

describe("quantileClasses", () => {
  it("leaves zero and missing out", () => {
    expect(quantileClasses([0, null, 0])).toEqual([]);
  });
  it("makes one class when all values are equal", () => {
    expect(quantileClasses([4, 4, 4, 4])).toEqual([{ from: 4, to: 4, n: 4 }]);
  });
  it("holds every value exactly once", () => {
    const values = [9, 1, 5, 5, 5, 2, 8, 3, 0, null, 7];
    const classes = quantileClasses(values, 5);
    expect(classes.reduce((sum, c) => sum + c.n, 0)).toBe(9);
    for (const value of values) {
      if (value) expect(classIndex(classes, value)).toBeGreaterThanOrEqual(0);
    }
    classes.slice(1).forEach((c, i) => expect(c.from).toBeGreaterThan(classes[i]!.to));
  });
  it("splits ten different values into five twos", () => {
    const classes = quantileClasses([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(classes.map((c) => c.n)).toEqual([2, 2, 2, 2, 2]);
  });
});

describe("looks", () => {
  const classes = quantileClasses([1, 2, 3]);
  it("tells zero from no data", () => {
    expect(lookOf(classes, null).state).toBe("no_data");
    expect(lookOf(classes, 0).state).toBe("zero");
    expect(lookOf(classes, 2).state).toBe("class");
  });
  it("spans the ramp with few classes", () => {
    expect(classColor(0, 2)).not.toBe(classColor(1, 2));
    expect(classColor(1, 2)).toBe(classColor(4, 5));
  });
});
