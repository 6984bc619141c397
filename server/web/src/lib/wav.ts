// Sound as the server takes it: WAV, PCM of 16 bits, one channel, 16 kHz.

export const RATE = 16_000;
const HEADER_BYTES = 44;
const SAMPLE_BYTES = 2;

/** Joins the pieces that a recorder gave. */
export function joined(pieces: Float32Array[]): Float32Array {
  const whole = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/**
 * The same sound at another rate. Going down, each sample is the mean of those it stands for, so
 * that what is too high for the new rate does not come back as another tone; going up, between
 * two samples lies a line.
 */
export function resampled(samples: Float32Array, from: number, to: number): Float32Array {
  if (from === to || samples.length === 0) return samples;
  const ratio = from / to;
  const fresh = new Float32Array(Math.floor(samples.length / ratio));
  for (let at = 0; at < fresh.length; at += 1) {
    const begin = at * ratio;
    if (ratio <= 1) {
      const left = Math.floor(begin);
      const a = samples[left] ?? 0;
      fresh[at] = a + ((samples[left + 1] ?? a) - a) * (begin - left);
      continue;
    }
    const first = Math.floor(begin);
    const last = Math.min(samples.length, Math.max(first + 1, Math.floor(begin + ratio)));
    let sum = 0;
    for (let each = first; each < last; each += 1) sum += samples[each] ?? 0;
    fresh[at] = sum / (last - first);
  }
  return fresh;
}

/** How loud a sound is, from 0 to 1 (root of the mean square). */
export function loudness(samples: Float32Array): number {
  if (samples.length === 0) return 0;
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
}

function word(view: DataView, at: number, text: string): void {
  for (let each = 0; each < text.length; each += 1) view.setUint8(at + each, text.charCodeAt(each));
}

/** A WAV file of samples from -1 to 1 at 16 kHz. */
export function wavBytes(samples: Float32Array): ArrayBuffer {
  const size = samples.length * SAMPLE_BYTES;
  const bytes = new ArrayBuffer(HEADER_BYTES + size);
  const view = new DataView(bytes);
  word(view, 0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + size, true);
  word(view, 8, "WAVE");
  word(view, 12, "fmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE * SAMPLE_BYTES, true);
  view.setUint16(32, SAMPLE_BYTES, true);
  view.setUint16(34, 8 * SAMPLE_BYTES, true);
  word(view, 36, "data");
  view.setUint32(40, size, true);
  for (let at = 0; at < samples.length; at += 1) {
    const sample = Math.max(-1, Math.min(1, samples[at] ?? 0));
    view.setInt16(HEADER_BYTES + at * SAMPLE_BYTES, Math.round(sample * 0x7fff), true);
  }
  return bytes;
}

/** A WAV file of a sound at any rate. */
export function wav(samples: Float32Array, rate: number): Blob {
  return new Blob([wavBytes(resampled(samples, rate, RATE))], { type: "audio/wav" });
}
