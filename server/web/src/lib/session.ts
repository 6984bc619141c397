// Who is signed in, and every request of the staff's and citizens' pages.
//
// A failed request is a `Failed` with everything the server told: the ground of a refusal, faults
// of a form, the version that a stale command met. A changing request carries the header without
// which the server takes it for another page's.

import { computed, ref } from "vue";
import type {
  Account, Answers, Attachment, Case, CaseHead, Catalogue, Fault, Said, SessionState,
} from "./case-wire";
import { problemFrom } from "./api";
import type { Problem } from "./wire";

const BASE = "/api/v1";
const OWN = { "X-Yiku-Request": "1" };

/** A rule said no. */
export interface Refusal {
  ground: string;
  message: Said;
  field: string | null;
}

/** A problem with all that it may tell beyond its title. */
export interface Told extends Problem {
  refusal: Refusal | null;
  faults: Fault[];
  /** The version that stands, if the command was given on an older one. */
  stale: number | null;
  /** Until when signing in is locked. */
  until: string | null;
}

export class Failed extends Error {
  constructor(readonly problem: Told) {
    super(problem.code);
  }
}

const isText = (value: unknown): value is string => typeof value === "string";
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function isSaid(value: unknown): value is Said {
  return isRecord(value) && isText(value["zh"]) && isText(value["en"]);
}

function isFault(value: unknown): value is Fault {
  return isRecord(value) && isText(value["path"]) && isText(value["zh"]);
}

/** Reads a failed answer; whatever it does not tell is null or empty. */
export function toldFrom(status: number, statusText: string, body: string): Told {
  const problem = problemFrom(status, statusText, body);
  const extra = problem as unknown as Record<string, unknown>;
  const { ground, message, field, faults, found, until } = extra;
  const refused = isText(ground) && isSaid(message);
  return {
    ...problem,
    refusal: refused ? { ground, message, field: isText(field) ? field : null } : null,
    faults: Array.isArray(faults) ? faults.filter(isFault) : [],
    stale: problem.code === "case.stale" && typeof found === "number" ? found : null,
    until: isText(until) ? until : null,
  };
}

/** The problem of anything thrown; what is no failed request is a fault of the page. */
export function toldOf(cause: unknown): Told {
  if (cause instanceof Failed) return cause.problem;
  const detail = cause instanceof Error ? cause.message : String(cause);
  const empty = { refusal: null, faults: [], stale: null, until: null };
  return { title: "page", status: 0, code: "page.fault", detail, ...empty };
}

