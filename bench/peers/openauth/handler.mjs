// npm @openauthjs/openauth as its documentation deploys it on Lambda: Hono's adapter, tables in DynamoDB. Its
// client_credentials grant asks a provider; this one knows a single client and compares the secret in constant time.
import { timingSafeEqual } from 'node:crypto';
import { issuer } from '@openauthjs/openauth';
import { DynamoStorage } from '@openauthjs/openauth/storage/dynamo';
import { createSubjects } from '@openauthjs/openauth/subject';
import { handle } from 'hono/aws-lambda';

const anything = { '~standard': { version: 1, vendor: 'bench', validate: (value) => ({ value }) } };
const secret = Buffer.from(process.env.BENCH_SECRET);

const machine = {
  type: 'machine',
  init() {},
  async client({ clientID, clientSecret }) {
    const shown = Buffer.from(clientSecret);
    if (clientID !== 'bench' || shown.length !== secret.length || !timingSafeEqual(shown, secret)) {
      throw new Error('wrong credentials');
    }
    return { clientID };
  },
};

const app = issuer({
  providers: { machine },
  subjects: createSubjects({ client: anything }),
  storage: DynamoStorage({ table: process.env.BENCH_TABLE, endpoint: process.env.BENCH_DYNAMODB }),
  ttl: { access: 3600 },
  success: async (context, { clientID }) => context.subject('client', { clientID }),
});

export const handler = handle(app);
