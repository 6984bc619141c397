import { describe, expect, it } from "vitest";
import { joined, loudness, RATE, resampled, wav, wavBytes } from "./wav";

function tone(hertz: number, rate: number, seconds: number): Float32Array {
  const samples = new Float32Array(rate * seconds);
  return samples.map((_, at) => 0.5 * Math.sin((2 * Math.PI * hertz * at) / rate));
}

/** How often the sound passes upwards through nought. */
function crossings(samples: Float32Array): number {
  let count = 0;
  for (let at = 1; at < samples.length; at += 1) {
    if ((samples[at - 1] ?? 0) < 0 && (samples[at] ?? 0) >= 0) count += 1;
  }
  return count;
}

describe("a WAV file", () => {
  const bytes = new DataView(wavBytes(new Float32Array([0, 1, -1, 0.5, 2, -2])));
  const word = (at: number): string =>
    String.fromCharCode(...[0, 1, 2, 3].map((each) => bytes.getUint8(at + each)));
  it("says what it holds", () => {
    expect([word(0), word(8), word(12), word(36)]).toEqual(["RIFF", "WAVE", "fmt ", "data"]);
    expect(bytes.getUint32(4, true)).toBe(bytes.byteLength - 8);
    expect(bytes.getUint32(40, true)).toBe(12);
    const format = [bytes.getUint16(20, true), bytes.getUint16(22, true), bytes.getUint32(24, true)];
    expect(format).toEqual([1, 1, 16_000]);
    expect(bytes.getUint32(28, true)).toBe(32_000);
    expect([bytes.getUint16(32, true), bytes.getUint16(34, true)]).toEqual([2, 16]);
  });
  it("holds the samples, cut where they are too loud", () => {
    const samples = [0, 1, 2, 3, 4, 5].map((at) => bytes.getInt16(44 + 2 * at, true));
    expect(samples).toEqual([0, 32767, -32767, 16384, 32767, -32767]);
  });
  it("is of the right length at any rate", () => {
    for (const rate of [8_000, 16_000, 44_100, 48_000]) {
      expect(wav(new Float32Array(rate * 2), rate).size).toBe(44 + 2 * 2 * RATE);
    }
  });
});

describe("another rate", () => {
  it.each([8_000, 22_050, 44_100, 48_000])("keeps a tone that was taken at %i", (rate) => {
    const found = resampled(tone(440, rate, 1), rate, RATE);
    expect(Math.abs(crossings(found) - 440)).toBeLessThanOrEqual(1);
    expect(loudness(found)).toBeCloseTo(0.5 / Math.SQRT2, 1);
  });
  it("softens what is too high instead of bringing it back as another tone", () => {
    const found = resampled(tone(15_000, 48_000, 1), 48_000, RATE);
    expect(loudness(found)).toBeLessThan(0.2 * loudness(tone(15_000, 48_000, 1)));
  });
});

it("joins pieces in their order", () => {
  expect([...joined([new Float32Array([1]), new Float32Array([]), new Float32Array([2, 3])])]).toEqual([
    1, 2, 3,
  ]);
});