export interface Asked {
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

async function send(
  method: string,
  path: string,
  body: BodyInit | null,
  headers: Record<string, string>,
  signal?: AbortSignal,
): Promise<Response> {
  const init: RequestInit = { method, headers, credentials: "same-origin", body };
  if (signal) init.signal = signal;
  let response: Response;
  try {
    response = await fetch(BASE + path, init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new Failed(toldFrom(0, "", '{"title":"network","code":"network.unreachable"}'));
  }
  if (response.ok) return response;
  const told = toldFrom(response.status, response.statusText, await response.text());
  if (told.code === "session.missing" && state.value?.account) {
    state.value = { ...state.value, account: null };
  }
  throw new Failed(told);
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  return (text === "" ? null : JSON.parse(text)) as T;
}

export async function get<T>(path: string, asked: Asked = {}): Promise<T> {
  return read(await send("GET", path, null, asked.headers ?? {}, asked.signal));
}

export async function post<T>(path: string, body: unknown = {}, asked: Asked = {}): Promise<T> {
  const headers = { "Content-Type": "application/json", ...OWN, ...asked.headers };
  return read(await send("POST", path, JSON.stringify(body), headers, asked.signal));
}

export async function remove<T>(path: string, asked: Asked = {}): Promise<T> {
  return read(await send("DELETE", path, null, { ...OWN, ...asked.headers }, asked.signal));
}

/** Sends raw bytes: a photo, a recording. */
export async function postBytes<T>(path: string, bytes: Blob, name?: string): Promise<T> {
  const headers: Record<string, string> = { ...OWN };
  headers["Content-Type"] = bytes.type || "application/octet-stream";
  if (name) headers["X-File-Name"] = encodeURIComponent(name);
  return read(await send("POST", path, bytes, headers));
}

export const attach = (file: Blob, name: string): Promise<Attachment> =>
  postBytes("/attachments", file, name);

/** Names a command, so that sending it twice does it once. */
export function commandId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Keeps one command's number until the command is through: a second press, or a try after a lost
 * answer, then does nothing twice. A rule's no has been answered; the next try is another command.
 */
export function onceEach(): <T>(give: (id: string) => Promise<T>) => Promise<T> {
  let id: string | null = null;
  return async (give) => {
    id ??= commandId();
    try {
      const answer = await give(id);
      id = null;
      return answer;
    } catch (cause) {
      const status = cause instanceof Failed ? cause.problem.status : 0;
      if (status >= 400 && status < 500) id = null;
      throw cause;
    }
  };
}

export interface Opening {
  kind: string;
  command_id: string;
  region?: string;
  input: unknown;
}

export const openCase = (opening: Opening): Promise<Case> => post("/cases", opening);

export const readCase = (id: string, asked: Asked = {}): Promise<Case> =>
  get(`/cases/${encodeURIComponent(id)}`, asked);

export interface Command {
  command: string;
  command_id: string;
  version: number;
  input: unknown;
}

export const command = (id: string, given: Command): Promise<Case> =>
  post(`/cases/${encodeURIComponent(id)}/commands`, given);

export interface CaseQuery {
  kind?: string;
  state?: string;
  mine?: boolean;
  overdue?: boolean;
  /** Those that still have a step before them. */
  open?: boolean;
  text?: string;
  after?: string;
  limit?: number;
}

export interface CasePage {
  cases: CaseHead[];
  next: string | null;
}

/** A page of the list of cases. */
export function listCases(query: CaseQuery = {}, asked: Asked = {}): Promise<CasePage> {
  const said = Object.entries(query).filter(
    ([, value]) => value !== undefined && value !== false && value !== "",
  );
  // What is looked for may be a name: it goes in the body, never in the address.
  if (query.text) {
    const body = said.map(([name, value]) => [name, name === "limit" ? value : String(value)]);
    return post("/cases/find", Object.fromEntries(body), asked);
  }
  const params = new URLSearchParams(said.map(([name, value]) => [name, String(value)]));
  const text = params.toString();
  return get(text ? `/cases?${text}` : "/cases", asked);
}

/** Where the bytes of a case's attachment are. */
export function attachmentUrl(caseId: string, digest: string): string {
  return `${BASE}/cases/${encodeURIComponent(caseId)}/attachments/${encodeURIComponent(digest)}`;
}

/** One value in clear; the server keeps who asked, and why. */
export const reveal = (caseId: string, path: string, reason: string): Promise<{ value: unknown }> =>
  post(`/cases/${encodeURIComponent(caseId)}/reveal`, { path, reason });

const state = ref<SessionState | null>(null);
/** What the server said of the session; null until it was asked. */
export const session = computed(() => state.value);
export const account = computed<Account | null>(() => state.value?.account ?? null);
export const isDemo = computed(() => state.value?.demo ?? false);

export async function loadSession(): Promise<SessionState> {
  const found = await get<SessionState>("/session");
  state.value = found;
  return found;
}

export async function signIn(login: string, password: string): Promise<SessionState> {
  await post("/session", { login, password });
  return loadSession();
}

export async function signOut(): Promise<void> {
  await remove("/session");
  if (state.value) state.value = { ...state.value, account: null };
}

export async function changePassword(old: string, fresh: string): Promise<SessionState> {
  await post("/session/password", { old, new: fresh });
  return loadSession();
}

/** Where an account works. */
export function homeOf(who: Account): string {
  switch (who.role) {
    case "citizen":
      return "/public";
    case "province":
    case "city":
    case "county":
      return "/";
    case "system_admin":
    case "security_admin":
    case "audit_admin":
      return "/work#/accounts";
    default:
      return "/work";
  }
}

/** An address of this server to go on to, or null: never another host's. */
export function safeNext(asked: string | null): string | null {
  if (!asked || !asked.startsWith("/") || /^\/[/\\]/.test(asked)) return null;
  // Browsers drop control characters from an address, which could make two slashes of one.
  if ([...asked].some((sign) => sign < " " || sign === "\\")) return null;
  return asked.startsWith("/sign") || asked.startsWith("/api/") ? null : asked;
}

/** The sign-in page, and back to where it was asked. */
export function signAddress(next?: string): string {
  return next ? `/sign?next=${encodeURIComponent(next)}` : "/sign";
}

let catalogueAsked: Promise<Catalogue> | null = null;

/** Kinds, states, lists. Asked once; a failure is not remembered. */
export function catalogue(): Promise<Catalogue> {
  if (!catalogueAsked) {
    catalogueAsked = get<Catalogue>("/catalogue");
    catalogueAsked.catch(() => (catalogueAsked = null));
  }
  return catalogueAsked;
}

const forms = new Map<string, Promise<unknown>>();

/** A form's definition as the server has it. Asked once; a failure is not remembered. */
export function fetchForm<T>(name: string): Promise<T> {
  let pending = forms.get(name);
  if (!pending) {
    pending = get<T>(`/forms/${encodeURIComponent(name)}`);
    pending.catch(() => forms.delete(name));
    forms.set(name, pending);
  }
  return pending as Promise<T>;
}

export type { Answers };
