const steps = [];

/** Remembers what to undo when all tests have ended: the last thing first. */
export function onTeardown(step) {
  steps.unshift(step);
}

export default async function tearDown() {
  for (const step of steps) await step();
}
