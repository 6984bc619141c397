// A sign-in service for tests: OpenID Connect as a package implements it, with two people who do
// not exist. It listens on a free port of this machine and prints its address.
//
//   node server.js REDIRECT_URI [MODE]
//
// MODE changes what it does wrong: `silent` tells no ID number, `other` tells another one for the
// same subject.

import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [redirect, mode = ""] = process.argv.slice(2);
const PEOPLE = {
  li: { name: "李无名", id_number: "999001198803050125" },
  wang: { name: "王无名", id_number: "999002197506110031" },
};
const CLIENT = { client_id: "yiku", client_secret: "a-secret-of-the-tests-only-0123456789" };

function claimsOf(id) {
  const { name, id_number } = PEOPLE[id];
  if (mode === "silent") return { sub: id, name };
  if (mode === "other") return { sub: id, name, id_number: PEOPLE.wang.id_number };
  return { sub: id, name, id_number };
}

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

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

console.log(`listening on ${issuer}`);
