/** The program cannot start. The message has the remedy for the operator, and is printed without a stack. */
export class StartFailure extends Error {
  override readonly name: string = 'StartFailure';
}
