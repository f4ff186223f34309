import { expect } from 'chai';
import type { Mistake } from '../../hack/generate/mistake.js';
import { MISTAKES, type MistakeName } from '../../hack/generate/mistakes.js';

/** Checks that a command ended as the page of mistakes says. */
export function expectMistake(name: MistakeName, ended: { readonly code: number; readonly stderr: string }): void {
  const { says, cure, code, printed }: Mistake = MISTAKES[name];
  expect(ended.stderr).to.match(pattern(says));
  if (printed !== false) expect(ended.stderr).to.match(pattern(cure));
  expect(ended.code, ended.stderr).to.equal(code);
  expect(ended.stderr, 'no stack').not.to.match(/\n\s+at /);
}

/** `…` is whatever stands there in the line. */
function pattern(text: string): RegExp {
  const parts = text.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('[^\\n]+'));
}
