import { afterEach, describe, expect, it, vi } from "vitest";
import { explain } from "./problem-words";
import { command, Failed, get, listCases, onceEach, post, toldFrom, toldOf } from "./session";

const REFUSED = {
  title: "a rule says no", status: 409, code: "case.refused", ground: "authorisation.missing",
  field: "members", message: { zh: "还没有授权。", en: "not authorised" },
};

function answer(status: number, body: unknown): void {
  const response = new Response(JSON.stringify(body), { status });
  vi.stubGlobal("fetch", vi.fn(async () => response));
}

const asked = (): RequestInit => vi.mocked(fetch).mock.calls[0]?.[1] ?? {};

afterEach(() => vi.unstubAllGlobals());

describe("what a failed answer tells", () => {
  it("is the ground of a refusal, in both languages", () => {
    const told = toldFrom(409, "", JSON.stringify(REFUSED));
    expect(told.refusal).toEqual({
      ground: "authorisation.missing", field: "members", message: REFUSED.message,
    });
    expect([explain(told, "zh"), explain(told, "en")]).toEqual(["还没有授权。", "not authorised"]);
  });
  it("is the faults of a form, without what is none", () => {
    const faults = [{ path: "family.phone", code: "phone", zh: "不对", en: "wrong" }, 7, { zh: "?" }];
    const told = toldFrom(422, "", JSON.stringify({ title: "form", code: "case.form", faults }));
    expect(told.faults).toEqual([faults[0]]);
  });
  it("is the version that a stale command met", () => {
    const body = (code: string) => JSON.stringify({ title: "t", code, found: 7 });
    expect(toldFrom(409, "", body("case.stale")).stale).toBe(7);
    expect(toldFrom(409, "", body("case.refused")).stale).toBeNull();
  });
  it("is at least the status", () => {
    const told = toldFrom(502, "Bad Gateway", "<html>");
    expect(told).toMatchObject({ code: "http.502", title: "Bad Gateway", refusal: null, faults: [] });
    expect(explain(told, "zh")).toContain("过一会儿");
  });
});

describe("the list of cases", () => {
  const page = { cases: [], next: null };
  it("is asked by address, without what is empty", async () => {
    answer(200, page);
    await listCases({ kind: "warning", text: "", open: true, limit: 50 });
    const address = String(vi.mocked(fetch).mock.calls[0]?.[0]);
    expect(address).toContain("/cases?kind=warning&open=true&limit=50");
  });
  it("is asked in a body where a name may be looked for", async () => {
    answer(200, page);
    await listCases({ text: "冯大有", open: true, limit: 50 });
    const address = String(vi.mocked(fetch).mock.calls[0]?.[0]);
    expect(address).toMatch(/\/cases\/find$/);
    expect(asked()).toMatchObject({ body: '{"text":"冯大有","open":"true","limit":50}' });
  });
});

describe("requests", () => {
  it("carry the header of our own pages when they change something", async () => {
    answer(200, {});
    await post("/cases", { a: 1 });
    expect(asked()).toMatchObject({ method: "POST", body: '{"a":1}' });
    expect(asked().headers).toMatchObject({ "X-Yiku-Request": "1" });
    answer(200, {});
    await get("/mine");
    expect(asked().headers).toEqual({});
  });
  it("name the case in their path, safely", async () => {
    answer(200, {});
    await command("../a b", { command: "submit", command_id: "1", version: 1, input: {} });
    expect(vi.mocked(fetch).mock.calls[0]?.[0]).toBe("/api/v1/cases/..%2Fa%20b/commands");
  });
  it("fail with what was told", async () => {
    answer(409, REFUSED);
    const failed = await post("/x").catch((cause: unknown) => cause);
    expect(failed).toBeInstanceOf(Failed);
    expect(toldOf(failed).refusal?.ground).toBe("authorisation.missing");
  });
  it("fail in words when there is no network", async () => {
    vi.stubGlobal("fetch", vi.fn(async () => Promise.reject(new TypeError("failed to fetch"))));
    const told = toldOf(await get("/x").catch((cause: unknown) => cause));
    expect(told.code).toBe("network.unreachable");
    expect(explain(told, "zh")).toContain("信号");
  });
});

describe("a command's number", () => {
  const lost = (): never => {
    throw new Failed(toldFrom(0, "", '{"title":"n","code":"network.unreachable"}'));
  };
  const refused = (): never => {
    throw new Failed(toldFrom(409, "", JSON.stringify(REFUSED)));
  };
  it("stays while the answer is lost and is new after it", async () => {
    const once = onceEach();
    const ids: string[] = [];
    const give = (then: () => unknown) =>
      once(async (id) => {
        ids.push(id);
        return then();
      }).catch(() => null);
    await give(lost);
    await give(lost);
    await give(() => 1);
    await give(refused);
    await give(() => 1);
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(3);
  });
});
