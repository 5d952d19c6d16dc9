// A certified OpenID provider (oidc-provider) on a free port of this machine, with its own pages for signing in, where
// any name is an account. Arguments: the redirect address, the address after signing out, the client's secret.
// Prints {"issuer": ...} once it listens; runs until it is ended.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const [redirect, after, secret] = process.argv.slice(2);
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'alur', client_secret: secret, redirect_uris: [redirect], post_logout_redirect_uris: [after],
      grant_types: ['authorization_code'], response_types: ['code'],
    }, {
      client_id: 'lain', client_secret: secret, redirect_uris: [redirect],
      grant_types: ['authorization_code'], response_types: ['code'],
    }],
    pkce: { required: () => true },
    claims: { openid: ['sub'], profile: ['name', 'groups'] },
    conformIdTokenClaims: false,
    cookies: { keys: [secret] },
    findAccount: (_, id) => ({
      accountId: id,
      // What a provider may say of somebody; that they are administrators here is not for it to say.
      claims: () => ({ sub: id, name: `Pegawai ${id}`, groups: ['administrator'], administrator: true }),
    }),
  });
  server.on('request', provider.callback());
  console.log(JSON.stringify({ issuer }));
});
