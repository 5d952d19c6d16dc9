// What bpmn.io's validator says of element templates.
// stdin:  [template, ...]
// stdout: {valid, problems: [message]}
import { validateAll } from '@bpmn-io/element-templates-validator';

import { answer, question } from './talk.mjs';

const { valid, results } = validateAll(await question());
answer({ valid, problems: results.flatMap(({ errors, warnings }) => [...(errors ?? []), ...(warnings ?? [])])
  .map((one) => one.message) });
