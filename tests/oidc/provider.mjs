// The OIDC provider of the sign-in tests: `oidc-provider`, which is certified, with flaws on request.
//
//     node provider.mjs '{"clientId": "…", "clientSecret": "…", "redirectUri": "…"}'
//
// It says in one line of JSON where it listens. After that a line of JSON on its input is a wish, and a line of JSON on
// its output the answer: `{"flaw": NAME}` makes it flawed from now on (flaws.mjs; null makes it sound again), and
// `{"requests": true}` tells what has arrived. It ends with its input, and so with whoever started it.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import Provider from 'oidc-provider';

import { accounts } from './accounts.mjs';
import { FLAWS, MANNERS } from './flaws.mjs';

// Its advice is for who runs it in production, and our output is for answers alone.
console.info = console.warn = () => {};

const { clientId, clientSecret, redirectUri } = JSON.parse(process.argv[2]);

// Two hosts to listen at. The second one is where a flaw sends those who follow a redirect.
const server = createServer();
const elsewhere = createServer();
const issuer = await listen(server, '127.0.0.1');
const elsewhereUrl = await listen(elsewhere, '127.0.0.2');

const key = (kid) => ({ kid, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) });
const jwk = ({ kid, privateKey }) => ({ ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' });

// What flaws need to know.
const setting = {
  issuer,
  elsewhere: elsewhereUrl,
  clientId,
  clientSecret,
  key: key('current'),
  // What the provider signs with later, and what somebody else signs with under the provider's name. Keys take their
  // time to make, and most tests need neither.
  next: once(() => key('next')),
  foreign: once(() => key('current')),
};

const provider = new Provider(issuer, {
  clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
  jwks: { keys: [jwk(setting.key)] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  claims: { email: ['email', 'email_verified'], profile: ['name', 'preferred_username', 'picture'] },
  // Google, Entra, Okta and Keycloak put the claims of the scopes into the ID token as well.
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/sign-in/${interaction.uid}` },
  findAccount: (_, sub) => {
    const claims = Object.values(accounts).find((account) => account.sub === sub);
    return claims && { accountId: sub, claims: () => ({ ...claims }) };
  },
});
provider.on('server_error', (_, error) => console.error(error));

// The flaw that is on; none has nothing to do.
let flaw = {};
const requests = [];

provider.use(async (ctx, next) => {
  const request = {
    method: ctx.method,
    elsewhere: ctx.req.elsewhere === true,
    path: ctx.path,
    query: { ...ctx.query },
    authorization: ctx.get('authorization') || null,
    form: {},
  };
  requests.push(request);
  if (ctx.path.startsWith('/sign-in/')) {
    await signIn(ctx);
  } else if (!flaw.instead?.(ctx, setting)) {
    await next();
    request.form = { ...ctx.oidc?.body };
    flaw.after?.(ctx, setting);
  }
});

// One page for both questions: who are you, and may the client know?
async function signIn(ctx) {
  const { params, prompt } = await provider.interactionDetails(ctx.req, ctx.res);
  const answer = ctx.method === 'POST' ? await form(ctx.req) : undefined;
  const account = accounts[answer?.get('login')];
  if (answer?.get('decision') === 'deny') {
    const result = { error: 'access_denied', error_description: 'The user said no' };
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
  } else if (account) {
    const grant = new provider.Grant({ accountId: account.sub, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    const result = { login: { accountId: account.sub }, consent: { grantId: await grant.save() } };
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
  } else {
    ctx.status = answer ? 403 : 200;
    ctx.type = 'html';
    ctx.body = `<!doctype html><html lang="en"><title>Provider of the tests</title>
      <link rel="icon" href="data:,"><h1>Sign in (${prompt.name})</h1>
      <form method="post"><label>User name <input name="login" autofocus></label>
      <button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form>`;
  }
  // A POST is to become a GET.
  if (ctx.status === 302) ctx.status = 303;
}

function once(make) {
  let made;
  return () => (made ??= make());
}

async function form(request) {
  let text = '';
  for await (const part of request) text += part;
  return new URLSearchParams(text);
}

async function listen(server, host) {
  await new Promise((listening) => server.listen(0, host, listening));
  return `http://${host}:${server.address().port}`;
}

const answer = provider.callback();
server.on('request', answer);
elsewhere.on('request', (request, response) => {
  // It says what the provider would say at its own address, which is made of this header.
  request.elsewhere = true;
  request.headers.host = new URL(issuer).host;
  answer(request, response);
});

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
say({ issuer, elsewhere: elsewhereUrl, flaws: Object.keys(FLAWS), manners: Object.keys(MANNERS) });

for await (const line of createInterface({ input: process.stdin })) {
  const wish = JSON.parse(line);
  if ('flaw' in wish) {
    flaw = wish.flaw === null ? {} : FLAWS[wish.flaw] ?? MANNERS[wish.flaw];
    if (!flaw) throw new Error(`no flaw is called ${wish.flaw}`);
    say({ flaw: wish.flaw });
  } else {
    say({ requests });
  }
}
process.exit();
