/** The answer of an operation that made something: 201, where it is, and what it is. */
export class Created<Body> {
  constructor(
    readonly location: string | null,
    readonly body: Body,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {}
}
