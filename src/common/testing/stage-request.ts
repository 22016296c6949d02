/** What a module answered over HTTP. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Parsed where it is JSON, else text. What a test expects of it is the test's to say. */
  readonly body: any;
}

/** What a module is asked over HTTP. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly payload?: object | string;
}
