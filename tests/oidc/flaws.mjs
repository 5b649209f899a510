// What can be wrong with a provider. Each flaw is a pair of functions, of which one may be missing: `instead` answers a
// request in the provider's place and returns true, `after` changes the answer that the provider has given.

import { createHmac, sign } from 'node:crypto';

const now = () => Math.floor(Date.now() / 1000);
const HOUR = 3600;
const DAY = 24 * HOUR;
const OTHER_ISSUER = 'https://issuer.example';
// What nobody needs to read to the end.
const HUGE = 8 * 1024 * 1024;

const encode = (value) => Buffer.from(value).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());
const rs256 = (key) => (input) => sign('RSA-SHA256', input, key.privateKey);
const hs256 = (secret) => (input) => createHmac('sha256', secret).update(input).digest();

// Changes the answer of one of the provider's routes, where that is not an error anyway. It is a copy, because the
// provider answers with what it goes on with.
const at = (route, change) => ({
  after: (ctx, setting) => {
    if (ctx.oidc?.route !== route || ctx.status !== 200) return;
    ctx.body = structuredClone(ctx.body);
    change(ctx, setting);
  },
});

// Answers a path in the provider's place. Those who were sent elsewhere find everything sound there.
const instead = (path, answer) => ({
  instead: (ctx, setting) => {
    const meant = ctx.path === path && !ctx.req.elsewhere;
    if (meant) answer(ctx, setting);
    return meant;
  },
});

// Writes the ID token again: `change` sees its header, its claims and the setting, and returns how it is to be signed
// where that is not with the provider's own key.
const token = (change) =>
  at('token', (ctx, setting) => {
    const [header, claims] = ctx.body.id_token.split('.').slice(0, 2).map(decode);
    const signer = change(claims, setting, header) ?? rs256(setting.key);
    const input = [header, claims].map((part) => encode(JSON.stringify(part))).join('.');
    ctx.body.id_token = `${input}.${encode(signer(input))}`;
  });

// Says something else about the user, in the ID token and at the userinfo endpoint.
const user = (change) => {
  const { after } = token((claims) => void change(claims));
  return {
    after: (ctx, setting) => {
      after(ctx, setting);
      at('userinfo', ({ body }) => change(body)).after(ctx);
    },
  };
};

const without = (name) => (claims) => { delete claims[name]; };
const having = (values) => (claims, setting) =>
  void Object.assign(claims, typeof values === 'function' ? values(setting) : values);

// Leaves out of the ID token what the userinfo endpoint tells as well.
const lean = (claims) => {
  for (const name of ['email', 'email_verified', 'name', 'preferred_username', 'picture']) delete claims[name];
};

