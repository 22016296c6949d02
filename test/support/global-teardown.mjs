const steps = [];

/** Registers a clean-up step for the end of all tests. The last one runs first. */
export function onTeardown(step) {
  steps.unshift(step);
}

export default async function tearDown() {
  for (const step of steps) await step();
}
