type Step = () => unknown;

/** The clean-up steps of a run, which are executed however the run ends. */
export class Undo {
  private readonly steps: Step[] = [];
  private running: Promise<void> | undefined;

  get hasBegun(): boolean {
    return this.running !== undefined;
  }

  /** A step that is added during the clean-up runs next. */
  add(step: Step): void {
    this.steps.push(step);
  }

  /** Runs the steps, last added first. If one fails, the others still run. */
  all(): Promise<void> {
    this.running ??= this.run();
    return this.running;
  }

  private async run(): Promise<void> {
    const errors: unknown[] = [];
    for (let step = this.steps.pop(); step; step = this.steps.pop()) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'The clean-up of the benchmarks failed');
  }
}
