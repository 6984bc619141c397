// The shapes of the casework's side of the interface: sessions, cases, actions, forms' faults.

/** A text in both languages of the pages. */
export interface Said {
  zh: string;
  en: string;
}

/** A code of a list with its texts. */
export type Listed = [code: string, zh: string, en: string];
export type Lists = Record<string, Listed[]>;

/** What is wrong with one answer of a form. */
export interface Fault {
  path: string;
  code: string;
  zh: string;
  en: string;
}

/** An answer that somebody marked as wrong. */
export interface Mark {
  path: string;
  note: string;
}

export type Role =
  | "citizen" | "village" | "township" | "county" | "city" | "province" | "department"
  | "system_admin" | "security_admin" | "audit_admin";

export interface Account {
  id: string;
  login: string;
  name: string;
  role: Role;
  /** The digits every region of theirs begins with. */
  scope: string;
  scope_name: string | null;
  department: string | null;
  must_change: boolean;
}

export interface DemoAccount {
  login: string;
  password: string;
  role: Role;
  label: string;
}

export interface SessionState {
  account: Account | null;
  /** Whether the server has casework at all. */
  platform: boolean;
  demo: boolean;
  /** Whether citizens may sign in by the provincial app. */
  oidc: boolean;
  demo_accounts?: DemoAccount[];
}

/** What a command asks for. */
export interface ActionInput {
  name: string;
  kind:
    | "text" | "long_text" | "money" | "date" | "code" | "codes" | "flag" | "marks" | "choices"
    | "case" | "files" | "region" | "amount" | "number" | "signature" | "signatures";
  label: Said;
  required: boolean;
  list?: string | null;
  options?: Listed[];
}

export interface Action {
  name: string;
  label: Said;
  tone: "primary" | "plain" | "danger";
  input: ActionInput[];
}

export interface CaseHead {
  id: string;
  kind: string;
  state: string;
  region: string;
  region_name: string;
  version: number;
  opened_at: string;
  changed_at: string;
  due_on: string | null;
  overdue: boolean;
  level?: string | null;
  title: Said;
  purpose?: string | null;
}

export interface CaseEvent {
  version: number;
  at: string;
  actor: { name: string; role: string };
  command: string;
  state: string;
  note?: string | null;
}

export interface Attachment {
  digest: string;
  media: string;
  size: number;
  name?: string | null;
}

/** Answers by block: an object, or a list of objects for a block that repeats. Money is fen. */
export type Answers = Record<string, unknown>;

export interface Case extends CaseHead {
  answers: Answers;
  form: string | null;
  marks: Mark[];
  facts: Record<string, unknown>;
  actions: Action[];
  events: CaseEvent[];
  attachments: Attachment[];
  links: { id: string; kind: string; state: string }[];
}

export interface StateEntry extends Said {
  open: boolean;
}

export interface KindEntry {
  label: Said;
  states: Record<string, StateEntry>;
  actions: Action[];
}

/** `GET /catalogue`. */
export interface Catalogue {
  kinds: Record<string, KindEntry>;
  lists: Lists;
  aids: Listed[];
  departments: Listed[];
  results: Listed[];
}

/** The text of the language, or of the other if it is missing. */
export function said(text: Said | null | undefined, language: "zh" | "en"): string {
  if (!text) return "";
  return text[language] || text.zh || text.en;
}

/** What a list calls a code; the code itself if the list does not know it. */
export function listed(
  list: Listed[] | undefined,
  code: unknown,
  language: "zh" | "en",
): string {
  const found = list?.find(([each]) => each === String(code));
  if (!found) return code === null || code === undefined ? "" : String(code);
  return language === "en" ? found[2] || found[1] : found[1];
}
