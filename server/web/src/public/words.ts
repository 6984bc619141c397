// The words of the public's page in both languages: plain, short, without office language.

import { words } from "../state/words";
import { en } from "./words-en";
import { zh } from "./words-zh";

export const t = words(zh, en);
