// Records with the microphone of the device, within the page: nothing is kept elsewhere.

import { joined, wav } from "./wav";

/** A recording ends by itself after so long. */
export const SECONDS_MAX = 30;
const PIECE_SAMPLES = 4096;

export interface Recording {
  samples: Float32Array;
  rate: number;
}

/** Whether this page may ask for the microphone at all: browsers want a safe connection. */
export const canRecord = (): boolean =>
  typeof navigator.mediaDevices?.getUserMedia === "function" && typeof AudioContext === "function";

/** One recording, from `start` to `stop`. */
export class Recorder {
  #stream: MediaStream | null = null;
  #context: AudioContext | null = null;
  #pieces: Float32Array[] = [];
  #rate = 0;

  /** Asks for the microphone and begins; `hear` is told how loud it is, 0 to 1. */
  async start(hear: (loud: number) => void): Promise<void> {
    const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: false };
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio });
    const context = new AudioContext();
    this.#context = context;
    this.#rate = context.sampleRate;
    const source = context.createMediaStreamSource(this.#stream);
    // The older way of tapping a sound: it also works in the browsers inside other apps, and
    // needs no second script.
    const tap = context.createScriptProcessor(PIECE_SAMPLES, 1, 1);
    tap.onaudioprocess = (event) => {
      const piece = event.inputBuffer.getChannelData(0).slice();
      this.#pieces.push(piece);
      hear(Math.min(1, piece.reduce((most, each) => Math.max(most, Math.abs(each)), 0)));
    };
    source.connect(tap);
    // What is not connected onwards is not run; nothing is played, the tap gives silence.
    tap.connect(context.destination);
    await context.resume();
  }

  /** Ends the recording and lets go of the microphone. */
  async stop(): Promise<Recording> {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    if (this.#context && this.#context.state !== "closed") await this.#context.close();
    this.#context = null;
    const samples = joined(this.#pieces);
    this.#pieces = [];
    return { samples, rate: this.#rate };
  }
}

/** Reads a sound file that the browser knows. */
export async function decoded(file: Blob): Promise<Recording> {
  const context = new AudioContext();
  try {
    const sound = await context.decodeAudioData(await file.arrayBuffer());
    return { samples: sound.getChannelData(0).slice(), rate: sound.sampleRate };
  } finally {
    await context.close();
  }
}

export const wavOf = (recording: Recording): Blob => wav(recording.samples, recording.rate);
