// npm oidc-provider as a deployment would run it: production mode, its own store (in memory), JWT access
// tokens. One client for each algorithm; the client's name decides which one signs.
//
//   node server.mjs PORT KEYS.json SECRET [PROCESSES]
import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const [port, keys, secret, processes = '1'] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const audience = (alg) => `https://api.example.com/${alg}`;
const client = (alg) => ({
  client_id: `bench-${alg}`,
  client_secret: secret,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  token_endpoint_auth_method: 'client_secret_basic',
  scope: 'orders:read',
});

const provider = new Provider(issuer, {
  clients: [client('RS256'), client('ES256')],
  jwks: JSON.parse(readFileSync(keys, 'utf8')),
  scopes: ['orders:read'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, { clientId }) => audience(clientId.slice('bench-'.length)),
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'orders:read',
        audience: resource,
        accessTokenTTL: 3600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: resource.split('/').pop() } },
      }),
    },
  },
});
if (cluster.isPrimary && Number(processes) > 1) {
  for (let n = 0; n < Number(processes); n += 1) cluster.fork();
} else {
  provider.listen(Number(port), '127.0.0.1');
}
