// An OpenID provider on 127.0.0.1 that signs everybody in as the account named in LOGIN, for the test of our client.
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

const { port, back, login } = JSON.parse(readFileSync(0, "utf8"));
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "guicheng", client_secret: "a-secret-of-the-test", redirect_uris: [back], response_types: ["code"], grant_types: ["authorization_code"] }],
  pkce: { required: () => true },
  claims: { profile: ["preferred_username"] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id }) }),
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/enter/${interaction.uid}` },
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid profile");
    await grant.save();
    return grant;
  },
});
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith("/enter/")) return next();
  return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: login } });
});
provider.listen(port, "127.0.0.1", () => console.log("ready"));
