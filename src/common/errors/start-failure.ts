/** Why the program cannot start, in words that tell the operator what to do: printed as it is, without a stack. */
export class StartFailure extends Error {
  override readonly name: string = 'StartFailure';
}
