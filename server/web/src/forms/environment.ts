// What every field of one form needs beyond its own answer.

import { inject, type InjectionKey } from "vue";
import type { Attachment, Lists } from "../lib/case-wire";

export interface Environment {
  readonly lists: Lists;
  readonly disabled: boolean;
  /** Where the bytes of an attachment are, if they can be read yet. */
  readonly urlOf: ((digest: string) => string) | null;
  /** What is known of attachments that were sent before. */
  readonly attachments: Attachment[];
}

export const ENVIRONMENT: InjectionKey<Environment> = Symbol("form");

const ALONE: Environment = { lists: {}, disabled: false, urlOf: null, attachments: [] };

export const environment = (): Environment => inject(ENVIRONMENT, ALONE);
