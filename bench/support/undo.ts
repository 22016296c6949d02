type Step = () => unknown;

/** What was started or made, so that nothing of it is left behind, however a run ends. */
export class Undo {
  private readonly steps: Step[] = [];
  private running: Promise<void> | undefined;

  get hasBegun(): boolean {
    return this.running !== undefined;
  }

  /** Also while it is being undone: then it is undone next. */
  add(step: Step): void {
    this.steps.push(step);
  }

  /** The last thing first; what cannot be undone keeps nobody from undoing the rest. */
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
    if (errors.length > 0) throw new AggregateError(errors, 'The benchmarks could not clear up after themselves');
  }
}
