// A sign-in service for tests: OpenID Connect as a package implements it, with two people who do
// not exist. It listens on a free port of this machine and prints its address.
//
//   node server.js REDIRECT_URI [MODE]
//
// MODE changes what it does wrong: `silent` tells no ID number, `foreign` says that it is
// another service. Once /changed was asked, it tells another ID number for the same people.

import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [redirect, mode = ""] = process.argv.slice(2);
const PEOPLE = {
  li: { name: "李无名", id_number: "999001198803050125" },
  wang: { name: "王无名", id_number: "999003198109230049" },
};
const CLIENT = { client_id: "yiku", client_secret: "a-secret-of-the-tests-only-0123456789" };

let changed = false;

function claimsOf(id) {
  const { name, id_number } = PEOPLE[id];
  if (mode === "silent") return { sub: id, name };
  return { sub: id, name, id_number: changed ? "999004199001010010" : id_number };
}

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${server.address().port}`;
const issuer = mode === "foreign" ? "http://127.0.0.1:1" : address;

const provider = new Provider(issuer, {
  clients: [{ ...CLIENT, redirect_uris: [redirect], response_types: ["code"] }],
  claims: { openid: ["sub"], profile: ["name", "id_number"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => claimsOf(id) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => true },
  cookies: { keys: ["of the tests only"] },
  // Whoever signs in has agreed: the question for it is no part of what is tested.
  async loadExistingGrant(context) {
    const { client, session } = context.oidc;
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid profile");
    await grant.save();
    return grant;
  },
});
const answer = provider.callback();

/** Where somebody says who they are: a page, and the two addresses that its buttons lead to. */
server.on("request", async (request, response) => {
  if (request.url === "/changed") {
    changed = true;
    return response.end("changed");
  }
  const found = /^\/interaction\/([\w-]+)(?:\/(li|wang|no))?$/.exec(request.url);
  if (!found) return answer(request, response);
  const who = found[2];
  if (who === "no") {
    return provider.interactionFinished(request, response, { error: "access_denied" });
  }
  if (who) {
    const login = { accountId: who };
    return provider.interactionFinished(request, response, { login });
  }
  const links = Object.entries(PEOPLE).map(
    ([id, { name }]) => `<p><a id="${id}" href="/interaction/${found[1]}/${id}">${name}</a></p>`,
  );
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(`<!doctype html><title>登录</title>${links.join("")}`);
});

console.log(`listening on ${address}`);
