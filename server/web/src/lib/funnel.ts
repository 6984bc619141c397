// The way of warnings, step by step, as parts of those that were raised.

export const FUNNEL_STEPS = ["generated", "signed", "visited", "confirmed", "helped"] as const;

/** What the program tells: each stage with the warnings that came so far. */
export interface Funnel {
  stages: { stage: string; cases: number }[];
}

export interface FunnelRow {
  step: (typeof FUNNEL_STEPS)[number];
  count: number;
  /** Whole per cent of those raised. */
  share: number;
}

/** The steps in order; a step that the program does not tell counts as none. */
export function funnelRows(funnel: Funnel): FunnelRow[] {
  const of = (step: string): number =>
    (funnel.stages ?? []).find(({ stage }) => stage === step)?.cases ?? 0;
  const all = of("generated");
  return FUNNEL_STEPS.map((step) => {
    const count = of(step);
    return { step, count, share: all > 0 ? Math.min(100, Math.round((100 * count) / all)) : 0 };
  });
}
