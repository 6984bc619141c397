// Only the newest of several overlapping requests may speak: an older one is cancelled, and
// should its answer arrive all the same, it is dropped.

export class Superseded extends Error {
  constructor() {
    super("superseded by a newer request");
  }
}

export class Latest {
  private turn = 0;
  private running: AbortController | null = null;

  /** Runs `work`; rejects with `Superseded` if a newer run began before it ended. */
  async run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.running?.abort();
    const controller = new AbortController();
    this.running = controller;
    this.turn += 1;
    const turn = this.turn;
    try {
      const result = await work(controller.signal);
      if (turn !== this.turn) throw new Superseded();
      return result;
    } catch (error) {
      if (turn !== this.turn) throw new Superseded();
      throw error;
    } finally {
      if (turn === this.turn) this.running = null;
    }
  }
}