// With each of them, nobody may be signed in.
export const FLAWS = {
  'iss-missing': token(without('iss')),
  'iss-other': token(having({ iss: OTHER_ISSUER })),
  'iss-slash': token(having(({ issuer }) => ({ iss: `${issuer}/` }))),
  'sub-missing': token(without('sub')),
  'sub-empty': token(having({ sub: '' })),
  'sub-number': token(having({ sub: 7 })),
  'aud-missing': token(without('aud')),
  'aud-empty': token(having({ aud: [] })),
  'aud-other': token(having({ aud: 'another-client' })),
  'aud-several': token(having(({ clientId }) => ({ aud: [clientId, 'another-client'] }))),
  'aud-several-azp-other': token(
    having(({ clientId }) => ({ aud: [clientId, 'another-client'], azp: 'another-client' })),
  ),
  'azp-other': token(having({ azp: 'another-client' })),
  'exp-missing': token(without('exp')),
  'exp-past': token(having(() => ({ iat: now() - DAY, exp: now() - HOUR }))),
  'exp-text': token(having(() => ({ exp: String(now() + HOUR) }))),
  'nbf-future': token(having(() => ({ nbf: now() + HOUR }))),
  'iat-missing': token(without('iat')),
  'iat-future': token(having(() => ({ iat: now() + HOUR, exp: now() + 2 * HOUR }))),
  'iat-old': token(having(() => ({ iat: now() - DAY }))),
  'nonce-missing': token(without('nonce')),
  'nonce-other': token(having({ nonce: 'of-another-browser' })),

  'email-missing': user(without('email')),
  'email-unverified': user(having({ email_verified: false })),
  'email-verified-missing': user(without('email_verified')),
  'email-verified-text': user(having({ email_verified: 'false' })),
  'userinfo-sub-other': {
    after: (ctx, setting) => {
      token((claims) => void lean(claims)).after(ctx, setting);
      at('userinfo', ({ body }) => { body.sub = 'somebody-else'; }).after(ctx);
    },
  },

  'alg-none': token((claims, setting, header) => {
    header.alg = 'none';
    return () => '';
  }),
  'hs256-client-secret': token((claims, { clientSecret }, header) => {
    header.alg = 'HS256';
    return hs256(clientSecret);
  }),
  'hs256-public-key': token((claims, { key }, header) => {
    header.alg = 'HS256';
    return hs256(key.publicKey.export({ type: 'spki', format: 'pem' }));
  }),
  'kid-unknown': token((claims, setting, header) => { header.kid = 'unknown'; }),
  'signature-wrong': token((claims, { foreign }) => rs256(foreign())),
  'signature-missing': token(() => () => ''),
  'key-embedded': token((claims, { foreign }, header) => {
    header.jwk = foreign().publicKey.export({ format: 'jwk' });
    delete header.kid;
    return rs256(foreign());
  }),
  'claims-altered': at('token', ({ body }) => {
    const [header, claims, signature] = body.id_token.split('.');
    const altered = { ...decode(claims), sub: '81d0-grace', email: 'grace@example.com' };
    body.id_token = [header, encode(JSON.stringify(altered)), signature].join('.');
  }),
  'id-token-rubbish': at('token', ({ body }) => { body.id_token = 'rubbish'; }),
  'id-token-missing': at('token', ({ body }) => { delete body.id_token; }),

  'discovery-issuer': at('discovery', ({ body }) => { body.issuer = OTHER_ISSUER; }),
  'discovery-redirect': instead('/.well-known/openid-configuration', (ctx, { elsewhere }) =>
    ctx.redirect(`${elsewhere}/.well-known/openid-configuration`)),
  'discovery-huge': at('discovery', ({ body }) => { body.padding = 'x'.repeat(HUGE); }),
  'discovery-error': instead('/.well-known/openid-configuration', (ctx) => { ctx.status = 500; }),
  'jwks-huge': at('jwks', ({ body }) => {
    const [key] = body.keys;
    const filler = Array.from({ length: HUGE / 512 }, (_, index) => ({ ...key, kid: `filler-${index}` }));
    body.keys.push(...filler);
  }),
  'jwks-empty': at('jwks', ({ body }) => { body.keys = []; }),
  'jwks-error': instead('/jwks', (ctx) => { ctx.status = 500; }),
  'jwks-redirect': instead('/jwks', (ctx, { elsewhere }) => ctx.redirect(`${elsewhere}/jwks`)),
  'token-error': instead('/token', (ctx) => {
    ctx.status = 400;
    ctx.body = { error: 'invalid_grant', error_description: 'grant request is invalid' };
  }),
  'token-html': instead('/token', (ctx) => {
    ctx.type = 'html';
    ctx.body = '<h1>Maintenance</h1>';
  }),
  'token-redirect': instead('/token', (ctx, { elsewhere }) => {
    ctx.redirect(`${elsewhere}/token`);
    ctx.status = 307;
  }),
};

// What providers differ in. With each of them, everybody can sign in.
export const MANNERS = {
  'aud-list': token(having(({ clientId }) => ({ aud: [clientId] }))),
  'azp-own': token(having(({ clientId }) => ({ azp: clientId }))),
  'claims-at-userinfo': token((claims) => void lean(claims)),
  'key-next': {
    after: (ctx, setting) => {
      token((claims, { next }, header) => {
        header.kid = next().kid;
        return rs256(next());
      }).after(ctx, setting);
      at('jwks', ({ body }) => {
        const { kid, publicKey } = setting.next();
        body.keys = [{ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }];
      }).after(ctx, setting);
    },
  },
};
