// One JSON question on standard input, one JSON answer on standard output.
import { text } from 'node:stream/consumers';

export async function question() {
  return JSON.parse(await text(process.stdin));
}

export function answer(value) {
  process.stdout.write(JSON.stringify(value));
}
